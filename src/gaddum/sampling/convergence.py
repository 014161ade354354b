"""Convergence of many short chains: rank-normalised split R-hat and effective sample size.

A chain here is one particle through the sweeps at one temperature. There are thousands of them and few
sweeps, so autocorrelations are pooled over particles about the common mean, and R-hat compares populations
of particles.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri


class Convergence(NamedTuple):
    """The worst diagnostics over all quantities."""

    r_hat: float
    """Largest rank-normalised split R-hat between populations, of location and of scale (1)."""
    ess: float
    """Smallest effective sample size of the ranks (1)."""


def diagnose(quantities: Float[np.ndarray, "quantities populations particles sweeps"]) -> Convergence:
    """Find the largest R-hat and the smallest effective sample size over quantities that are not constant.

    Parameters
    ----------
    quantities
        Draws; chains of ordinary Markov-chain Monte Carlo are populations of one particle.

    References
    ----------
    .. [1] Vehtari et al. (2021) Bayesian Analysis 16, 667. https://doi.org/10.1214/20-BA1221

    Examples
    --------
    >>> found = diagnose(np.random.default_rng(1).normal(size=(2, 4, 100, 6)))
    >>> found.r_hat < 1.01, found.ess > 2000
    (True, True)
    """
    every = (1, 2, 3)
    moving = quantities[np.ptp(quantities, axis=every) > 0.0]
    ranks = _normal_scores(moving)
    folded = _normal_scores(np.abs(moving - np.median(moving, axis=every, keepdims=True)))
    r_hat = max(1.0, *_split_r_hat(ranks), *_split_r_hat(folded)) if len(moving) else 1.0
    flat = ranks.reshape(len(moving), -1, ranks.shape[-1])
    size = quantities[0].size
    return Convergence(
        float(r_hat), min((size / autocorrelation_time(one) for one in flat), default=float(size))
    )


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
    """Normal scores of the ranks within each quantity."""
    from scipy.stats import rankdata  # which takes long to load, and no reader of a run needs it

    flat = x.reshape(len(x), -1)
    ranks = rankdata(flat, axis=1) if flat.size else flat
    return ndtri((ranks - 0.375) / (flat.shape[1] + 0.25)).reshape(x.shape)


def _split_r_hat(x: np.ndarray) -> Float[np.ndarray, " quantities"]:
    """R-hat of each quantity between half-populations, split into early and late sweeps."""
    half = x.shape[-1] // 2
    parts = np.concatenate([x[..., :half], x[..., -half:]], axis=1)
    parts = parts.reshape(len(x), parts.shape[1], -1)
    n = parts.shape[2]
    within = parts.var(axis=2, ddof=1).mean(axis=1)
    between = parts.mean(axis=2).var(axis=1, ddof=1)
    ratio = np.divide(between, within, out=np.full(len(x), np.inf), where=within > 0)
    return np.sqrt((n - 1) / n + ratio)
