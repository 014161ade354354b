"""The command `gaddum occupancy`: what a dosing protocol does at the receptors."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gaddum.surface.occupancy.request import OccupancyRequest, hours
from gaddum.surface.options import AsCsv, AsJson, Verbose, tell
from gaddum.surface.request import asking, words

if TYPE_CHECKING:
    from gaddum.engagement.layout import Layout
    from gaddum.surface.occupancy.protocols import DosedSubject

RESULT = "occupancy"
"""Stem of the files that `--out` writes."""

_REACH = re.compile(
    r"\s*(?P<target>\S+)\s+(?P<measure>occupied\s+|blocked\s+)?(?P<level>[\d.]+(?:e-?\d+)?)(?P<percent>\s?%)?"
    r"\s+at\s+(?P<times>.+)"
)


@asking
def occupancy(
    asked: OccupancyRequest,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for page, figure, table and JSON.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    verbose: Verbose = False,
) -> None:
    """Follow doses to the receptors: how much of each is occupied, by what, when, and how sure that is."""
    from gaddum.surface.occupancy.terminal_table import print_occupancy

    document = run(asked)
    if out is not None:
        from gaddum.surface.occupancy.page import write_page

        write_files(document, out, RESULT, _table, write_page)
    made = out and f"Page: {out / f'{RESULT}.html'}"
    shown = as_csv and _table
    tell(document, as_json, lambda console: print_occupancy(document, console, verbose=verbose), made, shown)


def run(asked: OccupancyRequest) -> dict[str, Any]:
    """Follow the doses that are asked of, and describe what they do."""
    from gaddum.surface.accelerator import collecting_seldom, configure_jax

    reached = _reached(asked)
    with collecting_seldom():
        configure_jax()
        from gaddum.surface.occupancy.document import collect, common_end, describe

        given = asked.dosed()
        until = common_end(given, asked)
        parts, used = [], set[str]()
        for one in given:
            part, layout = describe(one, asked, until)
            if reached is not None:
                part["reach"] = _reach(layout, one, **reached)
            if asked.human_equivalent:
                part["human_equivalent"] = _human(one, asked.human_equivalent, asked)
            parts.append(part)
            used |= {parameter.name for parameter in layout.parameters}
        for name, fit in zip(asked.fit, asked.fits if asked.fit else (), strict=True):
            if not used & {constant.name for constant in fit.constants}:
                typer.echo(f"{name} is of {fit.drug} in {fit.species} and is not used here.", err=True)
        return collect(parts, asked)


def _table(document: dict[str, Any]) -> str:
    from gaddum.surface.occupancy.page import write_table

    return write_table(document)


def _reached(asked: OccupancyRequest) -> dict[str, Any] | None:
    """What `--reach` asks; None where nothing."""
    vary = asked.vary or "dose"
    if vary not in ("dose", "time"):
        raise ValueError(f"--vary must be dose or time; got {vary!r}.")
    if asked.reach is None:
        return None
    match = _REACH.fullmatch(asked.reach)
    if match is None:
        raise ValueError(
            f"--reach must be a target, a fraction and a time, such as 'MOR 0.9 at 2 h'; got {asked.reach!r}."
        )
    level = float(match["level"]) * (0.01 if match["percent"] else 1.0)
    measure = (match["measure"] or "occupied").strip()
    times = [hours(word) for word in words(match["times"])]
    found = {"target": match["target"], "level": level, "measure": measure, "at": times}
    return found | {"vary": vary, "drug": asked.drug}


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


def _human(given: "DosedSubject", target: str, asked: OccupancyRequest) -> dict[str, Any]:
    from gaddum.engagement.equivalence import human_equivalent_dose
    from gaddum.records.shorthand import write_doses

    at = asked.times[0] if len(asked.times) == 1 else None
    found = human_equivalent_dose(
        given.doses,
        target,
        species=given.species,
        weight=given.weight,
        at=at,
        library=given.library,
        preparation=given.preparation,
        tone=given.tone,
        draws=asked.draws,
        seed=asked.seed,
    )
    doses = {key: write_doses(getattr(found, key)) for key in ("by_weight", "by_engagement")}
    return found._asdict() | doses | {"at_h": "peak" if at is None else at}


def write_files(
    document: dict[str, Any],
    folder: Path,
    stem: str,
    table: Callable[[dict[str, Any]], str],
    page: Callable[[dict[str, Any]], str] | None = None,
) -> None:
    """Write JSON, table, figure and, where there is one, page; all of them or none."""
    from gaddum.surface.files import as_json as to_json
    from gaddum.surface.files import staged
    from gaddum.surface.occupancy import chart

    with staged(folder) as work:
        (work / f"{stem}.json").write_text(to_json(document) + "\n", encoding="utf-8")
        (work / f"{stem}.csv").write_text(table(document), encoding="utf-8")
        (work / f"{stem}.svg").write_text(chart.svg(document), encoding="utf-8")
        (work / f"{stem}.png").write_bytes(chart.png(document))
        if page is not None:
            (work / f"{stem}.html").write_text(page(document), encoding="utf-8")
