"""Regimens: a table of events -> the distinct courses of doses in it, and who gets each.

Subjects with the same doses and weight share a regimen, since what happens to them is predicted to be the same. A table
does not say by which route a compartment is dosed; `usual_routes` says what NONMEM's systems mean by their numbers.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from gaddum import units
from gaddum.interop.doses import Routes, doses_from_events
from gaddum.interop.grid import head_unit
from gaddum.records.dose import Dose, Route
from gaddum.records.event import Event, EventTable

WEIGHT = "WT"
"""Name of the column that holds body weights, in kg or in the unit of its head."""

_FEWEST = 3
"""Equal doses at equal distances that are said as one series."""


class Regimen(NamedTuple):
    """Doses that some subjects of a table share."""

    subjects: tuple[str, ...]
    """Their IDs."""
    doses: tuple[Dose, ...]
    weight: str | None
    """Body weight, where the table has a column WT."""
    observed: tuple[float, ...]
    """Times of their observation records (h)."""


def usual_routes(table: EventTable, absorbed: Collection[Route]) -> Routes:
    r"""Say by which route each dosed compartment is meant, where nobody does.

    ========================================  ===================================
    compartment                               route
    ========================================  ===================================
    1, and any dose into it takes time        into the vein: no system has a depot
    1, else                                   the depot: by mouth, or the drug's only other route
    2                                         into the vein
    ========================================  ===================================

    Parameters
    ----------
    table : EventTable
        The records; a dose without CMT goes to compartment 1.
    absorbed : collection of str
        Routes by which the drug's absorption is known.

    Raises
    ------
    ValueError
        If the depot may stand for several routes, or a compartment is beyond 2.

    Examples
    --------
    >>> from gaddum.interop.event_tables import parse_events
    >>> usual_routes(parse_events("TIME AMT CMT\n0 50 1\n0 5 2"), {"po", "sc"})
    {1: 'po', 2: 'iv bolus'}
    """
    doses = [event for event in table.events if event.is_dose]
    places = sorted({event.cmt or 1 for event in doses})
    if any(place > 2 for place in places):
        raise ValueError(
            f"Compartments beyond 2 have no usual route; got doses into {places[-1]}. Say the route of each."
        )
    if 1 not in places or any((event.cmt or 1) == 1 and (event.rate > 0 or event.dur > 0) for event in doses):
        first: Route = "iv bolus"
    elif "po" in absorbed:
        first = "po"
    elif len(absorbed) == 1:
        (first,) = absorbed
    else:
        raise ValueError(
            "Doses into compartment 1 that take no time must have a route; this drug is known by "
            f"{', '.join(sorted(absorbed)) or 'no route but the vein'}, so none is usual. Say which; 'iv' is a bolus."
        )
    routes: dict[int, Route] = {1: first, 2: "iv bolus"}
    return {place: routes[place] for place in places}


def regimens_from_events(
    table: EventTable,
    *,
    drug: str,
    unit: str,
    routes: Routes,
    subjects: Collection[float | str] | None = None,
) -> tuple[Regimen, ...]:
    r"""Say the doses of a table, subject by subject, and join the subjects that get the same.

    Parameters
    ----------
    table : EventTable
        The records.
    drug, unit, routes
        As in `doses_from_events`.
    subjects : collection of float or str, optional
        IDs to take; all that are dosed where not given.

    Returns
    -------
    tuple of Regimen
        In the order of the table. Subjects without a dose have none.

    Examples
    --------
    >>> from gaddum.interop.event_tables import parse_events
    >>> table = parse_events("ID TIME AMT\n1 0 50\n1 4 .\n2 0 50\n2 8 .\n3 0 25")
    >>> for one in regimens_from_events(table, drug="naltrexone", unit="mg", routes={1: "po"}):
    ...     print(one.subjects, one.doses[0].amount, one.observed)
    ('1', '2') 50 mg (4.0, 8.0)
    ('3',) 25 mg ()
    """
    known = {run[0].subject: run[0].id for run in table.subjects}
    chosen = {_name(one, known) for one in subjects or ()}
    unknown = sorted(chosen - set(known))
    if unknown:
        raise ValueError(f"A subject must be an ID of the table; got {unknown[0]}. {_listed(known)}")
    found: dict[tuple, Regimen] = {}
    for run in table.subjects:
        who = run[0].subject
        if subjects is not None and who not in chosen:
            continue
        try:
            doses = doses_from_events(
                EventTable(covariates=table.covariates, events=run), drug=drug, unit=unit, routes=routes
            )
            weight = _weight(run, table.covariates)
        except ValueError as error:
            raise ValueError(f"Subject {who}: {error}") from None
        if not doses:
            continue
        observed = {event.time for event in run if event.evid == 0}
        one = found.get((doses, weight), Regimen((), series(doses), weight, ()))
        found[doses, weight] = one._replace(
            subjects=tuple(dict.fromkeys((*one.subjects, who))),
            observed=tuple(sorted({*one.observed, *observed})),
        )
    if not found:
        raise ValueError(
            "A table to follow must have a dose (AMT above 0, EVID 1 or 4); got none. Check AMT and EVID."
        )
    return tuple(found.values())


def series(doses: Sequence[Dose]) -> tuple[Dose, ...]:
    """Say equal doses at equal distances as one series; three or more.

    Examples
    --------
    >>> from gaddum.records.shorthand import parse_doses, write_doses
    >>> write_doses(series(parse_doses("k 1 mg po + k 1 mg po at 12 h + k 1 mg po at 24 h")))
    'k 1 mg po every 12 h x 3'
    """
    found: list[Dose] = []
    left = list(doses)
    while left:
        first, count = left[0], 1
        step = left[1].time_h - first.time_h if len(left) > 1 else 0.0
        while count < len(left) and step > 0 and _continues(first, left[count], count * step):
            count += 1
        if count >= _FEWEST:
            first = first.model_copy(update={"repeats": count, "interval": f"{step:.12g} h"})
        else:
            count = 1
        found.append(first)
        del left[:count]
    return tuple(found)


def _continues(first: Dose, other: Dose, after: float) -> bool:
    """Whether another single dose is the first one again, at its place in a series."""
    same = first.model_copy(update={"time": other.time}) == other and first.interval is None
    return same and abs(other.time_h - first.time_h - after) <= 1e-9 * max(1.0, abs(after))


def _weight(run: Sequence[Event], covariates: Sequence[str]) -> str | None:
    """Body weight of a subject (kg), if the table says one."""
    heads = [head_unit(name) for name in covariates]
    places = [place for place, (bare, _) in enumerate(heads) if bare.upper() == WEIGHT]
    if not places:
        return None
    unit = heads[places[0]][1] or "kg"
    written = {event.covariates[places[0]] for event in run} - {None}
    if len(written) > 1:
        raise ValueError(
            f"A subject's weight must stay the same; got {', '.join(sorted(map(str, written))[:4])} in {WEIGHT}. "
            "Say one weight for all, or leave the column out."
        )
    for text in written:
        try:
            weight = units.magnitude(f"{text} {unit}", "mass")
        except ValueError:
            weight = 0.0
        if not 0 < weight < 1e6:
            raise ValueError(
                f"{WEIGHT} must be a body weight in kg; got {text!r}. Rename the column if it is not."
            )
        return f"{weight:.12g} kg"
    return None


def _name(subject: float | str, known: Mapping[str, float | str]) -> str:
    """ID of a subject as the table has it, a number in any spelling."""
    if subject in known or any(isinstance(one, str) for one in known.values()):
        return str(subject)
    try:
        return f"{float(subject):.15g}"
    except ValueError:
        return str(subject)


def _listed(ids: Mapping[str, float | str]) -> str:
    names = list(ids)
    return f"Known: {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}."
