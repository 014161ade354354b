"""Results: what an adjudication found, as frozen types that report, terminal, benchmarks and JSON share.

`verdict` fills them in; nothing here draws or holds arrays. `to_json` writes ``result.json``; `result_reader` reads it,
also of an earlier version. A number that a failed sampler could not give is NaN here and null in JSON. The words for a
probability and its range are chosen here and nowhere else (`word_of`, `leaning_of`).
"""

import math
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, JsonValue, PlainSerializer

from gaddum.notebook import html_of
from gaddum.parameter_registry import Assumption
from gaddum.records.base import Hours, Known, Nats, Number, Record
from gaddum.records.manifest import Manifest

SCHEMA_VERSION = 2  # of result.json
SURE = 0.95
HALF = 0.5
LEAST_DRAWS = 100
"""Effective draws below which a number is not printed."""


Word = Literal["supported", "contradicted", "undecided", "not testable"]
Leaning = Literal["for", "against"]
Basis = Literal["posterior", "outcomes", "library", "comparison", "ledger"]
EngagementPhase = Literal["induction", "expression"]
Taken = Annotated[Assumption, PlainSerializer(lambda one: one._asdict(), return_type=dict[str, str])]
Row = TypeVar("Row", bound=Record)


def row_of(kind: type[Row], source: Any, **said: Any) -> Row:
    """A row that takes from its source, by name, all that is not said."""
    return kind(**{name: getattr(source, name) for name in kind.model_fields.keys() - said.keys()}, **said)


class Interval(Record):
    """Median and central 95 % interval; an observed effect is the median of its confidence distribution."""

    median: Number
    lower: Number
    upper: Number


class Odds(Record):
    """Log evidence of an account, and log Bayes factor against the reference account, with Monte-Carlo errors."""

    log_ml: Nats
    log_ml_mcse: Nats
    log_bf: Nats
    log_bf_mcse: Nats
    probability: Number


class BayesFactorParts(Record):
    """Where a log Bayes factor comes from: difference in expected log likelihood, and in divergence from the prior.

    Parts of `fit` are by outcomes known as a verdict only, and by groups of unknown size; a share is a part's size over
    that of itself and of the rest.
    """

    fit: Nats
    price: Nats
    verdict_only: Nats
    verdict_only_share: Known
    unknown_n: Nats
    unknown_n_share: Known


class TimelessOdds(Record):
    """What is left of a log Bayes factor where effects have no time course."""

    log_bf: Nats
    effective_draws: Number
    mechanism_dependent: bool | None
    """Whether it moves by more than a nat; None where that is not established."""


class HypothesisRow(Odds):
    """An account in the main parameterisation and in the absolute one; established if all diagnostics passed."""

    name: str
    title: str
    gate: str
    says: str
    reference: bool
    prior: Number
    established: bool
    note: str
    dimension: int
    r_hat: Number
    ess: Number
    evaluations: int
    absolute: Odds
    variants: dict[str, Odds] = {}
    """By the phase at which phased inputs act; the probability is that given the account."""
    parts: BayesFactorParts | None = None
    without_kinetics: TimelessOdds | None = None


def word_of(lower: float, upper: float) -> Word:
    """Word for a statement whose probability has this range over the declared set.

    Examples
    --------
    >>> word_of(0.97, 0.99), word_of(0.0, 0.04), word_of(0.6, 0.99)
    ('supported', 'contradicted', 'undecided')
    """
    return "supported" if lower > SURE else "contradicted" if upper < 1 - SURE else "undecided"


def leaning_of(lower: float, upper: float) -> Leaning | None:
    """Side of one half on which the whole range lies.

    Examples
    --------
    >>> leaning_of(0.6, 0.99), leaning_of(0.1, 0.3), leaning_of(0.4, 0.9)
    ('for', 'against', None)
    """
    return "for" if lower > HALF else "against" if upper < HALF else None


class Chance(Record):
    """Probability of a statement, its range over the declared set, and the word for it.

    A word must survive every setting; the range is over those whose effective draws suffice, `settings` in number (None
    in earlier results, where it is over all).
    """

    probability: Number
    lower: Number
    upper: Number
    settings: int | None = None
    prior: Number
    verdict: Word
    leaning: Leaning | None = None
    """Where the verdict is undecided, the side of one half on which the range lies, unless that is all prior."""
    moved: bool = False
    """Whether the record changed the odds at least threefold towards the verdict or leaning."""
    driving: tuple[str, ...] = ()
    """Cohorts or studies that move the probability most when they are left out."""

    @property
    def word(self) -> str:
        """The word that the range bears, or a leaning where a setting not known bars it; for a prior alone neither."""
        settled, leaning = word_of(self.lower, self.upper), leaning_of(self.lower, self.upper)
        if self.verdict == settled != "undecided":
            return settled
        return (
            f"leans {leaning}" if leaning and not math.isclose(self.probability, self.prior) else "undecided"
        )


class PropositionRow(Chance):
    """A proposition in one stratum and phase."""

    name: str
    text: str
    stratum: str
    phase: str


