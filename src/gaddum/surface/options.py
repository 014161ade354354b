"""Options: what several commands take, and the command line that repeats a run."""

import shlex
from typing import Annotated

import typer

CaseName = Annotated[
    str, typer.Argument(metavar="CASE", help="Name of a bundled case, or path of a case folder.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the draws.")]
Draws = Annotated[int, typer.Option(min=2, max=100_000, help="Draws of all parameters.")]
SpeciesName = Annotated[
    str | None, typer.Option(help="Whose kinetics hold.  [default: human, or the study's]")
]
ReadTimes = Annotated[
    list[str] | None,
    typer.Option(metavar="TIMES", help="When to read: '4 h', or '30 min, 4 h, 1 d'. May be repeated."),
]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="End of the curves, such as '7 d'.")]
Weight = Annotated[str | None, typer.Option(help="Body weight, such as '80 kg'.")]
PreparationName = Annotated[
    str | None, typer.Option(help="behaving, slice or imaging.  [default: behaving, or the study's]")
]
Tone = Annotated[
    str | None,
    typer.Option(
        metavar="MOR=0.3",
        help="Endogenous agonist over its K; it competes.  [default: the case's, for an arm; else none]",
    ),
]
TableUnit = Annotated[str | None, typer.Option(help="Unit of a table's AMT, such as mg/kg.  [default: mg]")]
TableRoute = Annotated[
    str | None,
    typer.Option(
        metavar="po|1=po,2=iv",
        help="Route of a table's compartments.  [default: 1 po, 2 iv; 1 iv if it gets a RATE]",
    ),
]
TableSubjects = Annotated[
    str | None, typer.Option("--id", metavar="1,2", help="Subjects of a table.  [default: all]")
]
Separator = Annotated[
    str | None,
    typer.Option(help="Between a table's cells, where it is in doubt: tab, ';', ',', '|' or blanks."),
]
Decimal = Annotated[str | None, typer.Option(help="A table's decimal mark, where it is in doubt: . or ,")]
Verbose = Annotated[bool, typer.Option("-v", "--verbose", help="List assumptions and parameters.")]


def command_line(*words: str, **options: object) -> str:
    """Command that repeats a run; options that were not given are left out, those of a list are repeated.

    Examples
    --------
    >>> command_line("audit", "my case", seed=0, case=None, comparator=True)
    "gaddum audit 'my case' --seed 0 --comparator"
    """
    said = ["gaddum", *words]
    for name, given in options.items():
        for value in given if isinstance(given, list) else [given]:
            if value is not None and value is not False:
                said += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return shlex.join(said)


def unusable(error: Exception) -> typer.Exit:
    """Say what is wrong with the input, without a traceback; what ends the command is returned."""
    from gaddum.records.finding import RecordError

    typer.echo(str(error) if isinstance(error, RecordError) else f"Error: {error}", err=True)
    return typer.Exit(2)
