"""Scores of forecasts of three exclusive events, and their errors.

With q the shares of the events in a row and p their forecast chances:

    log score = sum_e q_e log p_e, in nats; larger is better
    Brier     = sum_e q_e sum_j (p_j - [j = e])^2; smaller is better

Rows of a cohort share a weight of 1, and a score is a mean over cohorts. Its error, and that of a difference of two
forecasters, is the standard deviation over cohorts drawn again with replacement; the interval holds the central 95 %.
The reliability slope is the power b, for which p_e^b / sum_j p_j^b scores best: 1 where a forecaster is calibrated,
less where it is too sure, more where it is not sure enough [1]. Its error is half the central 68 % over cohorts drawn
again.

References
----------
.. [1] Cox DR (1958). Two further applications of a model for binary regression. doi:10.1093/biomet/45.3-4.562
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import softmax, xlogy

AGAIN = 4000
"""Times that cohorts are drawn again."""
SLOPES = 200
"""The same for slopes."""
LEAST = 1e-12
"""Chance below which a forecast does not go: one sure mistake would outweigh all else."""
STEEPEST = 10.0
"""Slope beyond which none is given: the forecasts part the events altogether."""


class Estimate(NamedTuple):
    """A mean over cohorts with its error."""

    value: float
    error: float
    lower: float
    upper: float


class Rows(NamedTuple):
    """What is scored: rows with their events."""

    shares: Float[np.ndarray, "rows events"]
    weights: Float[np.ndarray, " rows"]
    """Those of a cohort sum to 1."""
    cohorts: Int[np.ndarray, " rows"]
    """Number of each row's cohort, from 0."""


def log_scores(rows: Rows, chances: Float[np.ndarray, "rows events"]) -> Float[np.ndarray, " rows"]:
    """Log score of every row (nats)."""
    return xlogy(rows.shares, np.maximum(chances, LEAST)).sum(axis=1)


def brier_scores(rows: Rows, chances: Float[np.ndarray, "rows events"]) -> Float[np.ndarray, " rows"]:
    """Brier score of every row (1)."""
    # sum_e q_e sum_j (p_j - [j = e])^2 = sum_j p_j^2 - 2 sum_e q_e p_e + 1
    return np.sum(chances**2, axis=1) - 2 * np.sum(rows.shares * chances, axis=1) + 1


def mean_over_cohorts(rows: Rows, scores: Float[np.ndarray, " rows"], *, seed: int = 0) -> Estimate:
    """Mean of the scores over cohorts."""
    each = np.bincount(rows.cohorts, rows.weights * scores)
    found = each[_again(len(each), seed)].mean(axis=1)
    return _estimate(float(each.mean()), found)


def reliability_slope(
    rows: Rows, chances: Float[np.ndarray, "rows events"], *, seed: int = 0
) -> Estimate | None:
    """Slope of the events on the forecasts; None where the forecasts are all alike, or part the events altogether."""
    logs = np.log(np.maximum(chances, LEAST))
    if np.ptp(logs, axis=1).max() < 1e-9:
        return None
    drawn = _again(int(rows.cohorts.max()) + 1, seed)[:SLOPES]
    times = np.array([np.bincount(one, minlength=drawn.shape[1]) for one in drawn])[:, rows.cohorts]
    value, *found = _slopes(rows.shares, rows.weights * np.vstack([np.ones_like(times[:1]), times]), logs)
    if abs(value) > STEEPEST - 1e-6:
        return None
    lower, upper = np.quantile(
        found, [0.16, 0.84]
    )  # some draws part the events, where a standard deviation is none
    return _estimate(float(value), np.array(found))._replace(error=float(upper - lower) / 2)


class Bin(NamedTuple):
    """Forecasts of about one chance, all events together."""

    forecast: float
    """Their mean (1)."""
    share: float
    """How often the event came (1)."""
    weight: float
    """Cohorts' worth of rows and events."""


def reliability(rows: Rows, chances: Float[np.ndarray, "rows events"], bins: int = 5) -> tuple[Bin, ...]:
    """Mean forecast and frequency in equal ranges of the forecast chance."""
    place = np.minimum((chances * bins).astype(int), bins - 1).ravel()
    weight = np.broadcast_to(rows.weights[:, None], chances.shape).ravel()
    total = np.bincount(place, weight, bins)
    forecast, came = (np.bincount(place, weight * one.ravel(), bins) for one in (chances, rows.shares))
    return tuple(
        Bin(float(p / w), float(q / w), float(w))
        for p, q, w in zip(forecast, came, total, strict=True)
        if w > 0
    )


def _slopes(
    shares: np.ndarray, weights: Float[np.ndarray, "sets rows"], logs: np.ndarray
) -> Float[np.ndarray, " sets"]:
    """Power that scores best under each set of weights, by bisection: the score is concave in it."""
    low, high = np.full(len(weights), -STEEPEST), np.full(len(weights), STEEPEST)
    apart = np.einsum("re,rej->rj", shares, logs[:, :, None] - logs[:, None, :])
    for _ in range(40):
        power = 0.5 * (low + high)
        rising = np.einsum("sr,srj,rj->s", weights, softmax(power[:, None, None] * logs, axis=-1), apart) > 0
        low, high = np.where(rising, power, low), np.where(rising, high, power)
    return high


def _again(cohorts: int, seed: int) -> Int[np.ndarray, "again cohorts"]:
    return np.random.default_rng(seed).integers(cohorts, size=(AGAIN, cohorts))


def _estimate(value: float, found: np.ndarray) -> Estimate:
    lower, upper = np.quantile(found, [0.025, 0.975])
    return Estimate(value, float(found.std(ddof=1)), float(lower), float(upper))
