"""Terminal: a result as text for people, and progress while it is made."""

import math
import re
import textwrap
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import accumulate

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from gaddum.results import AdjudicationResult, HypothesisRow, Odds
from gaddum.surface.report.answers import Answer, first_screen
from gaddum.surface.rounding import chance, chances, hypothesis_chance, with_error

STYLES = {
    "supported": "bold green",
    "leans for": "green",
    "undecided": "",
    "leans against": "red",
    "contradicted": "bold red",
}
_BAR = 11
"""Length of a bar (characters)."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"|-?[\d.]+(e[-+]\d+)?")
_WIDEST = 100
"""Longest line of running text (characters)."""
LINE_EVERY = 10.0
"""Time between two lines of progress where there is no terminal (s)."""
WARM_UP = 15.0
"""Time from which a run's pace says something of its end (s)."""
CREEP = 0.8
"""Part of a stage that is shown as done, as time goes by, though nothing has been heard of it (1)."""
STAGE_TIME = 30.0
"""How long such a stage may take (s)."""
LEAST_DONE = 0.02
"""Fraction of a run that its pace must be read from (1)."""


def print_summary(result: AdjudicationResult, console: Console) -> None:
    """Print what the report says first, the picture as bars of text, and under it the accounts."""
    width, screen = min(console.width, _WIDEST), first_screen(result)
    console.print(Text(result.title, style="bold"))
    console.print(Text(textwrap.fill(result.question, width), style="italic"))
    console.print()
    for sentence in screen.sentences:
        console.print(Text(textwrap.fill(sentence, width)))
    for target in screen.targets:
        answers = [one for one in screen.answers if one.target == target]
        # What has one word everywhere is said in its sentence.
        if target == screen.targets[0] or len({one.word for one in answers}) > 1:
            console.print()
            console.print(Text(f"{target} needed?", style="bold"))
            console.print(_bars(answers))
    if screen.account:
        note = f"From chance 0 to 1, half marked; range {screen.range_note}."
        console.print(Text(textwrap.fill(note, width), style="dim"))
        console.print()
        console.print(Text(textwrap.fill(screen.account, width)))
    console.print()
    console.print(_accounts(result))
    legend = (
        "Mechanism: what must happen at the receptors (& both, | either, ! not). log BF: natural logarithm of the "
        f"Bayes factor against \u201c{result.reference.title}\u201d with its Monte-Carlo error, 3 is 20 to 1; with "
        "reserve: where an account also pays for the spare receptors that it needs."
    )
    console.print(Text(textwrap.fill(legend, width), style="dim"))


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
def progress_bar(console: Console, stages: Mapping[str, float]) -> Iterator[Callable[[str, float], None]]:
    """Show how far a run of several stages is; where nobody sees a bar, as a line now and then.

    Parameters
    ----------
    console : Console
        Where to.
    stages : mapping
        Stages in their order, and how long each takes beside the others.

    Yields
    ------
    callable
        To be called as (stage, fraction of it that is done), by any thread.
    """
    marks = [(time.monotonic(), 0.0)]
    stage = next(iter(stages))
    before = dict(zip(stages, accumulate(stages.values(), initial=0.0), strict=False))
    total = sum(stages.values())
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    more = (TimeElapsedColumn(), TextColumn("{task.fields[left]}"))
    ended = threading.Event()

    def report(name: str, fraction: float) -> None:
        nonlocal stage
        done = (before[name] + stages[name] * min(max(fraction, 0.0), 1.0)) / total
        if done >= marks[-1][1]:  # one of several threads may be late
            stage = name
            marks.append((time.monotonic(), done))

    def show(seconds: float, tell: Callable[[str, float, str], None]) -> None:
        shown = 0.0
        while not ended.wait(seconds):
            now, (then, done) = time.monotonic(), marks[-1]
            left = time_left(marks, now)
            end = (before[stage] + stages[stage]) / total
            # A stage that cannot say how far it is, such as compiling, moves too.
            shown = max(shown, done + CREEP * (end - done) * (1 - math.exp((then - now) / STAGE_TIME)))
            tell(stage, shown, "" if left is None else f"{_duration(left)} left")

    with ExitStack() as stack:
        if console.is_terminal:
            bar = stack.enter_context(Progress(*columns, *more, console=console, transient=True))
            task = bar.add_task(stage, total=1.0, left="")
            step = 0.2

            def tell(stage: str, done: float, left: str) -> None:
                bar.update(task, description=stage, completed=done, left=left)
        else:
            step = LINE_EVERY

            def tell(stage: str, done: float, left: str) -> None:
                gone = _duration(time.monotonic() - marks[0][0])
                said = ", ".join(filter(None, (f"{stage}: {done:.0%} of the run", f"{gone} gone", left)))
                console.print(Text(said), soft_wrap=True)

        shown = threading.Thread(target=show, args=(step, tell), daemon=True)
        shown.start()
        try:
            yield report
        finally:
            ended.set()
            shown.join()


def time_left(marks: Sequence[tuple[float, float]], now: float) -> float | None:
    """Time (s) that a run has to go by the pace of the latter half of what has gone; None as long as that says little.

    Parameters
    ----------
    marks : sequence
        Times (s) and fractions done, the first at the start.
    now : float
        Time (s).

    Examples
    --------
    >>> time_left([(0, 0.0), (20, 0.2), (40, 0.4)], 40)
    60.0
    >>> time_left([(0, 0.0), (2, 0.1)], 2)
    """
    (start, _), (_, done) = marks[0], marks[-1]
    half = start + (now - start) / 2
    then, earlier = next(one for one in reversed(marks) if one[0] <= half)
    if now - start < WARM_UP or done - earlier < LEAST_DONE:
        return None
    return round((now - then) * (1 - done) / (done - earlier), 9)


def _duration(seconds: float) -> str:
    """A time in the words of a clock.

    Examples
    --------
    >>> _duration(7.2), _duration(95), _duration(4000)
    ('7 s', '1 min 35 s', '67 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 600 else f"{round(whole / 60)} min"


def _bars(answers: Sequence[Answer]) -> Table:
    """A target's chances and ranges as bars, the words beside: narrow enough for 80 columns."""
    table = _table("", "", ("chance", True), "range", "")
    for one in answers:
        table.add_row(
            one.population if one.phase == "all" else f"{one.population}, {one.phase}",
            _bar(one),
            chance(one.row.probability),
            "not known" if one.range is None else chances(*one.range),
            Text(one.word, style=STYLES[one.row.word]),
        )
    return table


def _bar(one: Answer) -> str:
    """A chance as a dot and its range as a line, on a scale from 0 to 1."""
    cells = ["\u00b7"] * _BAR
    if one.range is not None:
        low, high = (round(value * (_BAR - 1)) for value in one.range)
        cells[low : high + 1] = "\u2500" * (high + 1 - low)
    cells[_BAR // 2] = "|"
    cells[round(one.row.probability * (_BAR - 1))] = "\u25cf"
    return "".join(cells)


def _accounts(result: AdjudicationResult) -> Table:
    table = _table(
        "Account", "Mechanism", ("before", True), ("chance", True), ("log BF", True), ("with reserve", True)
    )
    for row in result.ranked:
        table.add_row(
            Text(row.title),
            Text(row.gate),
            chance(row.prior),
            hypothesis_chance(row),
            _log_bf(row, row),
            _log_bf(row, row.absolute),
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
        table.add_column(name, justify="right" if right else "left", no_wrap=right, overflow="fold")
    return table
