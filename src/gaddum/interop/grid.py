"""Grid: the text of a table -> heads and rows of cells, in the one way in which it makes sense.

A reading by a separator (tab, ``;``, ``,``, ``|`` or blanks) counts if its heads are known to the door and every row is
as long as the header. If several readings count and differ, they are listed and the user is asked. What programs and
people put around a table is understood and said in the notes: comments, lines above the header, a header that begins
with ``#``, NONMEM's ``TABLE NO.`` and repeated headers, R's row names, separators at the ends of lines, a row of units,
and commas as decimal marks.
"""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gaddum import units
from gaddum.interop.decode import MAX_BYTES, refuse
from gaddum.text import plain

MAX_ROWS = 200_000
MAX_COLUMNS = 100
TOP = 10
"""Lines among which the header is looked for."""
SEPARATORS = {"tab": "\t", ";": ";", ",": ",", "|": "|", "blanks": None}
_COMMENT = ("C", "c")
"""What NONMEM's users write in front of a record to leave it out."""
_TABLE_NO = re.compile(r"\s*TABLE NO\.\s*(\d+)(?:[\s:].*)?")
_COMMA = re.compile(r"[-+]?[0-9]*(?:,[0-9]+)+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")
_THOUSANDS = re.compile(r"[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_POINT = re.compile(r"[-+]?[0-9]*\.[0-9]+(?:[eE][-+]?[0-9]+)?")
_POINTED = re.compile(r"[-+]?[0-9]{1,3}(?:\.[0-9]{3})*(?:,[0-9]+)?")
_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eEdD][-+]?[0-9]{1,4})?")
_BLANKS = re.compile(r'"((?:[^"]|"")*)"(?=\s|$)|(\S+)')

Heads = tuple[str, ...]


class GridRow(NamedTuple):
    """One row below the header."""

    line: int
    """Line of the file, from 1."""
    cells: tuple[str, ...]


class Grid(NamedTuple):
    """Heads, rows of the same length, and what was taken for granted."""

    heads: Heads
    rows: tuple[GridRow, ...]
    units: Heads | None
    """What a row of units below the header says, one text a column."""
    line: int
    """Line of the header."""
    notes: tuple[str, ...]


def parse_grid(
    text: str,
    *,
    known: Callable[[Heads], bool],
    wanted: str,
    name: str = "table",
    separator: str | None = None,
    decimal: str | None = None,
    short: bool = False,
) -> Grid:
    r"""Read the text of a table as a grid.

    Parameters
    ----------
    text : str
        The table.
    known : function of heads
        Whether these are heads that the door knows.
    wanted : str
        What the heads must be, for the error: "The header must ...".
    name : str
        What to call it in errors.
    separator : {"tab", ";", ",", "|", "blanks"}, optional
        What stands between cells, where the text leaves a doubt.
    decimal : {".", ","}, optional
        The decimal mark, where the text leaves a doubt.
    short : bool
        Whether a line may end early, its last cells being empty.

    Raises
    ------
    RecordError
        If no reading, or more than one, makes sense: a ValueError that says why.

    Examples
    --------
    >>> found = parse_grid("a;b\n0,5;1\n", known=lambda heads: "b" in heads, wanted="have b")
    >>> found.rows, found.notes
    ((GridRow(line=2, cells=('0.5', '1')),), ('commas are read as decimal marks',))
    """
    if len(text) > MAX_BYTES:
        refuse(name, f"A table must be at most {MAX_BYTES} characters long; got {len(text)}.")
    if separator is not None and separator not in SEPARATORS:
        raise ValueError(f"A separator must be one of {', '.join(SEPARATORS)}; got {separator!r}.")
    if decimal not in (None, ".", ","):
        raise ValueError(f"A decimal mark must be a point or a comma; got {decimal!r}.")
    marks = SEPARATORS if separator is None else {separator: SEPARATORS[separator]}
    lines = [(n, line) for n, line in enumerate(re.split(r"\r\n|\r|\n", text), 1) if line.strip()]
    lines, notes = _without_table_numbers(lines, name)
    shown = [one for one in lines if not one[1].lstrip().startswith("#")]
    comments = [one for one in lines if one[1].lstrip().startswith("#")]
    headers = [(head, shown[place + 1 :], place) for place, head in enumerate(shown[:TOP])]
    headers += [
        ((n, line.lstrip()[1:]), [one for one in shown if one[0] > n], 0) for n, line in comments[:TOP]
    ]
    faults: list[tuple[int, str]] = []
    for (line, head), below, above in headers:
        tabbed = separator is None and "\t" in head.strip()  # then other marks are within cells
        usable = {word: mark for word, mark in marks.items() if not tabbed or mark in ("\t", None)}
        readings = {
            word: heads for word, mark in usable.items() if any(heads := _header(head, mark)) and known(heads)
        }
        grid = _only_reading(readings, marks, line, below, name, short, faults)
        if grid is not None:
            notes += [f"{lines_of(above)} above the header skipped"] if above else []
            skipped = len(comments) - (line in {n for n, _ in comments})
            notes += [f"{lines_of(skipped)} of comment skipped"] if skipped else []
            rows, told = with_points(grid.rows, name, decimal)
            return grid._replace(rows=rows, notes=(*notes, *grid.notes, *told))
    if faults:
        line, told = max(faults)  # of the reading that held for longest
        refuse(name, told, line)
    first, head = next(iter(shown or comments), (1, ""))
    mark = max(marks.values(), key=lambda one: len(_header(head, one)) if one else 0)
    refuse(name, f"The header must {wanted}; got {', '.join(_header(head, mark))[:100]!r}.", first)


