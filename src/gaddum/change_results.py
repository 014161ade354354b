"""Results of `gaddum compare` and `gaddum update`: what changed between two states of knowledge, as frozen types."""

from typing import Literal

from pydantic import JsonValue

from gaddum.notebook import html_of
from gaddum.records.base import Known, Number, Record

LEAST_CHANGE = 0.02
"""Change of a probability that is said in words, where it is also twice its error."""


class ProbabilityChange(Record):
    """A probability before and after, the change with its Monte-Carlo error; None where there is no such number."""

    before: Known
    after: Known
    change: Known
    error: Known

    @property
    def moved(self) -> bool:
        """Whether the change is one to speak of, and more than its error makes."""
        return (
            self.change is not None
            and self.error is not None
            and abs(self.change) > max(LEAST_CHANGE, 2 * self.error)
        )


class AccountChange(ProbabilityChange):
    """An account before and after."""

    name: str
    title: str
    log_bf_before: Known = None
    log_bf_after: Known = None
    log_evidence: Known = None
    """Log mean likelihood of the new study by this account (nats)."""
    log_evidence_error: Known = None


class PropositionChange(ProbabilityChange):
    """A proposition in one stratum and phase, with the words that its ranges bear; None where it has none."""

    name: str
    stratum: str
    phase: str
    word_before: str | None = None
    word_after: str | None = None


class NamedChange(Record):
    """A setting, a parameter's prior or a study that differs; None in the run that lacks it."""

    name: str
    first: JsonValue
    second: JsonValue


class RunComparison(Record):
    """What differs between two runs; rows are in the order of the second."""

    case: str
    runs: tuple[str, str]
    settings: tuple[NamedChange, ...]
    studies: tuple[NamedChange, ...]
    """Year, outcomes and scored outcomes of studies that differ."""
    priors: tuple[NamedChange, ...]
    accounts: tuple[AccountChange, ...]
    propositions: tuple[PropositionChange, ...]
    words: tuple[str, ...]
    """The same in sentences."""
    command: str = ""

    def to_json(self) -> str:
        """Write as JSON."""
        return self.model_dump_json(indent=2)

    def __repr__(self) -> str:
        moved = sum(one.moved for one in (*self.accounts, *self.propositions))
        return (
            f"<RunComparison of {self.case}: {moved} probabilities moved, {len(self.studies)} studies differ>"
        )

    __str__ = __repr__
    _repr_html_ = html_of


class StudyUpdate(Record):
    """What a study does to a run; without accounts and propositions where its draws do not carry it.

    `method` is "weights", "refit", or "needs a refit", where fewer than 100 effective draws are left.
    """

    case: str
    study: str
    run: str
    what_if: str | None
    method: Literal["weights", "refit", "needs a refit"]
    effective_draws: Number
    """Of the account in play that has fewest; of the run's draws where weights carry it."""
    event_chance: Known
    """Chance of what is supposed, before the study, by the run."""
    accounts: tuple[AccountChange, ...]
    propositions: tuple[PropositionChange, ...]
    moved: tuple[str, ...]
    """What moved, in sentences."""
    unmoved: tuple[str, ...]
    """Why this study cannot move more, in sentences."""
    seed: int
    command: str = ""

    def to_json(self) -> str:
        """Write as JSON."""
        return self.model_dump_json(indent=2)

    def __repr__(self) -> str:
        done = f"by {self.method}, {self.effective_draws:.0f} effective draws"
        moved = sum(one.moved for one in (*self.accounts, *self.propositions))
        return f"<StudyUpdate of {self.case} by {self.study}: {moved} probabilities moved, {done}>"

    __str__ = __repr__
    _repr_html_ = html_of
