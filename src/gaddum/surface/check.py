"""The command `gaddum check`: what is wrong, or doubtful, in the files of a case."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gaddum.surface.options import AsJson, print_findings, tell
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from gaddum.records.finding import Finding


@dataclass(frozen=True)
class CheckRequest(Request):
    """What is asked of `gaddum check`."""

    verb = "check"
    case: Annotated[
        str,
        typer.Argument(
            metavar="CASE", help="Name of a bundled case, a case folder, or a CSV file of curves."
        ),
    ]


@asking
def check(asked: CheckRequest, as_json: AsJson = False) -> None:
    """Check a case's files, or curves. Exit code 1 if there are errors or warnings; notes do not count."""
    findings = run(asked)
    document = {"case": asked.case, "findings": [asdict(finding) for finding in findings]}
    tell(document, as_json, lambda console: _print(asked.case, findings), None)
    raise typer.Exit(int(any(finding.level != "note" for finding in findings)))


def run(asked: CheckRequest) -> "Sequence[Finding]":
    """Check the case that is asked of; where it cannot be read, say why."""
    from gaddum.interop.curves import read_curves
    from gaddum.records.check import check_case
    from gaddum.records.finding import RecordError
    from gaddum.records.ledger import load_case
    from gaddum.records.library import load_library

    try:
        if asked.case.casefold().endswith(".csv"):
            return read_curves(asked.case, load_library()).findings
        return check_case(load_case(asked.case))
    except RecordError as error:
        return error.findings


def _print(case: str, findings: "Sequence[Finding]") -> None:
    print_findings(findings)
    counts = {level: sum(one.level == level for one in findings) for level in ("error", "warning", "note")}
    typer.echo(f"{case}: " + ", ".join(f"{count} {level}(s)" for level, count in counts.items()))
