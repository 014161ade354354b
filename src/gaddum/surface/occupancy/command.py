"""The command `gaddum occupancy`: what a dosing protocol does at the receptors.

Everything heavy is imported when the command runs, so that `gaddum --help` stays quick.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

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
    from gaddum.engagement.layout import Layout
    from gaddum.surface.occupancy.document import OccupancyRequest
    from gaddum.surface.occupancy.protocols import DosedSubject

RESULT = "occupancy"
"""Stem of the files that `--out` writes."""

_REACH = re.compile(
    r"\s*(?P<target>\S+)\s+(?P<measure>occupied\s+|blocked\s+)?(?P<level>[\d.]+(?:e-?\d+)?)(?P<percent>\s?%)?"
    r"\s+at\s+(?P<times>.+)"
)


def occupancy(
    protocols: Annotated[
        list[str],
        typer.Argument(
            metavar="PROTOCOL...",
            help="Doses, such as 'naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min'; the arm of a "
            "published study, case:study/experiment/arm; or a NONMEM-style table, theirs.csv. Several are overlaid.",
        ),
    ],
    species: SpeciesName = None,
    targets: Annotated[
        str | None, typer.Option(metavar="A,B", help="Targets; all that the drugs bind where not given.")
    ] = None,
    at: ReadTimes = None,
    until: Until = None,
    weight: Weight = None,
    preparation: PreparationName = None,
    above: Annotated[
        float | None, typer.Option(min=0, max=1, help="Report the time above this fraction.")
    ] = None,
    reach: Annotated[
        str | None,
        typer.Option(metavar="'MOR 0.9 at 2 h'", help="Which dose or time holds this much of a target then?"),
    ] = None,
    vary: Annotated[str, typer.Option(metavar="dose|time", help="What --reach may change.")] = "dose",
    drug: Annotated[
        str | None,
        typer.Option(help="Whose doses --reach varies [default: the first]; the drug of a table."),
    ] = None,
    unit: TableUnit = None,
    route: TableRoute = None,
    subjects: TableSubjects = None,
    separator: Separator = None,
    decimal: Decimal = None,
    tone: Tone = None,
    human_equivalent: Annotated[
        str | None, typer.Option(metavar="TARGET", help="The human dose that holds as much of this target.")
    ] = None,
    draws: Draws = 1000,
    seed: Seed = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for page, figure, table and JSON.")
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Follow doses to the receptors: how much of each is held, by what, when, and how sure that is."""
    from gaddum.surface.accelerator import collecting_seldom, configure_jax

    asked = {"targets": targets, "until": until, "species": species, "weight": weight}
    asked |= {"preparation": preparation, "above": above, "reach": reach, "drug": drug}
    asked |= {
        "tone": tone,
        "human-equivalent": human_equivalent,
        "unit": unit,
        "route": route,
        "id": subjects,
        "separator": separator,
        "decimal": decimal,
    }
    varied = {} if vary == "dose" else {"vary": vary}
    command = command_line("occupancy", *protocols, at=at or [], **asked, **varied, draws=draws, seed=seed)
    try:
        questions = _questions(reach, vary, drug, human_equivalent)
        who = {"species": species, "weight": weight, "preparation": preparation}
        said = {"drug": drug, "unit": unit, "routes": route, "subjects": subjects}
        said |= {"separator": separator, "decimal": decimal}
        with collecting_seldom():
            configure_jax()
            given = given_protocols(protocols, who, said, read_tone(tone))
            wanted = asked_of(targets, at or [], until, above, draws, seed)
            document = _document(given, wanted, questions, command)
        if out is not None:
            _write(document, out)
    except (ValueError, OSError) as error:
        raise unusable(error) from None
    if as_json:
        from gaddum.surface.files import as_json as to_json

        typer.echo(to_json(document))
        return
    from rich.console import Console

    from gaddum.surface.occupancy.terminal_table import print_occupancy

    print_occupancy(document, Console(), verbose=verbose)
    if out is not None:
        typer.echo(f"\nPage: {out / f'{RESULT}.html'}")


def given_protocols(
    protocols: Sequence[str],
    who: dict[str, str | None],
    said: dict[str, str | None],
    tone: dict[str, float] | None,
) -> "list[DosedSubject]":
    """Doses, arms and tables as protocols; `said` is what tables do not say of themselves."""
    from gaddum.surface.occupancy.event_protocols import Columns, is_table, read_table
    from gaddum.surface.occupancy.protocols import read_protocol

    columns = Columns(**{name: text for name, text in said.items() if text is not None})
    if not any(map(is_table, protocols)) and columns != Columns(drug=columns.drug):
        raise ValueError(
            "--unit, --route, --id, --separator and --decimal are for tables of events; got none. Leave them out."
        )
    found: list[DosedSubject] = []
    for text in protocols:
        if is_table(text):
            found += read_table(text, columns, **who, tone=tone)
        else:
            found.append(read_protocol(text, **who, tone=tone))
    return found


def read_tone(text: str | None) -> dict[str, float] | None:
    """Endogenous agonist over its K by target, as `--tone` says it."""
    if text is None:
        return None
    found: dict[str, float] = {}
    for word in words(text):
        target, _, number = (part.strip() for part in word.partition("="))
        try:
            found[target] = float(number)
        except ValueError:
            raise ValueError(
                f"--tone must be targets with a concentration over its K each, such as 'MOR=0.3'; got {text!r}."
            ) from None
    return found


