"""A prediction as text: headline and sentences, which the page shares, and tables for the terminal."""

import textwrap
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gaddum.prediction.predicted_study import (
    AccountPrediction,
    ArmPrediction,
    PredictedOutcome,
    ReferenceForecast,
    StudyPrediction,
)
from gaddum.results import EngagementRow, Interval
from gaddum.surface.rounding import UNKNOWN, chance, percent, rounded

EVENTS = {
    "abolished": "abolished",
    "partial": "partial",
    "not_abolished": "not abolished",
    "nothing_to_block": "nothing to block",
}
"""Events as people write them."""
IN_PLAY = 0.01
"""Weight of an account from which the terminal shows it."""
ACCOUNT_ERROR = 0.02
"""Monte-Carlo standard error of a chance by one account, at most."""
_WIDEST = 100
"""Longest line of running text (characters)."""


def headline(found: StudyPrediction) -> str:
    """What is predicted by what."""
    return f"What {found.study} will show, by the accounts of {found.case}"


def heading(one: PredictedOutcome) -> str:
    """Where and when."""
    return f"{one.experiment}, {one.endpoint}: {one.stratum}, {one.phase}"


def sentences(one: PredictedOutcome) -> list[str]:
    """What is predicted of a blockade, in words."""
    if one.verdicts is None:
        said = ["No arm is blocked here beside the test drug and its control."]
    else:
        by_event = sorted(one.verdicts, key=lambda item: -item[1])
        likely, odds = by_event[0]
        said = [
            f"Most likely: {EVENTS[likely]} ({_chance(odds, one)}); "
            + ", ".join(f"{EVENTS[event]} {_chance(p, one)}" for event, p in by_event[1:])
            + ".",
            f"The test drug's effect is {band(one.effect)} SD, found with probability {_chance(one.power, one)}; left "
            f"under the antagonist: {band(one.residual)} SD"
            + (f", {share(one.kept)} of it." if one.kept else "."),
            f"Tests: {one.test}.",
        ]
    if one.observed is not None:
        said.append(f"It came out as: {EVENTS[one.observed]}.")
    if one.log_score is not None:
        said.append(f"Log score of what is filled in: {rounded(one.log_score)} nats.")
    return said


def band(span: Interval | None) -> str:
    """Median and central 95 %.

    Examples
    --------
    >>> band(Interval(median=1.3, lower=0.52, upper=3.7))
    '1.30 (0.52 to 3.70)'
    """
    if span is None:
        return UNKNOWN
    return f"{rounded(span.median)} ({rounded(span.lower)} to {rounded(span.upper)})"


def share(span: Interval) -> str:
    """Median and central 95 % of a share, in per cent."""
    return f"{percent(span.median)} ({100 * span.lower:.0f} to {100 * span.upper:.0f})"


def cells(row: PredictedOutcome | AccountPrediction, error: float | None) -> list[str]:
    """Effect, residual and the four chances, as a table has them."""
    chances = [] if row.verdicts is None else [rounded(p, error) for _, p in row.verdicts]
    return [
        *(UNKNOWN if one is None else rounded(one.median) for one in (row.effect, row.residual)),
        *chances,
    ]


def occupied(rows: Sequence[EngagementRow]) -> list[list[str]]:
    """Arm, feature and its level when the drug acts and at the test; a row an hour that may be the test's."""
    found: dict[tuple[str, str], dict[float, list[EngagementRow]]] = {}
    several = len({one.experiment for one in rows}) > 1
    told = [
        one for one in rows if not one.feature.endswith(".reserve")
    ]  # that is made of a level told already
    for acts, tested in zip(
        told[::2], told[1::2], strict=True
    ):  # as `weigh.predictive.engagement` gives them
        found.setdefault((_where(acts, several), acts.feature), {})[tested.time_h] = [acts, tested]
    return [
        [where + (f", if at {hour:.3g} h" if len(by_hour) > 1 else ""), feature, *map(share, levels)]
        for (where, feature), by_hour in found.items()
        for hour, levels in by_hour.items()
    ]


def print_prediction(found: StudyPrediction, console: Console) -> None:
    """Print a prediction."""
    width = min(console.width, _WIDEST)
    console.print(Text(headline(found), style="bold"))
    for note in found.notes:
        console.print(Text(textwrap.fill(note, width), style="yellow"))
    for one in found.outcomes:
        console.print()
        console.print(Text(heading(one), style="bold"))
        for line in sentences(one):
            console.print(Text(textwrap.fill(line, width)))
        if one.verdicts is not None:
            console.print(_accounts(one))
    for head, rows in (
        (("Arm", "n", "effect over no drug (SD)"), _arms(found)),
        (("Engaged in", "what", "when the drug acts", "at the test"), occupied(found.engagement)),
    ):
        console.print()
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in head:
            table.add_column(column, no_wrap=True)
        for row in rows:
            table.add_row(*map(Text, row))
        console.print(table)


def print_references(found: ReferenceForecast, console: Console) -> None:
    """Print what a study of each proposition would show."""
    told = f"What a study of {found.n} a group would show, by the accounts of {found.case}"
    console.print(Text(told, style="bold"))
    for name in dict.fromkeys(row.name for row in found.rows):
        mine = [row for row in found.rows if row.name == name]
        console.print()
        console.print(Text(f"{name}: {mine[0].text}"))
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("Population, phase", "holds", *EVENTS.values()):
            table.add_column(column, justify="left" if column.startswith("P") else "right")
        for row in mine:
            cells = (rounded(p, row.error) for _, p in row.verdicts)
            table.add_row(f"{row.stratum}, {row.phase}", chance(row.probability), *cells)
        console.print(table)


def _arms(found: StudyPrediction) -> list[list[str]]:
    return [
        [_where(arm, len({one.experiment for one in found.arms}) > 1), str(arm.n or "unknown"), band(arm)]
        for arm in found.arms
    ]


def _where(one: EngagementRow | ArmPrediction, several: bool) -> str:
    """An arm by its name and endpoint, and its experiment where there are several."""
    return f"{one.arm}, {one.endpoint}" + (f", {one.experiment}" if several else "")


def _accounts(one: PredictedOutcome) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("Account", "weight", "effect", "residual", *EVENTS.values()):
        table.add_column(
            column, justify="left" if column == "Account" else "right", no_wrap=column == "Account"
        )
    table.add_row("averaged", "", *cells(one, one.error), style="bold")
    in_play = [row for row in one.accounts if row.probability >= IN_PLAY] or one.accounts[:1]
    for row in in_play:
        table.add_row(row.account, chance(row.probability), *cells(row, ACCOUNT_ERROR))
    if rest := len(one.accounts) - len(in_play):
        table.add_row(f"and {rest} more: --json, --out", style="dim")
    return table


def _chance(value: float | None, one: PredictedOutcome) -> str:
    return rounded(value, one.error)
