"""Sheet: a table of text with named columns, read from CSV or from a workbook, and written as either.

Text is decoded by `decode`, and what people put around a table is understood as by `grid`; cells may hold several
lines. Of a workbook the values are read, as they were last computed.
Cells are text throughout: what a number or a date was in a workbook is written out as a person would.
"""

import contextlib
import csv
import datetime
import io
import warnings
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from gaddum.extras import required
from gaddum.interop.decode import MAX_BYTES, decode
from gaddum.interop.grid import SEPARATORS, TOP, Heads, Ragged, lines_of, rectangle, with_points
from gaddum.memory import within_memory
from gaddum.records.finding import Finding, RecordError, nearest
from gaddum.records.yaml import plain_value

MAX_UNPACKED = 200_000_000
"""Largest content of a workbook, which is compressed (bytes)."""
MAX_MEMORY = 1_500_000_000
"""How much reading a workbook may let the process grow (bytes of addresses)."""
MAX_ROWS = 20_000
MAX_COLUMNS = 2_000
MAX_CELL = 32_767
"""Longest text of a workbook's cell (characters)."""
WORKBOOK = ".xlsx"
_WORKBOOKS = "A workbook, unlike CSV,"


class Row(NamedTuple):
    """One row below the header."""

    number: int
    """As a spreadsheet shows it: the header is row 1."""
    cells: dict[str, str]
    """Text by column; empty cells are left out."""


class Sheet(NamedTuple):
    """A table."""

    name: str
    """What to call it in errors."""
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    """What was taken for granted in reading it."""


Known = Callable[[Heads], bool]
"""Whether a row holds the names of columns that are looked for."""


def read_sheet(
    path: str | Path,
    *,
    sheet: str | None = None,
    known: Known | None = None,
    separator: str | None = None,
    decimal: str | None = None,
) -> Sheet:
    """Read a table from a CSV file or a workbook.

    Parameters
    ----------
    path : str or Path
        The file, of at most 20 MB; a name that ends in ``.xlsx`` is a workbook.
    sheet : str, optional
        Name of the workbook's sheet; the first where not given.
    known : function of heads, optional
        Whether these are the columns of somebody's own table, around which titles, comments, units and repeated headers
        may stand, and numbers with commas; without it the table is as `sheet_as_csv` writes it.
    separator, decimal : str, optional
        As in `gaddum.interop.grid.parse_grid`, where the text leaves a doubt.

    Returns
    -------
    Sheet
        The table. Rows without any text are left out.

    Raises
    ------
    RecordError
        If it is no such table: a ValueError that names row and column.
    ImportError
        If it is a workbook and openpyxl is not installed.
    """
    path = Path(path)
    with path.open("rb") as file:
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        _refuse(
            str(path), f"A table must be at most {MAX_BYTES // 1_000_000} MB; this one is larger. Split it."
        )
    if path.suffix.casefold() == WORKBOOK:
        rows = _workbook_rows(raw, str(path), sheet)
        found = None if known is None else _tidied(str(path), enumerate(rows, 1), known, decimal)
        return found or _sheet(str(path), rows)
    if sheet is not None:
        _refuse(str(path), f"Only a workbook has sheets; got `sheet: {sheet}` for a text file. Leave it out.")
    text, notes = decode(raw, name=str(path))
    found = parse_sheet(text, name=str(path), known=known, separator=separator, decimal=decimal)
    return found._replace(notes=(*notes, *found.notes))


def parse_sheet(
    text: str,
    *,
    name: str = "table",
    known: Known | None = None,
    separator: str | None = None,
    decimal: str | None = None,
) -> Sheet:
    r"""Read a table from CSV text; see `read_sheet`.

    Examples
    --------
    >>> parse_sheet("study;n\nKlein 2020;8\n").rows
    (Row(number=2, cells={'study': 'Klein 2020', 'n': '8'}),)
    """
    marks = {word: mark for word, mark in SEPARATORS.items() if mark is not None}
    if separator is not None and separator not in marks:
        raise ValueError(f"A separator must be one of {', '.join(marks)}; got {separator!r}.")
    header = text.lstrip("\r\n").split("\n", 1)[0]
    likely = max(",;\t", key=header.count) if separator is None else marks[separator]
    found: dict[str, Sheet] = {}
    for word, mark in marks.items():
        if known is not None and separator in (None, word):
            with contextlib.suppress(csv.Error):
                parts = _fields(text, mark)
                # a comma that parts cells does not mark decimals too, unless that is said
                one = _tidied(
                    name, enumerate(parts, 1), known, "." if (mark, decimal) == (",", None) else decimal
                )
                found |= {} if one is None else {word: one}
    if len(found) > 1:
        _refuse(name, f"A table must have one reading; got {', '.join(found)}. Say which with --separator.")
    try:
        return next(iter(found.values()), None) or _sheet(name, _fields(text, likely))
    except csv.Error as error:
        _refuse(name, f"A table must be fields between {likely!r}, quoted in full or not at all; {error}.")


