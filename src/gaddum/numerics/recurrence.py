"""Recurrence: states that are linear in themselves, followed over many intervals by their integrating factor.

Between the edges of an interval the drive is known at Gauss-Legendre nodes. What an interval keeps of the state and
what it adds are computed for all intervals at once; only the recursion from edge to edge is sequential. Integrands are
positive, so nothing cancels. `response.behaviour` uses the same for one reading; this is for whole courses. All of it
is numpy where the numbers are.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from gaddum.numerics.array_library import Numbers, array_library
from gaddum.numerics.quadrature import Quadrature

_ALIKE = 1e-9
"""Difference of two ages of the state below which they are one."""


def relaxation(
    drive: Float[Numbers, "intervals order ..."],
    width: Float[Numbers, "intervals ..."],
    rule: Quadrature,
    k: Float[Numbers, "..."],
) -> Float[Numbers, "edges ..."]:
    """State A at every edge under dA/dt = k (drive - A), from A = 0.

    Parameters
    ----------
    drive : array
        Drive at the nodes of each interval.
    width : array
        Width of each interval (h); or for each interval of several courses.
    rule : Quadrature
        Rule of the nodes.
    k : array
        Rate of equilibration (1/h).

    Returns
    -------
    array, shape (intervals + 1, *batch)
        State at the edges.
    """
    xp = array_library(drive, k)
    span = _along(width, drive.ndim - 1, drive)
    rest = _along(1 - rule.nodes, drive.ndim - 1, drive)
    reach = k * span
    kept = xp.exp(-reach)
    gained = reach * _weighted(rule.weights, drive * xp.exp(-reach[:, None] * rest))
    # A kernel that is narrow beside the interval is integrated exactly against the interpolated drive.
    powers = np.linalg.inv(np.vander(rule.nodes, increasing=True))
    narrow = narrow_of(rule)
    safe = xp.maximum(reach, narrow)
    moment, exact = -xp.expm1(-safe), xp.zeros_like(gained)
    for power, row in enumerate(powers):
        moment = moment if power == 0 else 1 - power / safe * moment
        exact = exact + moment * _weighted(row, drive)
    return _recursion(kept, xp.where(reach > narrow, exact, gained), xp.zeros(drive.shape[2:], drive.dtype))


def turnover(
    drive: Float[Numbers, "intervals order ..."],
    width: Float[Numbers, "intervals ..."],
    rule: Quadrature,
    k_off: Float[Numbers, "..."],
    *,
    start: Any = 0.0,
    cycle: int | None = None,
) -> Float[Numbers, "edges ..."]:
    """State P at every edge under dP/dt = drive (1 - P) - k_off P, from a start or a steady state.

    Parameters
    ----------
    drive : array
        Rate of build-up (1/h) at the nodes of each interval.
    width : array
        Width of each interval (h); or for each interval of several courses.
    rule : Quadrature
        Rule of the nodes.
    k_off : array
        Rate of decay (1/h).
    start : array
        P at the first edge.
    cycle : int, optional
        Where the first `cycle` intervals are one period of a steady state, P starts at the value that repeats after
        it.

    Returns
    -------
    array, shape (intervals + 1, *batch)
        State at the edges.
    """
    xp = array_library(drive, k_off)
    span = _along(width, drive.ndim - 1, drive)
    rest = _along(1 - rule.nodes, drive.ndim - 1, drive)
    whole = span * _weighted(rule.weights, drive)
    built = xp.stack([span * _weighted(row, drive) for row in rule.cumulative], axis=1)
    reach = whole + k_off * span
    age = _falling(whole[:, None] - built + k_off * span[:, None] * rest, reach)
    kept = xp.exp(-reach)
    gained = span * _weighted(rule.weights, drive * xp.exp(-age))
    settled = reach > narrow_of(rule)
    # In numpy only where it is so for any draw, which is seldom.
    some: Any = settled.any(axis=tuple(range(1, settled.ndim))) if xp is np else slice(None)
    rates = (drive + k_off)[some]
    level = drive[some] / xp.where(rates > 0, rates, 1.0)
    exact = xp.where(settled[some], _tracked(level, age[some], reach[some]), gained[some])
    if xp is np:
        gained[some] = exact
    else:
        gained = exact
    gained = xp.minimum(gained, -xp.expm1(-reach))  # what is built up with all of the rates, decay included
    nothing = xp.zeros(gained.shape[1:], gained.dtype)
    start = nothing + start
    if cycle:
        end = _recursion(kept[:cycle], gained[:cycle], nothing)[-1]
        left = xp.prod(kept[:cycle], axis=0)
        start = xp.where(left < 1, end / xp.where(left < 1, 1 - left, 1.0), 0.0)
    return _recursion(kept, gained, start)


def _falling(
    age: Float[Numbers, "intervals order ..."], reach: Float[Numbers, "intervals ..."]
) -> Float[Numbers, "intervals order ..."]:
    """Ages within an interval, each at most the one before: the rule's integrals overshoot where a drive is steep."""
    xp, found = array_library(age), [reach]
    for place in range(age.shape[1]):
        found.append(xp.clip(age[:, place], 0.0, found[-1]))
    return xp.stack(found[1:], axis=1)


