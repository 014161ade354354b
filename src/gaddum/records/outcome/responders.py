"""Responders: counts by arm, and a retest among earlier responders."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gaddum.records.base import Record, subjects
from gaddum.records.outcome.base import ArmName, Doubt, ReportedOutcome, beyond_enrolled
from gaddum.records.protocol import Protocol


class Count(Record):
    """Responders among n."""

    responders: int = Field(ge=0)
    n: int = subjects()

    @model_validator(mode="after")
    def _possible(self) -> "Count":
        if self.responders > self.n:
            raise ValueError(f"Responders must not exceed n; got {self.responders} of {self.n}.")
        return self


class Retest(Record):
    """Counts in an arm among those subjects who responded in another arm (crossover, selected)."""

    arm: ArmName
    among_responders_of: ArmName
    responders: int = Field(ge=0)
    n: int = subjects()


class Responders(ReportedOutcome):
    """Responder counts per arm, with a retest among earlier responders if there was one."""

    needs_sizes: ClassVar[bool] = False

    form: Literal["responders"]
    criterion: str
    counts: Annotated[dict[str, Count], Field(min_length=1)]
    retest: Retest | None = None

    @property
    def arm_roles(self) -> dict[str, str]:
        """The arm retested, and the one among whose responders, as blocked arm and test drug's."""
        return {} if self.retest is None else {"K": self.retest.among_responders_of, "KA": self.retest.arm}

    def doubts(self, protocol: Protocol) -> Iterator[Doubt]:
        """More subjects than there were, or more arms than are scored."""
        first = None if self.retest is None else self.counts.get(self.retest.among_responders_of)
        if self.retest is not None and first is not None and self.retest.n > first.responders:
            yield Doubt(
                ("retest", "n"),
                f"A retest should count among the {first.responders} responder(s) of "
                f"{self.retest.among_responders_of!r}; got n = {self.retest.n}. Correct one of them.",
            )
        yield from beyond_enrolled("counts", {name: one.n for name, one in self.counts.items()}, protocol)
        if self.primary and (message := self.unscorable(protocol)) is not None:
            yield Doubt(("counts",), message, "error")

    def unscorable(self, protocol: Protocol) -> str | None:
        """Why the counts of these arms cannot be scored; None where they can."""
        base = protocol.vehicle(self.counts)
        counted = [name for name in self.counts if name != base]
        told = ", ".join(counted)
        if self.retest is None:
            if 1 <= len(counted) <= 2:
                return None
            return (
                f"Responders are scored for one or two arms beside vehicle; got {len(counted)} "
                f"({told or 'vehicle alone'}). Split into outcomes of one or two arms."
            )
        if set(counted) - {self.retest.arm} == {self.retest.among_responders_of}:
            return None
        return (
            f"A retest must name the one other arm with counts; got {self.retest.among_responders_of!r}, counts are "
            f"of {told or 'none'}. Move further arms to an outcome of their own."
        )
