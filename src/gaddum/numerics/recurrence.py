"""Recurrence: states that are linear in themselves, followed over many intervals by their integrating factor.

Between the edges of an interval the drive is known at Gauss-Legendre nodes. What an interval keeps of the state and
what it adds are computed for all intervals at once; only the recursion from edge to edge is sequential. Integrands are
positive, so nothing cancels. `response.behaviour` uses the same for one reading; this is for whole courses.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from gaddum.numerics.quadrature import Quadrature

NARROW = 3.0
"""Width of an interval over the time constant from which the kernel, not the drive, is integrated exactly."""
_ALIKE = 1e-9
"""Difference of two ages of the state below which they are one."""


def relaxation(
    drive: Float[Array, "intervals order ..."],
    width: Float[Array | np.ndarray, " intervals"],
    rule: Quadrature,
    k: Float[Array, "..."],
) -> Float[Array, "edges ..."]:
    """State A at every edge under dA/dt = k (drive - A), from A = 0.

    Parameters
    ----------
    drive : array
        Drive at the nodes of each interval.
    width : array
        Width of each interval (h).
    rule : Quadrature
        Rule of the nodes.
    k : array
        Rate of equilibration (1/h).

    Returns
    -------
    array, shape (intervals + 1, *batch)
        State at the edges.
    """
    span = _along(width, drive.ndim - 1)
    rest = _along(1 - rule.nodes, drive.ndim - 1)
    reach = k * span
    kept = jnp.exp(-reach)
    gained = reach * _weighted(rule.weights, drive * jnp.exp(-reach[:, None] * rest))
    # A kernel that is narrow beside the interval is integrated exactly against the interpolated drive.
    powers = np.linalg.inv(np.vander(rule.nodes, increasing=True))
    safe = jnp.maximum(reach, NARROW)
    moment, exact = -jnp.expm1(-safe), jnp.zeros_like(gained)
    for power, row in enumerate(powers):
        moment = moment if power == 0 else 1 - power / safe * moment
        exact = exact + moment * _weighted(row, drive)
    return _recursion(kept, jnp.where(reach > NARROW, exact, gained), jnp.zeros(drive.shape[2:]))


def turnover(
    drive: Float[Array, "intervals order ..."],
    width: Float[Array | np.ndarray, " intervals"],
    rule: Quadrature,
    k_off: Float[Array, "..."],
    *,
    cycle: int | None = None,
    narrow: bool = True,
) -> Float[Array, "edges ..."]:
    """State P at every edge under dP/dt = drive (1 - P) - k_off P, from P = 0 or a steady state.

    Parameters
    ----------
    drive : array
        Rate of build-up (1/h) at the nodes of each interval.
    width : array
        Width of each interval (h).
    rule : Quadrature
        Rule of the nodes.
    k_off : array
        Rate of decay (1/h).
    cycle : int, optional
        Where the first `cycle` intervals are one period of a steady state, P starts at the value that repeats after
        it; otherwise at 0.
    narrow : bool
        Whether the state may settle within an interval. Without, a caller answers for intervals of at most a few time
        constants, and saves half of the time.

    Returns
    -------
    array, shape (intervals + 1, *batch)
        State at the edges.
    """
    span = _along(width, drive.ndim - 1)
    rest = _along(1 - rule.nodes, drive.ndim - 1)
    whole = span * _weighted(rule.weights, drive)
    built = jnp.stack([span * _weighted(row, drive) for row in rule.cumulative], axis=1)
    age = whole[:, None] - built + k_off * span[:, None] * rest
    reach = whole + k_off * span
    kept = jnp.exp(-reach)
    gained = span * _weighted(rule.weights, drive * jnp.exp(-age))
    if narrow:
        gained = jnp.where(reach > NARROW, _tracked(drive / (drive + k_off), age, reach), gained)
    start = jnp.zeros(drive.shape[2:])
    if cycle:
        end = _recursion(kept[:cycle], gained[:cycle], start)[-1]
        left = jnp.prod(kept[:cycle], axis=0)
        start = jnp.where(left < 1, end / jnp.where(left < 1, 1 - left, 1.0), 0.0)
    return _recursion(kept, gained, start)


def _tracked(
    level: Float[Array, "intervals order ..."],
    age: Float[Array, "intervals order ..."],
    reach: Float[Array, "intervals ..."],
) -> Float[Array, "intervals ..."]:
    """What an interval adds where the state forgets within it: the level that it tends to, weighted by exp(-age).

    Age is time to the end of the interval in time constants of the state. The level is taken to be linear in age from
    node to node, and the weight is integrated exactly, however narrow it is.
    """
    first = _extended(level[:, 1], level[:, 0], age[:, 1], age[:, 0], reach)
    last = _extended(level[:, -2], level[:, -1], age[:, -2], age[:, -1], jnp.zeros_like(reach))
    levels = jnp.concatenate([first[:, None], level, last[:, None]], axis=1)
    ages = jnp.concatenate([reach[:, None], age, jnp.zeros_like(reach)[:, None]], axis=1)
    older, newer = jnp.exp(-ages[:, :-1]), jnp.exp(-ages[:, 1:])
    span = ages[:, :-1] - ages[:, 1:]
    slope = jnp.diff(levels, axis=1) / jnp.maximum(span, _ALIKE)
    return (newer * (levels[:, 1:] - slope) - older * (levels[:, :-1] - slope)).sum(axis=1)


def _extended(near: Array, at: Array, age_near: Array, age_at: Array, age: Array) -> Array:
    """Level beyond the outermost node, on the line through the two outermost, within [0, 1]."""
    span = age_at - age_near
    safe = jnp.where(jnp.abs(span) > _ALIKE, span, 1.0)
    return jnp.clip(at + (at - near) / safe * (age - age_at), 0.0, 1.0)


def _recursion(kept: Array, gained: Array, start: Array) -> Array:
    """Edges of state -> kept * state + gained; a loop, since written out it is slow to compile and to run."""

    def step(state: Array, one: tuple[Array, Array]) -> tuple[Array, Array]:
        state = state * one[0] + one[1]
        return state, state

    return jnp.concatenate([start[None], lax.scan(step, start, (kept, gained))[1]])


def _weighted(weights: np.ndarray, values: Array) -> Array:
    """Weighted sum over the nodes; written out, since tiny dot products are slow in XLA."""
    total = float(weights[0]) * values[:, 0]
    for place, weight in enumerate(weights[1:], start=1):
        total = total + float(weight) * values[:, place]
    return total


def _along(x: Array | np.ndarray, rank: int) -> Array:
    """Put a vector on the first of `rank` axes."""
    return jnp.asarray(x, float).reshape((-1,) + (1,) * (rank - 1))
