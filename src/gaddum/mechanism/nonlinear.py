"""What has no closed form: saturable elimination, slow ligands that compete, a target that takes up its drug.

Everything else in gaddum is linear or algebraic and belongs to `exposure` and `engagement`. Here the few states that
are truly nonlinear are followed by `rodas`, driven by inputs that are known in closed form: absorption from a depot,
infusions, the concentrations of drugs whose own kinetics are linear. Each function reduces to a closed form in a
limit, and is tested there.

Times of doses and readings are concrete numbers, since they lay the grid; everything else may be a batch of draws.
Units: h, L, nmol, nM.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from gaddum.mechanism.rodas import Course, integrate


class Readings(NamedTuple):
    """Values at the wanted times, and how far to trust them.

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


class TargetReadings(NamedTuple):
    """Drug, target and complex at the wanted times, shape [times, *batch] each; the rest as in `Readings`."""

    drug: Array
    target: Array
    complex: Array
    error: Array
    converged: Array
    status: str


class _Inputs(NamedTuple):
    """Doses as a rate of input: amount, start, duration, k_a, and which are on in which panel."""

    amounts: Array
    starts: Array
    durations: Array
    k_a: Array
    running: Array


def saturable_concentrations(
    times: Sequence[float] | np.ndarray,
    v_c: ArrayLike,
    cl: ArrayLike,
    v_p: ArrayLike,
    q: ArrayLike,
    *,
    v_max: ArrayLike,
    k_m: ArrayLike,
    amounts: ArrayLike | Sequence[float],
    starts: Sequence[float] | np.ndarray,
    durations: Sequence[float] | np.ndarray | float = 0.0,
    k_a: ArrayLike | None = None,
    tolerance: float = 1e-7,
) -> Readings:
    """Central concentration with Michaelis-Menten elimination beside the linear one.

    Parameters
    ----------
    times
        Times at which to read (h), shape [times].
    v_c, cl, v_p, q
        As in `impulse.mammillary`: one to three compartments.
    v_max, k_m
        Greatest rate of the saturable elimination (nmol/h) and the concentration at half of it (nM).
    amounts
        Doses that arrive (nmol), shape [doses] or [doses, *batch].
    starts, durations
        Their times and lengths (h, 0: a bolus), shape [doses].
    k_a
        Rate of absorption (1/h): doses enter a depot first. Into the central compartment where not given.
    tolerance
        Target of the estimated relative error.

    Returns
    -------
    Readings
        Concentration (nM) at `times`; at the time of a bolus, just before it.
    """
    v_p, q = jnp.asarray(v_p, float), jnp.asarray(q, float)
    given = [jnp.asarray(x, float) for x in (v_c, cl, v_max, k_m)]
    amount = _doses(amounts, starts)
    rate_in = jnp.zeros(()) if k_a is None else jnp.asarray(k_a, float)
    shapes = [x.shape for x in (*given, rate_in)] + [x.shape[1:] for x in (v_p, q, amount)]
    batch = jnp.broadcast_shapes(*shapes)
    v_c, cl, v_max, k_m = (jnp.broadcast_to(x, batch) for x in given)
    v_p, q, amount = (_onto(x, batch) for x in (v_p, q, amount))
    states = 1 + v_p.shape[0]
    edges, inputs, boluses = _grid(times, amount, starts, durations, k_a, rate_in, batch)
    jumps = jnp.concatenate(
        [(boluses / v_c)[:, None], jnp.zeros((len(edges) - 1, states - 1, *batch))], axis=1
    )
    course = integrate(
        _saturable,
        jnp.zeros((states, *batch)),
        edges,
        jumps,
        (inputs, v_c, cl, v_p, q, v_max, k_m),
        tolerance=tolerance,
    )
    return Readings(_read(course, edges, times)[:, 0], course.error, course.converged, course.status)


