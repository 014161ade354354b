"""Interaction: of test drug and antagonist in a 2 x 2 design."""

from collections.abc import Iterator
from typing import Literal

from gaddum.records.base import measured
from gaddum.records.outcome.base import ArmName, Doubt, ReportedOutcome, against_design, residual_df
from gaddum.records.protocol import Protocol


class Interaction(ReportedOutcome):
    """Drug x antagonist interaction of a 2 x 2 design: (K - V) - (KA - A)."""

    form: Literal["interaction"]
    statistic: Literal["F", "t", "p"]
    value: float = measured("1")
    df: float | None = residual_df()
    arms: tuple[ArmName, ArmName, ArmName, ArmName]
    """K, V, KA, A."""
    positive: bool = True
    """Whether (K - V) exceeds (KA - A)."""

    @property
    def arm_roles(self) -> dict[str, str]:
        """The four arms of the design."""
        return dict(zip(("K", "V", "KA", "A"), self.arms, strict=True))

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """Degrees of freedom that the design does not allow, and values that the statistic cannot have."""
        yield from against_design(protocol, self.arms, df=self.df)
        if self.statistic in ("F", "p") and self.value < 0:
            yield Doubt(
                ("value",), f"A value of {self.statistic} should not be negative; got {self.value:g}."
            )
        if self.statistic == "p" and not 0 < self.value <= 1:
            yield Doubt(("value",), f"A p-value should be in (0, 1]; got {self.value:g}.")
