"""P-value: exact and two-sided, of one contrast."""

from typing import Literal

from gaddum.records.base import in_unit
from gaddum.records.outcome.base import ReportedOutcome


class PValue(ReportedOutcome):
    """An exact two-sided p-value of one contrast."""

    form: Literal["p-value"]
    p: float = in_unit("1", gt=0, le=1)
    contrast: tuple[str, str]
    better: Literal["first", "second"]
    paired: bool | None = None
    """Whether the arms share their subjects; by design where not given."""