def number(cell: str) -> float:
    """Read a cell as a number; what cannot be one is refused with the reason.

    Examples
    --------
    >>> number("\u22121.5e3"), number("1D2")
    (-1500.0, 100.0)
    """
    written = cell if _NUMBER.fullmatch(cell) else plain(cell).strip()
    if written is not cell and not _NUMBER.fullmatch(written):
        raise ValueError(f"got {cell[:40]!r}")
    value = float(written.upper().replace("D", "E"))
    if abs(value) == float("inf"):
        raise ValueError(f"it must be finite; got {cell[:40]!r}")
    return value


def head_unit(head: str) -> tuple[str, str | None]:
    """Part a head from the unit that follows it in brackets or after a comma or slash; None if none does.

    Examples
    --------
    >>> head_unit("TIME (min)"), head_unit("agonist, nM"), head_unit("log[agonist]")
    (('TIME', 'min'), ('agonist', 'nM'), ('log[agonist]', None))
    """
    text = " ".join(plain(head).split())
    found = re.fullmatch(r"(.*?) ?(?:\[([^\[\]]*)\]|\(([^()]*)\)|[,/] ?([^\s,]+))", text)
    unit = next((one for one in found.groups()[1:] if one), None) if found else None
    return (found[1], unit.strip()) if found and unit and is_unit(unit) else (text, None)


def is_unit(text: str) -> bool:
    """Whether a text is a unit of some quantity.

    Examples
    --------
    >>> is_unit("mg/kg"), is_unit("nM"), is_unit("placebo")
    (True, True, False)
    """
    if not re.search("[^\\W\\d_]|%", text):
        return False
    for kind in units.CANONICAL:
        try:
            units.magnitude(f"1 {text.strip()}", kind)
        except ValueError:
            continue
        return True
    return bool(re.fullmatch(r"(?:[kmunµ]?g|[munpµ]?mol)(?:/(?:h|min|d|s|m?L))?", plain(text).strip()))


def _without_table_numbers(
    lines: Sequence[tuple[int, str]], name: str
) -> tuple[list[tuple[int, str]], list[str]]:
    """Leave NONMEM's own titles out; a file may hold one table only."""
    titles = {n: found[1] for n, line in lines if (found := _TABLE_NO.fullmatch(line))}
    if len(set(titles.values())) > 1:
        refuse(
            name,
            f"A file must hold one table; got TABLE NO. {', '.join(dict.fromkeys(titles.values()))}. Split it.",
        )
    told = [f"{lines_of(len(titles))} of the form TABLE NO. skipped"] if titles else []
    return [(n, line) for n, line in lines if n not in titles], told