def _fields(text: str, mark: str) -> Iterable[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)


def write_sheet(sheet: Sheet, path: str | Path) -> bytes:
    """Content of a file of this name: a workbook where it ends in ``.xlsx``, else CSV."""
    return (
        sheet_as_workbook(sheet) if Path(path).suffix.casefold() == WORKBOOK else sheet_as_csv(sheet).encode()
    )


def sheet_as_csv(sheet: Sheet) -> str:
    r"""Write a table as CSV, which `parse_sheet` reads back.

    Examples
    --------
    >>> sheet_as_csv(parse_sheet("study\tn\nKlein, 2020\t8\n"))
    'study,n\n"Klein, 2020",8\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(sheet.columns)
    writer.writerows([row.cells.get(column, "") for column in sheet.columns] for row in sheet.rows)
    return text.getvalue()


def sheet_as_workbook(sheet: Sheet) -> bytes:
    """Write a table as a workbook (``.xlsx``), numbers as numbers, which `read_sheet` reads back.

    Raises
    ------
    ValueError
        If a text is longer than a cell can be, or holds characters that a workbook cannot.
    ImportError
        If openpyxl is not installed.
    """
    openpyxl = required("openpyxl", _WORKBOOKS)
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("ledger")
    page.freeze_panes = "B2"
    every = (Row(1, dict(zip(sheet.columns, sheet.columns, strict=True))), *sheet.rows)
    cells = [
        [_cell(page, row, column) for column in sheet.columns] for row in every
    ]  # all, or none is written
    for row in cells:
        page.append(row)
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()


def sheet_of(name: str, rows: Iterable[Mapping[str, str]], columns: Iterable[str]) -> Sheet:
    """Make a table of rows, with those of the columns that a row fills."""
    kept = [dict(row) for row in rows]
    filled = {column for row in kept for column in row}
    numbered = tuple(Row(number, cells) for number, cells in enumerate(kept, 2))
    return Sheet(name, tuple(column for column in columns if column in filled), numbered)


def _tidied(
    name: str, rows: Iterable[tuple[int, list[str]]], known: Known, decimal: str | None
) -> Sheet | None:
    """Somebody's own table, without what stands around it; None where no row near its top is a known header."""
    lines = [(number, [cell.strip() for cell in cells]) for number, cells in rows]
    filled = [one for one in lines if any(one[1])]
    shown = [one for one in filled if not next(filter(None, one[1])).startswith("#")]
    names = [tuple(" ".join(cell.split()) for cell in cells) for _, cells in shown[:TOP]]
    above = next((place for place, heads in enumerate(names) if known(heads)), None)
    if above is None:
        return None
    line, heads = shown[above][0], tuple(_header(list(names[above]), name))
    below = shown[above + 1 :]
    if len(below) > MAX_ROWS:
        _refuse(name, f"A table must have at most {MAX_ROWS} rows; got more. Split it.")
    try:
        grid = rectangle(heads, [(n, _cut(cells, len(heads))) for n, cells in below], line, True)
    except Ragged as error:
        number, told = error.args
        _refuse(name, told, f"row {number}")
    kept, points = with_points(grid.rows, name, decimal)
    notes = [f"{lines_of(count)} {what}" for count, what in _around(above, len(filled) - len(shown)) if count]
    nameless = [place for place, head in enumerate(grid.heads) if not head]
    if any(row.cells[place] for row in kept for place in nameless):
        notes.append(f"{len(nameless)} column(s) without a head left out")
    found = tuple(
        Row(row.line, {head: cell for head, cell in zip(grid.heads, row.cells, strict=True) if head and cell})
        for row in kept
    )
    columns = tuple(head for head in grid.heads if head)
    return Sheet(name, columns, found, (*notes, *grid.notes, *points))


def _around(above: int, comments: int) -> tuple[tuple[int, str], ...]:
    return (above, "above the header skipped"), (comments, "of comment skipped")


def _cut(cells: list[str], width: int) -> list[str]:
    """Cells without empty ones beyond the header."""
    while len(cells) > width and not cells[-1]:
        cells = cells[:-1]
    return cells


