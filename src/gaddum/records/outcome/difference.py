"""Difference: of two arms, with its interval."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from gaddum.records.base import LARGEST, in_unit, measured
from gaddum.records.outcome.base import LARGEST_D, ArmName, Doubt, ReportedOutcome
from gaddum.records.protocol import Protocol


class Difference(ReportedOutcome):
    """A mean difference between two arms with its own interval: of a plain comparison or of a statistical model."""

    needs_sizes: ClassVar[bool] = False

    form: Literal["difference"]
    contrast: tuple[ArmName, ArmName]
    """First arm minus second arm, positive when the first is better."""
    value: float = measured("of `sd`; else SD of the endpoint")
    ci: tuple[float, float] = Field(json_schema_extra={"unit": "of `sd`; else SD of the endpoint"})
    ci_level: float = in_unit("1", 0.95, gt=0, lt=1)
    sd: float | None = measured("of the endpoint", default=None, gt=0)
    """Within-group SD, where `value` and `ci` are in points of the endpoint; null where they are in SD already."""

    @model_validator(mode="after")
    def _rising(self) -> "Difference":
        low, high = self.ci
        if not -LARGEST <= low < high <= LARGEST:
            raise ValueError(f"A CI must be [low, high] with low < high; got {list(self.ci)}.")
        return self

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """An interval without its value, or an effect that is too large."""
        low, high = self.ci
        if not low < self.value < high:
            message = f"A CI should hold its value; got {self.value:g} and [{low:g}, {high:g}]."
            yield Doubt(("ci",), message)
        in_sd = self.value / (self.sd or 1.0)
        if abs(in_sd) > LARGEST_D:
            told = "Name the `sd` within groups." if self.sd is None else "Is the `sd` perhaps a SEM?"
            yield Doubt(
                ("value",), f"A difference should be within {LARGEST_D:g} SD; got {in_sd:.3g}. {told}"
            )
