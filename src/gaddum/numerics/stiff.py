"""Courses of a few stiff states, many draws at once, each with steps and an estimated error of its own.

For what has no closed form. Panels lie between the times where something jumps or is read, so that no step crosses a
jump. Steps of `radau` are as long as their own error and the smoothness of the course allow; the estimated errors are
carried along from step to step, as the system lets them grow or fade. Draws whose error at the ends of panels meets
the target are done; the others are followed again in shorter steps. Where these do not meet the target either, the
result says so; nothing raises.

Draws go through the compiled loop in blocks of `LANES`, which stay in the processor's cache and are compiled
once, however many draws there are. Which are followed again is seen from the numbers, so a course cannot be traced: no
jit and no gradient around it.
"""

from collections.abc import Sequence
from functools import partial, reduce
from typing import Any, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import ArrayLike

from gaddum.numerics import radau
from gaddum.numerics.sparse_lu import Matrix, States, jacobian

LANES, FEW = 128, 8
"""Draws that are followed side by side, of many and of few: two programs, whatever the number of draws."""
SHORTEST = 1e-12
"""Shortest step (h); a draw that needs shorter ones is lost."""
ROUGHNESS, LOCAL = 0.3, 0.3
"""Most that a step may have: roughness, over the root of the target (the error goes with its square), and error."""
EXACT = 0.1
"""Error of the stages, over the target."""
TIGHTER = (1e-3, 0.2)
"""Least and greatest ratio of the targets of the steps of two courses."""
FAINT = 1e-6
"""Share of the size of a state below which the choice of steps does not see it, as where it rises from nothing."""
SAFETY, FAILED = 0.85, 0.3
"""Share of the step that its error and roughness suggest; and of one whose stages were not found."""
FIRST = 0.2
"""First step after a jump, in times of the fastest mode."""
CHANGE = (0.1, 6.0)
"""Least and greatest ratio of two steps, one after the other."""


@runtime_checkable
class StiffSystem(Protocol):
    """A system of equations; hashable, and equal (compiled once) for the same structure."""

    def forcing(self, since: Array, panel: Any, args: Any) -> Any:
        """What drives the system, whatever its state, at a time since the beginning of a panel [lanes]."""
        ...

    def rate(self, y: tuple[Array, ...], forcing: Any, args: Any) -> Sequence[Array]:
        """Rate of change of each state (1/h), [lanes] each."""
        ...


class StiffCourse(NamedTuple):
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


class StiffReadings(NamedTuple):
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
    system: StiffSystem,
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
) -> StiffCourse:
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
        Most courses, and most steps of the first of them, beside eight for each panel; twice as many in each other.
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
    rest, target = np.arange(draws), np.full(draws, tolerance)
    for number in range(courses):
        given = (start, edges, jumps, panels, args, peak, target)
        tries = (most + 8 * len(jumps)) * 2**number
        exact = max(EXACT * tolerance, 1e-13)
        blocks = [rest[first : first + width] for first in range(0, rest.size, width)]
        parts = [jax.tree.map(partial(_lanes, block, width, draws), given) for block in blocks]
        found = [_follow(system, part, exact, tries, together) for part in parts]
        for block, (course, lacking, taken) in zip(blocks, found, strict=True):
            course, lacking = (np.asarray(part)[..., : block.size] for part in (course, lacking))
            states[1:, :, block] = course
            error[block] = _relative(lacking, course)
            steps[block] = np.asarray(taken)[..., : block.size]
        rest = rest[error[rest] > tolerance]
        if not rest.size:
            break
        # One that did not arrive needs more steps, not shorter ones.
        tighter = np.clip(TIGHTER[1] * tolerance / error[rest], *TIGHTER)
        target[rest] *= np.where(np.isfinite(error[rest]), tighter, 1.0)
    converged = error <= tolerance
    lost = int((~converged).sum())
    status = "converged"
    if lost:
        status = (
            f"{lost} of {draws} draws missed the target {tolerance:g} in steps of {steps.max()} a draw (worst "
            f"{np.max(error):.1e}); raise `courses` or `most`, or look at their parameters."
        )
    return StiffCourse(states, error, converged, steps, status)


def _lanes(block: np.ndarray, width: int, draws: int, leaf: np.ndarray) -> np.ndarray:
    """What belongs to a block of draws, the last of them repeated up to the width of all blocks."""
    if leaf.shape[-1] != draws:
        return leaf
    return np.take(leaf, np.append(block, np.full(width - block.size, block[-1])), axis=-1)


def _relative(error: np.ndarray, course: np.ndarray) -> np.ndarray:
    """Largest relative error of a course, [draws]; infinite where it is not a number."""
    scale = np.maximum(np.abs(course), radau.FLOOR * np.abs(course).max(axis=0))
    worst = (np.abs(error) / np.where(scale > 0, scale, 1.0)).max(axis=(0, 1))
    return np.where(np.isfinite(worst), worst, np.inf)


