"""Difference: of two arms, with its interval."""

from typing import Literal

from pydantic import Field

from gaddum.records.base import in_unit
from gaddum.records.outcome.base import ReportedOutcome


class Difference(ReportedOutcome):
    """A mean difference between two arms with its own interval: of a plain comparison or of a statistical model."""

    form: Literal["difference"]
    contrast: tuple[str, str]
    """First arm minus second arm, positive when the first is better."""
    value: float = in_unit("of `sd`; else SD of the endpoint")
    ci: tuple[float, float] = Field(json_schema_extra={"unit": "of `sd`; else SD of the endpoint"})
    ci_level: float = in_unit("1", 0.95, gt=0, lt=1)
    sd: float | None = in_unit("of the endpoint", None, gt=0)
    """Within-group SD, where `value` and `ci` are in points of the endpoint; null where they are in SD already."""
