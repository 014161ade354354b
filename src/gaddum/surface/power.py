"""The command `gaddum power`: what a test can find, what it could ever show, and how many subjects it takes."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaddum.surface.options import AsCsv, AsJson, Seed, tell
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from gaddum.power_results import CasePower, PowerResult

RESULT = "power"
"""Stem of the files that `--out` writes."""


@dataclass(frozen=True)
class PowerRequest(Request):
    """What is asked of `gaddum power`."""

    verb = "power"
    what: Annotated[
        tuple[str, ...],
        typer.Argument(
            metavar="[CASE STUDY.yaml]",
            help="A blockade study in a case: what it could show between the accounts of a run.",
        ),
    ] = ()
    n: Annotated[
        int | None,
        typer.Option(
            help="Subjects a group, or pairs; with --sequential at most so many.  [default: the smallest that gives "
            "--assurance]"
        ),
    ] = None
    n2: Annotated[int | None, typer.Option(help="Subjects in the second group, if another size.")] = None
    paired: Annotated[
        bool,
        typer.Option(
            "--paired",
            help="Differences within subjects; of counts, responders tested again, p2 held against p1.",
        ),
    ] = False
    effect: Annotated[
        float | None,
        typer.Option(help="True difference in within-group SD; if paired, in SD of the differences."),
    ] = None
    effect_sd: Annotated[
        float | None, typer.Option(help="SD of what is known of the effect, which is then normal.")
    ] = None
    p1: Annotated[float | None, typer.Option(help="Chance of a response in the first group, for counts.")] = (
        None
    )
    p2: Annotated[float | None, typer.Option(help="Chance of a response in the second group.")] = None
    alpha: Annotated[float, typer.Option(help="Two-sided level.")] = 0.05
    scale: Annotated[
        float, typer.Option(help="Scale of the Cauchy prior of the JZS Bayes factor, in SD.")
    ] = 2**-0.5
    threshold: Annotated[
        float, typer.Option(help="Bayes factor from which on it counts as shown, for an effect and against.")
    ] = 10.0
    threshold_against: Annotated[
        float | None, typer.Option(help="The same against an effect, if another.")
    ] = None
    assurance: Annotated[
        float | None,
        typer.Option(help="Wanted chance of a significant result, over all that the effect may be."),
    ] = None
    sequential: Annotated[
        bool, typer.Option("--sequential", help="Look on the way, and stop at a threshold.")
    ] = False
    first: Annotated[int, typer.Option(help="First look of --sequential, a group or pairs.")] = 5
    every: Annotated[int, typer.Option(help="Subjects a group, or pairs, between looks.")] = 1
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of an adjudication of the case.  [default: runs/CASE]",
            show_default=False,
        ),
    ] = None
    seed: Seed = 0


@asking
def power(
    asked: PowerRequest,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder for page, figure, table and JSON.")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Size a study: power, Bayes factors that it could show, and the smallest n for a wanted assurance."""
    from gaddum.surface.power_table import print_case_power, print_power, table

    if asked.what:
        if out is not None or as_csv:
            raise ValueError("Power in a case is printed, or given as --json. Leave out --out and --csv.")
        in_case = run_in_case(asked)
        tell(
            in_case.model_dump(mode="json"), as_json, lambda console: print_case_power(in_case, console), None
        )
        return
    found = run(asked)
    if out is not None:
        from gaddum.surface.power_page import write_files

        write_files(found, out, RESULT)
    if as_csv:
        typer.echo(table(found), nl=False)
        return
    made = out and f"Page: {out / f'{RESULT}.html'}"
    tell(found.model_dump(mode="json"), as_json, lambda console: print_power(found, console), made)


def run(asked: PowerRequest) -> "PowerResult":
    """Find what the test that is asked of can do."""
    from gaddum.outcomes.planned_test import power as plan

    if asked.run is not None:
        raise ValueError("--run is of a case; got none. Give the case and a study's file, or leave it out.")
    said = {name: value for name, value in asdict(asked).items() if name not in ("what", "run")}
    return plan(**said).model_copy(update={"command": asked.command()})


def run_in_case(asked: PowerRequest) -> "CasePower":
    """Find what the study that is asked of could show."""
    from gaddum.extras import required
    from gaddum.surface.accelerator import collecting_seldom, configure_jax

    kept = PowerRequest(asked.what, n=asked.n, threshold=asked.threshold, run=asked.run, seed=asked.seed)
    if len(asked.what) != 2 or asked != kept:
        raise ValueError(
            "Power in a case takes the case and a study's file, --n, --threshold, --run and --seed; got "
            f"'{asked.command()}'. Leave out what else there is."
        )
    required("jax", "Power in a case")
    with collecting_seldom():
        configure_jax()
        from gaddum.prediction.case_power import case_power

        case, study = asked.what
        found = case_power(case, study, run=asked.run, n=asked.n, threshold=asked.threshold, seed=asked.seed)
        return found.model_copy(update={"command": asked.command()})