def _only_reading(
    readings: dict[str, Heads],
    marks: dict[str, str | None],
    line: int,
    below: Sequence[tuple[int, str]],
    name: str,
    short: bool,
    faults: list[tuple[int, str]],
) -> Grid | None:
    """The one reading of these heads that is rectangular; None if there is none, with the faults added."""
    found: dict[str, Grid] = {}
    for word, heads in readings.items():
        if len(heads) > MAX_COLUMNS:
            refuse(name, f"A table must have at most {MAX_COLUMNS} columns; got {len(heads)}.", line)
        try:
            grid = rectangle(heads, list(_split(below, marks[word])), line, short)
        except Ragged as error:
            faults.append(error.args)
            continue
        if len(grid.rows) > MAX_ROWS:
            over = grid.rows[MAX_ROWS].line
            refuse(name, f"A table must have at most {MAX_ROWS} records; got more. Split it by ID.", over)
        if grid not in found.values():
            found[word] = grid
    if len(found) > 1:
        told = "; ".join(f"{word}: columns {', '.join(one.heads)[:60]}" for word, one in found.items())
        refuse(name, f"A table must have one reading; got {told}. Say which with --separator.", line)
    return next(iter(found.values()), None)


class Ragged(Exception):
    """A row that is not as long as the header: its line, and what must hold."""


def _header(line: str, mark: str | None) -> Heads:
    try:
        ((_, cells),) = _split([(1, line)], mark)
    except Ragged:
        return ()
    return tuple(" ".join(plain(cell).split()) for cell in cells)


def _split(lines: Sequence[tuple[int, str]], mark: str | None) -> Iterable[tuple[int, list[str]]]:
    """Cells of each line."""
    if mark is None:
        for line, text in lines:
            yield line, [(a or b).replace('""', '"') for a, b in _BLANKS.findall(text)]
        return
    reader = csv.reader(
        (text for _, text in lines), delimiter=mark, strict=True, skipinitialspace=mark != "\t"
    )
    place, told = 0, f"A line must be fields between {mark!r}, quoted in full or not at all"
    try:
        for cells in reader:
            if reader.line_num != place + 1:
                raise Ragged(lines[place][0], f"{told}; a quotation mark is not closed.")
            yield lines[place][0], [cell.strip() for cell in cells]
            place += 1
    except csv.Error as error:
        raise Ragged(lines[min(place, len(lines) - 1)][0], f"{told}; {error}.") from None


