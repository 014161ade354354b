"""What has no closed form: saturable elimination, slow ligands that compete, a target that takes up its drug.

Everything else in gaddum is linear or algebraic and belongs to `dose_series` and `engagement.receptor`. Here the few
states that are truly nonlinear are followed by `stiff`, driven by inputs that are known in closed form: absorption
from a depot, infusions, the concentrations of drugs whose own kinetics are linear. Each function reduces to a closed
form in a limit, and is tested there.

Times of doses and readings are concrete numbers, since they lay the grid; everything else may be a batch of draws.
Units: h, L, nmol, nM.
"""

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

from gaddum.exposure.arrivals import Arrival, entering, panel_edges, through
from gaddum.exposure.impulse import Impulse
from gaddum.exposure.saturable import Stage, chain_concentrations
from gaddum.numerics.stiff import StiffReadings, integrate


class TargetReadings(NamedTuple):
    """Drug, target and complex at the wanted times, shape [times, *batch] each; the rest as in `StiffReadings`."""

    drug: Array
    target: Array
    complex: Array
    error: Array
    converged: Array
    status: str


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
) -> StiffReadings:
    """Central concentration with Michaelis-Menten elimination beside the linear one.

    Parameters
    ----------
    times
        Times at which to read (h), shape [times].
    v_c, cl, v_p, q
        Volumes (L) and flows (L/h) of one to three compartments, those of peripherals [peripherals, *batch].
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
    StiffReadings
        Concentration (nM) at `times`; at the time of a bolus, just before it.
    """
    central = [np.asarray(x, float) for x in (v_c, cl, v_max, k_m)]
    peripheral = [np.asarray(x, float) for x in (v_p, q)]
    batch, arrival = _arrival(
        amounts, starts, durations, k_a, *central, *(x[0] for x in peripheral if len(x))
    )
    v_c, cl, v_max, k_m = (_flat(x, batch) for x in central)
    v_p, q = (
        np.stack([_flat(part, batch) for part in x]) if len(x) else np.zeros((0, v_c.size))
        for x in peripheral
    )
    stage = Stage(*(jnp.asarray(x) for x in (v_c, cl, v_p, q, v_max, k_m, np.zeros_like(cl))))
    found = chain_concentrations(_ascending(times), [stage], [arrival], tolerance=tolerance, before=True)
    values = found.values.reshape(-1, *batch)
    return StiffReadings(values, found.error.reshape(batch), found.converged.reshape(batch), found.status)


def kinetic_competition(
    times: Sequence[float] | np.ndarray,
    concentrations: Callable[[Array], Array],
    k_on: ArrayLike | Sequence[float],
    k_off: ArrayLike | Sequence[float],
    *,
    fast: Callable[[Array], Array] | None = None,
    edges: Sequence[float] | np.ndarray = (),
    tolerance: float = 1e-7,
) -> StiffReadings:
    """Occupancy of one receptor by several ligands that bind and leave slowly, from none at the first time.

    ``d rho_i / dt = k_on_i c_i (1 - sum rho) / (1 + fast) - k_off_i rho_i``.

    Parameters
    ----------
    times
        Times at which to read (h), ascending, shape [times]; the course begins at the first.
    concentrations
        Unbound concentrations (nM) at a time, [ligands, *batch]: closed forms. Define it once and pass
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
    StiffReadings
        Occupancies (fractions), shape [times, ligands, *batch].
    """
    read = _ascending(times)
    cuts = [edge for edge in np.asarray(edges, float).tolist() if read[0] < edge < read[-1]]
    grid = np.unique(np.concatenate([read, cuts]))
    on, off = np.asarray(k_on, float), np.asarray(k_off, float)
    shape = jnp.shape(concentrations(jnp.asarray(grid[0])))
    batch = np.broadcast_shapes(shape[1:], on.shape[1:], off.shape[1:])
    if not shape[0] == on.shape[0] == off.shape[0]:
        raise ValueError(
            f"concentrations, k_on and k_off must be of the same ligands; got {shape[0]}, {on.shape[0]} and "
            f"{off.shape[0]}. Put the ligands on axis 0."
        )
    if grid.size == 1:  # nothing but the beginning is read
        grid = np.append(grid, grid + 1.0)
    on, off = (np.stack([_flat(part, batch) for part in x]) for x in (on, off))
    course = integrate(
        _Binding(concentrations, fast, batch),
        np.zeros_like(on),
        grid[:, None],
        np.zeros((len(grid) - 1, *on.shape)),
        (grid[:-1, None], np.diff(grid)[:, None]),
        (on, off),
        np.ones_like(on),
        tolerance=tolerance,
        together=True,
    )
    values = course.states[np.searchsorted(grid, read)].reshape(len(read), len(on), *batch)
    error, converged = (jnp.asarray(x.reshape(batch)) for x in (course.error, course.converged))
    return StiffReadings(jnp.asarray(values), error, converged, course.status)


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
    given = [np.asarray(x, float) for x in (v_c, cl, k_on, k_off, k_syn, k_deg, k_int)]
    batch, arrival = _arrival(amounts, starts, durations, k_a, *given)
    v_c, cl, k_on, k_off, k_syn, k_deg, k_int = (_flat(x, batch) for x in given)
    read = _ascending(times)
    edges = panel_edges(read, [arrival])
    boluses, level = entering(arrival, edges, v_c.size)
    jumps, decays, poles = (
        np.zeros((len(level), 3, v_c.size)),
        np.zeros((len(level), 0, v_c.size)),
        np.zeros((0, 1)),
    )
    if arrival.impulse is None:
        jumps[:, 0] = boluses[:-1] / v_c
    else:
        level, decays = through(arrival.impulse, boluses, level, edges)
        poles = np.asarray(arrival.impulse.rates)
    dosed, resting = arrival.amounts.max(axis=0) / v_c, k_syn / k_deg
    course = integrate(
        _TargetMediated(),
        np.stack([np.zeros_like(cl), resting, np.zeros_like(cl)]),
        edges,
        jumps,
        (level, decays),
        (poles, v_c, cl, k_on, k_off, k_syn, k_deg, k_int),
        np.stack([dosed, resting, np.minimum(dosed, resting)]),
        tolerance=tolerance,
    )
    found = course.states[np.searchsorted(edges[:, 0], read)].reshape(len(read), 3, *batch)
    error, converged = (jnp.asarray(x.reshape(batch)) for x in (course.error, course.converged))
    drug, target, bound = (jnp.asarray(found[:, place]) for place in range(3))
    return TargetReadings(drug, target, bound, error, converged, course.status)


