"""Audit page: an audit as text for the terminal and as one HTML page that stands alone.

The page loads nothing and runs no script; engagement is drawn with plain boxes, so that it prints everywhere.
"""

import textwrap
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gaddum.surface.hours import written
from gaddum.surface.html_page import render
from gaddum.surface.rounding import percent

GRADES = {"serious": "bold red", "caution": "yellow", "note": "dim"}
_WIDEST = 110
"""Longest line of running text (characters)."""
_MOST_PAIRS = 12
"""Pairs that the terminal lists; the page and the JSON have all."""


def write_page(document: dict[str, Any]) -> str:
    """Write an audit, as `gaddum audit --json` prints it, as a complete HTML page."""
    return render("audit.html.j2", audit_filters(), styles=("audit.css",), d=document, grades=list(GRADES))


def audit_filters() -> dict[str, Callable[..., str]]:
    """What writes the numbers of the page."""
    return {"band": band, "share": percent, "hours": written, "effect": effect}


def print_audit(document: dict[str, Any], console: Console) -> None:
    """Print an audit: the line, then the concerns of each study, then the opposite results."""
    width = min(console.width, _WIDEST)
    console.print(Text(document["title"], style="bold"))
    if len(document["studies"]) != 1:
        console.print(Text(textwrap.fill(document["line"], width)))
    for study in document["studies"]:
        console.print()
        console.print(Text(f"{study['id']} ({study['year']})", style="bold"))
        console.print(Text(textwrap.fill(study["line"], width)))
        if len(document["studies"]) == 1:
            _print_engagement(study, console)
        _print_concerns(study, console, width, full=len(document["studies"]) == 1)
    if document["pairs"]:
        _print_pairs(document["pairs"], console, width)


def band(span: dict[str, float]) -> str:
    """Write a band of a fraction.

    Examples
    --------
    >>> band({"median": 0.984, "lower": 0.58, "upper": 0.9996})
    '98 % (58\u2013100)'
    """
    return f"{percent(span['median'])} ({100 * span['lower']:.0f}\u2013{100 * span['upper']:.0f})"


def effect(row: dict[str, Any]) -> str:
    """Write a detectable effect, with its range where sizes are not known."""
    found = row["effect"]
    spread = "" if found["lower"] == found["upper"] else f" ({found['lower']:.2g}\u2013{found['upper']:.2g})"
    return f"{found['median']:.2g}{spread} SD" + (" of differences" if row["paired"] else "")


def _print_engagement(study: dict[str, Any], console: Console) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Arm", "Drug", "Target", "At induction", "Alone", "At test"):
        table.add_column(column)
    for experiment in study["experiments"]:
        for one in experiment["engagement"]:
            for row in one["held"]:
                tests = dict.fromkeys(percent(m["together"]["median"]) for m in row["expression"].values())
                table.add_row(
                    *(
                        Text(text)
                        for text in (
                            f"{experiment['id']} {row['arm']}",
                            row["drug"],
                            f"{row['target']} {row['action']}",
                            band(row["induction"]["together"]),
                            percent(row["induction"]["alone"]["median"]),
                            ", ".join(tests),
                        )
                    )
                )
    if table.row_count:
        console.print()
        console.print(table)


def _print_concerns(study: dict[str, Any], console: Console, width: int, *, full: bool) -> None:
    shown = study["concerns"] if full else [one for one in study["concerns"] if one["grade"] == "serious"]
    if full and shown:
        console.print()
    for one in shown:
        head = Text(f"{one['grade']:8}", style=GRADES[one["grade"]])
        where = "" if one["experiment"] is None else f" [{one['experiment']}]"
        body = f"{one['topic']}{where}: {one['found']}" + (f" {one['why']} {one['mend']}" if full else "")
        lines = textwrap.wrap(body, width - 9)
        console.print(head + Text(lines[0]))
        for line in lines[1:]:
            console.print(Text(" " * 8 + line))
    if not full:
        counts = {g: sum(one["grade"] == g for one in study["concerns"]) for g in ("caution", "note")}
        console.print(Text(f"{counts['caution']} caution(s), {counts['note']} note(s)", style="dim"))


def _print_pairs(pairs: list[dict[str, Any]], console: Console, width: int) -> None:
    console.print()
    console.print(Text("Opposite results: weakened in the first, spared in the second", style="bold"))
    for pair in pairs[:_MOST_PAIRS]:
        names = [
            f"{s['study']} {s['experiment']} {s['arm']}, {s['phase']}"
            for s in (pair["weakened"], pair["spared"])
        ]
        console.print(Text(f"{names[0]} / {names[1]}: ") + Text(pair["conclusion"], style="bold"))
        console.print(
            Text(textwrap.fill(pair["says"], width, initial_indent="  ", subsequent_indent="  "), style="dim")
        )
    if len(pairs) > _MOST_PAIRS:
        console.print(Text(f"and {len(pairs) - _MOST_PAIRS} more: use --out or --json.", style="dim"))
