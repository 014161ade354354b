r"""Curves as a table: one row for each value, read from CSV into `Curve` records.

A row names its `curve`, what was read (`drug` or `target`), `time` and `value`; ``<0.5`` lies below the limit of
quantification. What holds for a whole curve (`paper`, `laboratory`, `species`, `population`, `weight`, `doses` in
shorthand) and for a series (`site`, `unit`, `digitised`, `limit`, `source`, `how`) may stand in each of its rows or in
one of them only. A unit may stand in its head instead: ``time (min)``, ``value (ng/mL)``.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

from gaddum import units
from gaddum.interop.decode import read_text, refuse
from gaddum.interop.grid import GridRow, head_unit, number, parse_grid
from gaddum.records.curve import Curve, checked_curve
from gaddum.records.field import FieldPath
from gaddum.records.finding import Finding, RecordError
from gaddum.records.library import Library
from gaddum.records.shorthand import parse_doses
from gaddum.records.species import known_species
from gaddum.records.yaml import Document
from gaddum.text import is_missing

Anything = TypeVar("Anything")

_COLUMNS = {
    "curve": "curve id",
    "title": "title",
    "paper": "paper study reference",
    "laboratory": "laboratory lab centre center",
    "species": "species",
    "population": "population",
    "weight": "weight bodyweight",
    "doses": "doses dose dosing regimen protocol",
    "drug": "drug analyte compound",
    "target": "target receptor",
    "site": "site sampling matrix",
    "time": "time",
    "value": "value concentration conc dv occupancy",
    "unit": "unit units",
    "spread": "spread",
    "spread_kind": "spread_kind",
    "sd": "sd",
    "sem": "sem se",
    "n": "n subjects",
    "limit": "limit lloq loq",
    "digitised": "digitised digitized",
    "source": "source doi url",
    "how": "how",
}
"""Columns and the heads by which each is known, in any case."""
_FIELDS = {head: column for column, heads in _COLUMNS.items() for head in heads.split()}
_NEEDED = ("curve", "species", "doses", "time", "value")
_OF_CURVE = ("title", "paper", "laboratory", "species", "population", "weight", "doses")
_OF_SERIES = ("unit", "digitised", "limit", "source", "how")
_SITES = {"plasma": "unstated", "": "unstated", "csf": "CSF"}


class CurveTable(NamedTuple):
    """Curves of a table, and what is doubtful in them."""

    curves: tuple[Curve, ...]
    findings: tuple[Finding, ...]
    """Warnings, then notes."""


class _CurveRow(NamedTuple):
    line: int
    cells: dict[str, str]


def read_curves(path: str | Path, library: Library) -> CurveTable:
    """Read curves from a CSV file of at most 20 MB.

    Parameters
    ----------
    path : str or Path
        The file.
    library : Library
        Drugs and targets that it may name.

    Returns
    -------
    CurveTable
        The curves in the order of the file, and warnings and notes about them.

    Raises
    ------
    RecordError
        If something in it cannot be used: a ValueError that names line and field of each finding.
    """
    text, notes = read_text(path)
    found = parse_curves(text, library, name=str(path))
    return found._replace(
        findings=(*found.findings, *(Finding("note", str(path), "", f"{note}.") for note in notes))
    )


def parse_curves(text: str, library: Library, *, name: str = "table") -> CurveTable:
    r"""Read curves from text; see `read_curves`.

    Examples
    --------
    >>> from gaddum.records.library import load_library
    >>> table = "curve,species,doses,drug,time (min),value (ng/mL),source\n"
    >>> table += "one,human,ketamine 0.5 mg/kg iv over 40 min,ketamine,40,185,Smith 2001\n"
    >>> table += "one,,,ketamine,240,<5,\n"
    >>> (curve,) = parse_curves(table, load_library()).curves
    >>> [(one.time, one.published.value, one.below) for one in curve.measured]
    [('40 min', 185.0, False), ('240 min', 5.0, True)]
    """
    grid = parse_grid(
        text,
        known=lambda heads: {*_NEEDED} <= {_column(head)[0] for head in heads},
        wanted=f"name the columns {', '.join(_NEEDED)}",
        name=name,
    )
    columns = [_column(head) for head in grid.heads]
    known = [column for column, _ in columns if column]
    if twice := next((one for one in known if known.count(one) > 1), None):
        refuse(name, f"A column must be there once; got {twice!r} under two heads.", grid.line)
    notes = list(grid.notes)
    if unread := [head for head, (column, _) in zip(grid.heads, columns, strict=True) if not column and head]:
        notes.append(f"not read: {', '.join(unread)}")
    in_heads = {column: unit for column, unit in columns if unit}
    in_heads |= {
        column: unit for (column, _), unit in zip(columns, grid.units or (), strict=False) if unit and column
    }
    if not grid.rows:
        refuse(name, "A table must hold a curve; got its header alone.", grid.line)
    curves: dict[str, list[_CurveRow]] = {}
    for row in grid.rows:
        cells = _cells(row, [column for column, _ in columns])
        if "curve" not in cells:
            refuse(name, "A row must name its curve; got none.", row.line)
        curves.setdefault(cells["curve"], []).append(_CurveRow(row.line, cells))
    found: list[Curve] = []
    findings = [Finding("note", name, "", f"{note}.") for note in notes]
    for key, rows in curves.items():
        builder = _CurveBuilder(name, key, in_heads)
        try:
            document = builder.document(rows)
            curve, doubts = checked_curve(document, library)
        except RecordError as error:
            findings += error.findings
            continue
        finally:
            findings += builder.notes
        found.append(curve)
        findings += doubts
    if any(one.level == "error" for one in findings):
        raise RecordError(findings)
    return CurveTable(tuple(found), tuple(sorted(findings, key=lambda one: one.level != "warning")))


def _column(head: str) -> tuple[str, str | None]:
    """Column that a head means, empty if none, and the unit in it."""
    named, unit = head_unit(head)
    word = named.casefold().replace(" ", "_")
    if word.endswith("_h") and word[:-2] in _FIELDS:
        word, unit = word[:-2], "h"
    return _FIELDS.get(word, ""), unit


def _cells(row: GridRow, columns: list[str]) -> dict[str, str]:
    pairs = zip(columns, row.cells, strict=True)
    return {column: cell.strip() for column, cell in pairs if column and not is_missing(cell)}


class _CurveBuilder:
    """Builds the plain values of one curve, with the lines that they stand in."""

    def __init__(self, name: str, key: str, in_heads: dict[str, str]):
        self.name, self.key, self.in_heads = name, key, in_heads
        self.first = 0.0
        self.notes: list[Finding] = []

    def document(self, rows: list[_CurveRow]) -> Document:
        content: dict[str, Any] = {"id": self.key, "title": self.key, "paper": self.key}
        if not any("paper" in row.cells for row in rows):
            self.say(rows, "paper", f"The curve {self.key!r} names no paper and counts as one of its own.")
        content |= {field: value for field in _OF_CURVE if (value := self.only(rows, field)) is not None}
        if "doses" in content:
            doses = self.read(rows, "doses", lambda: parse_doses(content["doses"]))
            self.first = min((one.time_h for one in doses), default=0.0)
            content["doses"] = [one.model_dump() for one in doses]
        if "species" in content:
            content["species"] = self.read(rows, "species", lambda: known_species(content["species"]))
        series: dict[tuple[str, str, str], list[_CurveRow]] = {}
        for row in rows:
            what = (
                "target" if "target" in row.cells else "drug",
                row.cells.get("target", row.cells.get("drug", "")),
            )
            if not what[1] or {"drug", "target"} <= row.cells.keys():
                self.refuse(
                    [row], "drug", "A row must name the drug or the target that was read, one of them."
                )
            series.setdefault((*what, row.cells.get("site", "")), []).append(row)
        content["readings"] = [
            self.reading(field, what, site, some, rows) for (field, what, site), some in series.items()
        ]
        if "weight" in content:
            text = self.with_unit(content["weight"], "weight")
            amount = self.read(rows, "weight", lambda: units.magnitude(text, "mass"))
            source = content["readings"][0]["source"]
            content["weight"] = {"value": amount, "unit": "kg", "source": source}
        lines: dict[FieldPath, int] = {(): rows[0].line}
        lines |= {("readings", place): rows[0].line for place, rows in enumerate(series.values())}
        return Document(self.name, content, lines)

    def reading(
        self, field: str, what: str, site: str, rows: list[_CurveRow], every: list[_CurveRow]
    ) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": "occupancy" if field == "target" else "concentration", field: what}
        if field == "drug":
            found["sampling"] = _SITES.get(site.casefold(), site)
        constant = {one: self.only(rows, one) for one in _OF_SERIES}
        found["unit"] = constant["unit"] or self.in_heads.get("value") or ("1" if field == "target" else "")
        if not found["unit"]:
            self.refuse(rows, "unit", "A concentration must have a unit; got none. Add a column `unit`.")
        found["source"] = self.source(rows if constant["source"] else every)
        if constant["digitised"]:
            found["digitised"] = constant["digitised"].casefold() in ("true", "yes", "1", "y")
        times, values, spreads, sizes = [], [], [], []
        for row in rows:
            value = row.cells.get("value")
            if value is None or "time" not in row.cells:
                self.say([row], "value", "A row without a time or a value is left out.")
                continue
            time = self.with_unit(row.cells["time"], "time")
            if field == "drug" and not value.startswith("<") and self.number(row, "value") == 0:
                if self.hours(row) <= self.first:
                    self.say(
                        [row], "value", "A concentration of 0 before the drug could be there is left out."
                    )
                    continue
                if constant["limit"] is None:
                    message = "A concentration of 0 lies below a limit of quantification; got no `limit`."
                    self.refuse([row], "value", f"{message} Add that column, or leave the row out.")
                value = f"<{constant['limit']}"
                self.say(
                    [row], "value", f"A concentration of 0 is read as {value}, its limit of quantification."
                )
            times.append(time)
            values.append(value if value.startswith("<") else self.number(row, "value"))
            spreads.append(self.spread(row))
            sizes.append(self.number(row, "n") if "n" in row.cells else None)
        if times and not any(
            re.search("[A-Za-z]", row.cells.get("time", "")) or self.in_heads.get("time") for row in rows
        ):
            self.say(rows, "time", "Times without a unit are read in h.")
        found |= {"times": times, "values": values}
        if any(spreads):
            found["spread"] = spreads
        if any(sizes):
            found["n"] = sizes
        return found

    def hours(self, row: _CurveRow) -> float:
        text = self.with_unit(row.cells["time"], "time")
        return self.read([row], "time", lambda: units.magnitude(text, "time"))

    def spread(self, row: _CurveRow) -> dict[str, Any] | None:
        given = [one for one in ("sd", "sem", "spread") if one in row.cells]
        if not given:
            return None
        (column, *more) = given
        kind = row.cells.get("spread_kind", "") if column == "spread" else column.upper()
        if more or not kind:
            self.refuse(
                [row],
                column,
                "A spread must say of which kind it is (SD, SEM, CV, GSD, range); add `spread_kind`.",
            )
        ends = re.split(r"\s+to\s+|;|\u2013", row.cells[column])
        value = [self.number(row, column, end) for end in ends]
        scale = 0.01 if kind == "CV" and self.in_heads.get("spread") == "%" else 1.0
        return {"kind": kind, "value": value if len(value) > 1 else value[0] * scale}

    def source(self, rows: list[_CurveRow]) -> dict[str, Any]:
        cited, how = self.only(rows, "source"), self.only(rows, "how") or "measured"
        if cited is None:
            self.refuse(
                rows,
                "source",
                "A curve must have a source; got none. Add a column `source`: DOI or citation.",
            )
        doi = re.fullmatch(r"(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,}/\S+)", str(cited))
        return {"how": how, "doi": doi[1]} if doi else {"how": how, "cites": cited}

    def only(self, rows: list[_CurveRow], column: str) -> str | None:
        """The one thing that rows say in a column; None if they say nothing."""
        said = {row.cells[column]: row for row in reversed(rows) if column in row.cells}
        if len(said) > 1:
            told = " and ".join(f"{value!r} (line {row.line})" for value, row in sorted(said.items()))
            what = "a series" if column in _OF_SERIES else "a curve"
            self.refuse(
                rows, column, f"Rows of {what} must agree on `{column}`; got {told}. Part them, or convert."
            )
        return next(iter(said), None)

    def read(self, rows: Iterable[_CurveRow], column: str, reader: Callable[[], Anything]) -> Anything:
        try:
            return reader()
        except ValueError as error:
            self.refuse(rows, column, str(error))

    def number(self, row: _CurveRow, column: str, cell: str | None = None) -> float:
        try:
            return number((row.cells[column] if cell is None else cell).strip())
        except ValueError as error:
            self.refuse([row], column, f"A cell of `{column}` must be a number; {error}.")

    def with_unit(self, cell: str, column: str) -> str:
        unit = self.in_heads.get(column, "h" if column == "time" else "kg")
        return cell if re.search(r"[A-Za-z]$", cell) else f"{cell} {unit}"

    def say(self, rows: Iterable[_CurveRow], column: str, message: str) -> None:
        self.notes.append(Finding("note", self.name, column, message, next(iter(rows)).line))

    def refuse(self, rows: Iterable[_CurveRow], column: str, message: str) -> NoReturn:
        refuse(self.name, message, next(iter(rows)).line, column)