def asked_of(
    targets: str | None, at: Sequence[str], until: str | None, above: float | None, draws: int, seed: int
) -> "OccupancyRequest":
    """Targets, times and draws as options say them."""
    from gaddum.records.library import load_library
    from gaddum.surface.occupancy.document import OccupancyRequest

    library = load_library()
    names = None if targets is None else tuple(dict.fromkeys(map(library.target_name, words(targets))))
    if names is not None and not names:
        raise ValueError(f"--targets must name at least one target; got {targets!r}.")
    times = tuple(sorted({_hours(word) for text in at for word in words(text)}))
    if at and not times:
        raise ValueError("--at must hold at least one time, such as '4 h'; got none.")
    return OccupancyRequest(names, times, None if until is None else _hours(until), above, draws, seed)


def words(text: str) -> list[str]:
    """Parts of a list that is written with commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _hours(text: str) -> float:
    from gaddum import units

    return units.magnitude(text, "time")


def _questions(
    reach: str | None, vary: str, drug: str | None, human_equivalent: str | None
) -> dict[str, Any]:
    """Read what is asked beyond the curves."""
    if vary not in ("dose", "time"):
        raise ValueError(f"--vary must be dose or time; got {vary!r}.")
    asked: dict[str, Any] = {"human_equivalent": human_equivalent}
    if reach is not None:
        match = _REACH.fullmatch(reach)
        if match is None:
            raise ValueError(
                f"--reach must be a target, a fraction and a time, such as 'MOR 0.9 at 2 h'; got {reach!r}."
            )
        level = float(match["level"]) * (0.01 if match["percent"] else 1.0)
        measure = (match["measure"] or "occupied").strip()
        times = [_hours(word) for word in words(match["times"])]
        asked["reach"] = {"target": match["target"], "level": level, "measure": measure}
        asked["reach"] |= {"at": times, "vary": vary, "drug": drug}
    return asked


def _document(
    given: "Sequence[DosedSubject]", wanted: "OccupancyRequest", questions: dict[str, Any], command: str
) -> dict[str, Any]:
    from gaddum.surface.occupancy.document import collect, common_end, describe

    wanted = wanted._replace(until=common_end(given, wanted))
    parts = []
    for one in given:
        part, layout = describe(one, wanted)
        if questions.get("reach"):
            part["reach"] = _reach(layout, one, **questions["reach"])
        if questions["human_equivalent"]:
            part["human_equivalent"] = _human(one, questions["human_equivalent"], wanted)
        parts.append(part)
    return collect(parts, wanted, command)


def _reach(
    layout: "Layout",
    given: "DosedSubject",
    *,
    target: str,
    level: float,
    measure: Literal["occupied", "blocked"],
    at: list[float],
    vary: str,
    drug: str | None,
) -> dict[str, Any]:
    """Answer `--reach` for the median and for the lower bound of the band."""
    from gaddum.engagement.effective_dose import LOWER, dose_for, window_for
    from gaddum.records.shorthand import write_doses

    asked = {"target": target, "level": level, "measure": measure, "at_h": at, "vary": vary}
    rest: Any = {"drug": drug, "measure": measure, "library": given.library}
    if vary == "dose" and len(at) > 1:
        raise ValueError("--reach with --vary dose takes one time; got several. Ask for the last one.")
    answers = {}
    refusals = []
    for name, certainty in (("median", 0.5), ("lower", LOWER)):
        try:
            if vary == "dose":
                one = dose_for(layout, target, level, at[0], certainty=certainty, **rest)
                answers[name] = one._asdict() | {"doses": write_doses(one.doses)}
            else:
                answers[name] = window_for(layout, target, level, at, certainty=certainty, **rest)._asdict()
        except ValueError as error:
            refusals.append(error)
            answers[name] = {"unreachable": str(error)}
    if len(refusals) == 2:
        raise refusals[0]
    return asked | answers


def _human(given: "DosedSubject", target: str, wanted: "OccupancyRequest") -> dict[str, Any]:
    from gaddum.engagement.equivalence import human_equivalent_dose
    from gaddum.records.shorthand import write_doses

    found = human_equivalent_dose(
        given.doses,
        target,
        species=given.species,
        weight=given.weight,
        at=wanted.at[0] if len(wanted.at) == 1 else None,
        library=given.library,
        preparation=given.preparation,
        tone=given.tone,
        draws=wanted.draws,
        seed=wanted.seed,
    )
    doses = {key: write_doses(getattr(found, key)) for key in ("by_weight", "by_engagement")}
    return found._asdict() | doses | {"at_h": wanted.at[0] if len(wanted.at) == 1 else "peak"}


def _write(document: dict[str, Any], folder: Path) -> None:
    """Write page, figure, table and JSON; all of them or none."""
    from gaddum.surface.files import as_json as to_json
    from gaddum.surface.files import staged
    from gaddum.surface.occupancy import chart
    from gaddum.surface.occupancy.page import write_page, write_table

    with staged(folder) as work:
        (work / f"{RESULT}.json").write_text(to_json(document) + "\n", encoding="utf-8")
        (work / f"{RESULT}.csv").write_text(write_table(document), encoding="utf-8")
        (work / f"{RESULT}.svg").write_text(chart.svg(document), encoding="utf-8")
        (work / f"{RESULT}.png").write_bytes(chart.png(document))
        (work / f"{RESULT}.html").write_text(write_page(document), encoding="utf-8")
