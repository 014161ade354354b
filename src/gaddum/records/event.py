"""Event: one record of a dosing history, in NONMEM's terms, and the table of them.

The items mean what they mean to NONMEM's PREDPP; 0 is what NONMEM reads where nothing is written. Amounts are in the
table's own unit, times in hours. `interop` reads and writes tables, `exposure` predicts from them.
"""

import math
import re
from collections.abc import Iterator
from itertools import groupby

from pydantic import model_validator

from gaddum.records.base import Record, in_unit
from gaddum.text import is_missing

MAX_DOSES = 100_000
"""Doses a subject may get, additional ones included."""
MAX_TABLE_DOSES = 1_000_000
"""Doses that all subjects of a table may get together."""
_MAX_ID = 1e15
ITEMS = ("ID", "TIME", "AMT", "RATE", "DUR", "EVID", "CMT", "II", "ADDL", "SS", "DV", "MDV")
"""Reserved names of columns, in the order they are written; DUR only where a record has one."""


class Event(Record):
    """One record of a table of events."""

    id: float | str = in_unit("1", 1.0)
    """Subject: a number, or a text that is none."""
    time: float = in_unit("h")
    """When."""
    amt: float = in_unit("amount", 0.0)
    """Amount given, in the table's unit."""
    rate: float = in_unit("amount/h", 0.0)
    """Rate of an infusion; 0 a bolus; -1 rate and -2 duration are the system's."""
    dur: float = in_unit("h", 0.0)
    """Duration of an infusion, whatever share of it enters; 0 a bolus, or one that has a rate."""
    evid: int = 0
    """0 observation, 1 dose, 2 other, 3 reset, 4 reset and dose."""
    cmt: int = 0
    """Compartment; 0 the default one."""
    ii: float = in_unit("h", 0.0)
    """Time between doses."""
    addl: int = 0
    """Number of additional doses."""
    ss: int = 0
    """0 none; 1 or 3 the steady state replaces, 2 it is added."""
    dv: float | None = in_unit("amount/L", None)
    """What was observed."""
    mdv: int = 0
    """1 if nothing was observed."""
    covariates: tuple[str | None, ...] = ()
    """Further columns as they are written, in the order of the table's `covariates`."""

    @model_validator(mode="after")
    def _usable(self) -> "Event":
        for item, message in event_faults(self):
            raise ValueError(f"{item}: {message}")
        return self

    @property
    def subject(self) -> str:
        """ID as text."""
        return self.id if isinstance(self.id, str) else f"{self.id:.15g}"

    @property
    def is_dose(self) -> bool:
        """Whether something is given."""
        return self.evid in (1, 4)


class EventTable(Record):
    """Records in the order of the file; a new subject begins wherever ID changes.

    Tables are equal whose records are, however they were written.
    """

    covariates: tuple[str, ...] = ()
    """Names of the columns beyond NONMEM's own."""
    events: tuple[Event, ...] = ()
    unit: str | None = None
    """Unit of the amounts, where the table says it."""
    notes: tuple[str, ...] = ()
    """What was skipped, reinterpreted or left unread."""

    @model_validator(mode="after")
    def _usable(self) -> "EventTable":
        folded = [name.upper() for name in self.covariates]
        if len({*folded, *ITEMS}) != len(folded) + len(ITEMS) or not all(folded):
            raise ValueError(
                f"Columns must have distinct names; got {', '.join((*ITEMS, *self.covariates))}."
            )
        for index, item, message in table_faults(self.events, len(self.covariates)):
            raise ValueError(f"event {index}, {item}: {message}")
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, EventTable):
            return NotImplemented
        return (self.covariates, self.events, self.unit) == (other.covariates, other.events, other.unit)

    def __hash__(self) -> int:
        return hash((self.covariates, self.events, self.unit))

    @property
    def subjects(self) -> tuple[tuple[Event, ...], ...]:
        """Events by subject, in the order of the table."""
        return tuple(tuple(run) for _, run in groupby(self.events, key=lambda event: event.id))


