"""Predicted study: what `predict` says, as frozen types that terminal, page and JSON share; no arrays."""

from typing import Any

from pydantic import JsonValue

from gaddum.notebook import html_of
from gaddum.outcomes.blockade_events import BlockadeEvent
from gaddum.records.base import Known, Nats, Number, Record
from gaddum.results import EngagementRow, Interval


class EventProbabilities(Record):
    """Chance of each event, by the rule of `outcomes.blockade_events`; they sum to 1."""

    abolished: Number
    partial: Number
    not_abolished: Number
    nothing_to_block: Number


class AccountPrediction(Record):
    """What one account says of a blockade; `probability` is the account's by the run."""

    account: str
    probability: Number
    effect: Interval | None
    residual: Interval | None
    verdicts: EventProbabilities | None
    log_score: Known


class PredictedOutcome(Record):
    """A blockade at one endpoint, or an endpoint of an experiment without a blockade; effects in SD, averaged."""

    experiment: str
    endpoint: str
    phase: str
    stratum: str
    arms: dict[str, str]
    """By role: K, V, KA and perhaps A; without a blockade every arm by its own name."""
    test: str
    """The test that the design implies, in words."""
    effect: Interval | None
    """K over V."""
    residual: Interval | None
    """KA over A, or over V where there is no A."""
    kept: Interval | None
    """Residual over effect (1), where the effect is at least `LEAST_EFFECT` either way."""
    verdicts: EventProbabilities | None
    error: Known
    """Largest Monte-Carlo standard error of the four chances."""
    power: Known
    """Chance that K over V is found."""
    observed: BlockadeEvent | None
    """What came of it, where outcomes are filled in and say so."""
    log_score: Known
    """Log of the predicted probability, or density, of the outcomes that are filled in here (nats)."""
    accounts: tuple[AccountPrediction, ...]
    """The most probable first."""


class ArmPrediction(Interval):
    """Effect of one arm at one endpoint over no drug at all (SD), averaged over accounts."""

    experiment: str
    endpoint: str
    arm: str
    n: int | None


class OutcomeScore(Record):
    """A filled-in outcome: log score, and that of contrasts about which nothing is known, `yardstick` (nats)."""

    experiment: str
    endpoint: str
    label: str
    log_score: Nats
    yardstick: Nats


class StudyPrediction(Record):
    """All that `predict` says of a study; nothing was fitted for it."""

    case: str
    study: str
    outcomes: tuple[PredictedOutcome, ...]
    arms: tuple[ArmPrediction, ...]
    engagement: tuple[EngagementRow, ...]
    """Level of each feature by arm, when the drug acts (induction) and at the test (expression)."""
    scores: tuple[OutcomeScore, ...]
    log_score: Known
    """Of all filled-in outcomes together (nats)."""
    notes: tuple[str, ...]
    draws: int
    """Draws of each account and phase."""
    seed: int
    run: str
    """Folder of the run."""
    manifest: dict[str, JsonValue]

    def to_json(self) -> str:
        """Write as JSON."""
        return self.model_dump_json(indent=2)

    def with_manifest(self, **said: Any) -> "StudyPrediction":
        """The same, with more said of what made it."""
        return self.model_copy(update={"manifest": {**self.manifest, **said}})

    def __repr__(self) -> str:
        told = (
            f"{one.experiment} {one.endpoint}: "
            + ", ".join(f"{event.replace('_', ' ')} {chance:.2f}" for event, chance in one.verdicts)
            for one in self.outcomes
            if one.verdicts is not None
        )
        return f"<StudyPrediction of {self.study} by case {self.case}: {'; '.join(told) or 'no blockade'}>"

    __str__ = __repr__
    _repr_html_ = html_of


class ReferenceStudy(Record):
    """What a study of a proposition would show: the reference protocol, and the same with what is asked about disabled.

    `probability` is the proposition's by the run; effects in SD, averaged over accounts.
    """

    name: str
    text: str
    stratum: str
    phase: str
    probability: Known
    effect: Interval | None
    residual: Interval | None
    verdicts: EventProbabilities
    error: Number
    """Largest Monte-Carlo standard error of the four chances."""


class ReferenceForecast(Record):
    """A study of `n` a group for every proposition that something is needed, in every population and phase."""

    case: str
    n: int
    rows: tuple[ReferenceStudy, ...]
    draws: int
    seed: int
    run: str
    manifest: dict[str, JsonValue]

    def to_json(self) -> str:
        """Write as JSON."""
        return self.model_dump_json(indent=2)

    def with_manifest(self, **said: Any) -> "ReferenceForecast":
        """The same, with more said of what made it."""
        return self.model_copy(update={"manifest": {**self.manifest, **said}})
