"""The command `gaddum compare`: what differs between two stored runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from gaddum.surface.options import AsJson, tell
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from rich.console import Console

    from gaddum.change_results import ProbabilityChange, RunComparison


@dataclass(frozen=True)
class CompareRequest(Request):
    """What is asked of `gaddum compare`."""

    verb = "compare"
    first: Annotated[
        str, typer.Argument(metavar="RUN", help="Folder of an adjudication, or its result.json.")
    ]
    second: Annotated[str, typer.Argument(metavar="RUN", help="The run that it is held against.")]


@asking
def compare(asked: CompareRequest, as_json: AsJson = False) -> None:
    """Compare two runs: records, settings, accounts and propositions that differ, and by how much."""
    found = run(asked)
    tell(found.model_dump(mode="json"), as_json, lambda console: _print(found, console), None)


def run(asked: CompareRequest) -> "RunComparison":
    """Compare the runs that are asked of."""
    from gaddum.run_comparison import compare as held_against

    return held_against(asked.first, asked.second).model_copy(update={"command": asked.command()})


def _print(found: "RunComparison", console: "Console") -> None:
    from rich.text import Text

    console.print(Text(f"{found.case}: {found.runs[0]}, then {found.runs[1]}", style="bold"))
    for line in found.words:
        console.print(Text(line))
    console.print()
    print_changes([(one.title, one) for one in found.accounts], console)


def print_changes(rows: "list[tuple[str, ProbabilityChange]]", console: "Console") -> None:
    """Print probabilities before and after, what moved in bold."""
    from rich.table import Table
    from rich.text import Text

    from gaddum.surface.rounding import chance, with_error

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("", "before", "after", "change"):
        table.add_column(head, justify="right" if head else "left")
    for name, one in rows:
        change = "\u2013" if one.change is None else with_error(one.change, max(one.error or 0.0, 0.001))
        style = "bold" if one.moved else None
        table.add_row(Text(name), chance(one.before), chance(one.after), change, style=style)
    console.print(table)
