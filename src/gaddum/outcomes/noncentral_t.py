"""Densities and interval probabilities of t statistics, exact in the noncentral t and in its tails.

Every reported form on a continuous endpoint is a statement about ``d = (delta + sqrt(v) Z) / S``: the
observed standardised difference, where ``delta`` is the true difference in within-group SD, ``v`` the
variance of the difference of arm means (sampling 1/n plus arm noise), and ``S = chi_df / sqrt(df)`` the
estimated over the true SD. The one awkward integral, over S, is a trapezoid sum in a smooth variable (log s
below, s above), which converges exponentially and keeps its relative accuracy in the tails, where
`scipy.stats.nct` returns NaN or 0.
Used by `reduce` (tables) and `power`; `verdict_events` shares the quadrature of S.
"""

import numpy as np
from scipy.special import gammaln, logsumexp, ndtr, stdtrit

GRID = np.round(np.linspace(-12.0, 12.0, 241), 10)
"""Standardised effects at which densities are tabulated (SD units)."""
LOG_FLOOR = -600.0
"""Least log density of a table."""
LARGEST_T = 3000.0
"""Largest t that is followed: 8 SD between groups of 250,000. The work grows with it."""
_LOG_SQRT_2PI = 0.5 * np.log(2 * np.pi)


def chi_logpdf(s: np.ndarray, df: float) -> np.ndarray:
    """Log density of S = chi_df / sqrt(df)."""
    half = 0.5 * df
    return np.log(2.0) + half * np.log(half) - gammaln(half) + (df - 1) * np.log(s) - half * s**2


