"""Panels: where the quadrature of an arm's time course has its edges, and the arrays that follow from them."""

import numpy as np
from jaxtyping import Float

from gaddum.mechanism.behaviour import Quadrature
from gaddum.records.dose import Dose

PANELS, ORDER = 6, 5


def panels(doses: tuple[Dose, ...], test_time: float) -> Float[np.ndarray, " edges"]:
    """Panel edges from the test drug to the test: first the input, then widening towards the test."""
    inputs = [d.duration_h for d in doses if d.duration_h and d.time_h == 0 and d.route == "iv infusion"]
    first = min(inputs[0] if inputs else 0.25, test_time / 4)
    return np.concatenate([[0.0], np.geomspace(first, test_time, PANELS)])


def nodes_of(edges: Float[np.ndarray, " edges"], rule: Quadrature) -> Float[np.ndarray, " nodes"]:
    """Quadrature nodes of all panels in time order, and then the test itself (hours)."""
    inner = edges[:-1, None] + np.diff(edges)[:, None] * rule.nodes
    return np.append(inner.ravel(), edges[-1])
