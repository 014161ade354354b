"""Proposal: a normal approximation of a posterior, fitted to draws and the gradients of the log likelihood there."""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular

LOG_2PI = math.log(2.0 * math.pi)
LEAST_PRECISION = 0.2
"""Least precision of a proposal along any direction, of which the prior's is 1."""
LEAST_SPREAD = 1e-9
"""Least sum of two variances of positions, of the largest variance, from which a slope is told."""


class Proposal(NamedTuple):
    """A normal proposal over the active dimensions."""

    mean: Float[np.ndarray, " active"]
    """Mean (1)."""
    factor: Float[np.ndarray, "active active"]
    """Lower Cholesky factor of the covariance (1)."""

    def transform(self, noise: Float[np.ndarray, "active n"]) -> Float[np.ndarray, "active n"]:
        """Turn standard normal noise into draws."""
        return self.mean[:, None] + self.factor @ noise

    def logpdf(self, z: Float[np.ndarray, "active n"]) -> Float[np.ndarray, " n"]:
        """Log density (nats)."""
        noise = solve_triangular(self.factor, z - self.mean[:, None], lower=True)
        return standard_normal_logpdf(noise) - np.sum(np.log(np.diag(self.factor)))


def standard_normal_logpdf(z: Float[np.ndarray, "active n"]) -> Float[np.ndarray, " n"]:
    """Log density of independent standard normals, summed over the first axis (nats)."""
    return -0.5 * np.sum(z**2, axis=0) - 0.5 * z.shape[0] * LOG_2PI


def fit_proposal(z: Float[np.ndarray, "active n"], gradient: Float[np.ndarray, "active n"]) -> Proposal:
    """Fit a normal proposal to draws and the gradients of the log likelihood there.

    Its precision is I + G, where -G is the symmetric matrix that predicts the gradient from the position best:
    G C + C G = -(B + B'), C the covariance of positions and B that of gradients with them. Its mean is one Newton step
    from the mean of the draws. Where the likelihood is flat the proposal is the prior exactly, however few the draws;
    a covariance of positions has noise in all dimensions.

    Parameters
    ----------
    z, gradient
        Positions (1) and gradients of the log likelihood (nats), more than there are dimensions.
    """
    active, n = z.shape
    if n <= active:
        raise ValueError(
            f"A proposal needs more draws than dimensions; got {n} draws in {active} dimensions. "
            "Raise particles or sweeps."
        )
    mean, score = z.mean(axis=1), gradient.mean(axis=1)
    centred = z - mean[:, None]
    spread, axes = np.linalg.eigh(centred @ centred.T / n)
    across = axes.T @ ((gradient - score[:, None]) @ centred.T / n) @ axes
    sums = spread[:, None] + spread[None, :]
    curvature = -(across + across.T) / np.maximum(sums, LEAST_SPREAD * spread.max())
    precision = np.eye(active) + axes @ curvature @ axes.T
    try:
        np.linalg.cholesky(precision - LEAST_PRECISION * np.eye(active))
    except np.linalg.LinAlgError:  # too wide along some direction
        precisions, turned = np.linalg.eigh(precision)
        precision = (turned * np.maximum(precisions, LEAST_PRECISION)) @ turned.T
    covariance = np.linalg.inv((precision + precision.T) / 2)
    return Proposal(mean + covariance @ (score - mean), np.linalg.cholesky((covariance + covariance.T) / 2))
