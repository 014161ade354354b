"""The command `gaddum new`: the folder of a new case, or the file of a new study."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gaddum.surface import completion
from gaddum.surface.request import Request, asking, words


@dataclass(frozen=True)
class NewRequest(Request):
    """What is asked of `gaddum new`."""

    verb = "new"
    name: Annotated[
        str,
        typer.Argument(help="Name of the case: lower case, digits, - and _; with --study the case's folder."),
    ]
    folder: Annotated[Path, typer.Option(help="Where to make the case's folder.")] = Path(".")
    drug: Annotated[
        str | None,
        typer.Option(
            help="The drug in question; one that the library lacks gets a file to fill in, also in an older case.",
            autocompletion=completion.drugs,
        ),
    ] = None
    targets: Annotated[
        str | None,
        typer.Option(
            metavar="A,B", help="Targets of the rival accounts.  [default: all that the drug binds]"
        ),
    ] = None
    study: Annotated[
        str | None,
        typer.Option(help="Id of a study whose file to add to the case instead, ready to fill in."),
    ] = None


@asking
def new(asked: NewRequest) -> None:
    """Make the folder of a new case, with an example study to overwrite; or the file of a new study, drug or target."""
    made = run(asked)
    if asked.study is not None:
        typer.echo(f"Wrote {made}. Fill it in; what is left to fill in, says: gaddum check {asked.name}")
    else:
        from gaddum.surface.scaffold import to_fill_in

        typer.echo(f"Made {made}. Edit {made / 'case.yaml'}, then run: gaddum check {made}")
        for told in to_fill_in(made):
            typer.echo(told)


def run(asked: NewRequest) -> Path:
    """Make what is asked for, and say where."""
    from gaddum.surface.scaffold import scaffold_case, scaffold_study

    if asked.study is not None:
        return scaffold_study(asked.study, Path(asked.name))
    return scaffold_case(asked.name, asked.folder, drug=asked.drug, targets=words(asked.targets or ""))
