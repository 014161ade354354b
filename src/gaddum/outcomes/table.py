"""Table: what an outcome of any form becomes."""

from typing import NamedTuple

import numpy as np

from gaddum.outcomes.joint_means import JointMeans
from gaddum.records.prior import Distribution

Contrast = tuple[tuple[str, float], ...]
Priors = dict[str, Distribution]


class Table(NamedTuple):
    """One outcome over its contrasts; the fields are those of `reduce.ReducedOutcome`."""

    contrasts: tuple[Contrast, ...]
    log_density: np.ndarray
    observed: tuple[dict[str, float], ...] = ()
    components: dict[str, float] = {}
    absolute: bool = False
    above: np.ndarray | None = None
    significant: np.ndarray | None = None
    joint: JointMeans | None = None


def difference_of(first: str, second: str) -> Contrast:
    """Contrast of one arm with another."""
    return ((first, 1.0), (second, -1.0))


def log_of(probability: np.ndarray) -> np.ndarray:
    """Logarithm, -inf at 0."""
    with np.errstate(divide="ignore"):
        return np.log(probability)
