"""Narrative: what no form scores."""

from typing import Literal

from gaddum.records.outcome.base import ReportedOutcome


class Narrative(ReportedOutcome):
    """A finding that no event over arms expresses: stored and counted, not scored."""

    form: Literal["narrative"]
    text: str
    why: str
    """Why it is not scored."""