class _LaneState(NamedTuple):
    """Where the lanes are; all but the states, their peaks and readings are of shape [lanes], or [1] if together."""

    panel: Array
    since: Array
    length: Array
    """Of the next step (h), as the last ones suggest."""
    fresh: Array
    """Whether nothing is known of the course since the last jump."""
    y: Array
    lacking: Array
    """Estimated error of the states, [n, lanes]."""
    peak: Array
    shape: Array
    before: Array
    """Length of the last step (h)."""
    read: Array
    """States at the ends of panels, [panels, n, lanes],"""
    missed: Array
    """and their estimated errors."""
    steps: Array
    tries: Array


@partial(jax.jit, static_argnames=("system", "together"))
def _follow(
    system: StiffSystem, given: Any, exact: ArrayLike, most: ArrayLike, together: bool
) -> tuple[Array, Array, Array]:
    """States at the ends of panels and their errors, [panels, n, lanes], and steps [lanes]."""
    start, edges, jumps, panels, args, peak, target = given
    count, n, lanes = jumps.shape
    own = (1,) if together else (lanes,)
    lengths, ends = jnp.diff(edges, axis=0), jnp.arange(count)[:, None]

    def rate(y: States, forcing: Any) -> Sequence[Array]:
        return system.rate(y, forcing, args)

    def body(at: _LaneState) -> _LaneState:
        place = jnp.minimum(at.panel, count - 1)
        here = jax.tree.map(partial(_of_panel, place), panels)
        left = _of_panel(place, lengths) - at.since
        running = at.panel < count
        idle = ~running | (left <= 0)
        now = system.forcing(at.since, here, args)
        fastest = radau.as_steps(_fastest(jacobian(lambda y: rate(y, now), tuple(at.y))), at.since)
        wish = jnp.where(at.fresh, jnp.minimum(at.length, FIRST / jnp.maximum(fastest, 1e-30)), at.length)
        free = left / jnp.maximum(jnp.ceil(left / wish * (1 - 1e-9)), 1.0)
        length = jnp.where(idle, 1.0, free)
        forcing = jax.vmap(lambda t: system.forcing(t, here, args))(radau.times(at.since, length))
        tried = radau.step(
            rate, at.y, at.lacking, forcing, length, at.shape, length / at.before, at.peak, exact, idle
        )

        rough = radau.as_steps(
            jnp.maximum(
                tried.roughness / (ROUGHNESS * jnp.sqrt(target)), jnp.sqrt(tried.local / (LOCAL * target))
            ),
            at.since,
        )
        good = tried.solved & (rough <= 1) & ~idle
        arrived = running & (idle | (good & (left - length <= 1e-9 * length)))
        change = jnp.clip(SAFETY * jnp.maximum(rough, 1e-300) ** (-1 / radau.STAGES), *CHANGE)
        change = jnp.where(tried.solved & jnp.isfinite(rough), change, FAILED)
        # A step that the end of a panel cut short does not shorten the next.
        following = jnp.where(arrived & (change > 1), jnp.maximum(change * length, wish), change * length)
        lost = running & ~idle & ~good & (following < SHORTEST)
        y = jnp.where(good[None], tried.end, at.y)
        lacking = jnp.where(good[None], tried.lacking, at.lacking)
        here = ((ends == at.panel[None]) & arrived[None])[:, None]
        struck = jnp.where((arrived & (at.panel < count - 1))[None], _of_panel(place + 1, jumps), 0.0)
        fresh = radau.as_steps(jnp.any(struck != 0, axis=0), at.since)
        return _LaneState(
            jnp.where(lost, count, at.panel + arrived),
            jnp.where(arrived, 0.0, jnp.where(good, at.since + length, at.since)),
            jnp.where(idle, at.length, following),
            fresh | (at.fresh & idle),
            y + struck,
            lacking,
            jnp.maximum(at.peak, jnp.abs(y + struck)),
            jnp.where(fresh[None, None], 0.0, jnp.where(good[None, None], tried.shape, at.shape)),
            jnp.where(good, length, at.before),
            jnp.where(here, y[None], at.read),
            jnp.where(here, lacking[None], at.missed),
            at.steps + running,
            at.tries + 1,
        )

    y, nothing = start + jumps[0], jnp.full((count, n, lanes), jnp.nan)
    begin = _LaneState(
        jnp.zeros(own, int),
        jnp.zeros(own),
        jnp.full(own, jnp.inf),
        jnp.ones(own, bool),
        y,
        jnp.zeros((n, lanes)),
        jnp.maximum(peak, jnp.abs(y)),
        jnp.zeros((radau.STAGES, n, lanes)),
        jnp.ones(own),
        nothing,
        nothing,
        jnp.zeros(own, int),
        jnp.zeros((), int),
    )
    at = lax.while_loop(lambda at: (at.tries < most) & jnp.any(at.panel < count), body, begin)
    return at.read, at.missed, at.steps


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
