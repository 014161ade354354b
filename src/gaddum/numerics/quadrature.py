"""Quadrature: Gauss-Legendre rules on [0, 1], and the integrals of an interpolant up to each of their nodes."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Quadrature(NamedTuple):
    """Gauss-Legendre rule on [0, 1] with the integrals of its Lagrange polynomials up to each node."""

    nodes: Float[np.ndarray, " order"]
    weights: Float[np.ndarray, " order"]
    cumulative: Float[np.ndarray, "order order"]
    """Row j integrates an interpolant from 0 to node j."""


def gauss_legendre(order: int) -> Quadrature:
    """Build the rule of an order.

    Examples
    --------
    >>> rule = gauss_legendre(5)
    >>> round(float(rule.weights @ rule.nodes**9), 12)
    0.1
    """
    points, weights = np.polynomial.legendre.leggauss(order)
    nodes, weights = (points + 1) / 2, weights / 2
    powers = np.vander(nodes, order, increasing=True)
    antiderivatives = nodes[:, None] ** np.arange(1, order + 1) / np.arange(1, order + 1)
    return Quadrature(nodes, weights, antiderivatives @ np.linalg.inv(powers))
