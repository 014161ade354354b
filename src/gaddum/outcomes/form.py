"""Form: what the likelihood of every form of outcome gives, and how it is found.

A form of `records.outcome.FORMS` that can be scored has a module of its name here, with two functions::

    table(experiment, outcome, priors) -> Table
    compared(experiment, outcome, first, second) -> ArmComparison | None

the log density of what was reported over true contrasts (SD), and what was reported of one arm against another, for a
referee; None where nothing was.
"""

from importlib import import_module
from types import ModuleType
from typing import NamedTuple

import numpy as np

from gaddum.outcomes.joint_means import JointMeans
from gaddum.records.experiment import Experiment
from gaddum.records.outcome import Outcome
from gaddum.records.prior import Distribution

Contrast = tuple[tuple[str, float], ...]
Priors = dict[str, Distribution]

LEVEL = 0.05
"""Two-sided level at which an exact p-value counts as a finding."""


class Table(NamedTuple):
    """One outcome as log density over its contrasts."""

    contrasts: tuple[Contrast, ...]
    """Each of (arm, coefficient); one or two, or more where `joint` is there."""
    grid_log_density: np.ndarray
    """Log density on `GRID`, one axis per contrast; with `joint` that of `JointMeans.table`."""
    observed: tuple[dict[str, float], ...] = ()
    """Effect, lower, upper of each contrast (SD); empty where nothing is reported but a verdict or a count."""
    components: dict[str, float] = {}
    """Weights of the mixture's parts, for display."""
    absolute: bool = False
    """Whether a contrast is the arm's effect over its (implied) vehicle, as for responders."""
    above: np.ndarray | None = None
    """Probability of a statistic at least as large as the one reported, [contrasts, grid]; None without a statistic."""
    significant: np.ndarray | None = None
    """Probability of a result significant at 5 %, either way, [grid]; None where the table itself says so."""
    joint: JointMeans | None = None
    """Means of three arms or more: the density along one direction, beside a quadratic form."""
    log_saturated: float = float("nan")
    """Log of the integral of the density over independent normal priors on the contrasts; of `reduce`."""
    label: str = ""
    """Of `reduce`."""


class ArmComparison(NamedTuple):
    """What an outcome says of two arms."""

    better: bool
    """Whether the first arm did significantly better than the second."""
    text: str


def likelihood_of(outcome: Outcome) -> ModuleType:
    """Module of an outcome's form."""
    return import_module(f"gaddum.outcomes.{outcome.form.replace('-', '_')}")


def compared(experiment: Experiment, outcome: Outcome, first: str, second: str) -> ArmComparison | None:
    """Read one arm against another in an outcome of any form; None where it says nothing of the two."""
    if not outcome.can_be_scored:
        return None
    return likelihood_of(outcome).compared(experiment, outcome, first, second)


def difference_of(first: str, second: str) -> Contrast:
    """Contrast of one arm with another."""
    return ((first, 1.0), (second, -1.0))


def log_of(probability: np.ndarray) -> np.ndarray:
    """Logarithm, -inf at 0."""
    with np.errstate(divide="ignore"):
        return np.log(probability)
