"""What `gaddum power` found, in sentences and as a table."""

import textwrap
from typing import TYPE_CHECKING, Any

from gaddum.surface.csv_table import csv_of
from gaddum.surface.rounding import chance, with_error

if TYPE_CHECKING:
    from rich.console import Console

    from gaddum.power_results import CasePower, PowerResult, PowerRow, StoppingChances

_WIDEST = 100
"""Longest line of running text (characters)."""
_SHOWN = 13
"""Most rows of the table on the terminal."""
COLUMNS = ("n", "power", "t_for_bf10", "prob_bf10", "bf10_max", "bf01_max")
"""Columns of the table that is written; after them the chances of answers with the effect and without."""


def print_power(found: "PowerResult", console: "Console") -> None:
    """Print sentences and the table against n."""
    from rich.text import Text

    console.print(Text(headline(found), style="bold"))
    for line in sentences(found):
        console.print(Text(textwrap.fill(line, min(console.width, _WIDEST))))
    console.print()
    console.print(_table(found))
    note = (
        f"Shown: BF10 > {found.threshold:g}, and where there is none BF01 > {found.threshold_against:g}; wrong: the "
        "other; undecided: neither."
    )
    console.print(Text(textwrap.fill(note, min(console.width, _WIDEST)), style="dim"))


def print_case_power(found: "CasePower", console: "Console") -> None:
    """Print sentences, and chances by size, over accounts by their probabilities."""
    from rich.table import Table
    from rich.text import Text

    console.print(
        Text(f"{found.study} in {found.case}: {found.endpoint} of {found.experiment}", style="bold")
    )
    for line in found.words:
        console.print(Text(textwrap.fill(line, min(console.width, _WIDEST))))
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for head in (
        "n",
        "abolished",
        "partial",
        "not abolished",
        "nothing to block",
        "shown",
        "undecided",
        "wrong",
    ):
        shown.add_column(head, justify="right")
    for n, answers in zip(found.sizes, found.averaged, strict=True):
        mine = [row for row in found.rows if row.n == n]
        events = [sum(row.probability * row.events[name] for row in mine) for name in mine[0].events]
        shown.add_row(str(n), *map(chance, (*events, *dict(answers).values())))
    console.print()
    console.print(shown)


def headline(found: "PowerResult") -> str:
    """The test, its size, and what is true."""
    truth = (
        f"a difference of {found.effect_size:g}"
        + (f" \u00b1 {found.effect_sd:g}" if found.effect_sd else "")
        + (" SD of the differences" if found.paired else " SD")
        if found.effect_size is not None
        else f"responses of {found.p2:g} against a known {found.p1:g}"
        if found.paired
        else f"responses of {found.p1:g} and {found.p2:g}"
    )
    return f"{found.test[0].upper()}{found.test[1:]}, {_size(found)}, {truth}"


def sentences(found: "PowerResult") -> list[str]:
    """What was found, in words."""
    said = [f"Power {chance(found.power)}: the chance of p < {found.alpha:g}, two-sided."]
    if found.effect_sd:
        said.append(
            f"Over all that the effect may be, a significant result on the expected side has a chance of "
            f"{chance(found.assurance)}."
        )
    needs = "" if found.t_for_bf10 is None else f" needs |t| > {found.t_for_bf10:.2f}"
    said.append(
        f"BF10 > {found.threshold:g}{needs}: chance {chance(found.prob_bf10)} with the effect, "
        f"{chance(found.no_effect.misleading)} without."
    )
    short = found.bf01_max is not None and found.bf01_max < found.threshold_against
    said.append(
        f"For no effect, this n can never show more than BF01 = {found.bf01_max:.2f}, whatever the data"
        + (f"; {found.threshold_against:g} is out of reach." if short else ".")
        + (" For an effect there is no limit." if found.bf10_max is None else "")
    )
    if found.wanted is not None:
        bayes = "no n that was looked at" if found.smallest_n_bf10 is None else f"n = {found.smallest_n_bf10}"
        said.append(
            f"A chance of {found.wanted:g} takes n = {found.smallest_n} for p < {found.alpha:g}, and {bayes} for "
            f"BF10 > {found.threshold:g}."
        )
    if (design := found.sequential) is not None:
        looks = f"from n = {design.first} on, every {max(design.every, 1)}, to {design.most}"
        said += [
            f"In looks {looks}: {_stopping(one)} {which}."
            for which, one in (("with the effect", design.effect), ("without", design.no_effect))
        ]
    return said


def table(found: "PowerResult") -> str:
    """The table against n as CSV."""
    answers = [
        f"{which}_{one}"
        for which in ("effect", "no_effect")
        for one in ("correct", "undecided", "misleading")
    ]
    return csv_of((*COLUMNS, *answers), [_cells(row) for row in found.curve])


def _cells(row: "PowerRow") -> list[Any]:
    return [
        *(getattr(row, name) for name in COLUMNS),
        *dict(row.effect).values(),
        *dict(row.no_effect).values(),
    ]


def _table(found: "PowerResult") -> Any:
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    heads = ("n", "power", "shown", "undecided", "wrong", "none: shown", "undecided", "wrong", "BF01 at most")
    for head in heads:
        shown.add_column(head, justify="right")
    step = -(-len(found.curve) // _SHOWN)
    for row in [one for place, one in enumerate(found.curve) if place % step == 0 or one.n == found.n]:
        answers = (*dict(row.effect).values(), *dict(row.no_effect).values())
        most = "\u2013" if row.bf01_max is None else f"{row.bf01_max:.3g}"
        style = "bold" if row.n == found.n else None
        shown.add_row(str(row.n), chance(row.power), *map(chance, answers), most, style=style)
    return shown


def _size(found: "PowerResult") -> str:
    if found.n2 is not None:
        return f"{found.n} and {found.n2} subjects"
    pairs = "pairs" if found.effect_size is not None else "subjects"
    return f"{found.n} {pairs}" if found.paired else f"{found.n} a group"


def _stopping(one: "StoppingChances") -> str:
    right, wrong = (
        with_error(value, error) if error else chance(value)
        for value, error in ((one.correct, one.correct_mcse), (one.misleading, one.misleading_mcse))
    )
    size = with_error(one.expected_n, one.expected_n_mcse) if one.expected_n_mcse else f"{one.expected_n:.1f}"
    return f"right {right}, wrong {wrong}, undecided {chance(one.undecided)}, {size} on average"
