"""Event tables: NONMEM-style text, read into records and written from them.

A table has a header of column names (any case) and one record a line, separated by commas, tabs or spaces. ``.``,
``NA`` and nothing mean missing. Blank lines and lines that begin with ``#`` are skipped; below the header so are lines
that begin with a letter or ``@``, as under NONMEM's ``IGNORE=@``. TIME is in hours, or a clock time ``hh:mm`` that runs
on past 24:00. Without EVID a record with AMT or RATE is a dose, any other an observation; without MDV, what is no
observation has MDV 1; without ID all records are one subject's. Columns that are not NONMEM's own are kept as text.
"""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from gaddum.records.event import ITEMS, MISSING, Event, EventTable, event_faults, table_faults
from gaddum.records.finding import Finding, RecordError

MAX_BYTES = 20_000_000
MAX_RECORDS = 200_000
MAX_COLUMNS = 100
_MAX_FINDINGS = 20
"""Findings after which reading stops."""

_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eEdD][-+]?[0-9]{1,4})?")
_CLOCK = re.compile(r"([0-9]{1,5}):([0-9]{2})")
_WHOLE = ("EVID", "CMT", "ADDL", "SS", "MDV")
_REFUSED = {
    **dict.fromkeys(
        ("DATE", "DAT1", "DAT2", "DAT3"), "Count TIME in hours from the first day on, and drop it."
    ),
    "PCMT": "Predictions are made in CMT, or in the default compartment; drop it.",
    "CONT": "Write each record on one line, and drop it.",
}
"""Columns that would change what a record means."""


