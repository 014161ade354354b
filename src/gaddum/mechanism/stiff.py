"""Courses of a few stiff states, many draws at once, each with steps and an estimated error of its own.

For what has no closed form. Panels lie between the times where something jumps or is read, so that no step crosses a
jump. Steps of `radau` are as long as the course is smooth over them. The whole course is followed twice, the second
time in pairs of steps of half the length: the difference estimates its error. Draws whose error meets the target are
done; the others are followed again, with the steps halved once more. Where the shortest do not meet the target,
the result says so; nothing raises.

Draws go through the compiled loop in blocks of `LANES`, which stay in the processor's cache and are compiled
once, however many draws there are; those that took similar numbers of steps go together. The blocks are chosen by
looking at the numbers, so a course cannot be traced: no jit and no gradient around it.
"""

from collections.abc import Sequence
from functools import partial, reduce
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import ArrayLike

from gaddum.mechanism import radau
from gaddum.mechanism.elimination import Matrix, States, jacobian

LANES, FEW = 128, 8
"""Draws that are followed side by side, of many and of few: two programs, whatever the number of draws."""
SHORTEST = 1e-12
"""Shortest step (h); a draw that needs shorter ones is lost."""
ROUGHNESS = 0.13
"""Roughness of the steps of the first course over the root of the target: the error goes with its square."""
SHARE = 0.1
"""Of the difference of two courses, what is taken for the error of the second: one in 2^9 by the method's order, one in
twelve where a step is long beside what is fast in it. Errors far below the target may be somewhat larger."""
FAINT = 1e-6
"""Share of the size of a state below which the choice of steps does not see it, as where it rises from nothing."""
SAFETY, FAILED = 0.85, 0.3
"""Share of the step that the roughness suggests; and of one whose stages were not found."""
FIRST = 0.2
"""First step after a jump, in times of the fastest mode."""
CHANGE = (0.1, 6.0)
"""Least and greatest ratio of two steps, one after the other."""


@runtime_checkable
class System(Protocol):
    """A system of equations; hashable, and equal (compiled once) for the same structure."""

    def forcing(self, since: Array, panel: Any, args: Any) -> Any:
        """What drives the system, whatever its state, at a time since the beginning of a panel [lanes]."""
        ...

    def rate(self, y: tuple[Array, ...], forcing: Any, args: Any) -> Sequence[Array]:
        """Rate of change of each state (1/h), [lanes] each."""
        ...


class Course(NamedTuple):
    """States at the ends of panels, and how far to trust them.

    Attributes
    ----------
    states
        Shape [panels + 1, n, draws]; the first row is the start, before any jump.
    error
        Estimated largest relative error of a draw, shape [draws].
    converged
        Whether it met the target, shape [draws].
    steps
        Steps of its last course, tried or taken, shape [draws].
    status
        "converged", or a sentence that says what is wrong.
    """

    states: np.ndarray
    error: np.ndarray
    converged: np.ndarray
    steps: np.ndarray
    status: str


class Readings(NamedTuple):
    """Values at wanted times, and how far to trust them.

    Attributes
    ----------
    values
        Shape [times, *batch] or [times, ligands, *batch].
    error
        Estimated largest relative error of a draw, over all doses and times, shape [*batch].
    converged
        Whether the error met the target, shape [*batch].
    status
        "converged", or a sentence that says what is wrong.
    """

    values: Array
    error: Array
    converged: Array
    status: str


