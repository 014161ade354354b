"""Concentrations: a plan of kinetics and draws of its parameters -> concentrations over time, batch last.

Linear kinetics throughout are in closed form (`exposure.superposition`): one response per pathway, doses superposed. A
ligand behind a body with saturable elimination is followed numerically (`saturable_pathways`), outside compiled
functions.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from gaddum.exposure import superposition
from gaddum.exposure.impulse import Impulse, area_under_curve
from gaddum.exposure.pathways import Stream, Values, before, plasma, share, streams, through, value
from gaddum.exposure.plan import Input, Ligand, Plan
from gaddum.exposure.saturable_pathways import follow, is_saturable
from gaddum.numerics.array_library import array_library

# Compiled piece by piece, so that plans of any structure share them; within a compiled caller they are inlined.
_steady_state = jax.jit(superposition.steady_state)
_superposed = jax.jit(superposition.superpose)


@jax.jit
def _bolus(
    impulse: Impulse, times: ArrayLike, amount: ArrayLike, start: ArrayLike, lag: ArrayLike
) -> Float[Array, "times batch"]:
    return superposition.concentration(impulse, times, amount, start=start, lag=lag)


WRITTEN_OUT = 8
"""Single doses by one way up to which each is written out in the compiled code."""

Site = Literal["brain", "arterial", "venous"]
"""Where a concentration is read: unbound in brain, or total in arterial or venous plasma."""


def concentrations(
    plan: Plan,
    theta: Float[Array | np.ndarray, "parameters batch"],
    times: Float[Array | np.ndarray, " times"] | Float[Array | np.ndarray, "times batch"],
    *,
    site: Site = "brain",
    known: Mapping[int, Float[Array, "times batch"]] | None = None,
    impulses: Sequence[Impulse] | None = None,
) -> Float[Array, "ligands times batch"]:
    """Concentration of every ligand of a plan.

    Parameters
    ----------
    plan : Plan
        Ligands and their inputs.
    theta : array, shape (parameters, batch)
        Log parameters, in the order of the register that the plan was made with.
    times : array, shape (times,) or (times, batch)
        Hours from the test drug.
    site : {"brain", "arterial", "venous"}
        Unbound brain, or total plasma.
    known : mapping of int to array
        Ligands, by place, whose concentrations are had already: those that must be followed numerically, where this is
        called within a compiled function.
    impulses : sequence of Impulse
        What `responses` gives for the same plan, parameters and site, where it is had already.

    Returns
    -------
    array, shape (ligands, times, batch)
        Concentrations (nM).
    """
    values = _values(theta)
    batch = values.shape[1]
    kept: dict[tuple, Impulse] = {}
    if impulses is not None:
        kept |= zip(_keys(plan, values, site), impulses, strict=True)
    found = []
    numeric = {place: ligand for place, ligand in enumerate(plan.ligands) if is_saturable(ligand)}
    had = dict(known or {})
    if not numeric.keys() <= had.keys():
        had |= _followed(plan, values, times, site)
    for place, ligand in enumerate(plan.ligands):
        one = had.get(place)
        found.append(_concentration(ligand, values, times, site, kept) if one is None else one)
    if not found:
        return jnp.zeros((0, times.shape[0], batch))
    return jnp.stack(found)


def areas(
    plan: Plan, theta: Float[Array | np.ndarray, "parameters batch"]
) -> Float[Array | np.ndarray, "ligands batch"]:
    """Area under the plasma concentration of every ligand, from the first dose to infinity (nM h).

    Parameters
    ----------
    plan : Plan
        Ligands and their inputs; what passes from artery to vein or into the brain does not change an area in plasma.
    theta : array, shape (parameters, batch)
        Log parameters, in the order of the register that the plan was made with.

    Raises
    ------
    ValueError
        If a regimen had gone on for ever before, whose area has no beginning; or with `saturable` elimination, where
        an area does not scale with the dose.
    """
    values = _values(theta)
    impulses: dict[tuple, Impulse] = {}
    found = []
    for ligand in plan.ligands:
        if is_saturable(ligand):
            raise ValueError(
                f"An area needs linear kinetics; {ligand.drug} has `saturable` elimination. "
                "Give the clearance that holds at the doses asked about."
            )
        total = np.zeros(values.shape[1])
        for one in ligand.inputs:
            if one.steady_state:
                raise ValueError(
                    f"An area needs a first dose; {ligand.parent} is at steady state. Give single doses."
                )
            for stream in streams(ligand, one, values):
                impulse = _response(ligand, stream, one, values, "arterial", impulses)
                total = total + stream.share * area_under_curve(impulse, one.amount * one.repeats)
        found.append(total)
    return array_library(values).stack(found) if found else np.zeros((0, values.shape[1]))


def responses(
    plan: Plan, theta: Float[Array | np.ndarray, "parameters batch"], *, site: Site = "brain"
) -> tuple[Impulse, ...]:
    """Responses of all ligands to unit doses, in numpy: they would be the slow part to compile.

    Called outside compiled functions only.

    Parameters
    ----------
    plan, theta, site
        As in `concentrations`.

    Returns
    -------
    tuple of Impulse
        For `concentrations`.
    """
    values = _values(theta)
    kept: dict[tuple, Impulse] = {}
    for ligand, stream, one in _ways(plan, values):
        _response(ligand, stream, one, values, site, kept)
    return tuple(kept[key] for key in _keys(plan, values, site))


def skeleton(plan: Plan) -> tuple[Plan, Float[np.ndarray, "entries 4"]]:
    """Take the numbers of the doses out of a plan, so that plans of one structure share a compiled evaluation.

    Parameters
    ----------
    plan : Plan
        Ligands and their inputs.

    Returns
    -------
    tuple of Plan and array
        The plan with all amounts and times zero (an infusion keeps a duration of 1), hashable; and what `filled`
        needs to put them back: amount, start, duration and interval of every input, and level, start and end of every
        set concentration.
    """
    entries: list[tuple[float, ...]] = []
    bare = []
    for ligand in plan.ligands:
        for one in ligand.inputs:
            entries.append((one.amount, one.start, one.duration, one.interval))
        for span in ligand.held:
            entries.append((*span, 0.0))
        inputs = tuple(
            one._replace(amount=0.0, start=0.0, duration=float(one.duration > 0), interval=0.0)
            for one in ligand.inputs
        )
        bare.append(ligand._replace(inputs=inputs, held=tuple((0.0, 0.0, 0.0) for _ in ligand.held)))
    return Plan(tuple(bare)), np.array(entries).reshape(-1, 4)


def filled(plan: Plan, entries: Float[Array, "entries 4"]) -> Plan:
    """Put the numbers of the doses back into a skeleton; they may be traced."""
    rows = iter(entries)
    found = []
    for ligand in plan.ligands:
        inputs = []
        for one in ligand.inputs:
            amount, start, duration, interval = next(rows)
            length = duration if one.duration else 0.0
            inputs.append(one._replace(amount=amount, start=start, duration=length, interval=interval))
        held = tuple(tuple(next(rows)[:3]) for _ in ligand.held)
        found.append(ligand._replace(inputs=tuple(inputs), held=held))
    return Plan(tuple(found))


def _values(theta: Float[Array | np.ndarray, "parameters batch"]) -> Values:
    """Parameters (not their logs), in numpy unless traced: many small steps, each of which JAX would dispatch."""
    return jnp.exp(theta) if isinstance(theta, Tracer) else np.exp(np.asarray(theta, float))


def _followed(
    plan: Plan, values: Values, times: Array | np.ndarray, site: Site
) -> dict[int, Float[Array, "times batch"]]:
    if isinstance(values, Tracer) or isinstance(times, Tracer) or times.ndim > 1:
        raise ValueError(
            "Kinetics must be linear in a compiled simulation; got a drug with `saturable` elimination. Use "
            "`occupancy`, which follows it numerically, or give the clearance that holds at the doses asked about."
        )
    return follow(plan, values, np.asarray(times, float), site)


def _concentration(
    ligand: Ligand, values: Values, times: Array | np.ndarray, site: Site, impulses: dict[tuple, Impulse]
) -> Float[Array, "times batch"]:
    batch = values.shape[1]
    span = jnp.asarray(times if times.ndim == 2 else times[:, None])
    total = jnp.zeros((times.shape[0], batch))
    if site == "brain":
        for level, start, end in ligand.held:
            total = total + jnp.where((span >= start) & (span <= end), level, 0.0)
    # Inputs that differ in time and amount only share a response.
    for way in dict.fromkeys(_way(one) for one in ligand.inputs):
        alike = [one for one in ligand.inputs if _way(one) == way]
        for stream in streams(ligand, alike[0], values):
            impulse = _response(ligand, stream, alike[0], values, site, impulses)
            many = [one for one in alike if _is_single(one)]
            many = many if len(many) > WRITTEN_OUT else []
            if many:
                total = total + stream.share * _singles(impulse, many, values, times)
            for one in alike:
                if not (many and _is_single(one)):
                    total = total + stream.share * _series(impulse, one, values, times)
    if site != "brain":
        return total
    return total * share(values, ligand.f_u) * value(values, ligand.kp_uu)


def _ways(plan: Plan, values: Values) -> Iterator[tuple[Ligand, Stream, Input]]:
    for ligand in plan.ligands:
        if not is_saturable(ligand):
            for way in dict.fromkeys(_way(one) for one in ligand.inputs):
                for stream in streams(ligand, way, values):
                    yield ligand, stream, way


def _keys(plan: Plan, values: Values, site: Site) -> tuple[tuple, ...]:
    """Keys of all responses, in the order of first use."""
    return tuple(dict.fromkeys(_key(*way, site) for way in _ways(plan, values)))


def _key(ligand: Ligand, stream: Stream, one: Input, site: Site) -> tuple:
    last = {"brain": ligand.k_e0, "arterial": -1, "venous": ligand.k_venous}[site]
    return (stream.bodies, stream.fractions, one.k_a, one.stages, one.transit, last)


def _way(one: Input) -> Input:
    return one._replace(amount=0.0, start=0.0, duration=0.0, repeats=0, interval=0.0, steady_state=False)


def _response(
    ligand: Ligand,
    stream: Stream,
    one: Input,
    values: Values,
    site: Site,
    impulses: dict[tuple, Impulse],
) -> Impulse:
    """Response of the ligand at the site to a unit dose by one way."""
    key = _key(ligand, stream, one, site)
    last = key[-1]
    if key not in impulses:
        impulse = before(plasma(stream.bodies, stream.fractions, values, impulses), one, values)
        assert impulse is not None  # only what has no response to begin with may have none
        if last >= 0:
            impulse = through(impulse, values[last])
        # Computed once: fusion would otherwise repeat the residues at every time.
        traced = isinstance(values, Tracer)
        impulses[key] = jax.lax.optimization_barrier(impulse) if traced else impulse
    return impulses[key]


def _is_single(one: Input) -> bool:
    return one.repeats == 1 and not one.steady_state


def _singles(
    impulse: Impulse, given: list[Input], values: Values, times: Array | np.ndarray
) -> Float[Array, "times batch"]:
    """Concentration after many doses by one way, in a loop rather than written out."""
    amounts, starts, durations = (
        jnp.stack([jnp.asarray(getattr(one, name), float) for one in given])
        for name in ("amount", "start", "duration")
    )
    first = given[0]
    if first.release >= 0:
        durations = jnp.broadcast_to(values[first.release], (len(given), values.shape[1]))
    lag = 0.0 if first.lag < 0 else values[first.lag]
    return _superposed(impulse, times, amounts, starts=starts, durations=durations, lag=lag)


def _series(
    impulse: Impulse, one: Input, values: Values, times: Array | np.ndarray
) -> Float[Array, "times batch"]:
    """Concentration after a dose or a regular series, per unit of what is absorbed."""
    duration = one.duration if one.release < 0 else values[one.release]
    lag = 0.0 if one.lag < 0 else values[one.lag]
    # Compiled as a whole, with times on one ascending axis that the caller knows beforehand.
    fixed = (
        isinstance(values, Tracer)
        and isinstance(times, np.ndarray)
        and times.ndim == 1
        and all(isinstance(x, float) for x in (one.amount, one.start, one.duration))
    )
    if one.steady_state:
        total = _steady_state(impulse, times, one.amount, one.interval, duration, start=one.start, lag=lag)
        after = one.repeats - 1
    elif fixed and one.repeats == 1 and one.release < 0 and one.lag < 0:
        return superposition.profile(
            impulse, np.asarray(times), one.amount, start=one.start, duration=one.duration
        )
    elif one.repeats == 1 and one.release < 0 and isinstance(one.duration, float) and not one.duration:
        return _bolus(impulse, times, one.amount, one.start, lag)
    else:
        total, after = 0.0, one.repeats
    if not after:
        return jnp.asarray(total)
    starts = one.start + one.interval * np.arange(one.repeats - after, one.repeats)
    durations = jnp.broadcast_to(duration, (after, values.shape[1])) if one.release >= 0 else duration
    return total + _superposed(impulse, times, one.amount, starts=starts, durations=durations, lag=lag)
