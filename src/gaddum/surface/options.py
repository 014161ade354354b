"""Options: what several commands take, and how they answer."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal
from unicodedata import category

import typer

from gaddum.surface import completion

if TYPE_CHECKING:
    from rich.console import Console

    from gaddum.records.finding import Finding

CaseName = Annotated[
    str,
    typer.Argument(
        metavar="CASE",
        help="Name of a bundled case, or path of a case folder.",
        autocompletion=completion.cases,
    ),
]
OwnCase = Annotated[
    str | None,
    typer.Option("--case", metavar="CASE", help="Case whose own drugs and targets are known, too."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV on standard output.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the draws.")]
Draws = Annotated[int, typer.Option(min=2, max=100_000, help="Draws of all parameters.")]
Separator = Annotated[
    str | None,
    typer.Option(help="Between a table's cells, where it is in doubt: tab, ';', ',', '|' or blanks."),
]
Decimal = Annotated[str | None, typer.Option(help="A table's decimal mark, where it is in doubt: . or ,")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="List assumptions and parameters.")]


def tell(
    document: dict[str, Any],
    as_json: bool,
    show: "Callable[[Console], None]",
    made: str | None,
    as_csv: "Callable[[dict[str, Any]], str] | Literal[False]" = False,
) -> None:
    """Print a document as JSON, as the CSV that is wanted, or as `show` does and then what was made of it."""
    if as_json and as_csv:
        raise ValueError("An answer must be JSON or CSV; got both. Take one.")
    if as_csv:
        typer.echo(as_csv(document), nl=False)
        return
    if as_json:
        from gaddum.surface.files import as_json as to_json

        typer.echo(to_json(document))
        return
    from rich.console import Console

    show(Console())
    if made is not None:
        typer.echo(f"\n{made}")


def print_error(message: str, *, style: str = "bold red") -> None:
    """Print a message on standard error."""
    from rich.console import Console
    from rich.text import Text

    # A control character of a stranger's file would speak to the terminal.
    shown = "".join("\ufffd" if category(one) == "Cc" and one not in "\n\t" else one for one in message)
    Console(stderr=True, soft_wrap=True).print(Text(shown, style=style))


def print_findings(findings: "Iterable[Finding]") -> None:
    """Print findings on standard error, a line each."""
    styles = {"error": "bold red", "warning": "yellow", "note": "dim"}
    for finding in findings:
        print_error(str(finding), style=styles[finding.level])
