"""Event prediction: dosing records and a system's parameters -> predictions, as NONMEM's PREDPP makes them.

A parameter is one number for all, or a column of the table: then it is the subject's own, and where it changes within a
subject, what a record says holds from the record before it on, and for the doses that the record gives.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from gaddum.exposure.advan import ADVAN_PARAMETERS, advan_system
from gaddum.exposure.dosing import DosingEvent, Entry, amounts
from gaddum.exposure.linear import LinearSystem
from gaddum.records.event import Event, EventTable

_ENTRY = re.compile(r"(F|ALAG|R|D)([0-9]{1,2})")
_FIELDS = {"F": "bioavailability", "ALAG": "lag", "R": "rate", "D": "duration"}


def predict_events(
    table: EventTable, *, advan: int, parameters: Mapping[str, float | str]
) -> Float[np.ndarray, " events"]:
    r"""Predict the concentration right after each record.

    Parameters
    ----------
    table : EventTable
        The records.
    advan : int
        PREDPP's number of the system: 1, 2, 3, 4, 11 or 12 (see `gaddum.exposure.advan`).
    parameters : mapping of str to float or str
        The system's own: clearances (L/h), volumes (L) and KA (1/h) under PREDPP's names; and for any compartment n
        Fn (bioavailability), ALAGn (lag, h), Rn (rate for RATE -1, amount/h), Dn (duration for RATE -2, h). A text
        names the column of the table that holds it; what is not given is taken from the column of its own name.

    Returns
    -------
    array, shape (events,)
        Amount in the record's compartment, over the volume if it is the central one. An observation is in CMT; any
        other record, and one without CMT, in the central compartment.

    References
    ----------
    NONMEM Users Guide VI: PREDPP, chapters V (event records) and VII (ADVAN).

    Examples
    --------
    >>> from gaddum.interop.event_tables import parse_events
    >>> table = parse_events("TIME AMT\n0 100\n2 .")
    >>> predict_events(table, advan=1, parameters={"CL": 5.0, "V": 20.0}).round(4).tolist()
    [5.0, 3.0327]
    """
    fixed = {name: value for name, value in parameters.items() if not isinstance(value, str)}
    places = column_parameters(table, advan=advan, parameters=parameters)
    one = None if places else _built(advan, tuple(fixed.items()))
    built = lru_cache(maxsize=256)(_built)  # systems are told apart by identity
    predictions: list[float] = []
    for subject in table.subjects:
        try:
            own = [one or built(advan, (*fixed.items(), *_values(event, places))) for event in subject]
            for event, (system, _) in zip(subject, own, strict=True):
                _check_compartment(event, system.size)
            systems, entries = zip(*own, strict=True)
            after = amounts(systems, [_dosing_event(event) for event in subject], entries)
        except ValueError as error:
            raise ValueError(f"Subject {subject[0].subject}: {error}") from None
        for event, system, row in zip(subject, systems, after, strict=True):
            compartment = (event.evid == 0 and event.cmt) or system.observation_compartment
            scale = system.volume if compartment == system.observation_compartment else 1.0
            predictions.append(float(row[compartment - 1]) / scale)
    if not any(event.is_dose for event in table.events):
        raise ValueError(
            "A table to predict must have a dose (AMT above 0, EVID 1 or 4); got none. Check the columns AMT and EVID."
        )
    return np.array(predictions)


def column_parameters(
    table: EventTable, *, advan: int, parameters: Mapping[str, float | str]
) -> dict[str, int]:
    r"""Which parameters come from a column of a table, each with the column's place among the covariates.

    Parameters
    ----------
    table, advan, parameters
        As in `predict_events`.

    Examples
    --------
    >>> from gaddum.interop.event_tables import parse_events
    >>> table = parse_events("TIME AMT WT V CL\n0 100 70 20 5")
    >>> column_parameters(table, advan=1, parameters={"CL": 5.0})
    {'V': 1}
    """
    places = {column.upper(): place for place, column in enumerate(table.covariates)}
    known = ADVAN_PARAMETERS.get(advan, ())
    found = {
        name: place
        for name, place in places.items()
        if name not in parameters and (name in known or _is_entry(name, known))
    }
    for name, column in parameters.items():
        if isinstance(column, str):
            if column.upper() not in places:
                listed = ", ".join(table.covariates) or "none"
                raise ValueError(
                    f"{name} must be a number or a column of the table; got {column!r}. Columns: {listed}."
                )
            found[name] = places[column.upper()]
    return found


def _built(advan: int, parameters: tuple[tuple[str, float], ...]) -> tuple[LinearSystem, dict[int, Entry]]:
    """A system and how doses enter it."""
    known = ADVAN_PARAMETERS.get(advan, ())
    system = advan_system(advan, {name: v for name, v in parameters if not _is_entry(name, known)})
    return system, _entries({name: v for name, v in parameters if _is_entry(name, known)}, system.size)


def _values(event: Event, places: Mapping[str, int]) -> tuple[tuple[str, float], ...]:
    """Parameters that a record says itself."""
    found = []
    for name, place in places.items():
        text = event.covariates[place]
        try:
            found.append((name, float(text or "")))
        except ValueError:
            told = f"got {text if text is None else text[:40]!r} at {event.time:g} h"
            raise ValueError(
                f"A column that holds {name} must have a number in each record; {told}."
            ) from None
    return tuple(found)


def _is_entry(name: str, known: tuple[str, ...]) -> bool:
    return name not in known and _ENTRY.fullmatch(name) is not None


def _entries(parameters: Mapping[str, float], size: int) -> dict[int, Entry]:
    fields: dict[int, dict[str, float]] = {}
    for name, value in parameters.items():
        match = _ENTRY.fullmatch(name)
        assert match is not None
        if not 1 <= int(match[2]) <= size:
            raise ValueError(f"The compartment of {name} must be 1 to {size}; got {match[2]}.")
        fields.setdefault(int(match[2]), {})[_FIELDS[match[1]]] = float(value)
    return {number: Entry(**one) for number, one in fields.items()}


def _check_compartment(event: Event, size: int) -> None:
    if event.cmt > size:
        raise ValueError(
            f"CMT must be 0 (the default) to {size} in this system; got {event.cmt} at {event.time:g} h."
        )


def _dosing_event(event: Event) -> DosingEvent:
    return DosingEvent(
        event.time, event.evid, event.amt, event.rate, event.cmt, event.ii, event.addl, event.ss, event.dur
    )
