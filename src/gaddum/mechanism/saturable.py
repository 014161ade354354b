"""Bodies in series of which one or more eliminate by Michaelis-Menten: a drug, its metabolites, the effect site.

Doses reach such a chain through what is linear (absorption, transit, a linear parent), which is known in closed form
as an `Impulse`; only the bodies from the first saturable one on are followed by `rodas`. Between two doses an input
through poles ``r`` is a constant and a few decaying exponentials, however many doses came before, so a long history
costs no more than a short one. Lags and lengths of release may differ from draw to draw: each draw has its own panels.

For one body and one route see also `nonlinear.saturable_concentrations`. Units: h, L, nmol, nM.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jaxtyping import Float

from gaddum.mechanism.impulse import Impulse
from gaddum.mechanism.nonlinear import Readings
from gaddum.mechanism.rodas import integrate

PANEL_STEPS = 64
"""Steps of the first grid over all panels together, at least one in each."""
AFTER = 1e-3
"""Length of the panel after the last reading (h), so that a bolus at that time is seen by it."""


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


class Arrival(NamedTuple):
    """Doses that enter one body of the chain by one way."""

    body: int
    """Place of the body."""
    impulse: Impulse | None
    """Rate of arrival after a unit dose (1/h); None where doses go into the body itself."""
    amounts: Float[np.ndarray, "doses batch"]
    starts: Float[np.ndarray, "doses columns"]
    durations: Float[np.ndarray, "doses columns"]
    """Length of a zero-order input (h); 0 for a bolus."""


def chain_concentrations(
    times: Float[np.ndarray, " times"],
    stages: Sequence[Stage],
    arrivals: Sequence[Arrival],
    *,
    rate: Float[Array, " batch"] | None = None,
    tolerance: float = 1e-7,
) -> Readings:
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

    Returns
    -------
    Readings
        Concentration (nM), shape [times, batch]; at the time of a bolus, just after it.

    References
    ----------
    Michaelis L, Menten ML (1913), as used in pharmacokinetics: Wagner JG (1973). doi:10.1007/BF01060040
    """
    edges = _edges(times, arrivals)
    panels = edges.shape[0] - 1
    batch = stages[0].v_c.shape[0]
    sizes = tuple(1 + stage.v_p.shape[0] for stage in stages)
    level = [jnp.zeros((panels, batch)) for _ in stages]
    jumps = [jnp.zeros((panels, batch)) for _ in range(sum(sizes) + (rate is not None))]
    decays: list[Array] = []
    poles: list[Array] = []
    bodies: list[int] = []
    for one in arrivals:
        boluses, rates = _entering(one, edges, batch)
        if one.impulse is None:
            place = sum(sizes[: one.body])
            jumps[place] = jumps[place] + boluses / stages[one.body].v_c
            level[one.body] = level[one.body] + rates
            continue
        constant, decaying = _through(one.impulse, boluses, rates, jnp.asarray(edges))
        level[one.body] = level[one.body] + constant
        decays += list(jnp.moveaxis(decaying, 1, 0))
        poles += list(one.impulse.rates)
        bodies += [one.body] * len(one.impulse.rates)
    none = jnp.zeros((0, batch))
    args = (
        jnp.asarray(edges[:-1]),
        jnp.stack(level, axis=1),
        jnp.stack(decays, axis=1) if decays else jnp.zeros((panels, 0, batch)),
        jnp.stack(poles) if poles else none,
        tuple(stages),
        rate,
    )
    added = jnp.stack(jumps, axis=1)
    start = jnp.zeros(added.shape[1:])
    fewest = max(1, PANEL_STEPS // panels)
    course = integrate(
        _Chain(sizes, tuple(bodies)), start, edges, added, args, tolerance=tolerance, fewest=fewest
    )
    after = course.states.at[:-1].add(added)
    place = len(jumps) - 1 if rate is not None else sum(sizes[:-1])
    return Readings(_read(after[:, place], edges, times), course.error, course.converged, course.status)


class _Chain(NamedTuple):
    """Rate of change of all states; equal, and compiled once, for the same structure."""

    sizes: tuple[int, ...]
    """States of each body: centre and peripherals."""
    bodies: tuple[int, ...]
    """Body that each pole of the inputs feeds."""

    def __call__(self, t: Array, y: Array, args: tuple, panel: Array) -> Array:
        begins, level, decays, poles, stages, rate = args
        since = t - begins[panel]
        arriving = [level[panel, body] for body in range(len(self.sizes))]
        for place, body in enumerate(self.bodies):
            arriving[body] = arriving[body] + decays[panel, place] * jnp.exp(-poles[place] * since)
        changes: list[Array] = []
        first, last, formed = 0, 0, jnp.zeros(())
        for stage, size, arrives in zip(stages, self.sizes, arriving, strict=True):
            c = y[first]
            eliminated = (stage.cl + stage.v_max / (stage.k_m + c)) * c
            central = arrives + formed - eliminated
            returning = []
            for place in range(size - 1):
                flow = stage.q[place] * (c - y[first + 1 + place])
                central = central - flow
                returning.append(flow / stage.v_p[place])
            changes += [central / stage.v_c, *returning]
            last, first, formed = first, first + size, stage.share * eliminated
        if rate is not None:
            changes.append(rate * (y[last] - y[first]))
        return jnp.stack(changes)


def _edges(
    times: Float[np.ndarray, " times"], arrivals: Sequence[Arrival]
) -> Float[np.ndarray, "edges columns"]:
    """Panels between doses and readings, the same for all draws ([edges, 1]) where all doses are."""
    stop = float(times[-1]) + AFTER
    marks = [np.append(times, stop)[:, None]]
    for one in arrivals:
        marks += [one.starts, one.starts + one.durations]
    if all((mark == mark[:, :1]).all() for mark in marks):
        edges = np.unique(np.concatenate([mark[:, 0] for mark in marks]))[:, None]
        return edges[edges[:, 0] <= stop]
    batch = max(mark.shape[1] for mark in marks)
    edges = np.sort(np.concatenate([np.broadcast_to(m, (m.shape[0], batch)) for m in marks]), axis=0)
    # What lies beyond the end makes panels of no length.
    return np.minimum(edges, stop)


def _entering(
    one: Arrival, edges: Float[np.ndarray, "edges columns"], batch: int
) -> tuple[Float[Array, "panels batch"], Float[Array, "panels batch"]]:
    """Boluses at the beginning of each panel (nmol), and the rate of zero-order input during it (nmol/h)."""
    begin, end = edges[:-1], edges[1:]
    boluses = np.zeros((begin.shape[0], batch))
    rates = np.zeros_like(boluses)
    for amount, start, duration in zip(one.amounts, one.starts, one.durations, strict=True):
        zero_order = duration > 0
        # Of several panels that begin at one time, only the last has a length; it takes the bolus.
        here = (begin == start) & (end > begin) & ~zero_order
        boluses += np.where(here, amount, 0.0)
        during = zero_order & (begin >= start) & (begin < start + duration)
        rates += np.where(during, amount / np.where(zero_order, duration, 1.0), 0.0)
    return jnp.asarray(boluses), jnp.asarray(rates)


@jax.jit
def _through(
    impulse: Impulse, boluses: Array, rates: Array, edges: Array
) -> tuple[Float[Array, "panels batch"], Float[Array, "panels poles batch"]]:
    """What leaves linear stages in each panel: a constant, and what decays with each pole from its beginning."""
    poles, weights = (jnp.asarray(x) for x in impulse)

    def over(held: Array, panel: tuple[Array, Array, Array]) -> tuple[Array, tuple[Array, Array]]:
        bolus, rate, length = panel
        steady = rate / poles
        held = held + bolus
        parts = jnp.sum(weights * steady, axis=0), weights * (held - steady)
        return steady + (held - steady) * jnp.exp(-poles * length), parts

    return lax.scan(over, jnp.zeros_like(poles), (boluses, rates, jnp.diff(edges, axis=0)))[1]


def _read(
    states: Float[Array, "edges batch"],
    edges: Float[np.ndarray, "edges columns"],
    times: Float[np.ndarray, " times"],
) -> Float[Array, "times batch"]:
    if edges.shape[1] == 1:
        return states[np.searchsorted(edges[:, 0], times)]
    place = (edges[None] <= times[:, None, None]).sum(axis=1) - 1
    return jnp.take_along_axis(states, jnp.asarray(place), axis=0)
