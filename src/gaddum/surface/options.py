"""Options: what several commands take, and how they answer."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum.surface import completion

if TYPE_CHECKING:
    from rich.console import Console

CaseName = Annotated[
    str,
    typer.Argument(
        metavar="CASE",
        help="Name of a bundled case, or path of a case folder.",
        autocompletion=completion.cases,
    ),
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
    document: dict[str, Any], as_json: bool, show: "Callable[[Console], None]", made: str | None
) -> None:
    """Print a document as JSON, or as `show` does and then what was made of it."""
    if as_json:
        from gaddum.surface.files import as_json as to_json

        typer.echo(to_json(document))
        return
    from rich.console import Console

    show(Console())
    if made is not None:
        typer.echo(f"\n{made}")