def integrate(
    system: System,
    start: np.ndarray,
    edges: np.ndarray,
    jumps: np.ndarray,
    panels: Any,
    args: Any,
    sizes: np.ndarray,
    *,
    tolerance: float = 1e-7,
    courses: int = 6,
    most: int = 128,
    together: bool = False,
) -> Course:
    """Follow a small stiff system over its panels.

    Parameters
    ----------
    system
        Equations of one to six states.
    start
        State at the first edge, shape [n, draws].
    edges
        Ends of the panels (h), ascending, shape [panels + 1, draws], or [panels + 1, 1] where all draws share them.
    jumps
        What is added to the state at the beginning of each panel, shape [panels, n, draws].
    panels
        What differs from panel to panel: any pytree of arrays of shape [panels, ..., draws] or [panels, ..., 1].
    args
        What does not: any pytree of arrays of shape [..., draws] or [..., 1].
    sizes
        What each state may come to, roughly, shape [n, draws]; see `FAINT`.
    tolerance
        Target of the estimated relative error.
    courses, most
        Most courses, and most steps of the first of them, beside eight for each panel.
    together
        Whether all draws take the same steps, as they must where the forcing knows only one time for all of them.
    """
    n, draws = start.shape
    if n > 6:
        raise ValueError(f"At most six states can be followed; got {n}. Split the system.")
    states, peak = np.full((len(edges), n, draws), np.nan), sizes * (FAINT / radau.FLOOR)
    states[0] = start
    error, steps = np.full(draws, np.inf), np.zeros(draws, int)
    width = draws if together else FEW if draws <= FEW else LANES
    rest, roughness = np.arange(draws), ROUGHNESS * tolerance**0.5
    grid = np.zeros((most + 8 * len(jumps), 1 if together else draws))
    for number in range(courses):
        before, given = states[1:], (start, edges, jumps, panels, args, peak, grid)
        states, blocks = states.copy(), [rest[first : first + width] for first in range(0, rest.size, width)]
        # The error of the stages may be a share of that which the steps leave.
        exact = max(tolerance / (10 if number else 1), 1e-13)
        parts = [jax.tree.map(partial(_lanes, block, width, draws), given) for block in blocks]
        found = [
            _follow(system, part, roughness, exact, 2**number if number else 0, together) for part in parts
        ]
        for block, (*course, taken) in zip(blocks, found, strict=True):
            for whole, part in zip((states[1:], peak, steps), course, strict=True):
                whole[..., block] = np.asarray(part)[..., : block.size]
            if not number:
                grid[..., 0 if together else block] = _packed(
                    np.asarray(taken)[..., 0 if together else slice(block.size)]
                )
        if number:
            error[rest] = SHARE * _difference(before[..., rest], states[1:, :, rest])
        rest = rest[(error[rest] > tolerance) & np.isfinite(states[-1][:, rest]).all(axis=0)]
        rest = rest[np.argsort(steps[rest], kind="stable")]
        if not rest.size:
            break
    converged = error <= tolerance
    lost = int((~converged).sum())
    status = "converged"
    if lost:
        status = (
            f"{lost} of {draws} draws missed the target {tolerance:g} in steps of {steps.max()} a draw (worst "
            f"{np.max(error):.1e}); raise `courses` or `most`, or look at their parameters."
        )
    return Course(states, error, converged, steps, status)


def _lanes(block: np.ndarray, width: int, draws: int, leaf: np.ndarray) -> np.ndarray:
    """What belongs to a block of draws, the last of them repeated up to the width of all blocks."""
    if leaf.shape[-1] != draws:
        return leaf
    return np.take(leaf, np.append(block, np.full(width - block.size, block[-1])), axis=-1)


def _packed(taken: np.ndarray) -> np.ndarray:
    """Lengths of steps [tries, ...] with those that were not taken (0) at the end."""
    used = int(np.flatnonzero(taken.reshape(len(taken), -1).any(axis=1))[-1:].sum()) + 1
    packed = taken.copy()
    packed[:used] = np.take_along_axis(
        taken[:used], np.argsort(taken[:used] == 0, axis=0, kind="stable"), axis=0
    )
    return packed


