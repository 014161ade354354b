"""`gaddum ledger list`: the studies of a case, a line each."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import typer

from gaddum.surface.csv_table import csv_of
from gaddum.surface.options import AsCsv, AsJson, CaseName, print_error, tell
from gaddum.surface.request import Request, asking

_HEADS = (
    *("id", "year", "title", "cohort", "experiments", "outcomes", "scored"),
    *("read", "risk_of_bias", "engagement"),
)


@dataclass(frozen=True)
class LedgerListRequest(Request):
    """What is asked of `gaddum ledger list`."""

    verb = "ledger list"
    case: CaseName


@asking
def ledger_list(asked: LedgerListRequest, as_json: AsJson = False, as_csv: AsCsv = False) -> None:
    """List the studies of a case, with how each was read, its risk of bias, and what shows engagement."""
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
            "read": study.read,
            "risk_of_bias": ", ".join(
                f"{n} {word}" for word, n in Counter(study.risk_of_bias.values()).items()
            ),
            "engagement": ", ".join(
                dict.fromkeys(filter(None, (e.protocol.engagement for e in study.experiments)))
            ),
        }
        for study in studies
    ]
    return {"case": asked.case, "studies": rows}


def csv_of_studies(document: dict[str, Any]) -> str:
    """The list as comma-separated values."""
    return csv_of(_HEADS, [[row[head] for head in _HEADS] for row in document["studies"]])


def _print(document: dict[str, Any]) -> None:
    from gaddum.surface.terminal import print_rows

    if rows := document["studies"]:
        heads = ("id", "year", "scored", "read", "risk of bias", "engagement")
        told = (
            row | {"scored": f"{row['scored']} of {row['outcomes']}", "risk of bias": row["risk_of_bias"]}
            for row in rows
        )
        print_rows(heads, [[str(row[head]) for head in heads] for row in told])
    else:
        print_error(f"The ledger of {document['case']} is empty.", style="yellow")
