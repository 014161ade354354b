"""Power of t-tests, through the same noncentral t distribution as the likelihood."""

import numpy as np

from gaddum.infer.densities import nct_interval, t_of_p


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
    noncentrality = d * np.sqrt(n if paired else n * second / (n + second))
    limit = t_of_p(alpha, df)
    shift = np.array([noncentrality])
    power = nct_interval(limit, np.inf, df, shift) + nct_interval(-np.inf, -limit, df, shift)
    return power[0].item()
