"""`gaddum ledger list`: the studies of a case, a line each."""

from dataclasses import dataclass
from typing import Any

import typer

from gaddum.surface.csv_table import csv_of
from gaddum.surface.options import AsCsv, AsJson, CaseName, print_error, tell
from gaddum.surface.request import Request, asking


@dataclass(frozen=True)
class LedgerListRequest(Request):
    """What is asked of `gaddum ledger list`."""

    verb = "ledger list"
    case: CaseName


@asking
def ledger_list(asked: LedgerListRequest, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the studies of a case."""
    if as_json and as_csv:
        raise ValueError("An answer must be JSON or CSV; got both. Take one.")
    document = run(asked)
    if as_csv:
        typer.echo(csv_of_studies(document), nl=False)
        return
    tell(document, as_json, lambda console: _print(document), None)


def run(asked: LedgerListRequest) -> dict[str, Any]:
    """Describe every study of the case that is asked of."""
    from gaddum.records.ledger import load_case
    from gaddum.records.outcome import is_scored
    from gaddum.surface.accelerator import collecting_seldom

    with collecting_seldom():
        studies = load_case(asked.case).ledger.studies
    rows = [
        {
            "id": study.id,
            "year": study.year,
            "title": study.title,
            "cohort": study.cohort,
            "experiments": len(study.experiments),
            "outcomes": sum(len(experiment.outcomes) for experiment in study.experiments),
            "scored": sum(is_scored(one) for experiment in study.experiments for one in experiment.outcomes),
        }
        for study in studies
    ]
    return {"case": asked.case, "studies": rows}


def csv_of_studies(document: dict[str, Any]) -> str:
    """The list as comma-separated values."""
    heads = ("id", "year", "title", "cohort", "experiments", "outcomes", "scored")
    return csv_of(heads, [[row[head] for head in heads] for row in document["studies"]])


def _print(document: dict[str, Any]) -> None:
    from gaddum.surface.terminal import print_rows

    if rows := document["studies"]:
        print_rows(rows[0], [[str(value) for value in row.values()] for row in rows])
    else:
        print_error(f"The ledger of {document['case']} is empty.", style="yellow")
