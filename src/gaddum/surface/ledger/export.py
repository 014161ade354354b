"""`gaddum ledger export`: the studies of a case as a spreadsheet, or the works they cite as BibTeX."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from gaddum.surface.options import CaseName
from gaddum.surface.request import Request, asking


@dataclass(frozen=True)
class LedgerExportRequest(Request):
    """What is asked of `gaddum ledger export`."""

    verb = "ledger export"
    case: CaseName
    form: Annotated[
        Literal["csv", "xlsx", "bibtex"] | None,
        typer.Option("--format", help="csv, xlsx or bibtex.  [default: by the name of --out, or csv]"),
    ] = None


@asking
def ledger_export(
    asked: LedgerExportRequest,
    out: Annotated[Path | None, typer.Option(help="Write this file instead of printing.")] = None,
) -> None:
    """Write the studies of a case as a spreadsheet, one row an outcome, or the works they cite as BibTeX.

    `gaddum ledger import` reads the spreadsheet back as equal records.

    Example: gaddum ledger export ketamine --out ketamine.xlsx
    """
    from gaddum.surface.files import write_atomically

    suffix = "" if out is None else out.suffix.casefold()
    chosen = asked.form or ("xlsx" if suffix == ".xlsx" else "bibtex" if suffix == ".bib" else "csv")
    if chosen == "xlsx" and out is None:
        raise ValueError("A workbook must be written to a file; got none. Add --out FILE.xlsx.")
    if (chosen == "xlsx") != (suffix == ".xlsx") and out is not None:
        raise ValueError(f"A workbook's name must end in .xlsx, and no other's; got {out} for {chosen}.")
    content = run(replace(asked, form=chosen))
    if out is None:
        typer.echo(content, nl=False)
    else:
        write_atomically(out, content)


def run(asked: LedgerExportRequest) -> bytes:
    """Write the studies in the form that is asked for, CSV where none is."""
    from gaddum.interop.bibtex import write_bibtex
    from gaddum.interop.export import export_studies
    from gaddum.records.ledger import load_case

    ledger = load_case(asked.case).ledger
    if asked.form == "bibtex":
        return write_bibtex(ledger).encode()
    return export_studies(ledger, f"ledger.{asked.form or 'csv'}")
