"""Means: group means with their spread."""

from typing import Annotated, Literal

from pydantic import Field

from gaddum.records.base import Record, in_unit
from gaddum.records.outcome.base import ReportedOutcome


class ArmMean(Record):
    """Mean of one arm."""

    mean: float = in_unit("of the endpoint")
    spread: float = in_unit("of the endpoint", gt=0)
    spread_kind: Literal["SD", "SEM", "unclear"]
    n: int = Field(gt=0)


class Means(ReportedOutcome):
    """Group means; `change` says that they are changes from baseline."""

    form: Literal["means"]
    arms: Annotated[dict[str, ArmMean], Field(min_length=2)]
    change: bool = False
