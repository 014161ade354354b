"""Narrative: what no form scores."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from gaddum.records.outcome.base import Doubt, ReportedOutcome
from gaddum.records.protocol import Protocol


class Narrative(ReportedOutcome):
    """A finding that no event over arms expresses: stored and counted, not scored."""

    can_be_scored: ClassVar[bool] = False

    form: Literal["narrative"]
    text: str
    why: str  # pyright: ignore[reportIncompatibleVariableOverride, reportGeneralTypeIssues]: required here

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """None: there is no number to doubt."""
        yield from ()
