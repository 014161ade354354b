"""P-value: exact and two-sided, of one contrast."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from gaddum.records.base import in_unit
from gaddum.records.outcome.base import ArmName, Doubt, ReportedOutcome, against_design
from gaddum.records.protocol import Protocol


class PValue(ReportedOutcome):
    """An exact two-sided p-value of one contrast."""

    statistic: ClassVar = "p"
    df: ClassVar = None

    form: Literal["p-value"]
    p: float = in_unit("1", gt=0, le=1)
    contrast: tuple[ArmName, ArmName]
    better: Literal["first", "second"]
    paired: bool | None = None
    """Whether the arms share their subjects; by design where not given."""

    @property
    def value(self) -> float:
        """The p, as the value of a statistic (1)."""
        return self.p

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """Pairing that the design does not allow."""
        yield from against_design(protocol, self.contrast, paired=self.paired)
