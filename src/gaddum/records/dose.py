"""Dose: what was given, how much, by which route, when.

Amounts and times are written as in a methods section (``"10 mg/kg"``, ``"-30 min"``); the test drug is given at
time 0, a pretreatment at a negative time. A bath, local or inhaled dose is a set concentration, held for its
`duration`.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from gaddum import units
from gaddum.records.base import Record
from gaddum.records.finding import nearest
from gaddum.text import plain

ROUTES: dict[str, tuple[str, ...]] = {
    "iv bolus": ("iv bolus", "i.v. bolus", "iv", "i.v.", "intravenous bolus", "intravenous", "intravenously"),
    "iv infusion": ("iv infusion", "i.v. infusion", "intravenous infusion"),
    "ip": ("ip", "i.p.", "intraperitoneal", "intraperitoneally"),
    "sc": ("sc", "s.c.", "subcutaneous", "subcutaneously"),
    "im": ("im", "i.m.", "intramuscular", "intramuscularly"),
    "po": ("po", "p.o.", "oral", "orally", "per os", "by mouth", "by gavage", "by oral gavage"),
    "sublingual": ("sl", "s.l.", "sublingual", "sublingually"),
    "intranasal": ("in", "i.n.", "intranasal", "intranasally"),
    "depot": ("depot", "im depot", "i.m. depot", "XR"),
    "inhaled": ("inhaled", "by inhalation"),
    "bath": ("bath",),
    "local": ("local", "locally"),
}
"""Every way to write a route; the first is how it is written back. Stops may be left out or added (i.p, ip.)."""


def _known(route: str) -> str:
    if route not in ROUTES:
        raise ValueError(f"A route must be one that is known; got {route!r}. {nearest(route, ROUTES)}")
    return route


Route = Annotated[str, AfterValidator(_known), WithJsonSchema({"enum": list(ROUTES), "type": "string"})]
HELD: tuple[Route, ...] = ("inhaled", "bath", "local")
"""Routes whose amount is a set unbound concentration at the receptor, held for the duration."""


def _spellings(alias: str) -> tuple[str, ...]:
    """An alias in lower case; the short ones with every stop or without the last, and without any but the last."""
    folded = alias.casefold()
    stops = (folded.replace(". ", " ").removesuffix("."), folded + ".") if len(folded.split()[0]) < 5 else ()
    return (folded, *(one for one in stops if not one.endswith("..")))


ROUTE_NAMES: dict[str, Route] = {
    spelling: route
    for route, aliases in ROUTES.items()
    for alias in aliases
    for spelling in _spellings(alias)
}
"""Route by every way in which it may be written, in lower case."""
LONGEST = 1e6
"""Longest time that a protocol may span (h): a hundred years and more."""
_MOST = {
    **{"mg": 1e9, "mg/kg": 1e6, "nmol": 1e15, "nmol/kg": 1e12},  # a tonne, and all of a body
    **{"nM": 1e11, "ng/mL": 1e10},  # more than pure water holds
}
"""Most of a dose, or of a concentration that is held, by canonical unit."""
Salt = Literal["salt", "base", "unstated"]


class Dose(Record):
    """One administration (or a regular series of them)."""

    drug: str
    amount: str
    """Amount with unit: mass or amount of substance, per kg or absolute; a concentration for held routes."""
    route: Route
    time: str = "0 h"
    """When, relative to the test drug."""
    duration: str | None = None
    """Length of an infusion or of a bath application."""
    salt: Salt = "unstated"
    """Whether the mass counts the salt or the free base; base, as a listed assumption, where not stated. The name of a
    salt (``ketamine hydrochloride``) states it."""
    repeats: int = Field(1, gt=0, le=10_000)
    interval: str | None = None
    steady_state: bool = False
    """Whether the same dose had been given every `interval` for ever before the first one here."""

    @model_validator(mode="before")
    @classmethod
    def _one_spelling(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        fields = {name: plain(value) if isinstance(value, str) else value for name, value in given.items()}
        if isinstance(fields.get("route"), str):
            word = " ".join(fields["route"].casefold().split())
            route = ROUTE_NAMES.get(word, fields["route"])
            timed = route == "iv bolus" and "bolus" not in word and fields.get("duration") is not None
            fields["route"] = "iv infusion" if timed else route
        return fields

    @model_validator(mode="after")
    def _readable(self) -> "Dose":
        kind = "concentration" if self.route in HELD else "dose"
        units.magnitude(self.amount, kind)
        units.magnitude(self.time, "time")
        for text in (self.duration, self.interval):
            if text is not None and not units.magnitude(text, "time") > 0:
                raise ValueError(f"A duration or interval must be positive; got {text!r}.")
        if units.magnitude(self.amount, kind) < 0:
            raise ValueError(f"A dose must not be negative; got {self.amount!r}.")
        if units.magnitude(self.amount, kind) > _MOST[units.canonical_unit(self.amount, kind)]:
            raise ValueError(f"A dose must weigh less than who gets it; got {self.amount!r}. Check its unit.")
        if abs(self.time_h) > LONGEST or self.interval_h * self.repeats > LONGEST:
            raise ValueError(f"Doses must be given within {LONGEST:g} h of the test drug; got {self.time!r}.")
        if self.route == "iv infusion" and self.duration is None:
            raise ValueError(
                'An infusion must have a duration; got none. Add `duration: "40 min"` or the like.'
            )
        if (self.repeats > 1 or self.steady_state) != (self.interval is not None):
            raise ValueError(
                "Repeated doses and steady state must have an `interval`, and an interval `repeats` or "
                "`steady_state`; got one of them."
            )
        return self

    @property
    def time_h(self) -> float:
        """Time of the (first) administration, hours from the test drug."""
        return units.magnitude(self.time, "time")

    @property
    def duration_h(self) -> float | None:
        """Duration in hours."""
        return None if self.duration is None else units.magnitude(self.duration, "time")

    @property
    def interval_h(self) -> float:
        """Time between the administrations of a series (h); 0 for a single one."""
        return 0.0 if self.interval is None else units.magnitude(self.interval, "time")

    @property
    def times_h(self) -> list[float]:
        """Times of all administrations, hours from the test drug."""
        return [self.time_h + self.interval_h * repeat for repeat in range(self.repeats)]

    @property
    def end_h(self) -> float:
        """End of the last administration, hours from the test drug."""
        return self.time_h + self.interval_h * (self.repeats - 1) + (self.duration_h or 0.0)