class _TargetMediated(NamedTuple):
    """Equations of target-mediated disposition."""

    def forcing(self, since: Array, panel: Any, args: Any) -> Array:
        (level, decays), (poles, *_) = panel, args
        return level + jnp.sum(decays * jnp.exp(-poles * since[None]), axis=0)

    def rate(self, y: tuple[Array, ...], forcing: Array, args: Any) -> list[Array]:
        _, v_c, cl, k_on, k_off, k_syn, k_deg, k_int = args
        drug, target, bound = y
        binding = k_on * drug * target - k_off * bound
        return [
            (forcing - cl * drug) / v_c - binding,
            k_syn - k_deg * target - binding,
            binding - k_int * bound,
        ]


class _Binding(NamedTuple):
    """Equations of occupancies; equal, and compiled once, for the same functions."""

    concentrations: Callable[[Array], Array]
    fast: Callable[[Array], Array] | None
    batch: tuple[int, ...]

    def forcing(self, since: Array, panel: Any, args: Any) -> tuple[Array, Array | None]:
        begin, length = panel
        # Just inside the panel, so that a jump at its end does not act before it is there.
        within = (begin + since * (1 - 2e-12) + 1e-12 * length)[0]
        levels = self.concentrations(within)
        levels = jnp.broadcast_to(levels, (levels.shape[0], *self.batch)).reshape(levels.shape[0], -1)
        if self.fast is None:
            return levels, None
        return levels, jnp.broadcast_to(self.fast(within), self.batch).reshape(-1)

    def rate(self, y: tuple[Array, ...], forcing: tuple[Array, Array | None], args: Any) -> list[Array]:
        (levels, fast), (k_on, k_off) = forcing, args
        free = 1 - reduce(jnp.add, y)
        if fast is not None:
            free = free / (1 + fast)
        return [on * c * free - off * one for on, off, c, one in zip(k_on, k_off, levels, y, strict=True)]


def _arrival(
    amounts: ArrayLike | Sequence[float],
    starts: Sequence[float] | np.ndarray,
    durations: Sequence[float] | np.ndarray | float,
    k_a: ArrayLike | None,
    *given: np.ndarray,
) -> tuple[tuple[int, ...], Arrival]:
    """The batch of all arguments, and doses that enter the first body, directly or by a depot."""
    amount, begin = np.asarray(amounts, float), np.asarray(starts, float)
    if amount.ndim < 1 or amount.shape[0] != len(begin):
        raise ValueError(
            f"amounts and starts must hold one value per dose; got shapes {amount.shape} and {begin.shape}. "
            "Put the doses on axis 0."
        )
    length = np.broadcast_to(np.asarray(durations, float), begin.shape)
    if not (np.isfinite(begin).all() and np.isfinite(length).all() and (length >= 0).all()):
        raise ValueError(
            f"Starts of doses must be finite and durations 0 or more; got {begin.tolist()} and {length.tolist()}."
        )
    depot = np.zeros(()) if k_a is None else np.asarray(k_a, float)
    batch = np.broadcast_shapes(amount.shape[1:], depot.shape, *(x.shape for x in given))
    rate = _flat(depot, batch)[None]
    impulse = None if k_a is None else Impulse(rate, rate)
    amount = np.stack([_flat(x, batch) for x in amount])
    return batch, Arrival(0, impulse, amount, begin[:, None], length[:, None])


def _ascending(times: Sequence[float] | np.ndarray) -> np.ndarray:
    read = np.asarray(times, float)
    if read.ndim != 1 or read.size == 0 or not np.isfinite(read).all() or (np.diff(read) <= 0).any():
        raise ValueError(f"times must be finite and ascending, [times]; got {read.tolist()}.")
    return read


def _flat(x: ArrayLike, batch: tuple[int, ...]) -> np.ndarray:
    """An array with all the draws of a batch on one axis."""
    return np.broadcast_to(np.asarray(x), batch).reshape(-1)
