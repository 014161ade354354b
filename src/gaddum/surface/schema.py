"""The command `gaddum schema`: what a kind of file may say, and what a result says, as JSON Schema."""

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from gaddum.surface.request import Request, asking


@dataclass(frozen=True)
class SchemaRequest(Request):
    """What is asked of `gaddum schema`."""

    verb = "schema"
    name: Annotated[
        str | None,
        typer.Argument(
            help="case, curve, drug, mixture, study or target; result, prediction, update, comparison, power or "
            "'case power'; all of them where not given."
        ),
    ] = None


@asking
def schema(asked: SchemaRequest) -> None:
    """Print the JSON Schema of a kind of file, for editors, or of what a command prints, for programs."""
    from gaddum.surface.files import as_json

    typer.echo(as_json(run(asked)))


def run(asked: SchemaRequest) -> dict[str, Any]:
    """Give the schema that is asked for, or all by name."""
    from gaddum.change_results import RunComparison, StudyUpdate
    from gaddum.power_results import CasePower, PowerResult
    from gaddum.prediction.predicted_study import StudyPrediction
    from gaddum.records.finding import nearest
    from gaddum.records.schema import DIALECT, FILES, file_schema
    from gaddum.results import AdjudicationResult

    made = {
        "result": AdjudicationResult,
        "prediction": StudyPrediction,
        "update": StudyUpdate,
        "comparison": RunComparison,
        "power": PowerResult,
        "case power": CasePower,
    }
    if asked.name is not None and asked.name not in {*FILES, *made}:
        near = nearest(asked.name, [*FILES, *made], what="Kinds")
        raise ValueError(f"A schema must be of a kind of file or of result; got {asked.name!r}. {near}")
    if asked.name in FILES:
        return file_schema(asked.name)
    said = {
        name: {"$schema": DIALECT, **kind.model_json_schema(mode="serialization")}
        for name, kind in made.items()
    }
    return {kind: file_schema(kind) for kind in FILES} | said if asked.name is None else said[asked.name]
