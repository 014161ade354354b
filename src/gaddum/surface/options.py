"""Options: what several commands take, and the command line that repeats a run."""

import shlex
from typing import Annotated

import typer

CaseName = Annotated[
    str, typer.Argument(metavar="CASE", help="Name of a bundled case, or path of a case folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the draws.")]


def command_line(*words: str, **options: object) -> str:
    """Command that repeats a run; options that were not given are left out.

    Examples
    --------
    >>> command_line("audit", "my case", seed=0, case=None, comparator=True)
    "gaddum audit 'my case' --seed 0 --comparator"
    """
    said = ["gaddum", *words]
    for name, value in options.items():
        if value is not None and value is not False:
            said += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return shlex.join(said)


def unusable(error: Exception) -> typer.Exit:
    """Say what is wrong with the input, without a traceback; what ends the command is returned."""
    from gaddum.records.finding import RecordError

    typer.echo(str(error) if isinstance(error, RecordError) else f"Error: {error}", err=True)
    return typer.Exit(2)
