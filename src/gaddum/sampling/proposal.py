"""Proposal: a normal approximation of a posterior, fitted to draws and the gradients of the log likelihood there.

It differs from the standard normal prior along few directions, those in which the data say anything (the likelihood-
informed subspace [1]_); elsewhere it is the prior exactly, without noise. The bridge draws from it, and the moves of
particles follow its flow.

References
----------
.. [1] Zahm, Cui, Law, Spantini & Marzouk (2022) Mathematics of Computation 91, 1789. https://doi.org/10.1090/mcom/3737
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

LOG_2PI = math.log(2.0 * math.pi)
LEAST_PRECISION = 0.2
"""Least precision of a proposal along any direction, of which the prior's is 1."""
LEAST_SPREAD = 1e-9
"""Least sum of two variances of positions, of the largest variance, from which a slope is told."""
UNTOLD = 1 / 8
"""Divergence by what directions are left out, of the sum of the squares of their slopes: a quarter of the bound [1]."""
NOISE = 1 / 32
"""Divergence by noise of a curvature of r directions from n draws, of r^2 / n: each of its r^2 / 2 numbers costs half
the share of a slope that no line explains, here an eighth, over n."""


class Proposal(NamedTuple):
    """A normal approximation, by its differences from the standard normal; or one a population, stacked."""

    mean: Float[np.ndarray, "*populations dimensions"]
    """Mean (1)."""
    basis: Float[np.ndarray, "*populations dimensions directions"]
    """Orthonormal directions in which its precision is not 1."""
    precision: Float[np.ndarray, "*populations directions"]
    """Precision along each (1)."""

    def transform(self, noise: Float[np.ndarray, "dimensions n"]) -> Float[np.ndarray, "dimensions n"]:
        """Turn standard normal noise into draws."""
        return self.mean[:, None] + self._scaled(noise, -0.5)

    def logpdf(self, z: Float[np.ndarray, "dimensions n"]) -> Float[np.ndarray, " n"]:
        """Log density (nats)."""
        noise = self._scaled(z - self.mean[:, None], 0.5)
        return standard_normal_logpdf(noise) + 0.5 * np.sum(np.log(self.precision))

    def _scaled(self, x: np.ndarray, power: float) -> np.ndarray:
        return x + self.basis @ ((self.precision**power - 1.0)[:, None] * (self.basis.T @ x))

    def within(self, mask: np.ndarray, directions: int) -> "Proposal":
        """The same among all dimensions, of which these are some, filled up with directions that do nothing."""
        mean, basis = np.zeros(mask.size), np.zeros((mask.size, directions))
        mean[mask] = self.mean
        basis[mask, : self.precision.size] = self.basis
        return Proposal(
            mean, basis, np.pad(self.precision, (0, directions - self.precision.size), constant_values=1.0)
        )


def standard_normal_logpdf(z: Float[np.ndarray, "active n"]) -> Float[np.ndarray, " n"]:
    """Log density of independent standard normals, summed over the first axis (nats)."""
    return -0.5 * np.sum(z**2, axis=0) - 0.5 * z.shape[0] * LOG_2PI


def fit_proposal(
    z: Float[np.ndarray, "active n"], gradient: Float[np.ndarray, "active n"], most: int | None = None
) -> Proposal:
    """Fit a normal proposal to draws and the gradients of the log likelihood there.

    Its directions are those in which gradients are largest, as many as make the sum of what is left out and of noise
    smallest. Within them its precision is I + G, where -G is the symmetric matrix that predicts the gradient from the
    position best: G C + C G = -(B + B'), C the covariance of positions and B that of gradients with them. Its mean is
    one Newton step from the mean of the draws.

    Parameters
    ----------
    z, gradient
        Positions (1) and gradients of the log likelihood (nats). Copies count once.
    most
        Most directions; as many as dimensions by default.
    """
    distinct = np.unique(z[0], return_index=True)[1] if z.shape[1] > 1 else np.zeros(1, int)
    size, slopes = len(distinct), gradient[:, distinct]
    directions, squares = _principal(slopes / math.sqrt(size), min(most or z.shape[0], z.shape[0], size // 2))
    ranks = np.arange(len(squares) + 1)
    left = np.sum(slopes**2) / size - np.concatenate([[0.0], np.cumsum(squares)])
    rank = int(np.argmin(UNTOLD * left + NOISE * ranks**2 / size))
    basis = directions[:, :rank]
    x, slope = basis.T @ z, basis.T @ gradient
    mean, score = x.mean(axis=1), slope.mean(axis=1)
    centred = x - mean[:, None]
    spread, axes = np.linalg.eigh(centred @ centred.T / z.shape[1])
    across = axes.T @ ((slope - score[:, None]) @ centred.T / z.shape[1]) @ axes
    sums = spread[:, None] + spread[None, :]
    curvature = -(across + across.T) / np.maximum(sums, LEAST_SPREAD * spread.max(initial=1e-300))
    precision, turned = np.linalg.eigh(np.eye(rank) + curvature)
    precision, turned = np.maximum(precision, LEAST_PRECISION), axes @ turned
    moved = mean + turned @ ((turned.T @ (score - mean)) / precision)
    return Proposal(basis @ moved, basis @ turned, precision)


def _principal(x: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal directions of columns about 0 and the squares along them, largest first; by the smaller product."""
    wide = x.shape[1] > x.shape[0]
    product = x @ x.T if wide else x.T @ x
    squares, vectors = np.linalg.eigh(product)
    squares, vectors = squares[::-1][:most], vectors[:, ::-1][:, :most]
    told = squares > 1e-14 * max(squares.max(initial=0.0), 1e-300)
    squares, vectors = squares[told], vectors[:, told]
    return (vectors if wide else x @ vectors / np.sqrt(squares)), squares
