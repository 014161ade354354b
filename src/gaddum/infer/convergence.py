"""Convergence of many short chains: rank-normalised split R-hat and effective sample size.

A chain here is one particle through the sweeps at one temperature. There are thousands of them and few
sweeps, so autocorrelations are pooled over particles about the common mean, and R-hat compares populations
of particles.
"""

import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri
from scipy.stats import rankdata


class Convergence(NamedTuple):
    """The worst diagnostics over all quantities."""

    r_hat: float
    """Largest rank-normalised split R-hat between populations, of location and of scale (1)."""
    ess: float
    """Smallest effective sample size of the ranks (1)."""


def diagnose(quantities: Float[np.ndarray, "quantities populations particles sweeps"]) -> Convergence:
    """Find the largest R-hat and the smallest effective sample size over quantities.

    Parameters
    ----------
    quantities
        Draws; chains of ordinary Markov-chain Monte Carlo are populations of one particle.

    Returns
    -------
    Convergence
        The worst of each; a constant quantity is skipped.

    References
    ----------
    .. [1] Vehtari et al. (2021) Bayesian Analysis 16, 667. https://doi.org/10.1214/20-BA1221

    Examples
    --------
    >>> found = diagnose(np.random.default_rng(1).normal(size=(2, 4, 100, 6)))
    >>> found.r_hat < 1.01, found.ess > 2000
    (True, True)
    """
    r_hat, ess = 1.0, math.inf
    for x in quantities:
        if np.ptp(x) == 0.0:
            continue
        ranks = _normal_scores(x)
        folded = _normal_scores(np.abs(x - np.median(x)))
        r_hat = max(r_hat, _split_r_hat(ranks), _split_r_hat(folded))
        flat = ranks.reshape(-1, ranks.shape[-1])
        ess = min(ess, flat.size / autocorrelation_time(flat))
    return Convergence(r_hat, min(ess, float(quantities[0].size)))


def autocorrelation_time(x: Float[np.ndarray, "chains draws"]) -> float:
    """Integrated autocorrelation time of many short chains about their common mean (draws).

    The autocorrelations are pooled over chains about the grand mean, so short chains suffice when there
    are many of them; the sum is cut at the first negative one. Never below 1.
    """
    chains, draws = x.shape
    centred = x - x.mean()
    variance = np.mean(centred**2)
    if draws < 2 or variance <= 1e-300 + (1e-14 * np.abs(x).max()) ** 2:
        return 1.0
    total = 0.0
    for lag in range(1, draws):
        rho = np.mean(centred[:, lag:] * centred[:, : draws - lag]) / variance
        if rho <= 0:
            break
        total += (1.0 - lag / draws) * rho
    return max(1.0, 1.0 + 2.0 * float(total))


def _normal_scores(x: np.ndarray) -> np.ndarray:
    ranks = rankdata(x.reshape(-1)).reshape(x.shape)
    return ndtri((ranks - 0.375) / (x.size + 0.25))


def _split_r_hat(x: np.ndarray) -> float:
    """R-hat between half-populations, split into early and late sweeps."""
    half = x.shape[-1] // 2
    parts = np.concatenate([x[..., :half], x[..., -half:]]).reshape(2 * x.shape[0], -1)
    n = parts.shape[1]
    within = parts.var(axis=1, ddof=1).mean()
    between = parts.mean(axis=1).var(ddof=1)
    return float(np.sqrt((n - 1) / n + between / within)) if within > 0 else math.inf
