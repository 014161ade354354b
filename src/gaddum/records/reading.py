"""Reading: what a paper measured or printed of a drug's course in the body, as it stands there.

Occupancies and concentrations are series, values at times: a time may be a window, and a value below the limit of
quantification is written ``"<0.5"``. What a paper printed of a course (a peak, an area, a half-time) and of its
kinetics (a clearance, a bioavailability) is one number each. A published model is the kinetics that a paper fitted, to
be drawn at the times at which it sampled.
"""

import math
from collections.abc import Iterator
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from gaddum import units
from gaddum.records.base import Record, in_unit
from gaddum.records.dose import Dose, Route
from gaddum.records.drug import Disposition
from gaddum.records.quantity import Quantity, Spread
from gaddum.records.source import Source

Sampling = Literal["arterial", "venous", "unstated", "brain", "brain tissue", "CSF"]
"""Where a concentration is read: total in plasma (arterial, venous, or of a site that is not stated), unbound in brain,
total in brain tissue or in cerebrospinal fluid."""


class TimeWindow(Record):
    """A span of time, in which a reading is an average or lies at an hour that nobody printed."""

    start: str
    end: str
    reads: Literal["mean", "unknown hour"]

    @model_validator(mode="after")
    def _rising(self) -> "TimeWindow":
        if not self.hours[0] < self.hours[1]:
            raise ValueError(
                f"A window must end after its start; got {self.start!r} to {self.end!r}. Give one time, or both limits."
            )
        return self

    @property
    def hours(self) -> tuple[float, float]:
        """Start and end (h)."""
        return units.magnitude(self.start, "time"), units.magnitude(self.end, "time")


class _Reading(Record):
    """What every reading has."""

    doses: tuple[Dose, ...] = ()
    """Doses of this reading, where they are not the curve's."""


Value = float | Annotated[str, Field(pattern=r"^< ?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$")]
"""A number, or the limit of quantification that it lies below (``"<0.5"``)."""


class _Series(_Reading):
    """Values at times, with one unit."""

    times: Annotated[tuple[str | TimeWindow, ...], Field(min_length=1)]
    values: Annotated[tuple[Value, ...], Field(min_length=1)] = in_unit("see the field `unit`")
    unit: str
    spread: Spread | tuple[Spread | None, ...] | None = None
    """Of every value, or one for each."""
    n: int | tuple[int | None, ...] | None = None
    """Subjects behind every value, or one number for each."""
    digitised: bool = False
    """Whether the values were read off a figure; printed in a table or text where not."""
    source: Source

    @model_validator(mode="after")
    def _one_each(self) -> "_Series":
        for name in ("values", "spread", "n"):
            given = getattr(self, name)
            if isinstance(given, tuple) and len(given) != len(self.times):
                raise ValueError(
                    f"A series must have one of `{name}` for each of its {len(self.times)} times; got {len(given)}."
                )
        for value in self.values:
            if isinstance(value, str) and not 0 < float(value.removeprefix("<")) < math.inf:
                raise ValueError(f"A limit of quantification must be above 0 and finite; got {value!r}.")
        starts = [_starts(time) for time in self.times]
        if starts != sorted(starts):
            place = next(i for i in range(1, len(starts)) if starts[i] < starts[i - 1])
            raise ValueError(
                f"Times of a series must not fall; got {self.times[place - 1]} and then {self.times[place]}. Sort "
                "them, or part what are two curves."
            )
        return self


class Occupancy(_Series):
    """Fraction of a target held by the drugs given and their metabolites."""

    kind: Literal["occupancy"]
    target: str

    @model_validator(mode="after")
    def _fraction(self) -> "Occupancy":
        scale = units.magnitude(f"1 {self.unit}", "number")
        for value in self.values:
            if not isinstance(value, str) and not -0.5 <= value * scale <= 1.2:
                raise ValueError(
                    f"An occupancy must be a fraction; got {value:g} in unit {self.unit!r}. "
                    'Write `unit: "%"` for percent.'
                )
        return self


class Concentration(_Series):
    """Concentration of a drug or metabolite; a racemate is the sum of its parts by mass."""

    kind: Literal["concentration"]
    drug: str
    sampling: Sampling

    @model_validator(mode="after")
    def _positive(self) -> "Concentration":
        for time, value in zip(self.times, self.values, strict=True):
            if not isinstance(value, str) and not value > 0:
                raise ValueError(
                    f"A concentration must be positive; got {value:g} at {time}. Write what lies below the limit of "
                    'quantification as "<limit", and leave out what was read before the drug could be there.'
                )
        return self


class _Printed(_Reading):
    """One printed number, with unit, spread and source."""

    published: Quantity


class Peak(_Printed):
    """Highest concentration of a drug or metabolite."""

    kind: Literal["peak"]
    drug: str
    sampling: Sampling


class TimeOfPeak(_Printed):
    """Time from the first dose at which the concentration of a drug or metabolite is highest."""

    kind: Literal["time of peak"]
    drug: str
    sampling: Sampling


class Area(_Printed):
    """Area under the concentration of a drug or metabolite from the first dose on."""

    kind: Literal["area"]
    drug: str
    sampling: Sampling
    start: str = "0 h"
    until: str | None = None
    """End of the area; infinity where not given."""


