"""The command `gaddum simulate`: protocols over time, down to what a case's accounts make of them.

Everything heavy is imported when the command runs, so that `gaddum --help` stays quick.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum.surface.hours import written
from gaddum.surface.options import (
    AsJson,
    Decimal,
    Draws,
    PreparationName,
    ReadTimes,
    Seed,
    Separator,
    SpeciesName,
    TableRoute,
    TableSubjects,
    TableUnit,
    Tone,
    Until,
    Verbose,
    Weight,
    command_line,
    unusable,
)

if TYPE_CHECKING:
    import numpy as np
    from rich.console import Console

    from gaddum.response.simulate import Simulation
    from gaddum.surface.occupancy.protocols import DosedSubject

RESULT = "simulation"
"""Stem of the files that `--out` writes."""


def simulate(
    protocols: Annotated[
        list[str],
        typer.Argument(
            metavar="PROTOCOL...",
            help="Doses, such as 'naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min'; the arm of a "
            "published study, case:study/experiment/arm; or a NONMEM-style table, theirs.csv. Several are followed on "
            "the same draws.",
        ),
    ],
    case: Annotated[
        str | None, typer.Option(help="Case whose accounts say what becomes of it, by their prior.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of an adjudication: one account, by its posterior there."),
    ] = None,
    hypotheses: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Accounts.  [default: all of the case; the most probable of a run]"),
    ] = None,
    population: Annotated[
        str | None,
        typer.Option(help="Population of the case whose dependence holds.  [default: a new one]"),
    ] = None,
    species: SpeciesName = None,
    targets: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Targets beside those of the accounts.  [default: all that the drugs bind, without accounts]",
        ),
    ] = None,
    at: ReadTimes = None,
    until: Until = None,
    weight: Weight = None,
    preparation: PreparationName = None,
    tone: Tone = None,
    drug: Annotated[str | None, typer.Option(help="The drug of a table.")] = None,
    unit: TableUnit = None,
    route: TableRoute = None,
    subjects: TableSubjects = None,
    separator: Separator = None,
    decimal: Decimal = None,
    draws: Draws = 1000,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for figure, table and JSON.")
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Simulate doses: concentrations, receptors and, by a case's accounts, acute and sustained states."""
    from gaddum.engagement.layout import lay_out
    from gaddum.response.accounts import read_accounts
    from gaddum.response.simulate import common_times, follow
    from gaddum.surface.accelerator import collecting_seldom, configure_jax
    from gaddum.surface.occupancy.command import asked_of, given_protocols, read_tone, words
    from gaddum.surface.occupancy.document import common_end, tabled

    said = {"case": case, "run": run, "hypotheses": hypotheses, "population": population}
    said |= {"species": species, "targets": targets, "until": until, "weight": weight}
    said |= {
        "preparation": preparation,
        "tone": tone,
        "drug": drug,
        "unit": unit,
        "route": route,
        "id": subjects,
    }
    said |= {"separator": separator, "decimal": decimal, "draws": draws, "seed": seed}
    try:
        who = {"species": species, "weight": weight, "preparation": preparation}
        with collecting_seldom():
            configure_jax()
            asked = read_accounts(case, run, words(hypotheses) if hypotheses else None, population)
            table = {"drug": drug, "unit": unit, "routes": route, "subjects": subjects}
            table |= {"separator": separator, "decimal": decimal}
            given = given_protocols(protocols, who, table, read_tone(tone))
            wanted = asked_of(targets, at or [], until, None, draws, seed)
            layouts = [
                lay_out(
                    one.doses,
                    species=one.species,
                    targets=asked.followed(wanted.targets),
                    weight=one.weight,
                    preparation=one.preparation,
                    tone=asked.tone | one.tone,
                    manipulations=one.manipulations,
                    draws=asked.draws(draws),
                    seed=seed,
                    library=asked.library or one.library,
                )
                for one in given
            ]
            grid = common_times(layouts, until=common_end(given, wanted))
            read = sorted({*wanted.at} or {t for one in given for _, t in one.tests}) or tabled(grid).tolist()
            found = follow(layouts, sorted({*grid.tolist(), *read}), asked, seed=seed)
            document = _document(
                found, given, read, draws, command_line("simulate", *protocols, at=at or [], **said)
            )
        if out is not None:
            _write(document, out)
    except (ValueError, OSError) as error:
        raise unusable(error) from None
    if as_json:
        from gaddum.surface.files import as_json as to_json

        typer.echo(to_json(document))
        return
    from rich.console import Console

    _print(document, Console(), verbose=verbose)
    if out is not None:
        typer.echo(f"\nFigure: {out / f'{RESULT}.svg'}")


def _document(
    found: "Simulation", given: "list[DosedSubject]", read: list[float], wanted: int, command: str
) -> dict[str, Any]:
    """What `--json` prints, and figure and table are made from; curves are as those of `occupancy`."""
    import numpy as np

    from gaddum import __version__
    from gaddum.engagement.occupancy import SPAN
    from gaddum.surface.occupancy.document import curve_of, dose_ticks, taken_for_granted

    every = np.ones(found.times.size, bool)
    told = np.isin(found.times, read)
    fractions = fractions_of(found)
    draws = next(iter(fractions.values())).shape[-1]
    notes = [f"{wanted} draws were asked for; the run holds {draws}"] if draws < wanted else []
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
        "assumptions": taken_for_granted(found),
        "parameters": [
            {key: getattr(one, key) for key in ("name", "distribution", "unit", "source", "reason")}
            for one in found.parameters
        ],
        "manifest": {"version": __version__, "command": command},
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


def _write(document: dict[str, Any], folder: Path) -> None:
    """Write figure, table and JSON; all of them or none."""
    from gaddum.surface.files import as_json as to_json
    from gaddum.surface.files import staged
    from gaddum.surface.occupancy import chart

    with staged(folder) as work:
        (work / f"{RESULT}.json").write_text(to_json(document) + "\n", encoding="utf-8")
        (work / f"{RESULT}.csv").write_text(_table(document), encoding="utf-8")
        (work / f"{RESULT}.svg").write_text(chart.svg(document), encoding="utf-8")
        (work / f"{RESULT}.png").write_bytes(chart.png(document))


def _table(document: dict[str, Any]) -> str:
    """Every curve as comma-separated values, one row per time."""
    import csv
    import io

    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["protocol", "species", "quantity", "time_h", "median", "lower", "upper", "unit"])
    for part in document["protocols"]:
        curves = [(name, one, "1") for name, one in part["curves"].items()]
        curves += [(f"{name}, unbound in brain", one, "nM") for name, one in part["concentrations"].items()]
        for name, one, unit in curves:
            for values in zip(*(one[key] for key in ("time_h", "median", "lower", "upper")), strict=True):
                numbers = (f"{value:.6g}" for value in values)
                rows.writerow([part["label"], part["species"], name, *numbers, unit])
    return text.getvalue()