def event_faults(event: Event) -> Iterator[tuple[str, str]]:
    """Find what one event must not be: item, and what must hold, what was found, what to do."""
    if isinstance(event.id, str):
        if is_missing(event.id) or re.search(r"[\r\n]", event.id):
            yield "ID", f"A subject must have a name without line breaks; got {event.id[:40]!r}."
    elif not abs(event.id) < _MAX_ID:
        yield "ID", f"A subject must be a number below {_MAX_ID:g}, or a text; got {event.id:g}."
    if not math.isfinite(event.time):
        yield "TIME", f"A time must be finite (h); got {event.time}."
    if event.evid not in (0, 1, 2, 3, 4):
        yield "EVID", f"An event must be 0, 1, 2, 3 or 4; got {event.evid}."
    if event.mdv not in (0, 1):
        yield "MDV", f"MDV must be 0 or 1; got {event.mdv}."
    if event.cmt < 0:
        yield (
            "CMT",
            f"A compartment must be 0 (the default) or positive; got {event.cmt}. Turning one off is not supported.",
        )
    if event.ss not in (0, 1, 2, 3):
        yield "SS", f"SS must be 0, 1, 2 or 3; got {event.ss}."
    for text in event.covariates:
        if text is not None and (is_missing(text) or re.search(r"[\r\n]", text)):
            yield (
                "covariates",
                f"A value must be None where it is missing, and hold no line break; got {text[:40]!r}.",
            )
    yield from _dose_faults(event) if event.is_dose else _other_faults(event)


def table_faults(events: tuple[Event, ...], width: int) -> Iterator[tuple[int, str, str]]:
    """Find what no single event shows: index of the event, item, and what must hold.

    Parameters
    ----------
    events : tuple of Event
        All events in order.
    width : int
        Number of covariate columns.
    """
    before: Event | None = None
    doses = in_all = 0
    for index, event in enumerate(events):
        given = 1 + event.addl if event.is_dose else 0
        if before is None or event.id != before.id:
            doses = 0
        elif event.evid not in (3, 4) and event.time < before.time:
            message = (
                f"Times must not go back within a subject except at a reset (EVID 3 or 4); got {event.time:g} after "
                f"{before.time:g}. Sort the records, or give another subject another ID."
            )
            yield index, "TIME", message
        for who, sum_before, most in (("subject", doses, MAX_DOSES), ("table", in_all, MAX_TABLE_DOSES)):
            if sum_before <= most < sum_before + given:
                message = f"A {who} must get at most {most} doses, additional ones included; got {sum_before + given}."
                yield index, "ADDL", message
        doses, in_all, before = doses + given, in_all + given, event
        if len(event.covariates) != width:
            message = f"An event must have a value for each of {width} columns; got {len(event.covariates)}."
            yield index, "covariates", message


def _dose_faults(event: Event) -> Iterator[tuple[str, str]]:
    if not (event.rate in (-1, -2) or 0 <= event.rate < math.inf):
        yield (
            "RATE",
            f"A rate must be 0 (bolus), positive, -1 (modelled rate) or -2 (modelled duration); got {event.rate:g}.",
        )
    if not 0 <= event.dur < math.inf or (event.dur > 0 and event.rate != 0):
        found = f"got DUR {event.dur:g}, RATE {event.rate:g}"
        yield "DUR", f"A duration must not be negative, and stand without a RATE; {found}."
    if event.addl < 0:
        yield (
            "ADDL",
            f"The number of additional doses must not be negative; got {event.addl}. Say a steady state with SS.",
        )
    if not 0 <= event.ii < math.inf:
        yield "II", f"The time between doses must not be negative; got {event.ii:g}."
    if not 0 <= event.amt < math.inf:
        yield "AMT", f"An amount must be positive; got {event.amt:g}."
    elif event.amt == 0:
        if not (event.ss and (event.rate > 0 or event.rate == -1) and event.ii == 0 and event.addl == 0):
            yield (
                "AMT",
                "A dose must have a positive amount, unless it is a constant infusion at steady state (SS, RATE above "
                "0 or -1, no II, no ADDL); got 0.",
            )
    elif (event.ss or event.addl > 0) and event.ii == 0:
        yield "II", "Additional or steady-state doses must have a positive time between them; got 0."


def _other_faults(event: Event) -> Iterator[tuple[str, str]]:
    for item in ("AMT", "RATE", "DUR", "II", "ADDL", "SS"):
        if (value := getattr(event, item.lower())) != 0:
            yield item, f"Only a dose (EVID 1 or 4) may have {item}; got {value:g} with EVID {event.evid}."
