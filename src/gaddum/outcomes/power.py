"""Power of t-tests, through the same noncentral t distribution as the likelihood, and its inverse."""

from collections.abc import Callable, Sequence

import numpy as np

from gaddum.outcomes.noncentral_t import LARGEST_T, nct_interval, t_of_p


def t_test_power(n: int, d: float, alpha: float = 0.05, n2: int | None = None, paired: bool = False) -> float:
    """Power of a two-sided t-test at a true standardised difference.

    Parameters
    ----------
    n
        Subjects in the first group, or pairs (1).
    d
        True difference: in within-group SD, or if paired in SD of the differences (1).
    alpha
        Two-sided level (1).
    n2
        Subjects in the second group; as many as in the first if not given (1).
    paired
        Whether the test is on paired differences.

    Returns
    -------
    float
        Probability of p < alpha in either direction (1).

    Examples
    --------
    >>> round(t_test_power(7, 1.0), 5)
    0.40581
    """
    second = n if n2 is None else n2
    if n < 2 or (not paired and second < 2):
        raise ValueError(
            f"A t-test needs at least 2 subjects per group; got n={n}, n2={n2}. Raise the group size."
        )
    df = n - 1 if paired else n + second - 2
    return _power(df, d * np.sqrt(n if paired else n * second / (n + second)), alpha)


def contrast_power(sizes: Sequence[int], weights: Sequence[float], d: float, alpha: float = 0.05) -> float:
    """Power of a two-sided test of a contrast of group means, such as the interaction of a 2 x 2 design.

    Parameters
    ----------
    sizes
        Subjects in each group (1).
    weights
        Weight of each group's mean; ``(1, -1, -1, 1)`` for the interaction (1).
    d
        True value of the contrast, in within-group SD (1).
    alpha
        Two-sided level (1).

    Returns
    -------
    float
        Probability of p < alpha in either direction, with the SD pooled over all groups (1).

    Examples
    --------
    Two groups are a t-test:

    >>> contrast_power((7, 7), (1, -1), 1.0) == t_test_power(7, 1.0)
    True
    """
    if len(sizes) != len(weights) or any(n < 1 for n in sizes) or sum(sizes) <= len(sizes):
        raise ValueError(
            f"A contrast needs one weight per group and subjects beyond one a group; got sizes {tuple(sizes)} and "
            f"weights {tuple(weights)}. Give as many of each, and raise the group sizes."
        )
    variance = sum(w * w / n for n, w in zip(sizes, weights, strict=True))
    return _power(sum(sizes) - len(sizes), d / np.sqrt(variance), alpha)


def detectable_effect(
    n: int, *, power: float = 0.8, alpha: float = 0.05, n2: int | None = None, paired: bool = False
) -> float:
    """Smallest true standardised difference that a two-sided t-test finds with the given power.

    Parameters
    ----------
    n
        Subjects in the first group, or pairs (1).
    power
        Wanted power (1).
    alpha
        Two-sided level (1).
    n2
        Subjects in the second group; as many as in the first if not given (1).
    paired
        Whether the test is on paired differences.

    Returns
    -------
    float
        Difference in within-group SD, or if paired in SD of the differences (1).

    Examples
    --------
    >>> round(detectable_effect(17), 2), round(detectable_effect(7), 2)
    (0.99, 1.63)
    """
    return _inverse(lambda d: t_test_power(n, d, alpha, n2, paired), power, alpha)


def detectable_contrast(
    sizes: Sequence[int], weights: Sequence[float], *, power: float = 0.8, alpha: float = 0.05
) -> float:
    """Smallest true value of a contrast of group means that a test finds with the given power.

    Parameters
    ----------
    sizes, weights
        As in `contrast_power`.
    power
        Wanted power (1).
    alpha
        Two-sided level (1).

    Returns
    -------
    float
        Value of the contrast in within-group SD (1).

    Examples
    --------
    An interaction must be about 1.4 times as large as a simple difference to be found as easily:

    >>> round(detectable_contrast((10, 10, 10, 10), (1, -1, -1, 1)) / detectable_effect(10), 2)
    1.37
    """
    return _inverse(lambda d: contrast_power(sizes, weights, d, alpha), power, alpha)


def tails(limit: float, df: float, noncentrality: float) -> tuple[float, float]:
    """P(T > limit) and P(T < -limit) of a noncentral t, for a limit of any size from 0 on."""
    if np.isinf(limit):
        return 0.0, 0.0
    if abs(noncentrality) > limit * (1 + np.sqrt(80 / df)) + 40:
        return (1.0, 0.0) if noncentrality > 0 else (0.0, 1.0)  # to the last digit
    df = df if df < _MANY_DF else np.inf
    shift, followed = np.array([noncentrality]), min(limit, LARGEST_T)
    beyond = (followed / limit) ** df if limit > followed else 1.0  # far out the tails are powers
    above = nct_interval(followed, np.inf, df, shift)[0].item()
    below = nct_interval(-np.inf, -followed, df, shift)[0].item()
    return min(1.0, above * beyond), min(1.0, below * beyond)


def _power(df: float, noncentrality: float, alpha: float) -> float:
    if not (0 < alpha < 1 and np.isfinite(noncentrality)):
        raise ValueError(
            f"Power is at a level between 0 and 1 and of a finite effect; got alpha = {alpha:g} and an effect of "
            f"{noncentrality:g} standard errors. Use such as 0.05."
        )
    return min(1.0, sum(tails(t_of_p(alpha, df), df, noncentrality)))


_MANY_DF = 1e8
"""Degrees of freedom from which on the SD counts as known: t and normal then differ by less than a part in 10^8."""


def _inverse(power_at: Callable[[float], float], power: float, alpha: float) -> float:
    if not alpha < power < 1:
        raise ValueError(
            f"The wanted power must lie between the level {alpha:g} and 1; got {power:g}. Use such as 0.8."
        )
    from scipy.optimize import root_scalar  # slow to load, and not needed for power itself

    upper = 1.0
    while power_at(upper) < power:
        upper *= 2
    return float(root_scalar(lambda d: power_at(d) - power, bracket=(0.0, upper), xtol=1e-10).root)
