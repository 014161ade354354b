"""The command `gaddum audit`: print what a referee would ask of a study or a case, and write it as a page."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from gaddum.surface import completion
from gaddum.surface.csv_table import csv_of_rows
from gaddum.surface.options import AsCsv, AsJson, Seed, tell
from gaddum.surface.request import Request, asking

AUDIT = "audit.html"
"""The page in the output folder; the same in JSON lies beside it as result.json."""


@dataclass(frozen=True)
class AuditRequest(Request):
    """What is asked of `gaddum audit`."""

    verb = "audit"
    what: Annotated[
        str,
        typer.Argument(
            metavar="STUDY|CASE",
            help="Id of a study, CASE:STUDY, a study's file, name of a bundled case, or a case folder.",
            autocompletion=completion.subjects,
        ),
    ]
    case: Annotated[
        str | None,
        typer.Option(
            metavar="CASE",
            help="Case that holds the study; searched for where not given.",
            autocompletion=completion.cases,
        ),
    ] = None
    draws: Annotated[int, typer.Option(min=2, help="Draws of all constants for each arm.")] = 500
    seed: Seed = 0


@asking
def audit(
    asked: AuditRequest,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write a page and its JSON there.")] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Ask of blockade studies what a referee would ask. Exit code 1 if there are serious concerns."""
    from gaddum.result_set import RESULT
    from gaddum.surface.audit_page import print_audit, write_page
    from gaddum.surface.files import as_json as to_json
    from gaddum.surface.files import staged

    document = run(asked)
    if out is not None:
        with staged(out) as work:
            (work / AUDIT).write_text(write_page(document), encoding="utf-8")
            (work / RESULT).write_text(to_json(document) + "\n", encoding="utf-8")
    made = out and f"Page: {out / AUDIT}"
    tell(document, as_json, lambda console: print_audit(document, console), made, as_csv and _table)
    raise typer.Exit(int(document["serious"] > 0))


def _table(document: dict[str, Any]) -> str:
    """Every concern, with its study."""
    return csv_of_rows({"study": s["id"]} | one for s in document["studies"] for one in s["concerns"])


def find_subject(what: str, case: str | None) -> tuple[str, str | None]:
    """Resolve a study, its file, ``CASE:STUDY``, a bundled case or a folder into a case and, if meant, its study.

    Examples
    --------
    >>> find_subject("klein2020", None), find_subject("ketamine:klein2020", None), find_subject("ketamine", None)
    (('ketamine', 'klein2020'), ('ketamine', 'klein2020'), ('ketamine', None))
    """
    from gaddum.records.finding import nearest
    from gaddum.records.ledger import bundled_cases, case_folder, load_case

    if case is not None:
        return case, what
    path = Path(os.path.expanduser(what))
    if os.path.isfile(path) and path.suffix == ".yaml":
        return (str(path.parent), None) if path.name == "case.yaml" else (str(path.parent.parent), path.stem)
    before, colon, study = what.rpartition(":")
    if colon and before and study:
        return before, study
    names = bundled_cases()
    if what in names or os.path.isdir(path):
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


def run(asked: AuditRequest) -> dict[str, Any]:
    """Audit the study or case that is asked of."""
    from gaddum.records.ledger import load_case

    name, study = find_subject(asked.what, asked.case)
    loaded = load_case(name)
    if study is not None:
        loaded.ledger.study(study)
    from rich.console import Console

    from gaddum.surface.accelerator import configure_jax
    from gaddum.surface.terminal import progress_bar

    configure_jax()
    from gaddum.referee.audit import audit as examine

    with progress_bar(Console(stderr=True), {"following doses": 1.0}) as report:
        found = examine(loaded, study, draws=asked.draws, seed=asked.seed, progress=report)
    return found.document | {"command": asked.command()}
