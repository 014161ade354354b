"""`gaddum ledger import`: studies from a spreadsheet into the folder of a case."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from gaddum.surface.request import Request, asking


@dataclass(frozen=True)
class LedgerImportRequest(Request):
    """What is asked of `gaddum ledger import`."""

    verb = "ledger import"
    table: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV file or workbook (.xlsx), one row an outcome.")
    ]
    out: Annotated[Path, typer.Option(help="The case's folder; a new one is made with case.yaml.")]
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="YAML file: which column is which field; without it the columns of `ledger export`."
        ),
    ] = None
    drug: Annotated[str | None, typer.Option(help="The drug in question, for a new case.")] = None


@asking
def ledger_import(asked: LedgerImportRequest) -> None:
    """Read studies from a spreadsheet into the folder of a case. No file is overwritten.

    Example: gaddum ledger import extraction.xlsx --mapping mapping.yaml --out my-case --drug ketamine
    """
    ids = run(asked)
    typer.echo(f"Wrote {len(ids)} studies to {asked.out / 'studies'}. Now run: gaddum check {asked.out}")


def run(asked: LedgerImportRequest) -> list[str]:
    """Read the studies, write them where it is asked, and give their ids."""
    from gaddum.interop.studies import import_studies
    from gaddum.records.yaml import dump_record
    from gaddum.surface.files import write_atomically
    from gaddum.surface.scaffold import scaffold_case

    out = asked.out
    texts = {study.id: dump_record(study) for study in import_studies(asked.table, asked.mapping)}
    if not (out / "case.yaml").is_file():
        scaffold_case(out.resolve().name, out.resolve().parent, drug=asked.drug, studies=texts)
    else:
        there = [name for name in texts if (out / "studies" / f"{name}.yaml").exists()]
        if there:
            raise ValueError(
                f"An import must not overwrite studies; {', '.join(there)} exist in {out}. Remove them, or their rows."
            )
        (out / "studies").mkdir(exist_ok=True)
        for name, text in texts.items():
            write_atomically(out / "studies" / f"{name}.yaml", text)
    return list(texts)
