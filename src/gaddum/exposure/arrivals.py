"""Arrivals: doses that enter a body directly or through what is linear, panel by panel between doses and readings.

What lies before a body that is followed numerically (a depot, transit, a linear parent) is known in closed form as an
`Impulse`. Between two doses an input through poles ``r`` is a constant and a few decaying exponentials, however many
doses came before, so a long history costs no more than a short one. Lags and lengths of release may differ from draw
to draw: each draw then has its own panels. Units: h, nmol.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.exposure.impulse import Impulse


class Arrival(NamedTuple):
    """Doses that enter one body of a chain by one way."""

    body: int
    """Place of the body."""
    impulse: Impulse | None
    """Rate of arrival after a unit dose (1/h); None where doses go into the body itself."""
    amounts: Float[np.ndarray, "doses batch"]
    starts: Float[np.ndarray, "doses columns"]
    durations: Float[np.ndarray, "doses columns"]
    """Length of a zero-order input (h); 0 for a bolus."""


def panel_edges(
    times: Float[np.ndarray, " times"], arrivals: Sequence[Arrival]
) -> Float[np.ndarray, "edges columns"]:
    """Ends of the panels between doses and readings, the same for all draws ([edges, 1]) where all doses are."""
    last = float(times[-1])
    marks = [times[:, None]]
    for one in arrivals:
        marks += [one.starts, (one.starts + one.durations)[(one.durations > 0).any(axis=1)]]
    if all((mark == mark[:, :1]).all() for mark in marks):
        edges = np.unique(np.concatenate([mark[:, 0] for mark in marks]))[:, None]
        edges = edges[edges[:, 0] <= last]
    else:
        batch = max(mark.shape[1] for mark in marks)
        edges = np.sort(np.concatenate([np.broadcast_to(m, (m.shape[0], batch)) for m in marks]), axis=0)
        edges = np.minimum(edges, last)  # what lies beyond the end makes panels of no length
    return edges if edges.shape[0] > 1 else np.concatenate([edges, edges + 1.0])


def entering(
    one: Arrival, edges: Float[np.ndarray, "edges columns"], batch: int
) -> tuple[Float[np.ndarray, "edges batch"], Float[np.ndarray, "panels batch"]]:
    """Boluses at the edges (nmol), and the rate of zero-order input during each panel (nmol/h)."""
    boluses, rates = np.zeros((edges.shape[0], batch)), np.zeros((edges.shape[0] - 1, batch))
    # Of several edges at one time, the last takes the bolus: only the panel after it has a length.
    takes = np.append(np.diff(edges, axis=0) > 0, np.ones((1, edges.shape[1]), bool), axis=0)
    for amount, start, duration in zip(one.amounts, one.starts, one.durations, strict=True):
        zero_order = duration > 0
        boluses += np.where((edges == start) & takes & ~zero_order, amount, 0.0)
        during = zero_order & (edges[:-1] >= start) & (edges[:-1] < start + duration)
        rates += np.where(during, amount / np.where(zero_order, duration, 1.0), 0.0)
    return boluses, rates


def through(
    impulse: Impulse,
    boluses: Float[np.ndarray, "edges batch"],
    rates: Float[np.ndarray, "panels batch"],
    edges: Float[np.ndarray, "edges columns"],
) -> tuple[Float[np.ndarray, "panels batch"], Float[np.ndarray, "panels poles batch"]]:
    """What leaves linear stages in each panel: a constant, and what decays with each pole from its beginning."""
    poles, weights = (np.asarray(x) for x in impulse)
    held = np.zeros((poles.shape[0], boluses.shape[1]))
    constant, decaying = np.zeros_like(rates), np.zeros((len(rates), *held.shape))
    for panel, (bolus, rate, length) in enumerate(zip(boluses, rates, np.diff(edges, axis=0), strict=False)):
        steady = np.where(rate > 0, rate / poles, 0.0)
        held = held + bolus
        constant[panel] = np.sum(weights * steady, axis=0)
        decaying[panel] = weights * (held - steady)
        held = steady + (held - steady) * np.exp(-poles * length)
    return constant, decaying