def narrow_of(rule: Quadrature) -> float:
    """Width of an interval over the time constant from which the kernel, not the drive, is integrated exactly.

    Up to there the rule integrates the kernel to 1e-6.
    """
    return rule.nodes.size**2 / 6


def _tracked(
    level: Float[Numbers, "intervals order ..."],
    age: Float[Numbers, "intervals order ..."],
    reach: Float[Numbers, "intervals ..."],
) -> Float[Numbers, "intervals ..."]:
    """What an interval adds where the state forgets within it: the level that it tends to, weighted by exp(-age).

    Age is time to the end of the interval in time constants of the state. The level is taken to be linear in age from
    node to node, and the weight is integrated exactly, however narrow it is.
    """
    xp = array_library(age)
    first = _extended(level[:, 1], level[:, 0], age[:, 1], age[:, 0], reach)
    last = _extended(level[:, -2], level[:, -1], age[:, -2], age[:, -1], xp.zeros_like(reach))
    levels = xp.concatenate([first[:, None], level, last[:, None]], axis=1)
    ages = xp.concatenate([reach[:, None], age, xp.zeros_like(reach)[:, None]], axis=1)
    weight = xp.exp(-ages)
    older, newer = weight[:, :-1], weight[:, 1:]
    span = xp.maximum(ages[:, :-1] - ages[:, 1:], _ALIKE)
    slope = xp.diff(levels, axis=1) / span
    return (newer * (levels[:, 1:] - slope) - older * (levels[:, :-1] - slope)).sum(axis=1)


def _extended(near: Numbers, at: Numbers, age_near: Numbers, age_at: Numbers, age: Numbers) -> Numbers:
    """Level beyond the outermost node, on the line through the two outermost, within [0, 1]."""
    xp, span = array_library(age_at), age_at - age_near
    safe = xp.where(abs(span) > _ALIKE, span, 1.0)
    return xp.clip(at + (at - near) / safe * (age - age_at), 0.0, 1.0)


def _recursion(kept: Numbers, gained: Numbers, start: Numbers) -> Numbers:
    """Edges of state -> kept * state + gained; a loop, since written out it is slow to compile and to run."""
    if array_library(kept, gained, start) is np:
        edges = np.empty((len(kept) + 1, *start.shape), gained.dtype)
        edges[0] = start
        for place, (left, more) in enumerate(zip(kept, gained, strict=True)):
            edges[place + 1] = edges[place] * left + more
        return edges
    import jax

    def step(state: Numbers, one: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
        state = state * one[0] + one[1]
        return state, state

    return jax.numpy.concatenate([start[None], jax.lax.scan(step, start, (kept, gained))[1]])


def _weighted(weights: np.ndarray, values: Numbers) -> Numbers:
    """Weighted sum over the nodes; written out, since tiny dot products are slow in XLA."""
    total = float(weights[0]) * values[:, 0]
    for place, weight in enumerate(weights[1:], start=1):
        total = total + float(weight) * values[:, place]
    return total


def _along(x: Numbers, rank: int, like: Numbers) -> Numbers:
    """Put an array on the first of `rank` axes, in the precision of another."""
    array = np.asarray(x, like.dtype)
    return array.reshape(x.shape + (1,) * (rank - x.ndim))
