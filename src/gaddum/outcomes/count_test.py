"""Exact tests of responder counts, and their Bayes factors, over all that a study could count.

Two groups are compared by Fisher's test, as `responders` compares them; counts of one group, such as earlier responders
tested again, by the binomial test against a known chance, half of the level in each tail. Under "an effect" every
chance of a response is as likely as any other (Gunel and Dickey's independence with a prior of 1 in each cell). Tables
run over the counts of each group, so that power and designs in several looks are sums, without error.

References
----------
Gunel, Dickey. Bayes factors for independence in contingency tables. Biometrika 1974;61:545. doi:10.1093/biomet/61.3.545
"""

import numpy as np
from scipy.special import bdtr, betaln, gammaln, xlog1py, xlogy

Table = np.ndarray
"""Values by the count of each group."""
_TIED = 1e-7
"""Relative difference below which two tables are as likely as each other (1)."""


def count_probability(sizes: tuple[int, ...], chances: tuple[float, ...]) -> Table:
    """Probability of each table of counts.

    Parameters
    ----------
    sizes
        Subjects of each group (1).
    chances
        Chance of a response in each (1).

    Examples
    --------
    >>> count_probability((2,), (0.5,)).round(12).tolist()
    [0.25, 0.5, 0.25]
    """
    found = np.ones(())
    for n, p in zip(sizes, chances, strict=True):
        k = np.arange(n + 1)
        found = found[..., None] * np.exp(_log_choose(n, k) + xlogy(k, p) + xlog1py(n - k, -p))
    return found


def significant_counts(sizes: tuple[int, ...], alpha: float, known: float = 0.5) -> np.ndarray:
    """Which tables an exact two-sided test calls significant: two groups by Fisher's, one against a known chance.

    Examples
    --------
    >>> significant_counts((6,), 0.05).tolist()
    [True, False, False, False, False, False, True]
    """
    if len(sizes) == 1:
        k = np.arange(sizes[0] + 1)
        at_least = np.where(k == 0, 1.0, 1 - bdtr(np.maximum(k - 1, 0), sizes[0], known))
        return np.minimum(bdtr(k, sizes[0], known), at_least) < alpha / 2
    first, second = np.ix_(*(np.arange(n + 1) for n in sizes))
    total = (first + second).ravel()
    of_total = _log_choose(sum(sizes), np.arange(sum(sizes) + 1))
    log_p = _log_choose(sizes[0], first) + _log_choose(sizes[1], second) - of_total[first + second]
    order = np.lexsort((log_p.ravel(), total))
    total, log_p = total[order], log_p.ravel()[order]
    # p of a table: the sum over those of its total that are no likelier
    summed = np.cumsum(np.exp(log_p))
    ends = np.flatnonzero(np.append((np.diff(log_p) > _TIED) | (np.diff(total) > 0), True))
    up_to = summed[ends[np.searchsorted(ends, np.arange(total.size))]]
    p = np.empty(total.size)
    p[order] = up_to - np.append(0.0, summed)[np.searchsorted(total, total)]
    return p.reshape(sizes[0] + 1, sizes[1] + 1) < alpha


def count_log_bf10(sizes: tuple[int, ...], known: float = 0.5) -> Table:
    """Log Bayes factor of each table (nats): of different against equal chances, or of any against a known one.

    Examples
    --------
    >>> np.exp(-count_log_bf10((1, 1))).round(6).tolist()
    [[1.333333, 0.666667], [0.666667, 1.333333]]
    """
    counts = np.ix_(*(np.arange(n + 1) for n in sizes))
    free = sum(betaln(k + 1, n - k + 1) for k, n in zip(counts, sizes, strict=True))
    if len(sizes) == 1:
        return np.asarray(free - xlogy(counts[0], known) - xlog1py(sizes[0] - counts[0], -known))
    k = np.arange(sum(sizes) + 1)
    return np.asarray(free - betaln(k + 1, sum(sizes) - k + 1)[counts[0] + counts[1]])


def _log_choose(n: int, k: np.ndarray) -> np.ndarray:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
