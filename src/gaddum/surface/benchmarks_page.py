"""Benchmarks as text: a table for the terminal, and the tables of a Markdown page.

On a page they stand between two marks; the prose around them is people's and stays.
"""

import textwrap
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

BEGIN, END = "<!-- gaddum benchmarks: begin -->", "<!-- gaddum benchmarks: end -->"
"""Marks between which a page holds the tables."""
_STYLES = {"hit": "green", "miss": "bold red", "not counted": "dim", "used": "dim"}
_WIDEST = 100
"""Longest line of running text (characters)."""


def print_benchmarks(document: dict[str, Any], console: Console) -> None:
    """Print published beside predicted, and the count."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, right in _COLUMNS.items():
        table.add_column(name, justify="right" if right else "left")
    for row in document["benchmarks"]:
        cells = [Text(cell) for cell in _cells(row)]
        cells[_VERDICT].stylize(_STYLES[row["verdict"]])
        table.add_row(*cells)
    console.print(table)
    console.print()
    console.print(Text(textwrap.fill(summary(document), min(console.width, _WIDEST))))


def summary(document: dict[str, Any]) -> str:
    """Say the count in a sentence."""
    counted, others = document["counted"], document["not_counted"]
    whole = counted["hits"] + counted["misses"]
    rest = others["would_hit"] + others["would_miss"]
    text = f"{counted['hits']} of {whole} counted benchmarks are hit, {counted['misses']} missed."
    if rest:
        text += f" Of {rest} that are not counted, {others['would_hit']} would be hit."
    return f"{text} Medians and {100 * document['span']:g} % bands of {document['draws']} draws."


def renewed(page: str | None, document: dict[str, Any]) -> str:
    """Put the tables into a page with both marks, in place of those it holds, or into a new one where there is none."""
    if page is None:
        return f"# Benchmarks\n\n{tables(document)}\n"
    check_page(page)
    return page[: page.index(BEGIN)] + tables(document) + page[page.index(END) + len(END) :]


def check_page(page: str) -> None:
    """Refuse a page that does not hold both marks, once and in order."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(
            f"A page to renew must hold {BEGIN!r} and then {END!r}, once each; got another. "
            "Add them where the tables shall stand, or name a file that does not exist."
        )


def tables(document: dict[str, Any]) -> str:
    """Tables of a Markdown page, with their marks."""
    lines = [BEGIN, "", f"`{document['command']}`", "", summary(document), ""]
    lines += _markdown(_COLUMNS, [_cells(row) for row in document["benchmarks"]])
    several = [row for row in document["benchmarks"] if len(row["readings"]) > 1]
    if several:
        lines += ["", "## Readings of the benchmarks that have several", ""]
        cells = [_reading(row, reading) for row in several for reading in row["readings"]]
        lines += _markdown(_READINGS, cells)
    return "\n".join([*lines, "", END])


_COLUMNS = {
    "Benchmark": False,
    "What": False,
    "Published": True,
    "Predicted": True,
    "Tolerance": True,
    "Verdict": False,
    "Why": False,
}
"""Columns and whether they stand to the right."""
_VERDICT = list(_COLUMNS).index("Verdict")
_READINGS = {
    "Benchmark": False,
    "Time": True,
    "Published": True,
    "Predicted": True,
    "In the band of a reading": False,
}


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        row["id"],
        f"{row['title']} ({row['species']}; {row['protocol']})",
        _published(row),
        _predicted(row),
        _tolerance(row["tolerance"]),
        row["verdict"],
        row["why"],
    ]


def _reading(row: dict[str, Any], reading: dict[str, Any]) -> list[str]:
    known = "median" in reading
    return [
        row["id"],
        reading["time"] or "",
        _number(reading["published"]) + _unit(row),
        _band(reading) if known else "none",
        "" if not known else "yes" if reading["covered"] else "no",
    ]


def _published(row: dict[str, Any]) -> str:
    values = [reading["published"] for reading in row["readings"]]
    if len(values) > 1:
        return f"{_number(min(values))} to {_number(max(values))}{_unit(row)}, {len(values)} readings"
    return f"{_number(values[0])}{_unit(row)}{_spread(row['readings'][0]['spread'])}"


def _spread(spread: dict[str, Any] | None) -> str:
    if spread is None:
        return ""
    value = spread["value"]
    written = (
        _number(value) if isinstance(value, int | float) else f"{_number(value[0])} to {_number(value[1])}"
    )
    return f" ({spread['kind']} {written})"


def _predicted(row: dict[str, Any]) -> str:
    if "median" not in row["readings"][0]:
        return "none"
    if len(row["readings"]) > 1:
        medians = [reading["median"] for reading in row["readings"]]
        return f"{_number(min(medians))} to {_number(max(medians))}{_unit(row)}"
    return _band(row["readings"][0]) + _unit(row)


def _band(reading: dict[str, Any]) -> str:
    return f"{_number(reading['median'])} ({_number(reading['lower'])} to {_number(reading['upper'])})"


def _tolerance(tolerance: dict[str, Any]) -> str:
    written = (
        f"\u00b1 {tolerance['value']:g}"
        if tolerance["kind"] == "difference"
        else f"{tolerance['value']:g}-fold"
    )
    return written if tolerance["over"] == "each" else f"{written}, root mean square"


def _number(value: float) -> str:
    """Write a number with three digits, without an exponent where it is short without.

    Examples
    --------
    >>> _number(0.94901), _number(1420.0), _number(0.0), _number(float("inf"))
    ('0.949', '1420', '0', 'not within the time followed')
    """
    if value == float("inf"):
        return "not within the time followed"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):.0f}"
    return f"{value:.3g}"


def _unit(row: dict[str, Any]) -> str:
    return "" if row["unit"] == "1" else f" {row['unit']}"


def _markdown(columns: dict[str, bool], rows: list[list[str]]) -> list[str]:
    lines = [_line(list(columns)), _line(["---:" if right else "---" for right in columns.values()])]
    return lines + [_line([_escaped(cell) for cell in row]) for row in rows]


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _escaped(cell: str) -> str:
    for mark in "\\|<[*_":
        cell = cell.replace(mark, f"\\{mark}")
    return " ".join(cell.split())
