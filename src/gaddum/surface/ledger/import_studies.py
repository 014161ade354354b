"""`gaddum ledger import`: studies from a spreadsheet into the folder of a case."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from gaddum.surface import completion
from gaddum.surface.options import Decimal, Separator
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
    drug: Annotated[
        str | None,
        typer.Option(help="The drug in question, for a new case.", autocompletion=completion.drugs),
    ] = None
    keep_good: Annotated[
        Path | None,
        typer.Option(
            metavar="REFUSED",
            help="Write the studies that are right, and the rows of the others with their reasons to this new file.",
        ),
    ] = None
    separator: Separator = None
    decimal: Decimal = None


@asking
def ledger_import(asked: LedgerImportRequest) -> None:
    """Read studies from a spreadsheet into the folder of a case. No file is overwritten.

    With --keep-good a study is taken or refused as a whole; the file of refused rows is read like the first once they
    are corrected.

    Example: gaddum ledger import extraction.xlsx --mapping mapping.yaml --out my-case --drug ketamine
    """
    found, notes = run(asked)
    for note in notes:
        typer.echo(f"{asked.table}: {note}", err=True)
    studies = asked.out / "studies"
    typer.echo(f"Wrote {len(found.studies)} studies to {studies}. Now run: gaddum check {asked.out}")
    if found.findings:
        for finding in found.findings:
            typer.echo(str(finding), err=True)
        typer.echo(
            f"Refused {len(found.refused.rows)} rows; they are in {asked.keep_good} with the reason beside each."
        )
        raise typer.Exit(1)


def run(asked: LedgerImportRequest) -> "tuple[Any, Sequence[str]]":
    """Read the studies, write them where it is asked, refused rows to a file of their own; give both, and notes."""
    from gaddum.interop.sheet import write_sheet
    from gaddum.interop.studies import read_studies
    from gaddum.records.finding import RecordError
    from gaddum.records.yaml import dump_record
    from gaddum.surface.files import write_atomically
    from gaddum.surface.scaffold import scaffold_case

    out, refused = asked.out, asked.keep_good
    if refused is not None and refused.exists():
        raise ValueError(f"Refused rows must go to a new file; {refused} exists. Name another.")
    found, notes = read_studies(asked.table, asked.mapping, separator=asked.separator, decimal=asked.decimal)
    if found.findings and (refused is None or not found.studies):
        raise RecordError(found.findings)
    texts = {study.id: dump_record(study) for study in found.studies}
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
    if refused is not None and found.findings:
        write_atomically(refused, write_sheet(found.refused, refused))
    return found, notes