class ClaimAnswer(Record):
    """Answer to one ask of a claim: what was asked and found, and the cohorts or studies that carry it."""

    text: str
    basis: Basis
    verdict: Word
    probability: Known
    driving: tuple[str, ...] = ()
    rows: tuple[dict[str, JsonValue], ...] = ()
    """A table beside the answer, its columns as the ask has them."""


class ClaimRow(Record):
    """A claim and its answers; it is as sure as the least sure of them."""

    id: str
    text: str
    verdict: Word
    probability: Known
    studies: tuple[str, ...]
    driving: tuple[str, ...] = ()
    would_test: str = ""
    note: str | None = None
    answers: tuple[ClaimAnswer, ...] = ()


class SettingRow(Record):
    """Probabilities of the accounts in another setting; a verdict must hold in those that decide."""

    name: str
    setting: str
    effective_draws: Known = None
    decides: bool = True
    probabilities: dict[str, Number]


class YearRow(Record):
    """The accounts after a year, and the cohorts first reported in it."""

    year: int
    studies: tuple[str, ...]
    hypotheses: dict[str, Odds]


class StudyRow(Record):
    """A study of the record."""

    id: str
    year: int
    title: str
    cohort: str | None
    competing_interests: str
    read: str | None = None
    """How it was read; None in older results."""
    blockade: bool = False
    """Whether the test drug met an antagonist, or the loss of a receptor."""
    n_outcomes: int
    scored: int


class ForestRow(Record):
    """A contrast of a scored outcome, observed and predicted (SD); `second` is the other one of a verdict over two."""

    study: str
    year: int
    experiment: str
    endpoint: str
    stratum: str
    form: str
    label: str
    observed_text: str
    observed: Interval | None
    probability_of_report: Known
    prior_probability_of_report: Known = None
    contrast: str = ""
    predicted: Interval
    prior_predicted: Interval
    second: str | None = None
    second_predicted: Interval | None = None
    second_prior_predicted: Interval | None = None


class EngagementRow(Interval):
    """Level of a feature in one arm at one moment, a fraction."""

    study: str
    experiment: str
    arm: str
    endpoint: str
    feature: str
    phase: EngagementPhase
    time_h: Hours


class HeldOutRow(Record):
    """Where a scored outcome falls in what the record without its cohort foretells (probability integral transform)."""

    study: str
    cohort: str
    experiment: str
    endpoint: str
    label: str
    form: str
    lower: Number
    upper: Number
    pit: Number
    effective_draws: Number


class PriorRow(Record):
    """A sampled parameter, as it was declared."""

    name: str
    distribution: str
    unit: str
    reason: str
    source: str
    contraction: Known
    """Share of the prior variance that the record removed; None where no account uses it."""


class AdjudicationResult(Record):
    """All that an adjudication found, but for the draws.

    `verdict` is a paragraph that can be quoted; accounts in one group of `equivalence` the record cannot tell apart;
    `scored` outcomes count, of which the publication of `flagged` may have hung on their significance.
    """

    schema_version: Literal[2] = SCHEMA_VERSION
    case: str
    title: str
    question: str
    effect: str
    seed: int
    until: int | None
    parameterisation: str
    verdict: str
    propositions: tuple[PropositionRow, ...]
    claims: tuple[ClaimRow, ...]
    hypotheses: Annotated[tuple[HypothesisRow, ...], Field(min_length=1)]
    yardstick: Nats
    """Log marginal likelihood of saturated cell means: every contrast free; no prior mass."""
    equivalence: tuple[tuple[str, ...], ...]
    sensitivity: tuple[SettingRow, ...]
    timeline: tuple[YearRow, ...] = ()
    studies: tuple[StudyRow, ...]
    forest: tuple[ForestRow, ...]
    engagement: tuple[EngagementRow, ...]
    held_out: tuple[HeldOutRow, ...] = ()
    scored: int = 0
    flagged: int = 0
    priors: tuple[PriorRow, ...]
    assumptions: tuple[Taken, ...]
    sampled_dimension: int
    missing: tuple[str, ...]
    manifest: Manifest

    @property
    def reference(self) -> HypothesisRow:
        """The account that log Bayes factors are against."""
        return next((row for row in self.hypotheses if row.reference), self.hypotheses[0])

    @property
    def ranked(self) -> tuple[HypothesisRow, ...]:
        """The accounts, the most probable first."""
        return tuple(sorted(self.hypotheses, key=lambda row: -row.probability))

    def account(self, name: str) -> HypothesisRow:
        """One account by its name."""
        return next(row for row in self.hypotheses if row.name == name)

    def to_json(self) -> str:
        """Write as JSON, which `result_reader` reads."""
        return self.model_dump_json(indent=2)

    def with_manifest(self, **said: Any) -> "AdjudicationResult":
        """The same, with more said of the run."""
        return self.model_copy(update={"manifest": Manifest(**{**self.manifest.model_dump(), **said})})

    def __repr__(self) -> str:
        first = ", ".join(f"{row.name} {row.probability:.2f}" for row in self.ranked[:3])
        found = f"{len(self.hypotheses)} accounts on {self.scored} outcomes; the most probable: {first}"
        return f"<AdjudicationResult of {self.case}: {found}>"

    __str__ = __repr__
    _repr_html_ = html_of
