"""Event prediction: dosing records and a system's parameters -> predictions, as NONMEM's PREDPP makes them."""

import re
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from gaddum.exposure.advan import ADVAN_PARAMETERS, advan_system
from gaddum.exposure.dosing import DosingEvent, Entry, amounts
from gaddum.records.event import Event, EventTable

_ENTRY = re.compile(r"(F|ALAG|R|D)([0-9]{1,2})")
_FIELDS = {"F": "bioavailability", "ALAG": "lag", "R": "rate", "D": "duration"}


def predict_events(
    table: EventTable, *, advan: int, parameters: Mapping[str, float]
) -> Float[np.ndarray, " events"]:
    r"""Predict the concentration right after each record.

    Parameters
    ----------
    table : EventTable
        The records.
    advan : int
        PREDPP's number of the system: 1, 2, 3, 4, 11 or 12 (see `gaddum.exposure.advan`).
    parameters : mapping of str to float
        The system's own: clearances (L/h), volumes (L) and KA (1/h) under PREDPP's names; and for any compartment n
        Fn (bioavailability), ALAGn (lag, h), Rn (rate for RATE -1, amount/h), Dn (duration for RATE -2, h).

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
    known = ADVAN_PARAMETERS.get(advan, ())
    system = advan_system(advan, {name: v for name, v in parameters.items() if not _is_entry(name, known)})
    entries = _entries({name: v for name, v in parameters.items() if _is_entry(name, known)}, system.size)
    predictions: list[float] = []
    for subject in table.subjects:
        try:
            for event in subject:
                _check_compartment(event, system.size)
            after = amounts(system, [_dosing_event(event) for event in subject], entries)
        except ValueError as error:
            raise ValueError(f"Subject {subject[0].id:g}: {error}") from None
        for event, row in zip(subject, after, strict=True):
            compartment = (event.evid == 0 and event.cmt) or system.observation_compartment
            scale = system.volume if compartment == system.observation_compartment else 1.0
            predictions.append(float(row[compartment - 1]) / scale)
    return np.array(predictions)


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
        event.time, event.evid, event.amt, event.rate, event.cmt, event.ii, event.addl, event.ss
    )
