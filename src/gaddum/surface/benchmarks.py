"""The command `gaddum benchmarks`: what the library predicts beside what was published, hits and misses counted."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum.surface.csv_table import csv_of_rows
from gaddum.surface.options import AsCsv, AsJson, Draws, Seed, tell
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from gaddum.engagement.scorecard import BenchmarkComparison
    from gaddum.records.curve import Curve
    from gaddum.records.reading import TimeWindow


@dataclass(frozen=True)
class BenchmarksRequest(Request):
    """What is asked of `gaddum benchmarks`."""

    verb = "benchmarks"
    ids: Annotated[
        tuple[str, ...],
        typer.Argument(metavar="[ID]...", help="Those to predict; all where none is given."),
    ] = ()
    draws: Draws = 1000
    seed: Seed = 0


@asking
def benchmarks(
    asked: BenchmarksRequest,
    write: Annotated[
        Path | None, typer.Option(metavar="PAGE", help="Renew the tables in a Markdown page, or make one.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Predict published occupancies, levels and potency ratios, and count hits and misses."""
    from gaddum.surface.benchmarks_page import print_benchmarks, renewed
    from gaddum.surface.files import write_atomically

    before = _page(write)
    document = run(asked)
    if write is not None:
        write_atomically(write, renewed(before, document))
    made = write and f"Page: {write}"
    tell(document, as_json, lambda console: print_benchmarks(document, console), made, as_csv and _table)


def run(asked: BenchmarksRequest) -> dict[str, Any]:
    """Predict the benchmarks that are asked of, with the command that repeats it."""
    from rich.console import Console

    from gaddum import __version__
    from gaddum.surface.accelerator import configure_jax
    from gaddum.surface.terminal import progress_bar

    chosen = _chosen(asked.ids)
    configure_jax()
    from gaddum.engagement.occupancy import SPAN
    from gaddum.engagement.scorecard import benchmarks as predict_all

    with progress_bar(Console(stderr=True), {"benchmarks": 1.0}) as report:
        found = predict_all(chosen, draws=asked.draws, seed=asked.seed, progress=report)
    said = {"draws": found.draws, "seed": found.seed, "command": asked.command()}
    return {
        "benchmarks": [_row(one) for one in found.compared],
        "counted": {"hits": found.count("hit"), "misses": found.count("miss")},
        "not_counted": {
            "would_hit": found.count("hit", counted=False),
            "would_miss": found.count("miss", counted=False),
        },
        "span": SPAN,
        "manifest": {"version": __version__, **said},
        **said,
    }


def _table(document: dict[str, Any]) -> str:
    """One row a published value."""
    about = ("id", "title", "species", "protocol", "quantity", "unit", "verdict")
    return csv_of_rows(
        {name: one[name] for name in about} | row for one in document["benchmarks"] for row in one["readings"]
    )


def _row(one: "BenchmarkComparison") -> dict[str, Any]:
    benchmark = one.benchmark
    return {
        "id": benchmark.id,
        "title": benchmark.title,
        "species": benchmark.species,
        "protocol": benchmark.protocol,
        "quantity": benchmark.readings[0].kind,
        "unit": benchmark.measured[0].published.unit,
        "readings": _readings(one),
        "tolerance": benchmark.tolerance and benchmark.tolerance.model_dump(),
        "off": one.off,
        "counted": one.counted,
        "used": one.used,
        "verdict": one.verdict if one.counted else "used" if benchmark.counted else "not counted",
        "would_be": one.verdict,
        "why": _why(one),
        "note": benchmark.note,
    }


def _readings(one: "BenchmarkComparison") -> list[dict[str, Any]]:
    """Readings with their published values, also where nothing could be predicted."""
    from gaddum.parameters import cite

    rows = []
    for place, number in enumerate(one.benchmark.measured):
        published = number.published
        row: dict[str, Any] = {
            "time": _written(number.time),
            "published": published.value,
            "spread": None if published.spread is None else published.spread.model_dump(exclude={"reason"}),
            "n": published.n,
            "source": cite(published.source),
        }
        if one.readings:
            predicted = one.readings[place]
            row |= {"median": predicted.median, "lower": predicted.lower, "upper": predicted.upper}
            row |= {"reading_lower": predicted.reading[0], "reading_upper": predicted.reading[1]}
            row |= {"covered": predicted.covers}
        rows.append(row)
    return rows


def _written(time: "str | TimeWindow | None") -> str | None:
    return time if time is None or isinstance(time, str) else f"{time.start} to {time.end} ({time.reads})"


def _why(one: "BenchmarkComparison") -> str:
    """Say in a sentence how it came out, or why it is not counted."""
    if one.refusal is not None:
        said = f"Cannot be expressed: {one.refusal}"
    else:
        is_fold = one.benchmark.tolerance is not None and one.benchmark.tolerance.kind == "fold"
        size = f"{one.off:.2f}-fold" if is_fold else f"{one.off:.2f}"
        inside = sum(reading.covers for reading in one.readings)
        band = (
            f"the published value lies {'in' if inside else 'outside'} the band of a reading"
            if len(one.readings) == 1
            else f"{inside} of {len(one.readings)} published values lie in the band of a reading"
        )
        said = f"Off by {size}; {band}."
    reason = one.benchmark.reason or (_USED if one.used else None)
    return said if one.counted else f"{reason} ({said.removesuffix('.')}.)"


_USED = "Constants of the drug rest on this paper, so that it tests nothing."


def _chosen(ids: tuple[str, ...]) -> "list[Curve]":
    from gaddum.records.curve import load_benchmarks
    from gaddum.records.finding import nearest

    known = {one.id: one for one in load_benchmarks()}
    for name in ids:
        if name not in known:
            raise ValueError(
                f"A benchmark must be one of the library; got {name!r}. {nearest(name, known, what='Bundled')}"
            )
    return [known[name] for name in dict.fromkeys(ids)] if ids else list(known.values())


def _page(path: Path | None) -> str | None:
    """Text of the page to renew, looked at before anything is computed."""
    from gaddum.surface.benchmarks_page import check_page

    if path is None or not path.exists():
        return None
    text = path.read_text(encoding="utf-8")
    check_page(text)
    return text