def _difference(coarse: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Largest relative difference of two courses, [draws]; infinite where it is not a number."""
    scale = np.maximum(np.abs(fine), radau.FLOOR * np.abs(fine).max(axis=0))
    worst = (np.abs(fine - coarse) / np.where(scale > 0, scale, 1.0)).max(axis=(0, 1))
    return np.where(np.isfinite(worst), worst, np.inf)


class _At(NamedTuple):
    """Where the lanes are; all but the states, their peaks and readings are of shape [lanes], or [1] if together."""

    panel: Array
    since: Array
    length: Array
    """Of the next step (h): in the first course as the last ones suggest, later as the grid says."""
    fresh: Array
    """Whether nothing is known of the course since the last jump."""
    y: Array
    peak: Array
    shape: Array
    before: Array
    """Length of the last step (h)."""
    entry: Array
    """Of the grid."""
    again: Array
    """Steps that are still to come in this entry."""
    read: Array
    """States at the ends of panels, [panels, n, lanes]."""
    steps: Array
    taken: Array
    """Lengths of the steps of the first course (h), 0 where not taken, [tries, lanes] or [tries, 1]."""
    tries: Array


@partial(jax.jit, static_argnames=("system", "together"))
def _follow(
    system: System, given: Any, roughness: ArrayLike, exact: ArrayLike, parts: ArrayLike, together: bool
) -> tuple[Array, Array, Array, Array]:
    """States at the ends of panels [panels, n, lanes], peaks [n, lanes], and steps [lanes] and their lengths.

    Steps are chosen here where `parts` is 0; else those of a grid are split into so many.
    """
    start, edges, jumps, panels, args, peak, grid = given
    count, n, lanes = jumps.shape
    own = (1,) if together else (lanes,)
    lengths = jnp.diff(edges, axis=0)
    ends, chosen, parts = jnp.arange(count)[:, None], jnp.equal(parts, 0), jnp.maximum(parts, 1)
    most = len(grid) * jnp.where(chosen, 1, 2 * parts)

    def rate(y: States, forcing: Any) -> Sequence[Array]:
        return system.rate(y, forcing, args)

    def body(at: _At) -> _At:
        place = jnp.minimum(at.panel, count - 1)
        here = jax.tree.map(partial(_of_panel, place), panels)
        left = _of_panel(place, lengths) - at.since
        running = at.panel < count
        idle = ~running | (left <= 0)
        now = system.forcing(at.since, here, args)
        fastest = radau.as_steps(_fastest(jacobian(lambda y: rate(y, now), tuple(at.y))), at.since)
        wish = jnp.where(at.fresh, jnp.minimum(at.length, FIRST / jnp.maximum(fastest, 1e-30)), at.length)
        free = left / jnp.maximum(jnp.ceil(left / wish * (1 - 1e-9)), 1.0)
        laid = jnp.where(at.again > 0, at.length, _of_panel(at.entry, grid) / parts)
        again = jnp.where(at.again > 0, at.again, parts)
        length = jnp.where(idle, 1.0, jnp.where(chosen, free, laid))
        forcing = jax.vmap(lambda t: system.forcing(t, here, args))(radau.times(at.since, length))
        tried = radau.step(rate, at.y, forcing, length, at.shape, length / at.before, at.peak, exact, idle)

        good = tried.solved & (~chosen | (tried.roughness <= roughness)) & ~idle
        arrived = running & (idle | (good & (left - length <= 1e-9 * length)))
        change = jnp.clip(
            SAFETY * (roughness / jnp.maximum(tried.roughness, 1e-300)) ** (1 / radau.STAGES), *CHANGE
        )
        change = jnp.where(tried.solved & jnp.isfinite(tried.roughness), change, FAILED)
        # A step that the end of a panel cut short does not shorten the next.
        following = jnp.where(arrived & (change > 1), jnp.maximum(change * length, wish), change * length)
        following = jnp.where(chosen, following, jnp.where(good, length, length / 2))
        again = jnp.where(idle, at.again, jnp.where(good, again - 1, 2 * again))
        lost = running & ~idle & ~good & (following < SHORTEST)
        y = jnp.where(good[None], tried.end, at.y)
        here = (ends == at.panel[None]) & arrived[None]
        read = jnp.where(here[:, None], y[None], at.read)
        struck = jnp.where((arrived & (at.panel < count - 1))[None], _of_panel(place + 1, jumps), 0.0)
        fresh = radau.as_steps(jnp.any(struck != 0, axis=0), at.since)
        y = y + struck
        return _At(
            jnp.where(lost, count, at.panel + arrived),
            jnp.where(arrived, 0.0, jnp.where(good, at.since + length, at.since)),
            jnp.where(idle, at.length, following),
            fresh | (at.fresh & idle),
            y,
            jnp.maximum(at.peak, jnp.abs(y)),
            jnp.where(fresh[None, None], 0.0, jnp.where(good[None, None], tried.shape, at.shape)),
            jnp.where(good, length, at.before),
            at.entry + (good & (again == 0)),
            again,
            read,
            at.steps + running,
            lax.dynamic_update_slice(at.taken, jnp.where(good, length, 0.0)[None], (at.tries, 0)),
            at.tries + 1,
        )

    y = start + jumps[0]
    begin = _At(
        jnp.zeros(own, int),
        jnp.zeros(own),
        jnp.full(own, jnp.inf),
        jnp.ones(own, bool),
        y,
        jnp.maximum(peak, jnp.abs(y)),
        jnp.zeros((radau.STAGES, n, lanes)),
        jnp.ones(own),
        jnp.zeros(own, int),
        jnp.zeros(own, int),
        jnp.full((count, n, lanes), jnp.nan),
        jnp.zeros(own, int),
        jnp.zeros((len(grid), *own)),
        jnp.zeros((), int),
    )
    at = lax.while_loop(lambda at: (at.tries < most) & jnp.any(at.panel < count), body, begin)
    return at.read, at.peak, at.steps, at.taken


def _fastest(rows: Matrix) -> Array:
    """A bound of the fastest mode (1/h), [lanes]: the largest row sum of a Jacobian."""
    sums = [
        reduce(jnp.add, [jnp.abs(x) for x in row if x is not None])
        for row in rows
        if any(x is not None for x in row)
    ]
    return reduce(jnp.maximum, sums)


def _of_panel(panel: Array, leaf: Array) -> Array:
    """What an array [panels, ..., lanes or 1] holds for each lane's panel."""
    places = jnp.minimum(panel, leaf.shape[0] - 1).reshape((1,) * (leaf.ndim - 1) + panel.shape)
    return jnp.take_along_axis(leaf, places, axis=0, mode="promise_in_bounds")[0]
