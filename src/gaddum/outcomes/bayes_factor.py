"""Bayes factors of t-tests for and against an effect, by the default prior of Jeffreys, Zellner and Siow (JZS).

Under "an effect" its standardised size is Cauchy with scale r; under "none" it is 0. The Bayes factor depends on the
data through t alone, so that what n could ever show is known before the first animal: it is least at t = 0, and
grows with the size of t without limit. Used by `planned_test`.

References
----------
Rouder, Speckman, Sun, Morey, Iverson. Bayesian t tests for accepting and rejecting the null hypothesis. Psychon Bull
Rev 2009;16:225. doi:10.3758/PBR.16.2.225
"""

import numpy as np
from scipy.special import logsumexp

SCALE = 2**-0.5
"""Scale r of the Cauchy prior of an effect in SD (1)."""
_STEP = 0.25
"""Step of log g (1); the error of the sum is about exp(-pi^2 / step)."""
_LEAST = -5.0
"""Least log g, where the prior's density is e^-74."""
_FALL = 40.0
"""Log g beyond the integrand's peak until which it is followed; it falls as 1 / g (1)."""
_LARGEST_LOG_T = 100.0
"""Log of a t beyond which no test comes, of two pairs either."""


def jzs_log_bf10(
    t: np.ndarray,
    size: np.ndarray | float,
    df: np.ndarray | float,
    scale: float = SCALE,
) -> np.ndarray:
    """Log Bayes factor of an effect against none, given t (nats).

    Parameters
    ----------
    t
        The test's t (1).
    size
        Pairs, or n1 n2 / (n1 + n2) of two groups (1).
    df
        Its degrees of freedom (1).
    scale
        Scale of the Cauchy prior of the effect, in SD (1).

    Examples
    --------
    >>> round(float(np.exp(-jzs_log_bf10(np.array(0.0), 7, 6))), 2)
    2.83
    """
    t, size, df = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in (t, size, df)))
    square, shrink = (t * t)[..., None], (size * scale**2)[..., None]
    peak = np.log1p(np.max(square, initial=0.0)) - np.log(np.min(shrink, initial=1.0))
    log_g = np.arange(_LEAST, peak + _FALL, _STEP)
    growth = np.logaddexp(0.0, np.log(shrink) + log_g)
    v = df[..., None]
    gain = 0.5 * (v + 1) * (np.log1p(square / v) - np.log1p(square / v * np.exp(-growth)))
    # the prior of g in log g is g^(-1/2) exp(-1 / (2 g)) / sqrt(2 pi), equation 1 of Rouder et al.
    prior = -0.5 * (log_g + np.exp(-log_g) + np.log(2 * np.pi))
    return np.asarray(logsumexp(gain - 0.5 * growth + prior, axis=-1) + np.log(_STEP))


def t_of_log_bf10(
    log_bf: np.ndarray | float,
    size: np.ndarray | float,
    df: np.ndarray | float,
    scale: float = SCALE,
) -> np.ndarray:
    """Size of t at which the log Bayes factor reaches a value; 0 where it is never less, infinite where never so large.

    Parameters are as in `jzs_log_bf10`.

    Examples
    --------
    >>> round(float(t_of_log_bf10(np.log(10), 7, 6)), 2)
    4.15
    """
    wanted, size, df = np.broadcast_arrays(*(np.asarray(one, dtype=float) for one in (log_bf, size, df)))
    upper = np.full(wanted.shape, 8.0)  # of log(1 + |t|)
    while True:
        short = (jzs_log_bf10(np.expm1(upper), size, df, scale) < wanted) & (upper < _LARGEST_LOG_T)
        if not short.any():
            break
        upper = np.where(short, np.minimum(2 * upper, _LARGEST_LOG_T), upper)
    never = jzs_log_bf10(np.expm1(upper), size, df, scale) < wanted
    lower = np.zeros(wanted.shape)
    for _ in range(50):
        middle = 0.5 * (lower + upper)
        less = jzs_log_bf10(np.expm1(middle), size, df, scale) < wanted
        lower, upper = np.where(less, middle, lower), np.where(less, upper, middle)
    always = jzs_log_bf10(np.zeros(wanted.shape), size, df, scale) >= wanted
    return np.where(never, np.inf, np.where(always, 0.0, np.expm1(upper)))
