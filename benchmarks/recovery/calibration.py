"""Calibration: whether probabilities of rival accounts say no more and no less than they should.

Let the truth H be one of K accounts with equal prior masses and the ledger y be drawn from it, and let p_h(y) be the
posterior probability of account h. Its prior predictive densities obey p(y | h) = K p_h(y) p(y). Hence, for each h,

    E[p_h(y) | H = h]  =  ∫ p_h(y) p(y | h) dy  =  K E[p_h(y)^2]  =  Σ_g E[p_h(y)^2 | H = g] :

the mean mass that an account gets where it is true equals the sum, over the truths, of the mean square of what it
gets. The left side is the recovery, the right its calibrated expectation; both are estimated from the same ledgers,
as many of each truth. Averaged over h, E[p_H(y)] = E[Σ_h p_h(y)^2]: the pooled check. Neither holds if the posterior
is too sure or too timid, whatever the ledgers can tell. (A mean of Σ_h p_h^2 over the ledgers of one truth alone is no
expectation of anything: some accounts are easier to tell than others.)

An error is that of the difference of the two sides, with the spread between the ledgers of each truth.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int


class Compared(NamedTuple):
    """A mean over ledgers beside what it should be."""

    found: float
    expected: float
    error: float
    """Monte-Carlo standard error of their difference."""

    @property
    def deviation(self) -> float:
        """Difference in Monte-Carlo errors."""
        difference = self.found - self.expected
        return (
            difference / self.error
            if self.error > 0
            else float(np.sign(difference) * np.inf if difference else 0)
        )


def recovery(truth: Int[np.ndarray, " ledgers"], p: Float[np.ndarray, "ledgers accounts"]) -> list[Compared]:
    """Mean mass on each account where it is true, beside its calibrated expectation.

    Examples
    --------
    Ledgers that tell nothing leave every account its prior mass, and that is calibrated:

    >>> recovery(np.array([0, 1, 0, 1]), np.full((4, 2), 0.5))[0]
    Compared(found=0.5, expected=0.5, error=0.0)
    """
    accounts = range(p.shape[1])
    return [
        _compared(truth, np.where(truth == h, p[:, h], 0.0), p[:, h] ** 2, scale=p.shape[1]) for h in accounts
    ]


def pooled(truth: Int[np.ndarray, " ledgers"], p: Float[np.ndarray, "ledgers accounts"]) -> Compared:
    """Mean mass on the truth, beside the mean sum of squares."""
    return _compared(truth, p[np.arange(truth.size), truth], np.sum(p**2, axis=1))


def best(truth: Int[np.ndarray, " ledgers"], p: Float[np.ndarray, "ledgers accounts"]) -> Compared:
    """How often the likeliest account is the truth, beside its mean probability."""
    return _compared(truth, (np.argmax(p, axis=1) == truth).astype(float), np.max(p, axis=1))


def _compared(truth: np.ndarray, found: np.ndarray, expected: np.ndarray, scale: float = 1.0) -> Compared:
    """`scale` times the means over truths of means over their ledgers; the difference is paired ledger by ledger."""
    strata = [truth == g for g in np.unique(truth)]

    def mean(x: np.ndarray) -> float:
        return scale * float(np.mean([x[mine].mean() for mine in strata]))

    difference = found - expected
    variances = [difference[mine].var(ddof=1) / mine.sum() if mine.sum() > 1 else np.nan for mine in strata]
    return Compared(mean(found), mean(expected), scale * float(np.sqrt(np.sum(variances))) / len(strata))