def kinetic_competition(
    times: Sequence[float] | np.ndarray,
    concentrations: Callable[[Array], Array],
    k_on: ArrayLike | Sequence[float],
    k_off: ArrayLike | Sequence[float],
    *,
    fast: Callable[[Array], Array] | None = None,
    edges: Sequence[float] | np.ndarray = (),
    tolerance: float = 1e-7,
) -> Readings:
    """Occupancy of one receptor by several ligands that bind and leave slowly, from none at the first time.

    ``d rho_i / dt = k_on_i c_i (1 - sum rho) / (1 + fast) - k_off_i rho_i``.

    Parameters
    ----------
    times
        Times at which to read (h), ascending, shape [times]; the course begins at the first.
    concentrations
        Unbound concentrations (nM) at a time, [ligands, *batch]: closed forms of `exposure`. Define it once and pass
        the same function again, since each new one is compiled.
    k_on, k_off
        Association (1/nM/h) and dissociation (1/h), shape [ligands] or [ligands, *batch]; one to six ligands.
    fast
        Sum of C/K at a time, [*batch], of ligands that compete at equilibrium.
    edges
        Times at which a concentration jumps or bends (doses, ends of infusions).
    tolerance
        Target of the estimated relative error.

    Returns
    -------
    Readings
        Occupancies (fractions), shape [times, ligands, *batch].
    """
    read = _ascending(times)
    cuts = [edge for edge in np.asarray(edges, float).tolist() if read[0] < edge < read[-1]]
    grid = np.unique(np.concatenate([read, cuts]))
    k_on, k_off = jnp.asarray(k_on, float), jnp.asarray(k_off, float)
    shape = jnp.shape(concentrations(jnp.asarray(grid[0])))
    batch = jnp.broadcast_shapes(shape[1:], k_on.shape[1:], k_off.shape[1:])
    k_on, k_off = _onto(k_on, batch), _onto(k_off, batch)
    if not shape[0] == k_on.shape[0] == k_off.shape[0]:
        raise ValueError(
            f"concentrations, k_on and k_off must be of the same ligands; got {shape[0]}, {k_on.shape[0]} and "
            f"{k_off.shape[0]}. Put the ligands on axis 0."
        )
    start = jnp.zeros((shape[0], *batch))
    course = integrate(
        _Binding(concentrations, fast),
        start,
        grid,
        jnp.zeros((len(grid) - 1, *start.shape)),
        (jnp.asarray(grid), k_on, k_off),
        tolerance=tolerance,
    )
    return Readings(_read(course, grid, read), course.error, course.converged, course.status)


def target_mediated_concentrations(
    times: Sequence[float] | np.ndarray,
    v_c: ArrayLike,
    cl: ArrayLike,
    *,
    k_on: ArrayLike,
    k_off: ArrayLike,
    k_syn: ArrayLike,
    k_deg: ArrayLike,
    k_int: ArrayLike,
    amounts: ArrayLike | Sequence[float],
    starts: Sequence[float] | np.ndarray,
    durations: Sequence[float] | np.ndarray | float = 0.0,
    k_a: ArrayLike | None = None,
    tolerance: float = 1e-7,
) -> TargetReadings:
    """Target-mediated disposition in one compartment: drug, target and complex, from the target at rest.

    Parameters
    ----------
    times, amounts, starts, durations, k_a, tolerance
        As in `saturable_concentrations`.
    v_c, cl
        Volume (L) and linear clearance (L/h).
    k_on, k_off
        Association (1/nM/h) and dissociation (1/h).
    k_syn, k_deg, k_int
        Synthesis of target (nM/h), its degradation (1/h) and the loss of the complex (1/h).

    Returns
    -------
    TargetReadings
        Concentrations (nM).

    References
    ----------
    Mager DE, Jusko WJ (2001). doi:10.1023/A:1014414520282
    """
    given = [jnp.asarray(x, float) for x in (v_c, cl, k_on, k_off, k_syn, k_deg, k_int)]
    amount = _doses(amounts, starts)
    rate_in = jnp.zeros(()) if k_a is None else jnp.asarray(k_a, float)
    batch = jnp.broadcast_shapes(*(x.shape for x in (*given, rate_in)), amount.shape[1:])
    volume, cl, k_on, k_off, k_syn, k_deg, k_int = (jnp.broadcast_to(x, batch) for x in given)
    edges, inputs, boluses = _grid(times, _onto(amount, batch), starts, durations, k_a, rate_in, batch)
    nothing = jnp.zeros(batch)
    course = integrate(
        _target_mediated,
        jnp.stack([nothing, k_syn / k_deg, nothing]),
        edges,
        jnp.concatenate([(boluses / volume)[:, None], jnp.zeros((len(edges) - 1, 2, *batch))], axis=1),
        (inputs, volume, cl, k_on, k_off, k_syn, k_deg, k_int),
        tolerance=tolerance,
    )
    found = _read(course, edges, times)
    return TargetReadings(
        found[:, 0], found[:, 1], found[:, 2], course.error, course.converged, course.status
    )


def _saturable(t: Array, y: Array, args: tuple, panel: Array) -> Array:
    inputs, v_c, cl, v_p, q, v_max, k_m = args
    c, flows = y[0], q * (y[0] - y[1:])
    central = _input(inputs, t, panel) - cl * c - v_max * c / (k_m + c) - jnp.sum(flows, axis=0)
    return jnp.concatenate([(central / v_c)[None], flows / v_p])


def _target_mediated(t: Array, y: Array, args: tuple, panel: Array) -> Array:
    inputs, v_c, cl, k_on, k_off, k_syn, k_deg, k_int = args
    drug, target, bound = y[0], y[1], y[2]
    binding = k_on * drug * target - k_off * bound
    return jnp.stack(
        [
            (_input(inputs, t, panel) - cl * drug) / v_c - binding,
            k_syn - k_deg * target - binding,
            binding - k_int * bound,
        ]
    )