def _sheet(name: str, rows: Iterable[list[str]]) -> Sheet:
    """Make a table of its rows, the first of which with text is the header."""
    header: list[str] | None = None
    kept: list[Row] = []
    for number, cells in enumerate(rows, 1):
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        if header is None:
            header = _header(cells, name)
            continue
        if any(cells[len(header) :]):
            _refuse(
                name, f"A row must not be longer than the header ({len(header)} columns).", f"row {number}"
            )
        if len(kept) == MAX_ROWS:
            _refuse(name, f"A table must have at most {MAX_ROWS} rows; got more. Split it.")
        filled = {column: cell for column, cell in zip(header, cells, strict=False) if column and cell}
        kept.append(Row(number, filled))
    if header is None:
        _refuse(name, "A table must have a header that names its columns; got nothing.")
    return Sheet(name, tuple(column for column in header if column), tuple(kept))


def _header(cells: list[str], name: str) -> list[str]:
    columns = [" ".join(cell.split()) for cell in cells]
    if len(columns) > MAX_COLUMNS:
        _refuse(name, f"A table must have at most {MAX_COLUMNS} columns; got {len(columns)}.")
    for column in columns:
        if column and columns.count(column) > 1:
            _refuse(
                name,
                f"Columns must have distinct names; got {column!r} {columns.count(column)} times.",
                "row 1",
            )
    return columns


def _workbook_rows(raw: bytes, name: str, wanted: str | None) -> list[list[str]]:
    openpyxl = required("openpyxl", _WORKBOOKS)
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            size = sum(part.file_size for part in packed.infolist()) / 1e6
        if size > MAX_UNPACKED / 1e6:
            most = f"{MAX_UNPACKED / 1e6:.0f} MB"
            _refuse(name, f"A workbook must unpack to at most {most}; got {size:.0f} MB. Split it.")
        with warnings.catch_warnings(), within_memory(MAX_MEMORY):
            warnings.simplefilter("ignore", UserWarning)  # of styles and menus, which are not read
            book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
            return _page_rows(_page(book, name, wanted), name)
    except RecordError:
        raise
    except MemoryError:
        _refuse(name, f"A workbook must be read within {MAX_MEMORY / 1e9:g} GB; this one is not. Split it.")
    except Exception as error:  # openpyxl lets through whatever zip and XML readers raise
        told = f"{type(error).__name__}: {error}"[:200]
        _refuse(name, f"The file must be a workbook (.xlsx); got {told}. Save it as .xlsx or CSV again.")


def _page(book: Any, name: str, wanted: str | None) -> Any:
    names = [page.title for page in book.worksheets]
    if not names:
        _refuse(name, "A workbook must have a sheet; got none.")
    if wanted is None:
        return book.worksheets[0]
    if wanted not in names:
        hint = nearest(wanted, names, what="Sheets")
        _refuse(name, f"The sheet must be in the workbook; got {wanted!r}. {hint}")
    return book[wanted]


def _page_rows(page: Any, name: str) -> list[list[str]]:
    page.reset_dimensions()  # what a workbook says of its size need not be true
    found = []
    for number, cells in enumerate(page.iter_rows(), 1):
        if number > MAX_ROWS + 1_000:
            _refuse(name, f"A table must have at most {MAX_ROWS} rows; got more. Split it.")
        if len(cells) > MAX_COLUMNS:
            most = f"at most {MAX_COLUMNS} columns"
            _refuse(name, f"A table must have {most}; got {len(cells)}.", f"row {number}")
        found.append([_text(cell, number, name) for cell in cells])
    return found


def _text(cell: Any, number: int, name: str) -> str:
    value = cell.value
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return repr(value).removesuffix(".0")
        case datetime.datetime() if value.time() == datetime.time():
            return value.date().isoformat()
        case datetime.date() | datetime.time():
            return value.isoformat()
    if cell.data_type == "e":
        _refuse(
            name,
            f"A cell must hold a value; got the error {value}.",
            f"row {number}, column {cell.column_letter}",
        )
    return str(value)


def _cell(page: Any, row: Row, column: str) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.utils.exceptions import IllegalCharacterError

    text = row.cells.get(column, "")
    number = plain_value(text) if text else None
    is_number = isinstance(number, (int, float)) and not isinstance(number, bool) and abs(number) < 1e15
    if is_number and f"{number:.16g}" == text:
        return WriteOnlyCell(page, number)
    here = f"in row {row.number}, column {column!r}. Export CSV instead."
    if len(text) > MAX_CELL:
        raise ValueError(f"A workbook's cell must hold at most {MAX_CELL} characters; got {len(text)} {here}")
    try:
        cell = WriteOnlyCell(page, text)
    except IllegalCharacterError:
        raise ValueError(f"A workbook's text must be free of control characters; got one {here}") from None
    cell.data_type = "s"  # text that begins with = is no formula
    return cell


def _refuse(name: str, message: str, where: str = "") -> NoReturn:
    raise RecordError([Finding("error", name, where, message)])
