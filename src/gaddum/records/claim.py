"""Claim: a statement under dispute, and what is asked of posterior, library, outcomes or ledger to answer it.

A claim asks one proposition in the short form (`proposition`), or anything in the long one (`asks`):

===============  ======================================================================================
proposition      one of the report's propositions, per stratum and phase
accounts         one of certain hypotheses is right
all_of           several propositions true, or false, in one and the same draw
unsettled        no account stays above the threshold of a settled question
library_ratio    the ratio of two drugs' K_i at a target lies above a number
relative_effect  drugs reach a share of a reference drug's effect, by their own outcomes and no account
ledger           none, some or all of certain published outcomes have a property
declaration      a laboratory's studies record a competing interest
===============  ======================================================================================

Several asks are answered together: the claim is as sure as the least sure of them. A claim that asks nothing is not
testable on the record; `would_test` says what would test it.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gaddum import units
from gaddum.records.base import Record, in_unit
from gaddum.records.experiment import Experiment, Study
from gaddum.records.finding import nearest
from gaddum.records.library import Library
from gaddum.records.outcome import Outcome, arms_of, is_scored
from gaddum.records.outcome.verdict import Verdict, VerdictName
from gaddum.records.protocol import Phase
from gaddum.records.source import Source
from gaddum.records.species import Species


class Filter(Record):
    """Which outcomes of a ledger are meant: every condition that is given must hold."""

    species: tuple[Species, ...] = ()
    strain: str | None = None
    phase: Phase | None = None
    drugs: tuple[str, ...] = ()
    """An arm that the outcome speaks of gets one of these."""
    tested: tuple[str, str] | None = None
    """Earliest and latest test time, with units."""
    verdicts: tuple[VerdictName, ...] = ()
    comparator: bool | None = None
    """Whether the subjects have a group that their paradigm is compared with."""
    aetiology: str | None = None
    """Text that the paradigm's aetiology holds."""
    lab: str | None = None
    scored: bool | None = None

    def admits(self, study: Study, experiment: Experiment, outcome: Outcome) -> bool:
        """Whether an outcome meets every condition, whenever it may have been read."""
        subject, endpoint = experiment.protocol.subject, experiment.protocol.endpoints[outcome.endpoint]
        given = {dose.drug for name in arms_of(outcome) for dose in experiment.protocol.arms[name].doses}
        low, high = (units.magnitude(t, "time") for t in self.tested or ("0 h", "0 h"))
        conditions = (
            not self.species or subject.species in self.species,
            self.strain in (None, subject.strain),
            all(self.phase in (None, one.phase) for one in endpoint.assessments),
            not self.drugs or bool(given & set(self.drugs)),
            self.tested is None or all(low <= one.time_h <= high for one in endpoint.assessments),
            not self.verdicts or (isinstance(outcome, Verdict) and outcome.verdict in self.verdicts),
            self.comparator in (None, subject.comparator is not None),
            self.aetiology is None or self.aetiology in (subject.aetiology or ""),
            self.lab in (None, study.lab),
            self.scored in (None, is_scored(outcome)),
        )
        return all(conditions)


class AllOf(Record):
    """Propositions that hold together in one draw, where claim and proposition share stratum and phase."""

    kind: Literal["all_of"]
    holds: tuple[str, ...] = ()
    """Names of propositions that must be true."""
    fails: tuple[str, ...] = ()
    """Names of propositions that must be false."""

    @model_validator(mode="after")
    def _something(self) -> "AllOf":
        if not self.holds + self.fails:
            raise ValueError("`all_of` must name propositions under `holds` or `fails`; got none.")
        return self

    @property
    def name(self) -> str:
        """The conjunction in words."""
        return " and ".join([*self.holds, *(f"not {name}" for name in self.fails)])


class Accounts(Record):
    """One of several hypotheses is right, where no proposition parts them from the others."""

    kind: Literal["accounts"]
    names: tuple[str, ...] = Field(min_length=1)


class Unsettled(Record):
    """No account stays above the threshold of a settled question over the declared set."""

    kind: Literal["unsettled"]


class LibraryRatio(Record):
    """K_i of a drug over that of another at one target."""

    kind: Literal["library_ratio"]
    target: str
    drug: str
    over: str
    above: float = in_unit("1", gt=0)
    """The claim holds where the ratio lies above this."""


