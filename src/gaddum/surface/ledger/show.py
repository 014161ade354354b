"""`gaddum ledger show`: one study as it is recorded."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gaddum.surface import completion
from gaddum.surface.options import AsJson, CaseName, tell
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from gaddum.records.experiment import Study


@dataclass(frozen=True)
class LedgerShowRequest(Request):
    """What is asked of `gaddum ledger show`."""

    verb = "ledger show"
    case: CaseName
    study: Annotated[
        str,
        typer.Argument(
            help="Id of the study, as `gaddum ledger list` prints it.", autocompletion=completion.studies
        ),
    ]


@asking
def ledger_show(asked: LedgerShowRequest, as_json: AsJson = False) -> None:
    """Show one study as it is recorded."""
    from gaddum.records.yaml import dump_record

    record = run(asked)
    tell(record.model_dump(mode="json"), as_json, lambda _: typer.echo(dump_record(record), nl=False), None)


def run(asked: LedgerShowRequest) -> "Study":
    """Find the study that is asked for."""
    from gaddum.records.ledger import load_case
    from gaddum.surface.accelerator import collecting_seldom

    with collecting_seldom():
        return load_case(asked.case).ledger.study(asked.study)