def chi_steps(
    df: float, curvature: float, tilt: float, spacing: float = 0.8
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes s and steps ds that integrate ``chi_pdf(s) f(s)`` over s by their plain sum.

    Parameters
    ----------
    df
        Degrees of freedom (1).
    curvature
        Largest second derivative of -log f in s (1).
    tilt
        Largest slope of log f in s (1): how far tails pull the integrand away from s = 1.
    spacing
        Step in widths of the integrand where narrowest (1); the error is about exp(-2 (pi / spacing)^2).
    """
    rate = df + curvature
    a = np.sqrt(df / rate)
    low = df / (df + tilt) * np.exp(-np.sqrt(70 / df) - 35 / df)
    high = max(1.0, tilt / rate) + np.sqrt(80 / df)
    v_low, v_high = np.log(np.expm1(low / a)), high / a
    count = int(np.ceil((v_high - v_low) / (spacing / np.sqrt(df)))) + 1
    v, h = np.linspace(v_low, v_high, max(count, 24), retstep=True)
    # s = a log(1 + e^v): log s ~ v where s is small, s ~ a v where it is large
    return a * np.logaddexp(0.0, v), a * h / (1 + np.exp(-v))


def chi_nodes(df: float, curvature: float = 0.0, tilt: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Nodes of S = chi_df / sqrt(df) and their log weights, for integrands of the given sharpness; see `chi_steps`."""
    s, ds = chi_steps(df, curvature, tilt)
    return s, chi_logpdf(s, df) + np.log(ds)


def interval_probability(lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """P(lower < Z < upper) of a standard normal Z, without cancellation in either tail."""
    flip = np.asarray(lower) > 0
    return np.where(flip, ndtr(-lower) - ndtr(-upper), ndtr(upper) - ndtr(lower))


def nct_logpdf(t: float, df: float, noncentrality: np.ndarray) -> np.ndarray:
    """Log density of the noncentral t distribution at one t, for an array of noncentralities.

    Examples
    --------
    >>> round(float(nct_logpdf(0.0, 10.0, np.array([0.0]))[0]), 4)
    -0.9439
    """
    shift = np.asarray(noncentrality, dtype=float)
    _refuse_beyond(abs(t))
    if np.isinf(df):
        return -_LOG_SQRT_2PI - 0.5 * (t - shift) ** 2
    s, log_weight = chi_nodes(df, t * t, abs(t) * _reach(shift))
    exponent = log_weight + np.log(s) - 0.5 * (t * s - shift[..., None]) ** 2
    return logsumexp(exponent, axis=-1) - _LOG_SQRT_2PI


def nct_interval(lower: float, upper: float, df: float, noncentrality: np.ndarray) -> np.ndarray:
    """P(lower < T < upper) of a noncentral t, for an array of noncentralities; limits may be infinite."""
    shift = np.asarray(noncentrality, dtype=float)
    limit = max((abs(x) for x in (lower, upper) if not np.isinf(x)), default=0.0)
    _refuse_beyond(limit)
    if np.isinf(df):
        return interval_probability(lower - shift, upper - shift)
    limit = max((abs(x) for x in (lower, upper) if np.isfinite(x)), default=0.0)
    s, log_weight = chi_nodes(df, limit * limit, limit * _reach(shift))
    masses = interval_probability(lower * s - shift[..., None], upper * s - shift[..., None])
    return masses @ np.exp(log_weight)


def effect_logpdf(d: float, variance: float, df: float, delta: np.ndarray) -> np.ndarray:
    """Log density of the observed standardised difference d, given the true ones.

    Parameters
    ----------
    d
        Observed difference over the estimated within-group SD (1).
    variance
        Variance of the difference of means, in squared within-group SD (1).
    df
        Degrees of freedom of the SD; infinite where it is known (1).
    delta
        True standardised differences (SD).
    """
    sd = np.sqrt(variance)
    return nct_logpdf(d / sd, df, np.asarray(delta) / sd) - np.log(sd)


def effect_interval(lower: float, upper: float, variance: float, df: float, delta: np.ndarray) -> np.ndarray:
    """P(lower < d < upper) of the observed standardised difference; arguments as in `effect_logpdf`."""
    sd = np.sqrt(variance)
    return nct_interval(lower / sd, upper / sd, df, np.asarray(delta) / sd)


def along_logpdf(d: np.ndarray, covariance: np.ndarray, df: float, linear: np.ndarray) -> np.ndarray:
    """Log density of observed standardised differences that share one SD, less its quadratic form in the true ones.

    Parameters
    ----------
    d
        Observed differences over the pooled SD (1).
    covariance
        Their covariance in squared within-group SD (1).
    df
        Degrees of freedom of the pooled SD (1).
    linear
        d' C^-1 delta: all that the density depends on beside delta' C^-1 delta (1).
    """
    square = float(d @ np.linalg.solve(covariance, d))
    _refuse_beyond(np.sqrt(square))
    constant = -len(d) * _LOG_SQRT_2PI - 0.5 * np.linalg.slogdet(covariance)[1]
    if np.isinf(df):
        return constant - 0.5 * square + linear
    s, log_weight = chi_nodes(df, square, _reach(linear) + 1e-9)
    exponent = log_weight + len(d) * np.log(s) - 0.5 * s**2 * square
    return constant + logsumexp(exponent + np.asarray(linear)[..., None] * s, axis=-1)


def t_of_p(p: float, df: float) -> float:
    """Absolute t whose two-sided p-value is p."""
    return -float(stdtrit(df, 0.5 * p))  # scipy.stats takes a second to load


def mixed(log_densities: list[np.ndarray]) -> np.ndarray:
    """Log of the sum of densities given by their (weighted) logs."""
    return np.logaddexp.reduce(log_densities)


def floored(log_density: np.ndarray) -> np.ndarray:
    """Log densities with `LOG_FLOOR` as the least value."""
    return np.maximum(np.nan_to_num(log_density, nan=LOG_FLOOR, neginf=LOG_FLOOR), LOG_FLOOR)


def _refuse_beyond(t: float) -> None:
    if not t <= LARGEST_T:
        raise ValueError(
            f"A result must amount to a t within {LARGEST_T:g}; got {t:.3g}. Correct its number, its spread or its `n`."
        )


def _reach(shift: np.ndarray) -> float:
    return float(np.max(np.abs(shift), initial=0.0))