class _Binding(NamedTuple):
    """Rate of change of occupancies; equal, and compiled once, for the same functions."""

    concentrations: Callable[[Array], Array]
    fast: Callable[[Array], Array] | None

    def __call__(self, t: Array, y: Array, args: tuple, panel: Array) -> Array:
        grid, k_on, k_off = args
        begin, end = grid[panel], grid[panel + 1]
        # Just inside the panel, so that a jump at its end does not act before it is there.
        within = begin + (t - begin) * (1 - 2e-12) + 1e-12 * (end - begin)
        free = 1 - jnp.sum(y, axis=0)
        if self.fast is not None:
            free = free / (1 + self.fast(within))
        return k_on * self.concentrations(within) * free - k_off * y


def _input(inputs: _Inputs, t: Array, panel: Array) -> Array:
    """Rate at which doses arrive (nmol/h), [*batch]."""
    rank = inputs.amounts.ndim - 1
    starts, durations = (x.reshape(x.shape + (1,) * rank) for x in (inputs.starts, inputs.durations))
    running = inputs.running[panel].reshape(starts.shape)
    elapsed = jnp.where(running > 0, t - starts, 0.0)
    zero_order = durations > 0
    length = jnp.where(zero_order, durations, 1.0)
    level = jnp.where(zero_order, 1 / length, 0.0)  # `running` ends it with a panel
    k_a = inputs.k_a
    into = jnp.minimum(elapsed, durations)
    released = jnp.where(zero_order, -jnp.expm1(-k_a * into) / length, k_a)
    absorbed = released * jnp.exp(-k_a * (elapsed - into))
    # k_a = 0 stands for doses without a depot.
    return jnp.sum(running * inputs.amounts * jnp.where(k_a > 0, absorbed, level), axis=0)


def _grid(
    times: Sequence[float] | np.ndarray,
    amount: Array,
    starts: Sequence[float] | np.ndarray,
    durations: Sequence[float] | np.ndarray | float,
    k_a: ArrayLike | None,
    rate_in: Array,
    batch: tuple[int, ...],
) -> tuple[np.ndarray, _Inputs, Array]:
    """Panels between doses and readings; doses as rates over them; boluses (nmol) at their beginnings."""
    read, begin = _ascending(times), np.asarray(starts, float)
    length = np.broadcast_to(np.asarray(durations, float), begin.shape)
    if not (np.isfinite(begin).all() and np.isfinite(length).all() and (length >= 0).all()):
        raise ValueError(
            f"Starts of doses must be finite and durations 0 or more; got {begin.tolist()} and {length.tolist()}."
        )
    first, last = min(read[0], begin.min()), read[-1]
    edges = np.unique(np.concatenate([read, begin, begin + length, [first]]))
    edges = edges[edges <= last]
    if edges.size == 1:  # everything is read before anything happens
        edges = np.array([first, first + 1.0])
    left = edges[:-1, None]
    on = left >= begin
    if k_a is None:
        on = on & (left < begin + length)
    bolus = (left == begin) & (length == 0) & (k_a is None)
    boluses = jnp.tensordot(jnp.asarray(bolus, float), amount, axes=1)
    inputs = _Inputs(
        amount,
        jnp.asarray(begin),
        jnp.asarray(length),
        jnp.broadcast_to(rate_in, batch),
        jnp.asarray(on, float),
    )
    return edges, inputs, boluses


def _read(course: Course, edges: np.ndarray, times: Sequence[float] | np.ndarray) -> Array:
    return course.states[np.searchsorted(edges, np.asarray(times, float))]


def _ascending(times: Sequence[float] | np.ndarray) -> np.ndarray:
    read = np.asarray(times, float)
    if read.ndim != 1 or read.size == 0 or not np.isfinite(read).all() or (np.diff(read) <= 0).any():
        raise ValueError(f"times must be finite and ascending, [times]; got {read.tolist()}.")
    return read


def _doses(amounts: ArrayLike | Sequence[float], starts: Sequence[float] | np.ndarray) -> Array:
    amount = jnp.asarray(amounts, float)
    if amount.ndim < 1 or amount.shape[0] != len(starts):
        raise ValueError(
            f"amounts and starts must hold one value per dose; got shapes {amount.shape} and {np.shape(starts)}. "
            "Put the doses on axis 0."
        )
    return amount


def _onto(x: Array, batch: tuple[int, ...]) -> Array:
    """Give an array [k] or [k, *batch] the whole batch."""
    x = x.reshape(x.shape[:1] + (1,) * (1 + len(batch) - x.ndim) + x.shape[1:])
    return jnp.broadcast_to(x, (x.shape[0], *batch))
