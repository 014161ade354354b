"""Reading band: what one study would read, beside the truth that it reads.

*Truth* is the mean of a new group in a new study, as the constants have it. A *reading* of it is off by the people who
happened to be in the group and by the method, both less in larger groups, and by what no size removes.
"""

import numpy as np
from jaxtyping import Float

from gaddum.numerics.variates import even_variates

INDIVIDUALS = 0.4
"""SD between individuals of the log of concentration over K."""
SCAN = 0.05
"""SD of one person's scan (fraction of receptors)."""
METHOD = 0.03
"""SD of what a tracer, a region and a reference are off by, however many are scanned (fraction of receptors)."""
WITHIN = 0.2
"""SD of the log of one person's reading of anything else."""
GROUP = 5
"""People behind a reading where their number is not printed: the median of the occupancies in the library."""

Draws = Float[np.ndarray, "*times draws"]


def read_occupancies(truth: Draws, n: int | None, seed: int) -> Draws:
    """Occupancies that groups of `n` people would show; scans of some lie below 0 or above 1.

    Parameters
    ----------
    truth : array, shape (..., draws)
        Occupancies of their means (fractions).
    n : int
        People in a group; `GROUP` where it is not known.
    seed : int
        Seed of the scrambling of the draws.
    """
    people = INDIVIDUALS * truth * (1 - truth)
    sd = np.sqrt((people**2 + SCAN**2) / (n or GROUP) + METHOD**2)
    return truth + sd * _scores(truth, seed)


def read_others(truth: Draws, n: int | None, seed: int) -> Draws:
    """The same of concentrations and times, whose logs scatter."""
    sd = np.sqrt((INDIVIDUALS**2 + WITHIN**2) / (n or GROUP) + METHOD**2)
    return truth * np.exp(sd * _scores(truth, seed))


def _scores(truth: Draws, seed: int) -> Float[np.ndarray, " draws"]:
    return even_variates(["a reading"], truth.shape[-1], seed)[0]
