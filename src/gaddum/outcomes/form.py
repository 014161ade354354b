"""Form: what the likelihood of every form of outcome gives, and how it is found.

A form of `records.outcome.FORMS` that can be scored has a module of its name here, with two functions: `table`, the log
density over true contrasts, and `compared`, what the report says of one arm against another, for a referee.
"""

from importlib import import_module
from typing import Any, NamedTuple, cast
from typing import Protocol as Interface

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
    """One outcome over its contrasts; the fields are those of `reduce.ReducedOutcome`."""

    contrasts: tuple[Contrast, ...]
    log_density: np.ndarray
    observed: tuple[dict[str, float], ...] = ()
    components: dict[str, float] = {}
    absolute: bool = False
    above: np.ndarray | None = None
    significant: np.ndarray | None = None
    joint: JointMeans | None = None


class ArmComparison(NamedTuple):
    """What an outcome says of two arms."""

    better: bool
    """Whether the first arm did significantly better than the second."""
    text: str


class FormLikelihood(Interface):
    """The two functions of a form's module."""

    def table(self, experiment: Experiment, outcome: Any, priors: Priors) -> Table:
        """Log density of what was reported over true contrasts (SD) on `GRID`."""
        ...

    def compared(self, experiment: Experiment, outcome: Any, first: str, second: str) -> ArmComparison | None:
        """What was reported of one arm against another; None where nothing was."""
        ...


def likelihood_of(outcome: Outcome) -> FormLikelihood:
    """Module of an outcome's form."""
    return cast(FormLikelihood, import_module(f"gaddum.outcomes.{outcome.form.replace('-', '_')}"))


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
