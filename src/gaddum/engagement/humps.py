"""Humps: whether what is foretold of a target is two things rather than one with a wide band.

Conflicting accounts of a constant give two heaps of draws; a median between them is what no account says.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

LEAST = 0.15
"""Share of the draws that the smaller of two humps holds at least."""
APART = 0.2
"""Fraction of receptors by which the medians of two humps differ at least."""
_BINS = 34
_ENDS = 40.0
"""Log odds beyond which nothing is told apart."""
_COUNTED = (0.005, 0.995)
"""Quantiles between which draws are counted in bins."""
_SMOOTH = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9


class Humps(NamedTuple):
    """Two humps of draws."""

    upper: Bool[np.ndarray, " draws"]
    """Which draws are of the upper one."""
    at: int
    """Place of the time at which they lie furthest apart."""


def two_humps(occupied: Float[np.ndarray, "times draws"]) -> Humps | None:
    """Tell two humps apart where there are two; None where there is one.

    They are told apart at the time at which the valley between them is deepest, on the scale of log odds, on which one
    lognormal K is one hump however wide: occupancies themselves pile up at none and all.

    Parameters
    ----------
    occupied : array, shape (times, draws)
        Fractions of receptors.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> one = 1 / (1 + np.exp(-rng.normal(0, 3, (1, 1000))))
    >>> two = 1 / (1 + np.exp(-rng.normal(np.where(np.arange(1000) < 400, -2, 3), 0.5, (1, 1000))))
    >>> two_humps(one) is None, int(two_humps(two).upper.sum())
    (True, 600)
    """
    best, found = 0.0, None
    with np.errstate(divide="ignore"):
        odds = np.clip(np.log(occupied) - np.log1p(-occupied), -_ENDS, _ENDS)
    for at, (time, row) in enumerate(zip(occupied, odds, strict=True)):
        if np.min(row) <= -_ENDS:  # some draws have not begun to be absorbed, which is no second answer
            continue
        first, last = np.quantile(row, _COUNTED)
        edges = np.linspace(first, last + 1e-9, _BINS + 1)
        heights = np.convolve(np.histogram(row, edges)[0] / row.size, _SMOOTH, mode="same")
        below, above = np.maximum.accumulate(heights), np.maximum.accumulate(heights[::-1])[::-1]
        depth = np.minimum(below, above) - 2 * heights
        valley = int(np.argmax(depth))
        upper = row > (edges[valley] + edges[valley + 1]) / 2
        share = float(upper.mean())
        if depth[valley] <= best or not LEAST <= share <= 1 - LEAST:
            continue
        if np.median(time[upper]) - np.median(time[~upper]) >= APART:
            best, found = float(depth[valley]), Humps(upper, at)
    return found
