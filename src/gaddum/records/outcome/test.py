"""Test: an exact t, F or standardised effect of one contrast."""

from typing import Literal

from gaddum.records.base import in_unit
from gaddum.records.outcome.base import ReportedOutcome


class Test(ReportedOutcome):
    """An exact test statistic of one contrast."""

    __test__ = False  # not for pytest to collect

    form: Literal["test"]
    statistic: Literal["t", "F", "d"]
    value: float = in_unit("1")
    df: float | None = in_unit("1", None, gt=0)
    """Residual degrees of freedom; derived from n where not given."""
    contrast: tuple[str, str]
    better: Literal["first", "second"]
    """Which arm of the contrast did better."""
    paired: bool | None = None
    """Whether the arms share their subjects; by design where not given."""
