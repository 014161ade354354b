"""Occupancy on the terminal: a table of targets and times, a line of each curve, what follows from them."""

import textwrap
from itertools import groupby
from operator import itemgetter
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gaddum.records.standing import NumberStanding, standing_words
from gaddum.surface.hours import written
from gaddum.surface.occupancy.evidence import UNKNOWN, met_words, said, unknown

_BLOCKS = " \u2581\u2582\u2583\u2584\u2585\u2586\u2587\u2588"
_SPARK = 16
"""Characters of a line that stands for a curve."""
_MARGIN, _CELL = 18, 18
"""Room for the times, and for one target (characters)."""


def print_occupancy(document: dict[str, Any], console: Console, *, verbose: bool = False) -> None:
    """Print what `gaddum occupancy` found.

    Parameters
    ----------
    document : dict
        As `--json` prints it.
    console : Console
        Where to print it.
    verbose : bool
        Whether to list assumptions and parameters.
    """
    for place, part in enumerate(document["protocols"]):
        if place:
            console.print()
        _print_part(part, document, console, verbose)


def _print_part(part: dict[str, Any], document: dict[str, Any], console: Console, verbose: bool) -> None:
    console.print(Text(part["protocol"], style="bold"))
    told = f"{subject(part)}; median ({100 * document['span']:g} % interval) of {document['draws']} draws"
    console.print(Text(told, style="dim"))
    curve_tables(part, console)
    if unknown(part):
        told = f"not known: the band is wider than {100 * UNKNOWN:g} points; the numbers are in --json"
        say(console, told, style="dim")
    for sentence in either(part["humps"]):
        say(console, sentence, style="yellow")
    for line in met_words(part["met"], part["species"]):
        say(console, line)
    for row in part["selectivity"]:
        if verbose or row["given"]:
            say(console, _fold(row))
    for name, curve in part["tone"].items():
        left = [f"{said(curve, place)} at {written(time)}" for place, time in enumerate(curve["time_h"])]
        say(console, f"{name}: endogenous signalling left, of that at rest: {', '.join(left)}")
    if "above" in part:
        _say_above(part["above"], console)
    for sentence in reached(part["reach"]) if "reach" in part else ():
        say(console, sentence)
    for sentence in in_people(part["human_equivalent"]) if "human_equivalent" in part else ():
        say(console, sentence)
    for note in part["notes"]:
        say(console, note, style="yellow")
    say_assumptions(part, console, verbose)


def subject(part: dict[str, Any]) -> str:
    """Who gets the doses."""
    return ", ".join(part[key] for key in ("species", "weight", "preparation") if part[key] is not None)


def say_assumptions(part: dict[str, Any], console: Console, verbose: bool) -> None:
    """Count what was taken for granted; list it, and the parameters, where asked; what is taken of doses, always."""
    count = len(part["assumptions"])
    hint = "" if verbose or not count else " (list them with -v)"
    console.print(Text(f"{count} assumption{'s' if count != 1 else ''}{hint}", style="dim"))
    for one in part["assumptions"]:
        if verbose or one["where"].startswith("doses of "):
            say(console, f"- {one['where']}: {one['what']} ({one['reason']})", style="dim")
    if verbose:
        for drug, those in groupby(part.get("standing", ()), key=itemgetter("drug")):
            say(console, f"- {drug}: {standing_words(NumberStanding(**one) for one in those)}", style="dim")
        for one in part["parameters"]:
            say(console, f"- {one['name']}: {one['distribution']} [{one['source']}]", style="dim")


def spark(curve: dict[str, Any], width: int = _SPARK) -> str:
    """Draw a median curve in one line of blocks, full at 1.

    Examples
    --------
    >>> spark({"time_h": [0, 1, 2], "median": [0.0, 0.5, 1.0]}, width=3)
    ' \u2584\u2588'
    """
    times, values = curve["time_h"], curve["median"]
    span = times[-1] - times[0]
    line = []
    for place in range(width):
        at = times[0] + span * place / max(width - 1, 1)
        nearest = min(range(len(times)), key=lambda i: abs(times[i] - at))
        line.append(_BLOCKS[round(min(max(values[nearest], 0.0), 1.0) * 8)])
    return "".join(line)


