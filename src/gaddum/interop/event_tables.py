"""Event tables: NONMEM-style text, read into records and written from them.

A table has a header of column names (any case) and one record a line; `grid` says what may stand around it. TIME is in
hours, or a clock time ``hh:mm`` or ``hh:mm:ss`` that runs on past 24:00. Without EVID a record with AMT or RATE is a
dose, any other an observation; without MDV, what is no observation has MDV 1; without ID all records are one subject's.
IDs are numbers, or texts if any of them is none. The length of an infusion may stand in DUR or TINF. Columns that are
not NONMEM's own are kept as text, and the notes say which.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from gaddum import units
from gaddum.interop.decode import read_text, refuse
from gaddum.interop.grid import Grid, GridRow, Heads, head_unit, number, parse_grid
from gaddum.records.event import ITEMS, Event, EventTable, event_faults, table_faults
from gaddum.records.finding import Finding, RecordError
from gaddum.text import is_missing

_MAX_FINDINGS = 20
"""Findings after which reading stops."""

_CLOCK = re.compile(r"([0-9]{1,5}):([0-9]{2})(?::([0-9]{2}))?")
_WHOLE = ("EVID", "CMT", "ADDL", "SS", "MDV")
_HOURS = ("TIME", "II", "DUR")
_ALIASES: dict[str, str] = dict.fromkeys(("TINF", "INFDUR", "INF_DUR"), "DUR")
_SUBJECTS = ("SUBJ", "SUBJID", "SUBJECT", "USUBJID", "PATIENT", "ANIMAL")
"""What others call ID; it is read as ID where there is no other."""
_IN_HOURS = ("h", "hr", "hrs", "hour", "hours")
_SUCH = {"II": "min", "DUR": "min", "RATE": "mg/min"}
_ELSEWHERE = "Other programs give doses so; name it as NONMEM does (AMT, RATE, CMT, EVID, II), or drop it."
REFUSED = {
    **dict.fromkeys(
        ("DATE", "DAT1", "DAT2", "DAT3"), "Count TIME in hours from the first day on, and drop it."
    ),
    "PCMT": "Predictions are made in CMT, or in the default compartment; drop it.",
    "CONT": "Write each record on one line, and drop it.",
    **dict.fromkeys(
        ("ADM", "TAU", "NDOSE", "AMOUNT", "DURATION", "INFTIME", "INFRATE", "INF_RATE", "INFUSION"),
        _ELSEWHERE,
    ),
    **dict.fromkeys(("TLAG", "LAGTIME"), "Name it ALAG and the number of the compartment, or drop it."),
}
"""Columns that would change what a record means."""

_NEAR = {item: rf"{item}[ _.].*" for item in ITEMS if item != "DV"}
_NEAR |= {"AMT": r"(?:AMT|DOSE)(?:[ _.].*)?", "CMT": r"CMT[ _.].*|ROUTE|RTE"}
"""What a column is not called by which, if the first is missing, a record would lose its meaning."""


def read_events(path: str | Path, *, separator: str | None = None, decimal: str | None = None) -> EventTable:
    """Read a NONMEM-style table of events.

    Parameters
    ----------
    path : str or Path
        The file: text of at most 20 MB.
    separator, decimal : str, optional
        As in `parse_events`.

    Returns
    -------
    EventTable
        The records, in the order of the file; its notes say what was skipped or taken for granted.

    Raises
    ------
    RecordError
        If something in the file cannot be used: a ValueError that says file, line and column of each finding.
    """
    text, notes = read_text(path)
    table = parse_events(text, name=str(path), separator=separator, decimal=decimal)
    return table.model_copy(update={"notes": (*notes, *table.notes)})


def parse_events(
    text: str, *, name: str = "table", separator: str | None = None, decimal: str | None = None
) -> EventTable:
    r"""Read a table of events from text; see `read_events`.

    Parameters
    ----------
    text : str
        The table.
    name : str
        What to call it in errors.
    separator : {"tab", ";", ",", "|", "blanks"}, optional
        What stands between cells, where the text leaves a doubt.
    decimal : {".", ","}, optional
        The decimal mark, where the text leaves a doubt.

    Examples
    --------
    >>> table = parse_events("ID,TIME,AMT,DV,WT\n1,0,100,.,70\n1,1:30,.,4.2,70\n")
    >>> [(event.time, event.evid, event.amt, event.dv) for event in table.events]
    [(0.0, 1, 100.0, None), (1.5, 0, 0.0, 4.2)]
    >>> table.covariates, table.notes
    (('WT',), ('kept as text: WT',))
    """
    grid = parse_grid(
        text,
        known=lambda heads: any(_item(head)[0] == "TIME" for head in heads),
        wanted="name the columns, TIME among them",
        name=name,
        separator=separator,
        decimal=decimal,
    )
    columns, said = _columns(grid, name)
    scales, unit = _scales(columns, said, name, grid.line)
    covariates = tuple(column for column in columns if column not in ITEMS)
    place = columns.index("ID") if "ID" in columns else None
    ids = {} if place is None else {row.cells[place]: _is_number(row.cells[place]) for row in grid.rows}
    named = not all(ids.values())
    events: list[Event] = []
    findings: list[Finding] = []
    for row in grid.rows:
        events.append(_event(columns, scales, row, named, name, findings))
        if len(findings) >= _MAX_FINDINGS:
            break
    if not findings:
        for index, item, message in table_faults(tuple(events), len(covariates)):
            findings.append(Finding("error", name, item, message, grid.rows[index].line))
            if len(findings) >= _MAX_FINDINGS:
                break
    if findings:
        raise RecordError(findings)
    if named and any(ids.values()):
        odd = next(one for one, is_number in ids.items() if not is_number)
        grid = grid._replace(notes=(*grid.notes, f"all IDs are read as text, since {odd!r} is no number"))
    kept = [f"kept as text: {', '.join(covariates)}"] if covariates else []
    read = [f"{item} in {unit} is read in h" for item, unit in said.items() if scales[item] != 1]
    return EventTable(
        covariates=covariates, events=tuple(events), unit=unit, notes=(*grid.notes, *read, *kept)
    )


def write_events(table: EventTable, columns: Mapping[str, Sequence[float]] | None = None) -> str:
    r"""Write a table of events as CSV; reading it gives the same records.

    Parameters
    ----------
    table : EventTable
        The records.
    columns : mapping of str to sequence of float, optional
        Further columns, one number a record, such as predictions.

    Returns
    -------
    str
        The table, with ``.`` for what is missing or does not apply.

    Examples
    --------
    >>> print(write_events(parse_events("TIME AMT\n0 5\n2 .")), end="")
    ID,TIME,AMT,RATE,EVID,CMT,II,ADDL,SS,DV,MDV
    1,0,5,.,1,.,.,.,.,.,1
    1,2,.,.,0,.,.,.,.,.,0
    """
    extra = dict(columns or {})
    items = [item for item in ITEMS if item != "DUR" or any(event.dur for event in table.events)]
    of_unit = {"AMT": f"AMT ({table.unit})", "RATE": f"RATE ({table.unit}/h)"} if table.unit else {}
    header = (*items, *table.covariates, *extra)
    if len({column.upper() for column in header}) != len(header):
        raise ValueError(f"A table must not repeat a column; got {', '.join(header)}. Rename one.")
    if any(len(values) != len(table.events) for values in extra.values()):
        raise ValueError(f"A further column must have {len(table.events)} values, one a record.")
    lines = [",".join(_quoted(of_unit.get(column, column)) for column in header)]
    for index, event in enumerate(table.events):
        written = [_written(event, item) for item in items]
        kept = ["." if value is None else _quoted(value) for value in event.covariates]
        lines.append(",".join([*written, *kept, *(_number(values[index]) for values in extra.values())]))
    return "\n".join(lines) + "\n"


def _item(head: str) -> tuple[str, str | None]:
    """Name of a column, NONMEM's own in capitals, and the unit that its head says."""
    bare, unit = head_unit(head)
    folded = _ALIASES.get(bare.upper(), bare.upper())
    return (folded, unit) if folded in ITEMS else (head, None)


