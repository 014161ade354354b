"""The command `gaddum audit`: print what a referee would ask of a study or a case, and write it as a page.

Everything heavy is imported when the command runs, so that `gaddum --help` stays quick.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from gaddum.surface.options import AsJson, Seed, command_line, unusable

AUDIT = "audit.html"
"""The page in the output folder; the same in JSON lies beside it as result.json."""


def audit(
    what: Annotated[
        str,
        typer.Argument(
            metavar="STUDY|CASE", help="Id of a study, CASE:STUDY, name of a bundled case, or a case folder."
        ),
    ],
    case: Annotated[
        str | None,
        typer.Option(metavar="CASE", help="Case that holds the study; searched for where not given."),
    ] = None,
    draws: Annotated[int, typer.Option(min=2, help="Draws of all constants for each arm.")] = 500,
    seed: Seed = 0,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a page and its JSON there.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask of blockade studies what a referee would ask. Exit code 1 if there are serious concerns."""
    from gaddum.result_set import RESULT
    from gaddum.surface.audit_page import print_audit, write_page
    from gaddum.surface.files import as_json as to_json
    from gaddum.surface.files import staged

    try:
        document = _run(*find_subject(what, case), draws, seed)
        document["command"] = command_line("audit", what, case=case, draws=draws, seed=seed)
    except (ValueError, OSError) as error:
        raise unusable(error) from None
    if out is not None:
        with staged(out) as work:
            (work / AUDIT).write_text(write_page(document), encoding="utf-8")
            (work / RESULT).write_text(to_json(document) + "\n", encoding="utf-8")
    if as_json:
        typer.echo(to_json(document))
    else:
        from rich.console import Console

        print_audit(document, Console())
        if out is not None:
            typer.echo(f"\nPage: {out / AUDIT}")
    raise typer.Exit(int(document["serious"] > 0))


def find_subject(what: str, case: str | None) -> tuple[str, str | None]:
    """Resolve a study, ``CASE:STUDY``, a bundled case or a folder into a case and, where one was meant, its study.

    Examples
    --------
    >>> find_subject("klein2020", None), find_subject("ketamine:klein2020", None), find_subject("ketamine", None)
    (('ketamine', 'klein2020'), ('ketamine', 'klein2020'), ('ketamine', None))
    """
    from gaddum.records.finding import nearest
    from gaddum.records.ledger import bundled_cases, case_folder, load_case

    if case is not None:
        return case, what
    before, colon, study = what.rpartition(":")
    if colon and before and study:
        return before, study
    names = bundled_cases()
    if what in names or Path(what).expanduser().is_dir():
        case_folder(what)
        return what, None
    ledgers = {name: [one.id for one in load_case(name).ledger.studies] for name in names}
    holding = [name for name, ids in ledgers.items() if what in ids]
    if len(holding) == 1:
        return holding[0], what
    if holding:
        raise ValueError(f"A study must be in one case; {what!r} is in {' and '.join(holding)}. Give --case.")
    known = [*names, *(one for ids in ledgers.values() for one in ids)]
    raise ValueError(
        f"This must be a study or case, or a folder that holds case.yaml; got {what[:80]!r}. "
        f"{nearest(what[:80], known, what='Bundled')}"
    )


def _run(name: str, study: str | None, draws: int, seed: int) -> dict[str, Any]:
    from gaddum.records.ledger import load_case

    loaded = load_case(name)
    if study is not None:
        loaded.ledger.study(study)
    from rich.console import Console

    from gaddum.surface.accelerator import configure_jax
    from gaddum.surface.terminal import progress_bar

    configure_jax()
    from gaddum.referee.audit import audit as examine

    with progress_bar(Console(stderr=True), {"following doses": 1.0}) as report:
        return examine(loaded, study, draws=draws, seed=seed, progress=report).document