def read_events(path: str | Path) -> EventTable:
    """Read a NONMEM-style table of events.

    Parameters
    ----------
    path : str or Path
        The file: UTF-8 text of at most 20 MB.

    Returns
    -------
    EventTable
        The records, in the order of the file.

    Raises
    ------
    RecordError
        If something in the file cannot be used: a ValueError that says file, line and column of each finding.
    """
    path = Path(path)
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        _refuse(
            str(path),
            f"A table must be at most {MAX_BYTES // 1_000_000} MB; this one is larger. Split it by ID.",
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        _refuse(str(path), f"A table must be UTF-8 text; got byte 0x{raw[error.start]:02x} at {error.start}.")
    return parse_events(text, name=str(path))


def parse_events(text: str, *, name: str = "table") -> EventTable:
    r"""Read a table of events from text; see `read_events`.

    Parameters
    ----------
    text : str
        The table.
    name : str
        What to call it in errors.

    Examples
    --------
    >>> table = parse_events("ID,TIME,AMT,DV,WT\n1,0,100,.,70\n1,1:30,.,4.2,70\n")
    >>> [(event.time, event.evid, event.amt, event.dv) for event in table.events]
    [(0.0, 1, 100.0, None), (1.5, 0, 0.0, 4.2)]
    >>> table.covariates
    ('WT',)
    """
    if len(text) > MAX_BYTES:
        _refuse(name, f"A table must be at most {MAX_BYTES} characters long; got {len(text)}.")
    lines = ((number, line) for number, line in enumerate(re.split(r"\r\n|\r|\n", text), 1))
    shown = ((number, line) for number, line in lines if line.strip() and not line.lstrip().startswith("#"))
    number, header = next(shown, (1, ""))
    separator = "," if "," in header else "\t" if "\t" in header.strip() else None
    columns = _columns(_fields(header, separator, name, number), name, number)
    covariates = tuple(column for column in columns if column.upper() not in ITEMS)
    events: list[Event] = []
    places: list[int] = []
    findings: list[Finding] = []
    for number, line in shown:
        if line.lstrip()[0].isalpha() or line.lstrip()[0] == "@":
            continue
        if len(events) == MAX_RECORDS:
            _refuse(
                name, f"A table must have at most {MAX_RECORDS} records; got more. Split it by ID.", number
            )
        fields = _fields(line, separator, name, number)
        event = _event(columns, fields, name, number, findings)
        if len(findings) >= _MAX_FINDINGS:
            break
        events.append(event)
        places.append(number)
    if not findings:
        for index, item, message in table_faults(tuple(events), len(covariates)):
            findings.append(Finding("error", name, item, message, places[index]))
            if len(findings) >= _MAX_FINDINGS:
                break
    if findings:
        raise RecordError(findings)
    return EventTable(covariates=covariates, events=tuple(events))


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
    header = (*ITEMS, *table.covariates, *extra)
    if len({column.upper() for column in header}) != len(header):
        raise ValueError(f"A table must not repeat a column; got {', '.join(header)}. Rename one.")
    if any(len(values) != len(table.events) for values in extra.values()):
        raise ValueError(f"A further column must have {len(table.events)} values, one a record.")
    lines = [",".join(_quoted(column) for column in header)]
    for index, event in enumerate(table.events):
        items = [_written(event, item) for item in ITEMS]
        kept = ["." if value is None else _quoted(value) for value in event.covariates]
        lines.append(",".join([*items, *kept, *(_number(values[index]) for values in extra.values())]))
    return "\n".join(lines) + "\n"


def _refuse(name: str, message: str, line: int | None = None, where: str = "") -> NoReturn:
    raise RecordError([Finding("error", name, where, message, line)])


def _fields(line: str, separator: str | None, name: str, number: int) -> list[str]:
    if separator is None:
        return line.split()
    try:
        rows = list(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error as error:
        _refuse(
            name,
            f"A line must be fields between {separator!r}, quoted in full or not at all; {error}.",
            number,
        )
    return [field.strip() for field in rows[0]] if rows else []


def _columns(header: list[str], name: str, number: int) -> list[str]:
    columns = [column.upper() if column.upper() in ITEMS else column for column in header]
    folded = [column.upper() for column in columns]
    if "TIME" not in folded:
        _refuse(
            name,
            f"The header must name the columns, TIME among them; got {', '.join(header)[:100]!r}.",
            number,
        )
    if len(columns) > MAX_COLUMNS:
        _refuse(name, f"A table must have at most {MAX_COLUMNS} columns; got {len(columns)}.", number)
    for column, other in zip(columns, folded, strict=True):
        if folded.count(other) > 1 or not column:
            _refuse(
                name, f"Columns must have distinct names; got {column!r} {folded.count(other)} times.", number
            )
        if other in _REFUSED:
            _refuse(name, f"The column {other} is not supported. {_REFUSED[other]}", number, other)
    return columns


def _event(columns: list[str], fields: list[str], name: str, number: int, findings: list[Finding]) -> Event:
    def note(item: str, message: str) -> None:
        findings.append(Finding("error", name, item, message, number))

    if len(fields) != len(columns):
        note("", f"A record must have {len(columns)} fields, as the header; got {len(fields)}.")
        return Event(time=0.0)
    before = len(findings)
    values: dict[str, float | None] = {}
    kept: list[str | None] = []
    for column, field in zip(columns, fields, strict=True):
        if column not in ITEMS:
            kept.append(None if field in MISSING else field)
            continue
        try:
            values[column] = None if field in MISSING else _value(column, field)
        except ValueError as error:
            note(column, str(error))
    if "TIME" in values and values["TIME"] is None:
        note("TIME", "Every record must have a time; got none.")
    if values.get("ID", 1.0) is None:
        note("ID", "Every record must have a subject; got none.")
    if len(findings) > before:
        return Event(time=0.0)
    event = _assembled(values, tuple(kept))
    for item, message in event_faults(event):
        note(item, message)
    return event


def _assembled(values: Mapping[str, float | None], kept: tuple[str | None, ...]) -> Event:
    """Fill in what NONMEM takes for granted."""
    given = {item: value for item, value in values.items() if value is not None}
    dose = given.get("AMT", 0.0) != 0 or given.get("RATE", 0.0) != 0
    evid = given.get("EVID", 0) if "EVID" in values else int(dose)
    mdv = int(given["MDV"]) if "MDV" in given else int(evid != 0)
    return Event.model_construct(
        id=given.get("ID", 1.0),
        time=given["TIME"],
        amt=given.get("AMT", 0.0),
        rate=given.get("RATE", 0.0),
        evid=int(evid),
        cmt=int(given.get("CMT", 0)),
        ii=given.get("II", 0.0),
        addl=int(given.get("ADDL", 0)),
        ss=int(given.get("SS", 0)),
        dv=given.get("DV"),
        mdv=mdv,
        covariates=kept,
    )


def _value(column: str, field: str) -> float:
    clock = _CLOCK.fullmatch(field) if column == "TIME" else None
    if clock:
        if int(clock[2]) > 59:
            raise ValueError(f"A clock time must have minutes below 60; got {field!r}.")
        return int(clock[1]) + int(clock[2]) / 60
    if not _NUMBER.fullmatch(field):
        kind = "a number or a clock time hh:mm" if column == "TIME" else "a number"
        raise ValueError(f"The value must be {kind}, or '.' where it is missing; got {field[:40]!r}.")
    value = float(field.upper().replace("D", "E"))
    if not math.isfinite(value):
        raise ValueError(f"The value must be finite; got {field[:40]!r}.")
    if column in _WHOLE and (value != int(value) or abs(value) > 1e9):
        raise ValueError(f"The value must be a whole number; got {field[:40]!r}.")
    return value


def _written(event: Event, item: str) -> str:
    value = getattr(event, item.lower())
    optional = item not in ("ID", "TIME", "EVID", "MDV", "DV")
    return "." if value is None or (optional and value == 0) else _number(value)


def _number(value: float) -> str:
    return repr(float(value)).removesuffix(".0")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if re.search(r'[",]', text) else text
