"""The command `gaddum simulate`: protocols over time, down to what a case's accounts make of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum.surface import completion
from gaddum.surface.hours import written
from gaddum.surface.occupancy.request import DosingRequest
from gaddum.surface.options import AsCsv, AsJson, Verbose, tell
from gaddum.surface.request import asking, words

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from gaddum.response.simulate import Simulation
    from gaddum.surface.occupancy.protocols import DosedSubject

RESULT = "simulation"
"""Stem of the files that `--out` writes."""


@dataclass(frozen=True)
class SimulateRequest(DosingRequest):
    """What is asked of `gaddum simulate`."""

    verb = "simulate"
    case: Annotated[
        str | None,
        typer.Option(
            help="Case whose accounts say what becomes of it, by their prior.",
            autocompletion=completion.cases,
        ),
    ] = None
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of an adjudication: one account, by its posterior there."),
    ] = None
    hypotheses: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Accounts.  [default: all of the case; the most probable of a run]"),
    ] = None
    population: Annotated[
        str | None,
        typer.Option(help="Population of the case whose dependence holds.  [default: a new one]"),
    ] = None


@asking
def simulate(
    asked: SimulateRequest,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for figure, table and JSON.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    verbose: Verbose = False,
) -> None:
    """Simulate doses: concentrations, receptors and, by a case's accounts, acute and sustained states."""
    document = run(asked)
    if out is not None:
        from gaddum.surface.occupancy.command import write_files

        write_files(document, out, RESULT, _table)
    made = out and f"Figure: {out / f'{RESULT}.svg'}"
    shown = as_csv and _table
    tell(document, as_json, lambda console: _print(document, console, verbose=verbose), made, shown)


def run(asked: SimulateRequest) -> dict[str, Any]:
    """Follow the doses that are asked of to what accounts make of them, and describe it."""
    from gaddum.surface.accelerator import collecting_seldom, configure_jax

    with collecting_seldom():
        configure_jax()
        from gaddum.engagement.layout import lay_out
        from gaddum.response.accounts import read_accounts
        from gaddum.response.simulate import common_times, follow
        from gaddum.surface.occupancy.document import common_end, tabled

        names = words(asked.hypotheses) if asked.hypotheses else None
        accounts = read_accounts(asked.case, asked.run, names, asked.population)
        given = asked.dosed()
        said = {"targets": asked.target_names, "draws": asked.draws}
        said |= {} if accounts.library is None else {"library": accounts.library.with_fits(asked.fits)}
        layouts = [
            lay_out(one.doses, seed=asked.seed, **accounts.setting(**(one.setting | said))) for one in given
        ]
        grid = common_times(layouts, until=common_end(given, asked))
        read = sorted({*asked.times} or {t for one in given for _, t in one.tests}) or tabled(grid).tolist()
        found = follow(layouts, sorted({*grid.tolist(), *read}), accounts, seed=asked.seed)
        return _document(found, given, read, asked)


def _document(
    found: "Simulation", given: "list[DosedSubject]", read: list[float], asked: SimulateRequest
) -> dict[str, Any]:
    """What `--json` prints, and figure and table are made from; curves are as those of `occupancy`."""
    import numpy as np

    from gaddum import __version__
    from gaddum.engagement.occupancy import SPAN
    from gaddum.surface.occupancy.document import curve_of, dose_ticks, rests_on

    every = np.ones(found.times.size, bool)
    told = np.isin(found.times, read)
    fractions = fractions_of(found)
    draws = next(iter(fractions.values())).shape[-1]
    notes = [f"{asked.draws} draws were asked for; the run holds {draws}"] if draws < asked.draws else []
    parts = [
        {
            "protocol": found.protocols[place],
            "label": one.label,
            "species": one.species,
            "weight": one.weight,
            "preparation": one.preparation,
            "curves": {name: curve_of(found.times, x[place], every) for name, x in fractions.items()},
            "table": {name: curve_of(found.times, x[place], told) for name, x in fractions.items()},
            "concentrations": {
                name: curve_of(found.times, x[place], every) | {"unit": "nM, unbound in brain"}
                for name, x in found.concentrations.items()
                if x[place].any()
            },
            "doses": dose_ticks(one.doses),
            "tests": [{"endpoint": name, "time_h": time} for name, time in one.tests],
            "notes": [*one.notes, *notes],
        }
        for place, one in enumerate(given)
    ]
    return {
        "protocols": parts,
        "drawn_from": found.drawn_from,
        "draws": draws,
        "span": SPAN,
        "axis": "fraction",
        "title": "Simulation",
        **rests_on(found),
        "manifest": {"version": __version__, "command": asked.command()},
    }


def fractions_of(found: "Simulation") -> "dict[str, np.ndarray]":
    """Features and states by name, [protocols, times, draws] each."""
    fractions = dict(found.features)
    for name, states in found.states.items():
        fractions |= {f"{name}, acute state": states.acute, f"{name}, sustained state": states.sustained}
    return fractions


def _print(document: dict[str, Any], console: "Console", *, verbose: bool) -> None:
    from rich.text import Text

    from gaddum.surface.occupancy.terminal_table import curve_tables, say, say_assumptions, subject

    for part in document["protocols"]:
        console.print(Text(part["protocol"], style="bold"))
        told = (
            f"{subject(part)}; median ({100 * document['span']:g} % interval) of {document['draws']} draws from the "
            f"{document['drawn_from']}"
        )
        say(console, told, style="dim")
        curve_tables(part, console)
        for name, curve in part["concentrations"].items():
            peak = max(range(len(curve["median"])), key=lambda at: curve["median"][at])
            median, lower, upper = (curve[key][peak] for key in ("median", "lower", "upper"))
            band = f"{median:.3g} ({lower:.3g}\u2013{upper:.3g}) nM"
            say(console, f"{name}: at most {band} unbound in brain, at {written(curve['time_h'][peak])}")
        for note in part["notes"]:
            say(console, note, style="yellow")
        console.print()
    if any("state" in name for name in document["protocols"][0]["table"]):
        say(
            console,
            "States are above their level without drugs; 1 is what full drive would reach.",
            style="dim",
        )
    say_assumptions(document, console, verbose)


def _table(document: dict[str, Any]) -> str:
    """Every curve as comma-separated values, one row per time."""
    from gaddum.surface.csv_table import csv_of

    rows = list[tuple]()
    for part in document["protocols"]:
        curves = [(name, one, "1") for name, one in part["curves"].items()]
        curves += [(f"{name}, unbound in brain", one, "nM") for name, one in part["concentrations"].items()]
        for name, one, unit in curves:
            for values in zip(*(one[key] for key in ("time_h", "median", "lower", "upper")), strict=True):
                numbers = (float(f"{value:.6g}") for value in values)
                rows.append((part["label"], part["species"], name, *numbers, unit))
    return csv_of(("protocol", "species", "quantity", "time_h", "median", "lower", "upper", "unit"), rows)
