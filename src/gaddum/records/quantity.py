"""Quantity: a published number with its unit, spread and source.

A field that holds what the literature says about one parameter is `Reported`: one Quantity, or several where
sources conflict. Conflicts are kept side by side; the prior built from them is an equal mixture that covers all.
"""

import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gaddum.records.base import Record, in_unit, measured, subjects
from gaddum.records.source import Source

SpreadKind = Literal["SD", "SEM", "CI95", "CI90", "CI80", "GSD", "range", "IQR", "CV", "RSE"]
"""CV and RSE are an SD and a standard error as fractions of the value."""

_SPAN_IN_SD = {"CI95": 3.919928, "CI90": 3.289707, "CI80": 2.563103, "range": 4.0, "IQR": 1.348980}


class Spread(Record):
    """How far a number may be off: one value (SD, SEM, GSD, CV, RSE) or two limits (CI, range, IQR)."""

    kind: SpreadKind
    value: float | tuple[float, float] = Field(json_schema_extra={"unit": "of the quantity; GSD, CV, RSE: 1"})
    reason: str | None = None
    """Set where the spread is our assumption rather than the source's."""

    @model_validator(mode="after")
    def _shape(self) -> "Spread":
        is_pair = isinstance(self.value, tuple)
        if is_pair != (self.kind in _SPAN_IN_SD):
            wanted = "two limits [low, high]" if self.kind in _SPAN_IN_SD else "one number"
            raise ValueError(f"Spread of kind {self.kind} must have {wanted}; got {self.value!r}.")
        if isinstance(self.value, tuple):
            if not self.value[0] < self.value[1]:
                raise ValueError(f"Spread limits must rise; got {self.value!r}.")
        elif self.kind == "GSD" and self.value < 1:
            raise ValueError(f"A GSD must be at least 1; got {self.value!r}.")
        elif self.value < 0:
            raise ValueError(f"A {self.kind} must not be negative; got {self.value!r}.")
        return self


class Quantity(Record):
    """One published number."""

    value: float = measured("see the field `unit`")
    unit: str
    spread: Spread | None = None
    n: int | None = subjects(None)
    source: Source
    shared: str | None = None
    """Identity under which other records use this very number (``ketamine at NMDAR`` for a ratio derived from the
    racemate); without it, numbers that happen to agree are different parameters."""

    @property
    def gsd(self) -> float | None:
        """Geometric standard deviation that the spread amounts to; None where no spread is known."""
        if self.spread is None:
            return None
        kind, value = self.spread.kind, self.spread.value
        if isinstance(value, tuple):
            if value[0] <= 0:
                return math.exp((value[1] - value[0]) / _SPAN_IN_SD[kind] / abs(self.value))
            return math.exp(math.log(value[1] / value[0]) / _SPAN_IN_SD[kind])
        if kind == "GSD":
            return value
        relative = value if kind in ("CV", "RSE") else value / self.value
        return math.exp(math.sqrt(math.log1p(relative**2)))


def _as_tuple(value: Any) -> Any:
    return value if isinstance(value, (list, tuple)) else (value,)


def _one_identity(reported: tuple[Quantity, ...]) -> tuple[Quantity, ...]:
    found = {one.shared for one in reported}
    if len(found) > 1:
        raise ValueError(
            "Conflicting reports of one quantity must name the same `shared` ID or none; got "
            f"{', '.join(sorted(map(str, found)))}. Write it on each of them."
        )
    return reported


Reported = Annotated[
    tuple[Quantity, ...], BeforeValidator(_as_tuple), Field(min_length=1), AfterValidator(_one_identity)
]
"""What the literature says of one parameter: one Quantity, or several that conflict."""

__all__ = ["Quantity", "Reported", "Spread", "SpreadKind", "in_unit"]
