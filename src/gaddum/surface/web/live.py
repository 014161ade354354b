"""Live: occupancy under the mouse: the bands of a request, fast enough to be drawn again while a dose is dragged.

The first protocol is what changes, in every species; the others are references beside it. Numbers are those of `gaddum
occupancy`: same draws, same times, and half as many times while a drag lasts.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from gaddum.engagement.layout import Layout, lay_out
from gaddum.engagement.live import LiveOccupancy
from gaddum.engagement.occupancy import POINTS, SPAN, curve_times
from gaddum.records.dose import Dose
from gaddum.records.shorthand import parse_doses, write_doses
from gaddum.surface.hours import written
from gaddum.surface.occupancy.chart import labels, time_axis
from gaddum.surface.occupancy.document import common_end, curve_of, dose_ticks, tabled
from gaddum.surface.occupancy.evidence import NOT_KNOWN, said, too_wide
from gaddum.surface.occupancy.protocols import DosedSubject
from gaddum.surface.occupancy.request import OccupancyRequest

ENGINES = 4
"""Settings whose curves of unit doses are kept; each holds up to 130 MB."""
MOST_NAMED = 4
"""Targets that the sentence names."""
COARSE = POINTS // 2
"""Times of a curve while a drag lasts."""
_engines: "OrderedDict[tuple[Any, ...], tuple[LiveOccupancy, Layout]]" = OrderedDict()
_following = threading.Lock()


class Handle(NamedTuple):
    """A dose that can be dragged: its shorthand around the amount and the time, which stand alone."""

    drug: str
    amount: float
    unit: str
    middle: str
    """What stands between amount and time."""
    time: float
    time_unit: str
    tail: str
    per_hour: float
    """How many of the unit of time make an hour."""


def bands(asked: OccupancyRequest, *, dragging: bool = False) -> dict[str, Any]:
    """What a chart of the request draws: bands, doses, tests, axis, sentence and table.

    Parameters
    ----------
    asked : OccupancyRequest
        What the page was asked.
    dragging : bool
        Whether half as many times will do.
    """
    given = asked.dosed()
    until = common_end(given, asked)
    with _following:
        parts = [
            _reference(replace(asked, protocols=(asked.protocols[place],), species=one.species), until)
            if (place := at % len(asked.protocols))
            else _part(one, asked, until, COARSE if dragging else POINTS)
            for at, one in enumerate(given)
        ]
    ends = [
        t for part in parts for one in part["curves"].values() for t in (one["time_h"][0], one["time_h"][-1])
    ]
    return {
        "axis": time_axis(min(ends), max(ends))._asdict(),
        "labels": labels(parts),
        "parts": parts,
        "sentence": sentence(parts[0]),
        "table": table(parts[0]),
        "command": asked.command(),
    }


def handles(text: str) -> tuple[Handle, ...]:
    """Doses of a protocol that can be dragged; none where one of them is written otherwise than it would be read.

    Examples
    --------
    >>> [(one.amount, one.middle, one.time) for one in handles("naltrexone 50 mg po at -45 min")]
    [(50.0, ' po at', -45.0)]
    """
    try:
        found = tuple(map(_handle, parse_doses(text)))
    except ValueError:
        return ()
    return found


def sentence(part: Mapping[str, Any]) -> str:
    """What one protocol does, in a sentence: each target at its most, or where it is read if that is once."""
    curves = part["table"] if "table" in part else part["curves"]
    once = len(next(iter(curves.values()))["time_h"]) == 1
    read = curves if once else part["curves"]
    peaks = []
    for name, one in read.items():
        at = int(np.argmax(one["median"]))
        median, lower, upper = (f"{100 * one[key][at]:.0f}" for key in ("median", "lower", "upper"))
        numbers = NOT_KNOWN if too_wide(one, at) else f"{median} % ({lower}\u2013{upper})"
        when = "" if once else f" at {written(round(60 * one['time_h'][at]) / 60)}"
        peaks.append((one["median"][at], f"{name} {numbers}{when}"))
    peaks.sort(key=lambda one: -one[0])
    more = len(peaks) - MOST_NAMED
    begin = f"At {written(next(iter(curves.values()))['time_h'][0])}" if once else "At its most"
    return (
        f"{begin}, occupied by what is given, with the {100 * SPAN:g} % band: "
        f"{'; '.join(text for _, text in peaks[:MOST_NAMED])}{f'; {more} more below' if more > 0 else ''}."
    )


def table(part: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Occupancy at the times that are read, as text."""
    curves = part["table"]
    times = next(iter(curves.values()))["time_h"]
    rows = [
        [written(t)] + [NOT_KNOWN if too_wide(one, i) else said(one, i) for one in curves.values()]
        for i, t in enumerate(times)
    ]
    return {"head": ["Time", *curves], "rows": rows}


