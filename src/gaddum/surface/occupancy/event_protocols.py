"""Event protocols: a NONMEM-style table named on the command line -> one protocol for each distinct regimen in it."""

import re
from pathlib import Path

from gaddum.exposure.scaling import disposition
from gaddum.interop.event_tables import read_events
from gaddum.interop.regimens import WEIGHT, Regimen, regimens_from_events, usual_routes
from gaddum.records.dose import HELD, Route
from gaddum.records.event import EventTable
from gaddum.records.library import Library
from gaddum.records.shorthand import parse_route
from gaddum.records.species import Species, known_species
from gaddum.surface.occupancy.protocols import DosedSubject, known_preparation
from gaddum.surface.occupancy.request import DosingRequest

MOST = 12
"""Regimens that are overlaid without being asked for by ID."""
OBSERVED = "observation"
"""Name of the readings at the table's observation records."""

_SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".dat", ".prn", ".nm")
_SHOWN = 4


def is_table(text: str) -> bool:
    """Whether a protocol argument names a file rather than doses or an arm."""
    return text.strip().lower().endswith(_SUFFIXES)


def read_table(path: str, asked: DosingRequest) -> list[DosedSubject]:
    """Read a table of events as protocols, one for each distinct regimen.

    Parameters
    ----------
    path : str
        The table.
    asked : DosingRequest
        Drug, unit of AMT, routes and subjects; who gets the doses, by default behaving humans. A weight stands in
        place of the table's WT.

    Raises
    ------
    ValueError
        If the table says what doses cannot, or too little is said of it; says what may be done.
    """
    who, prepared = (
        known_species(asked.species or "human"),
        known_preparation(asked.preparation or "behaving"),
    )
    table = read_events(path.strip(), separator=asked.separator, decimal=asked.decimal)
    library = asked.library
    if asked.drug is None:
        raise ValueError(f"A table of events must come with its drug; got none for {path}. Give --drug NAME.")
    drug = library.drug_name(asked.drug)
    routes, notes = _routes(table, asked.route, drug, who, library)
    chosen = None if asked.subjects is None else [word.strip() for word in asked.subjects.split(",")]
    unit = table.unit or asked.unit or "mg"
    if asked.unit not in (None, "mg", unit):
        raise ValueError(
            f"The unit of AMT must be the table's own, {unit}; got --unit {asked.unit}. Leave it out."
        )
    notes += table.notes
    found = regimens_from_events(table, drug=asked.drug, unit=unit, routes=routes, subjects=chosen)
    if chosen is None and len(found) > MOST:
        raise ValueError(
            f"A table may give at most {MOST} different regimens; {path} gives {len(found)} (subjects differ in doses "
            f"or in {WEIGHT}). Choose subjects with --id, such as --id {found[0].subjects[0]}, or give --weight."
        )
    if asked.weight is None and any(one.weight for one in found):
        notes.append(f"body weight from the column {WEIGHT}, in kg")
    protocols = []
    for one in found:
        label = _label(path, one)
        tests = tuple((OBSERVED, time) for time in one.observed)
        own = (label, *notes)
        mass = asked.weight or one.weight
        protocols.append(
            DosedSubject(label, one.doses, who, mass, prepared, tests, own, library, dict(asked.tones), ())
        )
    return protocols


def _routes(
    table: EventTable, text: str | None, drug: str, species: Species, library: Library
) -> tuple[dict[int, Route], list[str]]:
    """Route of each dosed compartment, and what was taken for granted."""
    if text is None:
        parts = [part for part, _ in library.species(drug)]
        absorbed = set.intersection(*(set(disposition(part, species)[1].absorption) for part in parts))
        try:
            usual = dict(usual_routes(table, absorbed))
        except ValueError as error:
            raise ValueError(f"{error} Give --route, such as --route po or --route 1=po,2=iv.") from None
        told = ", ".join(f"{place} is taken as {route}" for place, route in usual.items())
        return usual, [f"compartment {told}; --route says otherwise"]
    dosed = {event.cmt or 1 for event in table.events if event.is_dose}
    routes: dict[int, Route] = {}
    for word in (part.strip() for part in text.split(",")):
        match = re.fullmatch(r"(?:(\d{1,4})\s*=)?\s*(.+)", word)
        if match is None or (match[1] is None and word != text.strip()):
            raise ValueError(f"--route must be such as 'po' or '1=po,2=iv'; got {text!r}.")
        route = parse_route(match[2])
        if route in HELD:
            raise ValueError(
                f"A table gives amounts, so its route must take a dose; got {route!r}, which holds a concentration. "
                "Write that as a protocol of its own."
            )
        routes |= {int(match[1]): route} if match[1] else dict.fromkeys(dosed, route)
    return routes, []


def _label(path: str, one: Regimen) -> str:
    ids = one.subjects
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return f"{Path(path).name}, ID {', '.join(ids[:_SHOWN])}{more}"