class TimeOfMaximum(_Printed):
    """Time from the first dose at which the occupancy of a target is highest."""

    kind: Literal["time of maximum"]
    target: str


class HalfTime(_Printed):
    """Time that the occupancy of a target takes to fall from its maximum to half of it."""

    kind: Literal["half-time"]
    target: str


class AreaRatio(_Printed):
    """Area under the plasma curve of one drug over that of another, to infinity, by mass."""

    kind: Literal["area ratio"]
    drug: str
    over: str


class HalfConcentration(_Printed):
    """Unbound plasma concentration of the drug given that holds half of a target at equilibrium.

    Of a plasma concentration that counts what is bound to proteins too, `unbound` is false.
    """

    kind: Literal["half-maximal concentration"]
    target: str
    drug: str
    unbound: bool = True


class DoseRatio(_Printed):
    """Ratio of two doses that reach the same highest occupancy of their targets.

    The first is of the curve's own dose, the second of `over`; amounts of the two doses are not used.
    """

    kind: Literal["dose ratio"]
    target: str
    over: Dose
    over_target: str
    level: float = in_unit("1", 0.5, gt=0, lt=1)
    """Occupancy at which the doses are compared."""


class KineticConstant(_Printed):
    """A number of a drug's kinetics that a paper printed without the model that it is of."""

    kind: Literal["constant"]
    drug: str
    name: Literal["cl", "cl/f", "v_c", "v_ss", "v_z", "v/f", "k_a", "f", "lag", "half-life"]
    """Clearance, volumes (central, at steady state, of the terminal phase), absorption, bioavailability, or the
    half-life of the terminal phase; over the bioavailability (``/f``) where no dose went into a vein, of a metabolite
    over the fraction that forms it."""
    route: Route | None = None
    """Route of a bioavailability, absorption or half-life that depends on it."""
    between: float | None = in_unit("1", None, gt=0)
    """Coefficient of variation between subjects."""


class PublishedModel(_Reading):
    """Kinetics of a drug that a paper fitted to its subjects; each number names table and row."""

    kind: Literal["model"]
    drug: str
    disposition: Disposition
    times: tuple[str, ...] = ()
    """When the paper sampled; its typical course counts there and nowhere else."""
    n: int | None = Field(None, gt=0)
    between: dict[str, float] = Field(default_factory=dict, json_schema_extra={"unit": "1"})
    """Coefficient of variation between subjects by the field of the disposition (``absorption.po.f``)."""
    residual: float | None = in_unit("1", None, gt=0)
    """Coefficient of variation of what is left within a subject."""


Reading = Annotated[
    Occupancy
    | Concentration
    | Peak
    | TimeOfPeak
    | Area
    | TimeOfMaximum
    | HalfTime
    | AreaRatio
    | HalfConcentration
    | DoseRatio
    | KineticConstant
    | PublishedModel,
    Field(discriminator="kind"),
]


class Measured(NamedTuple):
    """One published number and what it is of."""

    reading: Reading
    doses: tuple[Dose, ...]
    time: str | TimeWindow | None
    """When; None of what has no time."""
    published: Quantity
    below: bool
    """Whether the truth lies below the value, a limit of quantification."""


_CONSTANTS: dict[str, units.Kind] = {
    "cl": "clearance",
    "cl/f": "clearance",
    "k_a": "rate",
    "f": "number",
    "lag": "time",
    "half-life": "time",
}
_UNITS: dict[str, units.Kind] = {
    "occupancy": "number",
    "concentration": "concentration",
    "peak": "concentration",
    "time of peak": "time",
    "area": "curve area",
    "time of maximum": "time",
    "half-time": "time",
    "area ratio": "number",
    "half-maximal concentration": "concentration",
    "dose ratio": "number",
}


def measured(reading: Reading, doses: tuple[Dose, ...]) -> Iterator[Measured]:
    """Every number of a reading on its own; `doses` are the curve's. A published model has none."""
    doses = reading.doses or doses
    if isinstance(reading, PublishedModel):
        return
    if not isinstance(reading, (Occupancy, Concentration)):
        yield Measured(reading, doses, None, reading.published, False)
        return
    for place, (time, value) in enumerate(zip(reading.times, reading.values, strict=True)):
        below = isinstance(value, str)
        number = float(value.removeprefix("<")) if isinstance(value, str) else value
        spread = reading.spread[place] if isinstance(reading.spread, tuple) else reading.spread
        n = reading.n[place] if isinstance(reading.n, tuple) else reading.n
        published = Quantity(value=number, unit=reading.unit, spread=spread, n=n, source=reading.source)
        yield Measured(reading, doses, time, published, below)


def kind_of(reading: Reading) -> units.Kind:
    """Kind of quantity that a reading is; a model is none."""
    if isinstance(reading, KineticConstant):
        return _CONSTANTS.get(reading.name, "volume")
    return _UNITS[reading.kind]


def _starts(time: str | TimeWindow) -> float:
    return time.hours[0] if isinstance(time, TimeWindow) else units.magnitude(time, "time")
