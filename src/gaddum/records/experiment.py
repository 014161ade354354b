"""Experiment: a protocol and what came of it, as published; a study file holds one or several of them.

Experiments whose subjects are the same people or animals share a `cohort`; cohorts of one laboratory share a `lab`.
"""

from typing import Annotated, Literal

from pydantic import Field

from gaddum.records.base import Record
from gaddum.records.outcome import Outcome, arms_of
from gaddum.records.protocol import Protocol
from gaddum.records.source import How, Source, least_direct

Judgement = Literal["low", "high", "unclear"]

SYRCLE = (
    "sequence generation",
    "baseline characteristics",
    "allocation concealment",
    "random housing",
    "caregiver blinding",
    "random outcome assessment",
    "outcome blinding",
    "incomplete data",
    "selective reporting",
    "other",
)
"""Items of SYRCLE's risk-of-bias tool for animal studies (doi:10.1186/1471-2288-14-43)."""

ROB2 = (
    "randomisation",
    "deviations from intended intervention",
    "missing data",
    "outcome measurement",
    "selection of the reported result",
)
"""Domains of the RoB 2 tool for randomised trials (doi:10.1136/bmj.l4898)."""

ARRIVE = (
    "study design",
    "sample size",
    "inclusion and exclusion",
    "randomisation",
    "blinding",
    "outcome measures",
    "statistical methods",
    "experimental animals",
    "experimental procedures",
    "results",
)
"""The essential ten of ARRIVE 2.0 (doi:10.1371/journal.pbio.3000410)."""


class Experiment(Record):
    """One protocol with its outcomes."""

    id: str
    protocol: Protocol
    outcomes: tuple[Outcome, ...] = ()

    @property
    def control(self) -> str | None:
        """Name the arm that others are compared with: in the role V of an outcome, or else the protocol's vehicle."""
        said = (outcome.arm_roles.get("V") for outcome in self.outcomes)
        return next(filter(None, said), self.protocol.vehicle())

    def lacks_sizes(self, outcome: Outcome) -> bool:
        """Whether an outcome needs the number of subjects of an arm that nothing says."""
        arms = [self.protocol.arms.get(name) for name in arms_of(outcome) if outcome.needs_sizes]
        return any(arm is not None and arm.n is None and arm.n_range is None for arm in arms)


class Study(Record):
    """One published report: what all its experiments have in common, and the experiments."""

    id: str = Field(pattern=r"^[a-z0-9_]+$")
    title: str
    year: int = Field(ge=1800, le=2100)
    source: Source
    cohort: str
    lab: str | None = None
    competing_interests: str = "unknown"
    """As declared; ``none declared`` is not ``unknown``."""
    sponsor: str = "unknown"
    risk_of_bias: dict[str, Judgement] = Field(default_factory=dict)
    """SYRCLE (animals) or RoB 2 (trials) items; a missing item counts as unclear."""
    reporting: dict[str, bool] = Field(default_factory=dict)
    """ARRIVE 2.0 essential ten: reported or not; a missing item is unknown."""
    experiments: Annotated[tuple[Experiment, ...], Field(min_length=1)]
    note: str | None = None

    @property
    def silent(self) -> "Study":
        """The same study with its protocols alone, as before anything was reported."""
        told = tuple(one.model_copy(update={"outcomes": ()}) for one in self.experiments)
        return self.model_copy(update={"experiments": told})

    @property
    def read(self) -> How:
        """How its protocols and results were read: "measured" only where all of them were, which is in full."""
        results = (one for e in self.experiments for one in e.outcomes if one.can_be_scored)
        protocols = (one.protocol for one in self.experiments)
        return least_direct(one.source for one in (self, *protocols, *results))