def curve_tables(part: dict[str, Any], console: Console) -> None:
    """Print what is read of every curve, as many side by side as there is room for."""
    names = list(part["table"])
    while names:
        wide = [max(_CELL, len(name) + 2) for name in names]
        abreast = max(1, sum(sum(wide[: n + 1]) <= console.width - _MARGIN for n in range(len(names))))
        console.print(_table(part, names[:abreast]))
        names = names[abreast:]


def _table(part: dict[str, Any], targets: list[str]) -> Table:
    """Times down, targets across, and under each its curve from the first dose to the end."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", justify="right", no_wrap=True)
    for name in targets:
        table.add_column(name, no_wrap=True)
    curves = [part["table"][name] for name in targets]
    for place, time in enumerate(curves[0]["time_h"]):
        cells = [said(curve, place) for curve in curves]
        table.add_row(written(time), *cells)
    ends = part["curves"][targets[0]]["time_h"]
    sparks = [Text(spark(part["curves"][name])) for name in targets]
    table.add_row(Text(f"{written(ends[0])} to {written(ends[-1])}", style="dim"), *sparks)
    return table


def either(humps: dict[str, Any]) -> list[str]:
    """What targets with two answers are, in sentences."""
    found = []
    for name, (upper, lower) in humps.items():
        when = written(upper["time_h"][upper["at"]])
        found.append(f"{name} is either of two, at {when} {_hump(upper)}, or {_hump(lower)}")
    return found


def _hump(one: dict[str, Any]) -> str:
    return f"{said(one, one['at'])}, with a chance of {100 * one['share']:.0f} %"


def _fold(row: dict[str, Any]) -> str:
    first, second = row["over"]
    place = len(row["time_h"]) // 2
    numbers = [row[key][place] for key in ("median", "lower", "upper")]
    steady = max(row["median"]) <= 1.05 * min(row["median"])
    when = "" if steady else f" at {written(row['time_h'][place])}"
    span = f"{_digits(numbers[1])}\u2013{_digits(numbers[2])}"
    return f"{row['ligand']}: {first} over {second} {_digits(numbers[0])}-fold ({span}){when}"


def _digits(value: float) -> str:
    """Two digits, no powers of ten below a million."""
    return f"{float(f'{value:.2g}'):,.10g}" if value < 1e6 else f"{value:.1e}"


def _say_above(above: dict[str, Any], console: Console) -> None:
    for name, row in above["targets"].items():
        text = (
            f"{name} above {above['level']:g} for {written(row['median_h'])} "
            f"({written(row['lower_h'])}\u2013{written(row['upper_h'])})"
        )
        if row["still_above"] > 0.005:
            text += (
                f"; still above at {written(above['until_h'])} in {100 * row['still_above']:.0f} % of draws"
            )
        say(console, text)


def reached(reach: dict[str, Any]) -> list[str]:
    """What `--reach` found, in sentences: for the median and for the lower bound of the band."""
    when = ", ".join(written(time) for time in reach["at_h"])
    found = []
    for key, sure in (("median", "in the median"), ("lower", "at the lower bound")):
        one = reach[key]
        goal = f"{reach['target']} {reach['measure']} {reach['level']:g} at {when} {sure}"
        if "unreachable" in one:
            found.append(f"{goal}: {one['unreachable']}")
        elif reach["vary"] == "dose":
            found.append(f"{goal}: {one['doses']} ({one['multiple']:.3g} times the dose of {one['drug']})")
        else:
            spans = " or ".join(f"{written(low)} to {written(high)}" for low, high in one["spans"])
            open_ended = one["spans"][0][0] <= one["searched"][0] + 1e-9
            found.append(f"{goal}: give {one['drug']} from {spans}{' or earlier' if open_ended else ''}")
    return found


def in_people(row: dict[str, Any]) -> list[str]:
    """What `--human-equivalent` found, in sentences."""
    when = "at its peak" if row["at_h"] == "peak" else f"at {written(row['at_h'])}"
    return [
        f"In people by size: {row['by_weight']}, which occupies {row['held_by_weight']:.2f} {when}",
        f"In people by {row['target']} {when}: {row['by_engagement']}, as the animal's {row['held_by_animal']:.2f}",
        *(f"No human kinetics by {animal}; taken as {human}" for animal, human in row["routes"]),
    ]


def say(console: Console, text: str, style: str = "") -> None:
    """Print a sentence, wrapped to the width that there is."""
    console.print(Text(textwrap.fill(text, max(console.width, 40), subsequent_indent="  "), style=style))
