"""Base: what outcomes of every form say."""

from gaddum.records.base import Record, in_unit
from gaddum.records.source import Source


class ReportedOutcome(Record):
    """What every form says; a form adds how the result was reported."""

    endpoint: str
    """Key of the endpoint in the protocol."""
    source: Source
    primary: bool = True
    """False: stored and predicted, not scored (a subscale or dichotomy of a scale already used)."""
    same_subjects: str | None = None
    """Outcomes on the same subjects share a label."""
    correlation: float | None = in_unit("1", None, ge=0, le=1)
    """Correlation with the other outcomes of the same label; 1 means a duplicate."""
    selected: bool = False
    """Whether publication may have depended on this contrast being significant."""
