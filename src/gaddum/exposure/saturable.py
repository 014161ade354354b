"""Bodies in series of which one or more eliminate by Michaelis-Menten: a drug, its metabolites, the effect site.

Doses reach such a chain through what is linear (`arrivals`); only the bodies from the first saturable one on are
followed, by `stiff`. Units: h, L, nmol, nM.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

from gaddum.exposure.arrivals import Arrival, entering, panel_edges, through
from gaddum.numerics.stiff import StiffReadings, integrate


class Stage(NamedTuple):
    """A mammillary body with linear and saturable elimination; arrays over draws."""

    v_c: Float[Array, " batch"]
    cl: Float[Array, " batch"]
    v_p: Float[Array, "peripherals batch"]
    q: Float[Array, "peripherals batch"]
    v_max: Float[Array, " batch"]
    """Greatest rate of the saturable elimination (nmol/h); 0 for none."""
    k_m: Float[Array, " batch"]
    """Concentration at half of it (nM)."""
    share: Float[Array, " batch"]
    """Of all that is eliminated, what enters the next body."""


def chain_concentrations(
    times: Float[np.ndarray, " times"],
    stages: Sequence[Stage],
    arrivals: Sequence[Arrival],
    *,
    rate: Float[Array, " batch"] | None = None,
    tolerance: float = 1e-7,
    before: bool = False,
) -> StiffReadings:
    """Concentration in the last of several bodies in series.

    Parameters
    ----------
    times : array
        Times at which to read (h), ascending.
    stages : sequence of Stage
        The bodies; each feeds the next.
    arrivals : sequence of Arrival
        Doses and how they enter.
    rate : array
        Rate of equilibration of an effect site behind the last body (1/h); the effect site is then read.
    tolerance : float
        Target of the estimated relative error.
    before : bool
        Whether a reading at the time of a bolus is taken just before it, not just after.

    Returns
    -------
    StiffReadings
        Concentration (nM), shape [times, batch].

    References
    ----------
    Michaelis L, Menten ML (1913), as used in pharmacokinetics: Wagner JG (1973). doi:10.1007/BF01060040
    """
    edges = panel_edges(times, arrivals)
    stages = [jax.tree.map(np.asarray, stage) for stage in stages]
    inputs = _inputs(stages, arrivals, edges)
    # The states of each body, then the effect site; all are concentrations.
    counts = tuple(1 + stage.v_p.shape[0] for stage in stages)
    owners = [stage for stage, count in zip(stages, counts, strict=True) for _ in range(count)]
    owners += [stages[-1]] * (rate is not None)
    centres = np.cumsum((0, *counts[:-1]))
    jumps = np.zeros((edges.shape[0], len(owners), stages[0].v_c.size))
    for centre, stage, boluses in zip(centres, stages, inputs.boluses, strict=True):
        jumps[:, centre] = boluses / stage.v_c
    largest = np.max(np.concatenate([one.amounts for one in arrivals]), axis=0)
    course = integrate(
        _Chain(counts, inputs.bodies),
        np.zeros(jumps.shape[1:]),
        edges,
        jumps[:-1],
        (inputs.levels, inputs.decays),
        (inputs.poles, stages, None if rate is None else np.asarray(rate)),
        np.stack([largest / stage.v_c for stage in owners]),
        tolerance=tolerance,
    )
    place = centres[-1] if rate is None else len(owners) - 1
    states = course.states[:, place] if before else course.states[:, place] + jumps[:, place]
    values = jnp.asarray(_read(states, edges, times))
    return StiffReadings(values, jnp.asarray(course.error), jnp.asarray(course.converged), course.status)


class _Inputs(NamedTuple):
    boluses: list[np.ndarray]
    """Into each body at each edge (nmol), [edges, batch]."""
    levels: list[np.ndarray]
    """What enters each body at a constant rate in each panel (nmol/h), [panels, batch]."""
    decays: list[np.ndarray]
    """What decays from the beginning of each panel (nmol/h), [panels, batch],"""
    poles: list[np.ndarray]
    """at what rate (1/h), [batch],"""
    bodies: tuple[int, ...]
    """and which body it enters."""


def _inputs(
    stages: Sequence[Stage], arrivals: Sequence[Arrival], edges: Float[np.ndarray, "edges columns"]
) -> _Inputs:
    batch = stages[0].v_c.size
    found = _Inputs(
        [np.zeros((edges.shape[0], batch)) for _ in stages],
        [np.zeros((edges.shape[0] - 1, batch)) for _ in stages],
        [],
        [],
        tuple(one.body for one in arrivals if one.impulse for _ in one.impulse.rates),
    )
    for one in arrivals:
        boluses, rates = entering(one, edges, batch)
        if one.impulse is None:
            found.boluses[one.body] += boluses
            found.levels[one.body] += rates
            continue
        constant, decaying = through(one.impulse, boluses, rates, edges)
        found.levels[one.body] += constant
        found.decays.extend(np.moveaxis(decaying, 1, 0))
        found.poles.extend(np.broadcast_to(pole, batch) for pole in np.asarray(one.impulse.rates))
    return found


class _Chain(NamedTuple):
    """The equations of a chain; equal, and compiled once, for the same structure."""

    counts: tuple[int, ...]
    """States of each body: centre and peripherals."""
    bodies: tuple[int, ...]
    """Body that each pole of the inputs feeds."""

    def forcing(self, since: Array, panel: Any, args: Any) -> list[Array]:
        (level, decays), (poles, *_) = panel, args
        arriving = list(level)
        for body, pole, decay in zip(self.bodies, poles, decays, strict=True):
            arriving[body] = arriving[body] + decay * jnp.exp(-pole * since)
        return arriving

    def rate(self, y: tuple[Array, ...], forcing: list[Array], args: Any) -> list[Array]:
        _, stages, rate = args
        changes: list[Array] = []
        first, last, formed = 0, 0, None
        for stage, count, arrives in zip(stages, self.counts, forcing, strict=True):
            c = y[first]
            eliminated = (stage.cl + stage.v_max / (stage.k_m + c)) * c
            central = arrives - eliminated if formed is None else arrives + formed - eliminated
            returning = []
            for place in range(count - 1):
                flow = stage.q[place] * (c - y[first + 1 + place])
                central = central - flow
                returning.append(flow / stage.v_p[place])
            changes += [central / stage.v_c, *returning]
            last, first, formed = first, first + count, stage.share * eliminated
        if rate is not None:
            changes.append(rate * (y[last] - y[first]))
        return changes


def _read(
    states: Float[np.ndarray, "edges batch"],
    edges: Float[np.ndarray, "edges columns"],
    times: Float[np.ndarray, " times"],
) -> Float[np.ndarray, "times batch"]:
    if edges.shape[1] == 1:
        return states[np.searchsorted(edges[:, 0], times)]
    place = (edges[None] <= times[:, None, None]).sum(axis=1) - 1
    return np.take_along_axis(states, place, axis=0)
