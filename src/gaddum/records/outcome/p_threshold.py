"""P-threshold: only on which side of it p was."""

from collections.abc import Iterator
from typing import Literal

from gaddum.records.base import in_unit
from gaddum.records.outcome.base import ArmName, Doubt, ReportedOutcome, against_design
from gaddum.records.protocol import Protocol


class PThreshold(ReportedOutcome):
    """Only that p was below (or not below) a threshold."""

    form: Literal["p-threshold"]
    threshold: float = in_unit("1", 0.05, ge=1e-12, lt=1)
    significant: bool
    contrast: tuple[ArmName, ArmName]
    better: Literal["first", "second"] | None = None
    paired: bool | None = None
    """Whether the arms share their subjects; by design where not given."""

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """Pairing that the design does not allow, or an unusual threshold."""
        yield from against_design(protocol, self.contrast, paired=self.paired)
        if self.threshold > 0.2:
            message = f"A significance threshold is seldom above 0.2; got {self.threshold:g}."
            yield Doubt(("threshold",), message)
