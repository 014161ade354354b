"""Design: the standard error and degrees of freedom that a protocol gives to any contrast of its arms.

Arms of a crossover share their subjects: sessions correlate, by 0.5 where nothing is known, and a contrast whose
coefficients sum to nothing loses what they share. All forms take their numbers from here, so that the same data give
the same answer as means, as a difference, as a test and as a word. In within-group SD: variance of a contrast =
(1 - r) sum of c^2 / n. Where n counts cells, a test takes them for independent; the variance of a mean is larger.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from gaddum.records.experiment import Experiment
from gaddum.records.protocol import Protocol

SESSION_CORRELATION = float(Protocol.model_fields["session_correlation"].default)
"""Correlation r of a subject's sessions where nothing is known (1); 0 between subjects."""
CELL_CORRELATION = 0.3
"""Assumed correlation of cells of one animal (1): judgement, since reports with cells as n seldom give it."""


def cell_inflation(protocol: Protocol) -> float:
    """Variance of a mean of cells, m of each animal, over that of as many independent ones: 1 + (m - 1) r (1)."""
    cells = protocol.cells_per_animal
    return 1.0 if cells is None else 1.0 + max(cells.value - 1.0, 0.0) * CELL_CORRELATION


def effective_sizes(
    n: Mapping[str, float], arms: Sequence[str], paired: bool, correlation: float = SESSION_CORRELATION
) -> dict[str, float]:
    """Sizes of independent groups that would give contrasts the same error; `correlation` is of a subject's sessions.

    Examples
    --------
    >>> effective_sizes({"K": 7, "V": 7}, ("K", "V"), True)
    {'K': 14.0, 'V': 14.0}
    """
    if not paired:
        return {name: float(n[name]) for name in arms}
    return dict.fromkeys(arms, min(n[name] for name in arms) / (1 - correlation))


def contrast_error(
    n: Mapping[str, float], arms: Sequence[str], paired: bool, correlation: float = SESSION_CORRELATION
) -> float:
    """Standard error of a contrast with coefficients of 1 and -1, in within-group SD.

    Examples
    --------
    >>> round(contrast_error({"K": 7, "V": 7}, ("K", "V"), True), 3)
    0.378
    """
    return float(np.sqrt(sum(1 / size for size in effective_sizes(n, arms, paired, correlation).values())))


def degrees_of_freedom(n: Mapping[str, float], arms: Sequence[str], paired: bool, groups: int = 2) -> float:
    """Degrees of freedom of a test: of differences within subjects, or of the SD pooled over the arms.

    `groups` of a crossover are those that share one residual, as in an analysis of variance.
    """
    sizes = [n[name] for name in arms]
    return (min(sizes) - 1) * (groups - 1) if paired else sum(sizes) - len(sizes)


def pooled_df(
    n: Mapping[str, float], arms: Sequence[str], paired: bool, correlation: float = SESSION_CORRELATION
) -> float:
    """Degrees of freedom of the within-group SD pooled over arms (Satterthwaite where sessions correlate)."""
    df = sum(n[name] for name in arms) - len(arms)
    return df / (1 + (len(arms) - 1) * correlation**2) if paired else df


def size_of_df(experiment: Experiment, df: float, named: int, paired: bool) -> float:
    """Subjects an arm that residual degrees of freedom imply: of all groups of the protocol, if these allow two each.

    Examples
    --------
    t(36) of four groups means ten in each, since (36 + 4) / 4 = 10.
    """
    if paired:
        return df + 1
    groups = sum(arm.subset_of is None for arm in experiment.protocol.arms.values())
    size = (df + groups) / max(groups, 1)
    return size if groups >= named and size >= 2 else (df + named) / named
