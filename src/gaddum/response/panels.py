"""Panels: where the quadrature of an arm's time course has its edges.

Drive changes fast after anything that starts or stops and slowly later, so panels widen geometrically from each such
moment to the next. An arm with one of them, as most have, gets `PANELS`; an arm dosed again and again gets as many as
its doses need, in one of few sizes, since arms of one size are computed together.
"""

import itertools
from functools import cache

import numpy as np
from jaxtyping import Float

from gaddum.numerics.quadrature import Quadrature, gauss_legendre
from gaddum.records.dose import HELD, Dose

FEW, PANELS = 3, 5
"""Panels of an arm with a single moment of change, up to a test within `SPAN` and beyond."""
ORDER, ORDER_OF_MANY = 4, 3
"""Nodes in each panel of such an arm, and of an arm with more changes."""
FIRST = 0.25
"""Width (h) of the first panel after an injection, at most a quarter of the way to the next change."""
SHORT, LONG = 2, 3
"""Panels from one of several changes to the next, up to `SPAN` and beyond."""
MANY = 60
"""Numbers of panels of such arms are multiples of this; another number costs a gradient a sixth of its time."""
SPAN = 4.0
"""Time (h) by which most of a small molecule is gone."""


def panels(
    doses: tuple[Dose, ...], test_time: float, *, lingering: bool = False
) -> Float[np.ndarray, " edges"]:
    """Panel edges from the test drug to the test (h).

    Parameters
    ----------
    doses : tuple of Dose
        Of one arm.
    test_time : float
        Hours from the test drug.
    lingering : bool
        Whether what is given outlasts the interval between doses; one panel from dose to dose is then enough.

    Examples
    --------
    >>> panels((), 64.0).round(9).tolist()
    [0.0, 0.25, 1.0, 4.0, 16.0, 64.0]
    """
    changes, inputs = _changes(doses, test_time)
    if not changes[1:] or (
        not changes[2:] and inputs == {(0.0, changes[1])}
    ):  # one injection or one infusion
        first = changes[1] if changes[1:] else FIRST
        count = FEW if test_time <= SPAN else PANELS
        return np.concatenate([[0.0], np.geomspace(min(first, test_time / 4), test_time, count)])
    each = [
        np.array([end])
        if (start, end) in inputs
        else _widening(
            start, end, 1 if lingering else SHORT if end - start <= SPAN and end < test_time else LONG
        )
        for start, end in itertools.pairwise([*changes, test_time])
    ]
    edges = np.concatenate([[0.0], *each])
    size = MANY * -(-(edges.size - 1) // MANY)
    while edges.size - 1 < size:  # halve the widest until the size is one of few
        widest = int(np.argmax(np.diff(edges)))
        edges = np.insert(edges, widest + 1, edges[widest : widest + 2].mean())
    return edges


@cache
def rule_of(count: int) -> Quadrature:
    """Rule of each of a number of panels."""
    return gauss_legendre(ORDER if count <= PANELS else ORDER_OF_MANY)


def nodes_of(edges: Float[np.ndarray, " edges"]) -> Float[np.ndarray, " nodes"]:
    """Quadrature nodes of all panels in time order, and then the test itself (h)."""
    rule = rule_of(edges.size - 1)
    inner = edges[:-1, None] + np.diff(edges)[:, None] * rule.nodes
    return np.append(inner.ravel(), edges[-1])


def _changes(doses: tuple[Dose, ...], test_time: float) -> tuple[list[float], set[tuple[float, float]]]:
    """Moments in [0, test) at which a drug starts or stops coming in, and spans of steady input among them.

    The test drug comes at 0. What is held up to the test does not change before it.
    """
    found, inputs = {0.0}, set[tuple[float, float]]()
    for dose in doses:
        for start in dose.times_h:
            found.add(start)
            if dose.duration_h and (dose.route == "iv infusion" or dose.route in HELD):
                found.add(start + dose.duration_h)
                inputs.add((start, start + dose.duration_h))
    return sorted(time for time in found if 0 <= time < test_time), inputs


def _widening(start: float, end: float, count: int) -> Float[np.ndarray, " count"]:
    """Edges after `start`, each panel wider than the last."""
    return start + np.geomspace(min(FIRST, (end - start) / 4), end - start, count)
