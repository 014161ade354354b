"""Counts of responders as binomials of a latent response with a threshold.

A subject's latent improvement is ``q0 + effect + u + e``, with ``u ~ N(0, rho)`` lasting from test to retest
and ``e ~ N(0, 1 - rho)`` not; a subject responds where it exceeds 0. So P(response | effect) is
Phi(q0 + effect), and q0 the probit of the response to placebo. In a crossover that retests only those who
responded, u is what selection acts on: given u the two sessions are independent, and one integral over u
gives the joint probability. Integrals over q0 and rho are taken here, before sampling: q0 runs over steps of
`GRID`, where a change of q0 is a shift of the table.
"""

import numpy as np
from scipy.special import (
    expit,
    gammaln,
    log_ndtr,
    logit,
    logsumexp,
    ndtr,
    ndtri,
    roots_hermitenorm,
    roots_jacobi,
)

from gaddum.outcomes.noncentral_t import GRID, floored
from gaddum.records.outcome.responders import Count, Retest
from gaddum.records.prior import Beta, Distribution, Fixed, LogitNormal

_STEP = float(GRID[1] - GRID[0])
_Q0_SHIFTS = 100
_Q0 = np.round(_STEP * np.arange(-_Q0_SHIFTS, _Q0_SHIFTS + 1), 10)
"""Probits of the response to placebo over which its prior is summed; beyond 10 SD it is cut off."""
_WIDE = np.round(_STEP * np.arange(-_Q0_SHIFTS - 120, _Q0_SHIFTS + 121), 10)
"""q0 + effect over all q0 and effects."""


def placebo_weights(placebo: Distribution) -> np.ndarray:
    """Prior weight of each probit of the response to placebo, on a uniform grid of probits (sums to 1)."""
    if isinstance(placebo, Fixed):
        return _fixed_weights(placebo.value)
    p, complement = ndtr(_Q0), ndtr(-_Q0)
    log_jacobian = -0.5 * _Q0**2
    match placebo:
        case Beta(a=a, b=b):
            log_weight = (a - 1) * np.log(p) + (b - 1) * np.log(complement) + log_jacobian
        case LogitNormal(median=median, sd=sd):
            z = (np.log(p) - np.log(complement) - logit(median)) / sd
            log_weight = -0.5 * z**2 - np.log(p) - np.log(complement) + log_jacobian
        case _:
            raise ValueError(
                f"The response to placebo must be a beta, logit-normal or fixed prior; got "
                f"{placebo.family!r}. Change `placebo_response` in the case's priors."
            )
    return np.exp(log_weight - logsumexp(log_weight))


