"""Doses to a table of events and back, where the one can say what the other says.

A table knows one drug, amounts in one unit and compartments; doses know drugs, units and routes. `routes` translates
between compartments and routes. What cannot be said is refused rather than approximated.
"""

from collections.abc import Iterable, Mapping

from gaddum import units
from gaddum.records.dose import HELD, Dose, Route, Salt
from gaddum.records.event import Event, EventTable

Routes = Mapping[int, Route]
"""Compartment of each route; an intravenous bolus and an infusion share theirs."""


def events_from_doses(doses: Iterable[Dose], *, routes: Routes, subject: float | str = 1.0) -> EventTable:
    """Write doses of one drug as events of one subject.

    Parameters
    ----------
    doses : iterable of Dose
        Doses of one drug, all per body weight or none, all as salt or none.
    routes : mapping of int to Route
        The route that each compartment stands for.
    subject : float or str
        ID of the subject.

    Returns
    -------
    EventTable
        One record a dose, ordered by time; amounts in mg, mg/kg, nmol or nmol/kg, as the doses say.

    Examples
    --------
    >>> from gaddum.records.shorthand import parse_doses
    >>> doses = parse_doses("naltrexone 50 mg po daily x 7 from -144 h")
    >>> event = events_from_doses(doses, routes={1: "po"}).events[0]
    >>> event.time, event.amt, event.cmt, event.ii, event.addl
    (-144.0, 50.0, 1, 24.0, 6)
    """
    given = sorted(doses, key=lambda dose: dose.time_h)
    for what, said in (
        ("drug", {dose.drug for dose in given}),
        (
            "unit of amount",
            {units.canonical_unit(dose.amount, "dose") for dose in given if dose.route not in HELD},
        ),
        ("salt or base", {dose.salt for dose in given}),
    ):
        if len(said) > 1:
            raise ValueError(
                f"A table of events must have one {what}; got {', '.join(sorted(said))}. Make one each."
            )
    if any(dose.steady_state for dose in given[1:]):
        raise ValueError(
            "A steady state must come first: it would cancel the doses before it. Split the doses."
        )
    return EventTable(events=tuple(_event(dose, routes, subject) for dose in given))


def doses_from_events(
    table: EventTable, *, drug: str, unit: str, routes: Routes, salt: Salt = "unstated"
) -> tuple[Dose, ...]:
    r"""Say one subject's dosing records as doses; observations are left out.

    Parameters
    ----------
    table : EventTable
        The records of one subject.
    drug : str
        Name of the drug.
    unit : str
        Unit of the table's amounts, such as ``"mg"``.
    routes : mapping of int to Route
        The route that each compartment stands for; CMT 0 is compartment 1.
    salt : {"salt", "base", "unstated"}
        What the amounts count.

    Returns
    -------
    tuple of Dose
        The doses in the order of the table.

    Examples
    --------
    >>> from gaddum.interop.event_tables import parse_events
    >>> table = parse_events("TIME AMT RATE\n0 35 52.5")
    >>> doses_from_events(table, drug="ketamine", unit="mg", routes={1: "iv bolus"})[0].duration
    '0.6666666666666666 h'
    """
    if len(table.subjects) > 1:
        raise ValueError(f"Doses must be of one subject; got {len(table.subjects)}. Select one.")
    doses: list[Dose] = []
    for index, event in enumerate(table.events):
        if not event.is_dose and event.evid != 3:
            continue
        if event.evid in (3, 4) and doses:
            raise ValueError(
                f"Doses cannot say a reset after a dose; got EVID {event.evid} in event {index}."
            )
        if event.ss == 2 or (event.ss and doses):
            raise ValueError(
                f"Doses can say a steady state of the first only; got SS {event.ss} in event {index}."
            )
        if event.is_dose:
            doses.append(_dose(event, index, drug, unit, routes, salt))
    return tuple(doses)


def _event(dose: Dose, routes: Routes, subject: float | str) -> Event:
    if dose.route in HELD:
        raise ValueError(f"An event cannot say a held concentration; got a dose by {dose.route}.")
    wanted = "iv bolus" if dose.route == "iv infusion" else dose.route
    places = [place for place, route in routes.items() if _bolus_of(route) == wanted]
    if len(places) != 1:
        raise ValueError(
            f"The route {dose.route!r} must have one compartment in routes; got {places or 'none'}."
        )
    amount = units.magnitude(dose.amount, "dose")
    if dose.duration_h is not None and dose.route != "iv infusion":
        raise ValueError(
            f"Only an infusion may have a duration; got {dose.duration!r} for a dose by {dose.route}."
        )
    rate = amount / dose.duration_h if dose.duration_h is not None else 0.0
    interval = units.magnitude(dose.interval, "time") if dose.interval is not None else 0.0
    return Event(
        id=subject,
        time=dose.time_h,
        amt=amount,
        rate=rate,
        evid=1,
        cmt=places[0],
        ii=interval,
        addl=dose.repeats - 1,
        ss=int(dose.steady_state),
        mdv=1,
    )


def _dose(event: Event, index: int, drug: str, unit: str, routes: Routes, salt: Salt) -> Dose:
    if event.amt == 0 or event.rate < 0:
        raise ValueError(
            f"A dose must have an amount and a known rate; got AMT {event.amt:g}, RATE {event.rate:g} in event {index}."
        )
    place = event.cmt or 1
    if place not in routes:
        raise ValueError(
            f"Compartment {place} of event {index} must have a route; got routes {dict(routes)}."
        )
    route = _bolus_of(routes[place])
    hours = event.dur or (event.amt / event.rate if event.rate > 0 else 0.0)
    if hours > 0 and route != "iv bolus":
        raise ValueError(
            f"Only an intravenous dose may have a rate or a duration; got one by {route} in event {index}."
        )
    repeated = event.addl > 0 or event.ss > 0
    return Dose(
        drug=drug,
        amount=f"{_number(event.amt)} {unit}",
        route="iv infusion" if hours > 0 else route,
        time=f"{_number(event.time)} h",
        duration=f"{_number(hours)} h" if hours > 0 else None,
        salt=salt,
        repeats=event.addl + 1,
        interval=f"{_number(event.ii)} h" if repeated else None,
        steady_state=event.ss > 0,
    )


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _bolus_of(route: Route) -> Route:
    return "iv bolus" if route == "iv infusion" else route