def rectangle(heads: Heads, rows: list[tuple[int, list[str]]], line: int, short: bool) -> Grid:
    """Rows of the header's length, without what is around a table; `Ragged` where one is not."""
    notes: list[str] = []
    filled = [one for one in rows if any(one[1])]
    if len(filled) < len(rows):
        notes.append(f"{lines_of(len(rows) - len(filled))} of empty cells skipped")
    shown = [one for one in filled if tuple(one[1]) != heads]
    if len(shown) < len(filled):
        notes.append(f"{lines_of(len(filled) - len(shown))} repeating the header skipped")
    firsts = [cells[0] for _, cells in shown]
    lettered = {first for first in firsts if first[:1].isalpha()}
    named = not lettered <= {*_COMMENT} or lettered == set(firsts)  # then C may be a name
    kept = [not (first.startswith("@") or (first in _COMMENT and not named)) for first in firsts]
    if not all(kept):
        notes.append(f"{lines_of(kept.count(False))} marked as comment by C or @ skipped")
        shown = [one for one, keep in zip(shown, kept, strict=True) if keep]
    width = len(heads)
    while width > 1 and not heads[width - 1] and not any(any(cells[width - 1 :]) for _, cells in shown):
        width -= 1
    cut = [(n, cells if any(cells[width:]) else cells[:width]) for n, cells in shown]
    if width < len(heads) or any(len(a[1]) < len(b[1]) for a, b in zip(cut, shown, strict=True)):
        notes.append("separators at the ends of lines left out")
    heads = heads[:width]
    names = [cells[0] for _, cells in cut if cells]
    counted = len(names) > 1 and names == [str(place) for place in range(1, len(names) + 1)]
    if counted and all(len(cells) == width + 1 for _, cells in cut):
        heads = ("", *heads)
    if len(heads) > 1 and not heads[0] and len(set(names)) == len(names) and all(names):
        heads, cut = heads[1:], [(n, cells[1:]) for n, cells in cut]
        notes.append("the first column has no head and is left out as names of rows")
    if short and (early := sum(len(cells) < len(heads) for _, cells in cut)):
        cut = [(n, cells + [""] * (len(heads) - len(cells)) * (len(cells) > 1)) for n, cells in cut]
        notes.append(f"{lines_of(early)} that end early filled up with empty cells")
    for n, cells in cut:
        if len(cells) != len(heads):
            told = f"A record must have {len(heads)} fields, as the header; got {len(cells)}."
            raise Ragged(n, told)
    said = None
    if cut and _says_units(cut[0][1]):
        said = tuple(cell.strip("()[] ") for cell in cut.pop(0)[1])
        notes.append("the row below the header is read as units")
    return Grid(heads, tuple(GridRow(n, tuple(cells)) for n, cells in cut), said, line, tuple(notes))


def _says_units(cells: Sequence[str]) -> bool:
    """Whether a row holds units only, at least one."""
    bare = [cell.strip("()[] ") for cell in cells]
    return any(map(is_unit, filter(None, bare))) and all(
        not one or one == "-" or is_unit(one) for one in bare
    )


def with_points(
    rows: tuple[GridRow, ...], name: str, decimal: str | None
) -> tuple[tuple[GridRow, ...], list[str]]:
    """Write numbers with points, where the file decides what its commas mean."""
    if decimal is None and not any("," in cell for row in rows for cell in row.cells):
        return rows, []
    kinds: Counter[str] = Counter()
    place: dict[str, tuple[int, str]] = {}
    for row in rows:
        for cell in row.cells:
            kind = (
                "point" if _POINT.fullmatch(plain(cell)) else _comma_kind(plain(cell)) if "," in cell else ""
            )
            kinds[kind] += 1
            place.setdefault(kind, (row.line, cell))
    if decimal is None and not kinds["decimal"] and not kinds["thousands"] and not kinds["either"]:
        return rows, []
    mark = decimal or ("," if kinds["decimal"] else "." if kinds["thousands"] else None)
    doubt = "either" if mark is None else "decimal" if mark == "." else "thousands"
    if kinds[doubt] or (mark == "," and decimal is None and kinds["point"]):
        line, cell = place.get(doubt) or place["point"]
        told = "Commas must all be decimal marks, or all part thousands"
        refuse(name, f"{told}; got {cell[:40]!r}. Say which with --decimal , or --decimal .", line)
    drop, swap = (".", ",") if mark == "," else (",", "")

    def pointed(cell: str) -> str:
        bare = plain(cell)
        if not (_COMMA.fullmatch(bare) or (mark == "," and _POINTED.fullmatch(bare))):
            return cell
        bare = bare.replace(drop, "")
        return bare.replace(swap, ".") if swap else bare

    told = "commas are read as decimal marks" if mark == "," else "commas are read as parting thousands"
    written = tuple(row._replace(cells=tuple(map(pointed, row.cells))) for row in rows)
    return written, [told] if written != rows else []


def _comma_kind(cell: str) -> str:
    if not _COMMA.fullmatch(cell):
        return ""
    if not _THOUSANDS.fullmatch(cell):
        return "decimal" if cell.count(",") == 1 and "." not in cell else ""
    return "thousands" if cell.count(",") > 1 or "." in cell else "either"


def lines_of(count: int) -> str:
    """Write a number of lines."""
    return f"{count} line{'s' if count != 1 else ''}"
