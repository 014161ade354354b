"""Exposures: a plan of kinetics and draws of its parameters -> concentrations over time, batch last.

Linear kinetics throughout are in closed form (`mechanism.exposure`): one response per pathway, doses superposed. A
body with saturable elimination is refused.
"""

from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from gaddum.mechanism import exposure
from gaddum.mechanism.exposure import Impulse
from gaddum.simulate.regimen import Body, Input, Ligand, Plan

# Compiled piece by piece, so that plans of any structure share them; within a compiled caller they are inlined.
_mammillary_impulse = jax.jit(exposure.mammillary)
_through = jax.jit(exposure.through)
_cascade = jax.jit(exposure.cascade)
_steady_state = jax.jit(exposure.steady_state)
_superposed = jax.jit(exposure.superpose)


@jax.jit
def _bolus(
    impulse: Impulse, times: ArrayLike, amount: ArrayLike, start: ArrayLike, lag: ArrayLike
) -> Float[Array, "times batch"]:
    return exposure.concentration(impulse, times, amount, start=start, lag=lag)


Site = Literal["brain", "arterial", "venous"]
"""Where a concentration is read: unbound in brain, or total in arterial or venous plasma."""


def concentrations(
    plan: Plan,
    theta: Float[Array | np.ndarray, "parameters batch"],
    times: Float[Array | np.ndarray, " times"] | Float[Array | np.ndarray, "times batch"],
    *,
    site: Site = "brain",
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

    Returns
    -------
    array, shape (ligands, times, batch)
        Concentrations (nM).
    """
    values = jnp.exp(jnp.asarray(theta, float))
    batch = values.shape[1]
    impulses: dict[tuple, Impulse] = {}
    found = [_concentration(ligand, values, times, site, impulses) for ligand in plan.ligands]
    if not found:
        return jnp.zeros((0, times.shape[0], batch))
    return jnp.stack(found)


def areas(plan: Plan, theta: Float[Array | np.ndarray, "parameters batch"]) -> Float[Array, "ligands batch"]:
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
        If a regimen had gone on for ever before: its area has no beginning.
    """
    values = jnp.exp(jnp.asarray(theta, float))
    impulses: dict[tuple, Impulse] = {}
    found = []
    for ligand in plan.ligands:
        total = jnp.zeros(values.shape[1])
        for one in ligand.inputs:
            if one.steady_state:
                raise ValueError(
                    f"An area needs a first dose; {ligand.parent} is at steady state. Give single doses."
                )
            for stream in _streams(ligand, one, values):
                impulse = _response(ligand, stream, one, values, "arterial", impulses)
                unit = (impulse.weights / impulse.rates).sum(axis=0)
                total = total + stream.share * one.amount * one.repeats * unit
        found.append(total)
    return jnp.stack(found) if found else jnp.zeros((0, values.shape[1]))


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


class _Stream(NamedTuple):
    """One way for an input to reach a ligand: the bodies it passes, and the share of the dose that takes it."""

    bodies: tuple[Body, ...]
    fractions: tuple[int, ...]
    share: Array


def _concentration(
    ligand: Ligand, values: Array, times: Array | np.ndarray, site: Site, impulses: dict[tuple, Impulse]
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
        for stream in _streams(ligand, alike[0], values):
            impulse = _response(ligand, stream, alike[0], values, site, impulses)
            for one in alike:
                total = total + stream.share * _series(impulse, one, values, times)
    if site != "brain":
        return total
    return total * _share(values, ligand.f_u) * _value(values, ligand.kp_uu)


def _way(one: Input) -> Input:
    return one._replace(amount=0.0, start=0.0, duration=0.0, repeats=0, interval=0.0, steady_state=False)


def _streams(ligand: Ligand, one: Input, values: Array) -> list[_Stream]:
    """The systemic way, and for an oral dose the metabolites that first pass forms of what it withholds."""
    absorbed = _share(values, one.f)
    streams = [_Stream(ligand.bodies, ligand.fractions, absorbed)]
    if one.route == "po" and one.f >= 0 and len(ligand.bodies) > 1:
        withheld = (1.0 - absorbed) * _share(values, ligand.fractions[0])
        streams.append(_Stream(ligand.bodies[1:], ligand.fractions[1:], withheld))
    return streams


def _response(
    ligand: Ligand,
    stream: _Stream,
    one: Input,
    values: Array,
    site: Site,
    impulses: dict[tuple, Impulse],
) -> Impulse:
    """Response of the ligand at the site to a unit dose by one way."""
    last = {"brain": ligand.k_e0, "arterial": -1, "venous": ligand.k_venous}[site]
    key = (stream.bodies, stream.fractions, one.k_a, one.stages, one.transit, last)
    if key not in impulses:
        impulse = _plasma(stream.bodies, stream.fractions, values, impulses)
        if one.k_a >= 0:
            impulse = _through(impulse, values[one.k_a])
        if one.stages:
            chain = exposure.transit(one.stages / values[one.transit], one.stages)
            impulse = _cascade(impulse, chain)
        if last >= 0:
            impulse = _through(impulse, values[last])
        # Computed once: fusion would otherwise repeat the residues at every time.
        impulses[key] = jax.lax.optimization_barrier(impulse)
    return impulses[key]


def _plasma(
    bodies: tuple[Body, ...], fractions: tuple[int, ...], values: Array, impulses: dict[tuple, Impulse]
) -> Impulse:
    """Plasma response of the last of a chain of bodies to a unit bolus into the first."""
    key = (bodies, fractions)
    if key not in impulses:
        own = _mammillary(bodies[-1], values)
        if len(bodies) > 1:
            before = _plasma(bodies[:-1], fractions[:-1], values, impulses)
            formed = _share(values, fractions[-1]) * _clearance(bodies[-2], values)
            own = _cascade(before, own, formed)
        impulses[key] = own
    return impulses[key]


def _clearance(body: Body, values: Array) -> Float[Array, " batch"]:
    if body.cl >= 0:
        return values[body.cl]
    return jnp.log(2.0) * values[body.v_c] / values[body.half_life]


def _mammillary(body: Body, values: Array) -> Impulse:
    if body.v_max >= 0:
        raise ValueError(
            "Kinetics must be linear here; got a drug with `saturable` elimination. Leave the saturable part out, or "
            "give the clearance that holds at the doses asked about."
        )
    batch = values.shape[1]
    count = len(body.v_p)
    volumes = values[jnp.asarray(body.v_p, int)] if count else jnp.zeros((0, batch))
    flows = values[jnp.asarray(body.q, int)] if count else jnp.zeros((0, batch))
    return _mammillary_impulse(values[body.v_c], _clearance(body, values), volumes, flows)


def _series(
    impulse: Impulse, one: Input, values: Array, times: Array | np.ndarray
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
        return exposure.profile(
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


def _value(values: Array, place: int) -> Float[Array, " batch"]:
    """A parameter, or 1 where there is none."""
    return jnp.ones(values.shape[1]) if place < 0 else values[place]


def _share(values: Array, place: int) -> Float[Array, " batch"]:
    """A fraction, at most 1 whatever its spread."""
    return jnp.minimum(_value(values, place), 1.0)