def correlation_nodes(retest: Distribution, count: int = 16) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the prior of the test-retest correlation."""
    match retest:
        case Beta(a=a, b=b):
            nodes, weights = roots_jacobi(count, b - 1, a - 1)
            rho = 0.5 * (1 + nodes)
        case LogitNormal(median=median, sd=sd):
            nodes, weights = roots_hermitenorm(count)
            rho = expit(logit(median) + sd * nodes)
        case Fixed(value=value):
            rho, weights = np.array([value]), np.array([1.0])
        case _:
            raise ValueError(
                f"The retest correlation must be a beta, logit-normal or fixed prior; got {retest.family!r}. "
                "Change `retest_correlation` in the case's priors."
            )
    return np.clip(rho, 0.0, 0.999), weights / np.sum(weights)


def responders_log_probability(
    arms: tuple[Count, ...], placebo: Distribution, vehicle: Count | None = None
) -> np.ndarray:
    """Log probability of counts in one or two arms of different subjects, over their effects on `GRID`."""
    tables = [_binomial(counts) for counts in arms]
    if len(tables) == 1:
        return _over_placebo(tables[0], arms[0].n, placebo, vehicle)
    return _over_placebo(tables[0][:, None] + tables[1][None, :], arms[0].n + arms[1].n, placebo, vehicle)


def retest_log_probability(
    test: Count,
    retest: Count | Retest,
    placebo: Distribution,
    correlation: Distribution,
    vehicle: Count | None = None,
) -> np.ndarray:
    """Log probability of a test and of a retest of (some of) its responders, over the two arms' effects.

    Parameters
    ----------
    test
        Responders among all subjects in the first session.
    retest
        Responders among those first responders who were tested again.
    placebo, correlation
        Priors of the response to placebo and of the retest correlation (1).
    vehicle
        Responders among other subjects on vehicle.
    """
    if retest.n > test.responders:
        raise ValueError(
            f"A retest among responders must not have more subjects than there were responders; got "
            f"{retest.n} of {test.responders}. Correct the counts."
        )
    again, a = retest.responders, test.responders
    constant = _log_choose(test.n, a) + _log_choose(retest.n, again)
    others = (test.n - a) * log_ndtr(-_WIDE) + (a - retest.n) * log_ndtr(_WIDE)
    parts = []
    for rho, weight in zip(*correlation_nodes(correlation), strict=True):
        both, once = _session_pairs(rho)
        with np.errstate(divide="ignore"):
            log_both = again * np.log(both) if again else 0.0
            log_once = (retest.n - again) * np.log(once) if again < retest.n else 0.0
        parts.append(np.log(weight) + log_both + log_once + np.zeros((len(_WIDE), len(_WIDE))))
    table = constant + others[:, None] + logsumexp(parts, axis=0)
    return _over_placebo(table, test.n + retest.n, placebo, vehicle)


def _binomial(counts: Count) -> np.ndarray:
    k, n = counts.responders, counts.n
    return _log_choose(n, k) + k * log_ndtr(_WIDE) + (n - k) * log_ndtr(-_WIDE)


def _log_choose(n: int, k: int) -> float:
    return float(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))


def _fixed_weights(value: float) -> np.ndarray:
    """All weight on the two probits around a fixed response to placebo (linear in the probit)."""
    if not 0 < value < 1:
        raise ValueError(
            f"A fixed response to placebo must lie between 0 and 1; got {value}. Change the prior."
        )
    position = (np.clip(ndtri(value), _Q0[0], _Q0[-1]) - _Q0[0]) / _STEP
    cell = int(min(position, len(_Q0) - 2))
    weights = np.zeros(len(_Q0))
    weights[cell], weights[cell + 1] = 1 - (position - cell), position - cell
    return weights


def _over_placebo(
    table: np.ndarray, subjects: int, placebo: Distribution, vehicle: Count | None
) -> np.ndarray:
    """Sum over the response to placebo: tables on `_WIDE` (q0 + effect) become tables on `GRID` (effect)."""
    with np.errstate(divide="ignore"):
        log_weight = np.log(placebo_weights(placebo))
    if vehicle is not None:
        k, n = vehicle.responders, vehicle.n
        subjects += n
        log_weight = log_weight + _log_choose(n, k) + k * log_ndtr(_Q0) + (n - k) * log_ndtr(-_Q0)
    total = np.full((len(GRID),) * table.ndim, -np.inf)
    # a step of 0.2 integrates a likelihood of up to 30 subjects to 1e-6
    stride = 1 if isinstance(placebo, Fixed) or subjects > 30 else 2
    for shift in range(0, len(_Q0), stride):
        weight = log_weight[shift] + np.log(stride)
        if weight > -400:
            window = (slice(shift, shift + len(GRID)),) * table.ndim
            total = np.logaddexp(total, weight + table[window])
    return floored(total)


def _session_pairs(rho: float) -> tuple[np.ndarray, np.ndarray]:
    """P(response in both sessions) and P(response in the first only), over q0 + effect of each session."""
    own = np.sqrt(1 - rho)
    if rho == 0:
        up, down = ndtr(_WIDE), ndtr(-_WIDE)
        return np.outer(up, up), np.outer(up, down)
    # the integrand is the density of u times two smoothed steps of width `own`
    step = 0.9 / np.sqrt(1 / rho + 2 / own**2)
    reach = 22.0 * np.sqrt(rho)
    u = np.arange(-reach, reach + step, step)
    weight = np.exp(-0.5 * u**2 / rho) * step / np.sqrt(2 * np.pi * rho)
    z = (_WIDE[:, None] + u[None, :]) / own
    up = _clean(ndtr(z))
    return (up * weight) @ up.T, (up * weight) @ _clean(ndtr(-z)).T


def _clean(values: np.ndarray) -> np.ndarray:
    """Zero where products would be subnormal, which is slow; probabilities below 1e-150 add nothing."""
    values[values < 1e-150] = 0.0
    return values
