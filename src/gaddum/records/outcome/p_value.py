"""P-value: exact and two-sided, of one contrast."""

from collections.abc import Iterator
from typing import Literal

from gaddum.records.base import in_unit
from gaddum.records.outcome.base import ArmName, Doubt, ReportedOutcome, against_design
from gaddum.records.protocol import Protocol


class PValue(ReportedOutcome):
    """An exact two-sided p-value of one contrast."""

    form: Literal["p-value"]
    p: float = in_unit("1", gt=0, le=1)
    contrast: tuple[ArmName, ArmName]
    better: Literal["first", "second"]
    paired: bool | None = None
    """Whether the arms share their subjects; by design where not given."""

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """Pairing that the design does not allow."""
        yield from against_design(protocol, self.contrast, paired=self.paired)
