"""Terminal: a result as text for people, and progress while it is made."""

import re
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from gaddum.results import AdjudicationResult, HypothesisRow, Odds
from gaddum.surface.rounding import chance, chances, hypothesis_chance, where, with_error

STYLES = {"supported": "bold green", "contradicted": "bold red", "undecided": "", "not testable": "dim"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"|-?[\d.]+(e[-+]\d+)?")
_WIDEST = 100
"""Longest line of running text (characters)."""


def print_summary(result: AdjudicationResult, console: Console) -> None:
    """Print the verdict, the propositions and the hypotheses."""
    width = min(console.width, _WIDEST)
    console.print(Text(result.title, style="bold"))
    console.print(Text(result.question, style="italic"))
    console.print()
    console.print(Text(textwrap.fill(result.verdict, width)))
    for item in result.missing:
        console.print(
            Text(textwrap.fill(item, width, initial_indent="- ", subsequent_indent="  "), style="dim")
        )
    if result.propositions:
        console.print()
        console.print(_propositions(result))
    console.print()
    console.print(_hypotheses(result))
    reference = result.reference.title
    console.print(
        Text(f"log BF against \u201c{reference}\u201d, with Monte-Carlo standard error.", style="dim")
    )


def print_rows(columns: Iterable[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; a column stands to the right where all that it holds is numbers."""
    table = Table(box=None, pad_edge=False)
    for place, column in enumerate(columns):
        numbers = all(_NUMBER.fullmatch(row[place]) for row in rows)
        table.add_column(_harmless(column), justify="right" if numbers else "left")
    for row in rows:
        table.add_row(*map(_harmless, row))
    Console().print(table)


def _harmless(text: str) -> Text:
    """Text without the characters by which it could speak to the terminal."""
    return Text(_CONTROL.sub("\ufffd", text))


@contextmanager
def progress_bar(console: Console) -> Iterator[Callable[[str, float], None]]:
    """Show a bar per task; gives the callback (task, fraction done), which any thread may call."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as shown:
        tasks: dict[str, TaskID] = {}
        lock = threading.Lock()

        def report(name: str, fraction: float) -> None:
            with lock:
                if name not in tasks:
                    tasks[name] = shown.add_task(name, total=1.0)
                shown.update(tasks[name], completed=min(max(fraction, 0.0), 1.0))

        yield report


def _propositions(result: AdjudicationResult) -> Table:
    """A proposition on a line of its own, then where it was asked: narrow enough for 80 columns.

    Behaving animals and people go without saying, and what leans is undecided.
    """
    table = _table("Proposition", ("Prior", True), ("Now", True), ("Range", True), "Verdict")
    before = None
    for row in result.propositions:
        if row.name != before:
            table.add_row(Text(row.name, style="bold"))
            before = row.name
        verdict = f"leans {row.leaning}" if row.leaning else row.verdict
        table.add_row(
            Text(f"  {where(row).replace(', behaving', '')}"),
            chance(row.prior),
            chance(row.probability),
            chances(row.lower, row.upper),
            Text(verdict, style=STYLES[row.verdict]),
        )
    return table


def _hypotheses(result: AdjudicationResult) -> Table:
    table = _table(
        "Hypothesis", "Gate", ("log BF", True), ("absolute", True), ("Prior", True), ("Probability", True)
    )
    for row in result.ranked:
        table.add_row(
            Text(row.title),
            Text(row.gate),
            _log_bf(row, row),
            _log_bf(row, row.absolute),
            chance(row.prior),
            hypothesis_chance(row),
        )
    return table


def _log_bf(row: HypothesisRow, numbers: Odds) -> str:
    if row.reference:
        return "reference"
    return with_error(numbers.log_bf, numbers.log_bf_mcse) if row.established else "not established"


def _table(*columns: str | tuple[str, bool]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        name, right = column if isinstance(column, tuple) else (column, False)
        table.add_column(name, justify="right" if right else "left", no_wrap=right or name == "Verdict")
    return table
