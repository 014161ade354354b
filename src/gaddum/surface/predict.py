"""The command `gaddum predict`: what a study will show, by a stored run of a case, before anyone runs it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gaddum.surface.options import AsJson, CaseName, Seed
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from gaddum.prediction.predicted_study import ReferenceForecast, StudyPrediction


@dataclass(frozen=True)
class PredictRequest(Request):
    """What is asked of `gaddum predict`."""

    verb = "predict"
    case: CaseName
    study: Annotated[
        str | None,
        typer.Argument(
            metavar="STUDY.yaml",
            help="File of a study, with outcomes or without, or a study of the case. Where none is given: what ten a "
            "group would show of every proposition.",
            show_default=False,
        ),
    ] = None
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
def predict(
    asked: PredictRequest,
    out: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Write a page there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Predict what a study will show: effects, chances of each result, occupancy. Nothing is fitted."""
    from gaddum.prediction.predicted_study import StudyPrediction

    if out is not None and asked.study is None:
        raise ValueError("A page is of a study; got none. Give STUDY.yaml, or --json in place of --out.")
    found = run(asked)
    if out is not None and isinstance(found, StudyPrediction):
        from gaddum.surface.files import write_atomically
        from gaddum.surface.predict_page import write_page

        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(out, write_page(found))
    if as_json:
        typer.echo(found.to_json())
        return
    from rich.console import Console

    from gaddum.surface.predict_terminal import print_prediction, print_references

    if isinstance(found, StudyPrediction):
        print_prediction(found, Console())
    else:
        print_references(found, Console())
    if out is not None:
        typer.echo(f"\nPage: {out}")


def run(asked: PredictRequest) -> "StudyPrediction | ReferenceForecast":
    """Predict the study that is asked of, or a study of every proposition."""
    from gaddum.extras import required
    from gaddum.surface.accelerator import collecting_seldom, configure_jax

    required("jax", "A prediction")
    with collecting_seldom():
        configure_jax()
        from gaddum.prediction.predict import predict as foretell
        from gaddum.prediction.reference_studies import predict_references

        if asked.study is None:
            found = predict_references(asked.case, run=asked.run, seed=asked.seed)
        else:
            found = foretell(asked.case, asked.study, run=asked.run, seed=asked.seed)
        return found.with_manifest(command=asked.command())