@lru_cache(16)
def _reference(asked: OccupancyRequest, until: float) -> dict[str, Any]:
    """A protocol that stays as it is."""
    return _part(asked.dosed()[0], asked, until, POINTS)


def _part(given: DosedSubject, asked: OccupancyRequest, until: float, points: int) -> dict[str, Any]:
    engine, layout = _engine(given, asked)
    grid = curve_times(layout._replace(doses=given.doses), until=until, points=points)
    tests = [time for _, time in given.tests if time >= grid[0]]
    at = np.array(asked.times or tests)
    if at.size and at.min() < grid[0]:
        raise ValueError(
            f"A reading must not come before the first dose ({grid[0]:g} h); got {at.min():g} h."
        )
    told = at if at.size else tabled(grid)
    every = np.union1d(grid, told)
    found = engine.change(given.doses, times=every).targets
    drawn, read = np.isin(every, grid), np.isin(every, told)
    return {
        "label": given.label,
        "species": given.species,
        "curves": {name: curve_of(every, one.occupied, drawn) for name, one in found.items()},
        "table": {name: curve_of(every, one.occupied, read) for name, one in found.items()},
        "doses": dose_ticks(given.doses),
        "tests": [{"endpoint": name, "time_h": time} for name, time in given.tests],
    }


def _engine(given: DosedSubject, asked: OccupancyRequest) -> tuple[LiveOccupancy, Layout]:
    """What follows doses in this subject, at these targets."""
    drugs = (
        tuple(sorted({one.drug for one in given.doses})) if asked.target_names is None else asked.target_names
    )
    setting = given.setting
    subject = tuple(repr(value) for name, value in setting.items() if name != "library")
    key = (drugs, subject, asked.case, asked.draws, asked.seed)
    if key not in _engines:
        rest = {"targets": asked.target_names, "draws": asked.draws, "seed": asked.seed, **setting}
        layout = lay_out(given.doses, **rest)
        first = layout.doses[0].time_h
        _engines[key] = LiveOccupancy(given.doses, times=[first, first + 1.0], **rest), layout
    _engines.move_to_end(key)
    while len(_engines) > ENGINES:
        _engines.popitem(last=False)
    return _engines[key]


_UNITS = {"min": 60.0, "h": 1.0, "d": 1 / 24}


def _handle(dose: Dose) -> Handle:
    """Raises ValueError where amount or time is not a plain number with a unit."""
    amount, _, unit = dose.amount.partition(" ")
    time, _, time_unit = dose.time.partition(" ")
    said = write_doses([dose.model_copy(update={"time": "0 h", "salt": "unstated"})])
    middle = said.removeprefix(f"{dose.drug} {dose.amount}") + (" from" if dose.repeats > 1 else " at")
    tail = "" if dose.salt == "unstated" else f" as {dose.salt}"
    one = Handle(
        dose.drug, float(amount), unit, middle, float(time), time_unit or "h", tail, _UNITS.get(time_unit, 0)
    )
    if one.per_hour == 0 or parse_doses(shorthand(one)) != (dose,):
        raise ValueError(
            f"A dose that is dragged must read back as it is; {dose.amount!r} at {dose.time!r} does not."
        )
    return one


def shorthand(one: Handle) -> str:
    """The dose of a handle, as a page writes it too."""
    return f"{one.drug} {one.amount:g} {one.unit}{one.middle} {one.time:g} {one.time_unit}{one.tail}"