def _columns(grid: Grid, name: str) -> tuple[Heads, dict[str, str]]:
    """Names of the columns, and units that heads or a row of units say of NONMEM's own."""
    found = [_item(head) for head in grid.heads]
    if "ID" not in dict(found):
        found = [("ID", None) if head.upper() in _SUBJECTS else (head, unit) for head, unit in found]
    columns = tuple(column for column, _ in found)
    if grid.units:  # what NONMEM has no meaning for keeps its unit with its name
        under = zip(columns, grid.units, strict=True)
        columns = tuple(f"{one} ({unit})" if unit and one not in ITEMS else one for one, unit in under)
    folded = [column.upper() for column in columns]
    below = grid.units or ("",) * len(columns)
    said = {column: unit or under for (column, unit), under in zip(found, below, strict=True)}
    for column, other in zip(columns, folded, strict=True):
        if folded.count(other) > 1 or not column:
            told = f"Columns must have distinct names; got {column!r} {folded.count(other)} times."
            refuse(name, told, grid.line)
        bare = head_unit(column)[0].upper()
        if bare in REFUSED:
            refuse(name, f"The column {bare} is not supported. {REFUSED[bare]}", grid.line, bare)
        for wanted, near in _NEAR.items():
            if wanted not in folded and re.fullmatch(near, other):
                told = f"{wanted} must stand in a column of that name, its unit in brackets; got {column}. Rename it."
                refuse(name, told, grid.line, column)
    return columns, {item: unit for item, unit in said.items() if item in ITEMS and unit}