class RelativeEffect(Record):
    """Effects of drugs against that of a reference drug, each against its own vehicle.

    By outcomes alone (saturated cell means, one effect a drug), whatever any account says of them.
    """

    kind: Literal["relative_effect"]
    reference: str
    drugs: tuple[str, ...] = ()
    """The drugs meant; or those that bind `target`, but the reference, its parts and its metabolites."""
    target: str | None = None
    species: tuple[Species, ...] = ()
    stress: Literal["stressed", "unstressed", "unstated"] | None = None
    phase: Phase | None = None
    share: float = in_unit("1", gt=0)
    """Share of the reference's effect that is reached or not."""
    reached_by: Literal["none", "some"]
    together: bool = False
    """Only outcomes of experiments that gave the reference and another drug."""

    @model_validator(mode="after")
    def _which(self) -> "RelativeEffect":
        if bool(self.drugs) == (self.target is not None):
            raise ValueError("`relative_effect` must name either `drugs` or a `target`; got both or neither.")
        return self


class LedgerCount(Record):
    """How many of some published outcomes have a property."""

    kind: Literal["ledger"]
    among: Filter
    has: Filter
    holds_for: Literal["none", "some", "all"]


class Declaration(Record):
    """Whether studies of a laboratory record a competing interest."""

    kind: Literal["declaration"]
    lab: str


Ask = Annotated[
    Accounts | AllOf | Unsettled | LibraryRatio | RelativeEffect | LedgerCount | Declaration,
    Field(discriminator="kind"),
]


class Claim(Record):
    """A statement under dispute, and what answers it."""

    id: str
    text: str
    proposition: str | None = None
    """Name of the proposition (as in the report) that answers it; the short form of an ask."""
    asks: tuple[Ask, ...] = ()
    """What else is asked; with neither, the claim is not testable on the record."""
    stratum: str | None = None
    """Stratum of the propositions; all where none is given, and the answer is the weakest."""
    phase: Phase | None = None
    expects: bool = True
    """Whether the claim holds when the proposition is true."""
    studies: tuple[str, ...] = ()
    note: str | None = None
    would_test: str | None = None
    """Which experiment or reading would test it; worded by rule where none is given."""
    source: Source


def claim_faults(
    claim: Claim, library: Library, studies: tuple[Study, ...], accounts: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find names in a claim that nothing answers to: field path, and what must hold."""
    ids = [study.id for study in studies]
    for place, name in enumerate(claim.studies):
        if name not in ids:
            yield (
                ("studies", place),
                f"A claim must rest on studies of the ledger; got {name!r}. {nearest(name, ids)}",
            )
    strains = {one.protocol.subject.strain or "" for study in studies for one in study.experiments}
    labs = {study.lab or "" for study in studies}
    for index, ask in enumerate(claim.asks):
        here = ("asks", index)
        for field, name in _drugs(ask):
            if name not in library.drugs:
                yield (
                    (*here, field),
                    f"A drug must be of the library; got {name!r}. {library.near_drug(name)}",
                )
        target = getattr(ask, "target", None)
        if target is not None and target not in library.targets:
            message = f"A target must be of the library; got {target!r}. {nearest(target, library.targets)}"
            yield (*here, "target"), message
        for field, one in _filters(ask):
            for key, value, known in (("strain", one.strain, strains), ("lab", one.lab, labs)):
                if value is not None and value not in known:
                    message = f"A {key} must be of a study; got {value!r}. {nearest(value, known)}"
                    yield (*here, field, key), message
        if isinstance(ask, Accounts):
            for name in ask.names:
                if name not in accounts:
                    message = f"An account must be a hypothesis of the case; got {name!r}. {nearest(name, accounts)}"
                    yield (*here, "names"), message
        if isinstance(ask, Declaration) and ask.lab not in labs:
            yield (*here, "lab"), f"A lab must be of a study; got {ask.lab!r}. {nearest(ask.lab, labs)}"


def _drugs(ask: Ask) -> Iterator[tuple[str, str]]:
    match ask:
        case LibraryRatio():
            yield from (("drug", ask.drug), ("over", ask.over))
        case RelativeEffect():
            yield "reference", ask.reference
            yield from (("drugs", name) for name in ask.drugs)
        case LedgerCount():
            yield from ((field, name) for field, one in _filters(ask) for name in one.drugs)


def _filters(ask: Ask) -> Iterator[tuple[str, Filter]]:
    if isinstance(ask, LedgerCount):
        yield from (("among", ask.among), ("has", ask.has))
