"""Test: an exact t, F or standardised effect of one contrast."""

from collections.abc import Iterator
from typing import Literal

from gaddum.records.base import measured
from gaddum.records.outcome.base import (
    LARGEST_D,
    ArmName,
    Doubt,
    ReportedOutcome,
    against_design,
    residual_df,
)
from gaddum.records.protocol import Protocol


class Test(ReportedOutcome):
    """An exact test statistic of one contrast."""

    __test__ = False  # not for pytest to collect

    form: Literal["test"]
    statistic: Literal["t", "F", "d"]
    value: float = measured("1")
    df: float | None = residual_df()
    """Residual degrees of freedom; derived from n where not given."""
    contrast: tuple[ArmName, ArmName]
    better: Literal["first", "second"]
    """Which arm of the contrast did better."""
    paired: bool | None = None
    """Whether the arms share their subjects; by design where not given."""

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """Pairing or df that the design does not allow, and values that the statistic cannot have."""
        yield from against_design(protocol, self.contrast, paired=self.paired, df=self.df)
        if self.statistic == "d" and abs(self.value) > LARGEST_D:
            message = f"A standardised effect should be within {LARGEST_D:g} SD; got {self.value:g}."
            yield Doubt(("value",), message)
        if self.statistic == "F" and self.value < 0:
            yield Doubt(("value",), f"A value of F should not be negative; got {self.value:g}.")
