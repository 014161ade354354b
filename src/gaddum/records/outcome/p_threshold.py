"""P-threshold: only on which side of it p was."""

from typing import Literal

from gaddum.records.base import in_unit
from gaddum.records.outcome.base import ReportedOutcome


class PThreshold(ReportedOutcome):
    """Only that p was below (or not below) a threshold."""

    form: Literal["p-threshold"]
    threshold: float = in_unit("1", 0.05, gt=0, lt=1)
    significant: bool
    contrast: tuple[str, str]
    better: Literal["first", "second"] | None = None
    paired: bool | None = None
    """Whether the arms share their subjects; by design where not given."""
