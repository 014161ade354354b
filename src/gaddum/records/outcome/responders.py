"""Responders: counts by arm, and a retest among earlier responders."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gaddum.records.base import Record
from gaddum.records.outcome.base import ReportedOutcome


class Count(Record):
    """Responders among n."""

    responders: int = Field(ge=0)
    n: int = Field(gt=0)

    @model_validator(mode="after")
    def _possible(self) -> "Count":
        if self.responders > self.n:
            raise ValueError(f"Responders must not exceed n; got {self.responders} of {self.n}.")
        return self


class Retest(Record):
    """Counts in an arm among those subjects who responded in another arm (crossover, selected)."""

    arm: str
    among_responders_of: str
    responders: int = Field(ge=0)
    n: int = Field(gt=0)


class Responders(ReportedOutcome):
    """Responder counts per arm, with a retest among earlier responders if there was one."""

    form: Literal["responders"]
    criterion: str
    counts: Annotated[dict[str, Count], Field(min_length=1)]
    retest: Retest | None = None