def _scales(
    columns: Heads, said: Mapping[str, str], name: str, line: int
) -> tuple[dict[str, float], str | None]:
    """What each column is multiplied with, so that times are in h; and the unit of amounts."""
    scales = dict.fromkeys(columns, 1.0)
    amount = said.get("AMT")
    for item in ("II", "DUR", "RATE"):
        if item in columns and item not in said and said.get("TIME", "h") not in _IN_HOURS:
            told = f"TIME is in {said['TIME']}, so {item} must say its unit too, such as '{item} ({_SUCH[item]})'."
            refuse(name, told, line, item)
    for item, unit in said.items():
        try:
            if item in _HOURS:
                scales[item] = units.magnitude(f"1 {unit}", "time")
            elif item == "RATE":
                upper, _, lower = unit.rpartition("/")
                scales[item] = 1 / units.magnitude(f"1 {lower}", "time")
                amount = amount or upper
                if upper != amount:
                    raise ValueError(f"RATE must count what AMT does; got {unit}, with AMT in {amount}.")
        except ValueError as error:
            refuse(name, str(error), line, item)
    return scales, amount


def _is_number(cell: str) -> bool:
    try:
        number(cell)
    except ValueError:
        return is_missing(cell)
    return True


def _event(
    columns: Heads,
    scales: Mapping[str, float],
    row: GridRow,
    named: bool,
    name: str,
    findings: list[Finding],
) -> Event:
    def note(item: str, message: str) -> None:
        findings.append(Finding("error", name, item, message, row.line))

    before = len(findings)
    values: dict[str, float | None] = {}
    kept: list[str | None] = []
    subject: str | None = None
    for column, cell in zip(columns, row.cells, strict=True):
        if column not in ITEMS:
            kept.append(None if is_missing(cell) else cell)
        elif column == "ID" and named:
            subject = None if is_missing(cell) else cell
            values["ID"] = None if subject is None else 1.0
        else:
            try:
                values[column] = None if is_missing(cell) else _value(column, cell, scales[column])
            except ValueError as error:
                note(column, str(error))
    if "TIME" in values and values["TIME"] is None:
        note("TIME", "Every record must have a time; got none.")
    if values.get("ID", 1.0) is None:
        note("ID", "Every record must have a subject; got none.")
    if len(findings) > before:
        return Event(time=0.0)
    event = _assembled(values, subject, tuple(kept))
    for item, message in event_faults(event):
        note(item, message)
    return event


def _assembled(
    values: Mapping[str, float | None], subject: str | None, kept: tuple[str | None, ...]
) -> Event:
    """Fill in what NONMEM takes for granted."""
    given = {item: value for item, value in values.items() if value is not None}
    dose = given.get("AMT", 0.0) != 0 or given.get("RATE", 0.0) != 0
    evid = given.get("EVID", 0) if "EVID" in values else int(dose)
    mdv = int(given["MDV"]) if "MDV" in given else int(evid != 0)
    return Event.model_construct(
        id=given.get("ID", 1.0) if subject is None else subject,
        time=given["TIME"],
        amt=given.get("AMT", 0.0),
        rate=given.get("RATE", 0.0),
        dur=given.get("DUR", 0.0) if evid in (1, 4) else 0.0,
        evid=int(evid),
        cmt=int(given.get("CMT", 0)),
        ii=given.get("II", 0.0),
        addl=int(given.get("ADDL", 0)),
        ss=int(given.get("SS", 0)),
        dv=given.get("DV"),
        mdv=mdv,
        covariates=kept,
    )


def _value(column: str, cell: str, scale: float) -> float:
    clock = _CLOCK.fullmatch(cell) if column == "TIME" else None
    if clock:
        if int(clock[2]) > 59 or int(clock[3] or 0) > 59:
            raise ValueError(f"A clock time must have minutes below 60; got {cell!r}.")
        return int(clock[1]) + int(clock[2]) / 60 + int(clock[3] or 0) / 3600
    try:
        value = number(cell) * scale
    except ValueError as error:
        if "finite" in str(error):
            raise ValueError(f"The value must be finite; got {cell[:40]!r}.") from None
        kind = "a number or a clock time hh:mm" if column == "TIME" else "a number"
        told = "; days and dates are counted on in hours" if column == "TIME" else ""
        raise ValueError(f"The value must be {kind}, or '.' where it is missing{told}; {error}.") from None
    if column in _WHOLE and (value != int(value) or abs(value) > 1e9):
        raise ValueError(f"The value must be a whole number; got {cell[:40]!r}.")
    return value


def _written(event: Event, item: str) -> str:
    value = getattr(event, item.lower())
    optional = item not in ("ID", "TIME", "EVID", "MDV", "DV")
    if isinstance(value, str):
        return _quoted(value)
    return "." if value is None or (optional and value == 0) else _number(value)


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",]', text) else text
