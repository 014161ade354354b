"""The command `gaddum update`: what a study does to every account and proposition of a stored run."""

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gaddum.surface.options import AsJson, CaseName, Seed, tell
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from rich.console import Console

    from gaddum.change_results import StudyUpdate

_WIDEST = 100
"""Longest line of running text (characters)."""


@dataclass(frozen=True)
class UpdateRequest(Request):
    """What is asked of `gaddum update`."""

    verb = "update"
    case: CaseName
    study: Annotated[
        str, typer.Argument(metavar="STUDY.yaml", help="File of a study that the run has not weighed.")
    ]
    run: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder of an adjudication of the case.  [default: runs/CASE]",
            show_default=False,
        ),
    ] = None
    refit: Annotated[
        bool, typer.Option("--refit", help="Weigh the case again where too few effective draws are left.")
    ] = False
    what_if: Annotated[
        Literal["abolished", "partial", "not_abolished"] | None,
        typer.Option(help="Suppose this of the study's blockade, before it is run."),
    ] = None
    seed: Seed = 0


@asking
def update(asked: UpdateRequest, as_json: AsJson = False) -> None:
    """Say what a study moves, by how much, and what it cannot move and why; by importance weights on a stored run."""
    found = run(asked)
    tell(found.model_dump(mode="json"), as_json, lambda console: _print(found, console), None)


def run(asked: UpdateRequest) -> "StudyUpdate":
    """Update the run that is asked of."""
    from gaddum.extras import required
    from gaddum.surface.accelerator import collecting_seldom, configure_jax

    required("jax", "An update")
    with collecting_seldom():
        configure_jax()
        from gaddum.prediction.update import update as learn

        found = learn(
            asked.case, asked.study, run=asked.run, refit=asked.refit, what_if=asked.what_if, seed=asked.seed
        )
        return found.model_copy(update={"command": asked.command()})


def _print(found: "StudyUpdate", console: "Console") -> None:
    from rich.text import Text

    from gaddum.surface.compare import print_changes
    from gaddum.surface.rounding import chance

    supposed = "" if found.what_if is None else f", supposed {found.what_if.replace('_', ' ')}"
    told = "" if found.event_chance is None else f" (chance before {chance(found.event_chance)})"
    console.print(Text(f"{found.case} with {found.study}{supposed}{told}", style="bold"))
    how = {
        "weights": f"By importance weights: {found.effective_draws:.0f} effective draws.",
        "refit": "Refitted, since too few effective draws were left.",
        "needs a refit": "",
    }[found.method]
    width = min(console.width, _WIDEST)
    for line in filter(None, (how, *found.moved)):
        console.print(Text(textwrap.fill(line, width)))
    if found.unmoved:
        console.print(Text("\nWhat it cannot move, and why", style="bold"))
        for line in found.unmoved:
            console.print(Text(textwrap.fill(line, width)))
    if found.accounts:
        console.print()
        print_changes([(one.title, one) for one in found.accounts], console)
