"""`gaddum ledger query`, `import` and `export`: the published studies of a case as tables."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gaddum.surface import completion
from gaddum.surface.options import AsCsv, AsJson, CaseName, Decimal, Separator

if TYPE_CHECKING:
    from gaddum.interop.query import QueryRows


def query(
    case: CaseName,
    sql: Annotated[
        str | None,
        typer.Argument(
            metavar="SQL", help="One SELECT; the tables and columns are listed where it is left out."
        ),
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Ask the ledger of a case by SQL. The statement reads the ledger's tables and nothing else.

    Example: gaddum ledger query ketamine "SELECT form, count(*) AS n FROM outcomes GROUP BY form ORDER BY n DESC"
    """
    from gaddum.interop.query import query_ledger
    from gaddum.records.ledger import load_case
    from gaddum.surface.accelerator import collecting_seldom

    if as_json and as_csv:
        raise ValueError("An answer must be JSON or CSV; got both. Take one.")
    with collecting_seldom():
        answer = _listing() if sql is None else query_ledger(load_case(case).ledger, sql)
    if as_json:
        typer.echo(_json(case, answer))
    elif as_csv:
        typer.echo(csv_of(answer.columns, answer.rows), nl=False)
    else:
        from gaddum.surface.terminal import print_rows

        print_rows(answer.columns, [[_cell(one) for one in row] for row in answer.rows])


def import_(
    table: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV file or workbook (.xlsx), one row an outcome.")
    ],
    out: Annotated[Path, typer.Option(help="The case's folder; a new one is made with case.yaml.")],
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="YAML file: which column is which field; without it the columns of `ledger export`."
        ),
    ] = None,
    drug: Annotated[
        str | None,
        typer.Option(help="The drug in question, for a new case.", autocompletion=completion.drugs),
    ] = None,
    keep_good: Annotated[
        Path | None,
        typer.Option(
            metavar="REFUSED",
            help="Write the studies that are right, and the rows of the others with their reasons to this new file.",
        ),
    ] = None,
    separator: Separator = None,
    decimal: Decimal = None,
) -> None:
    """Read studies from a spreadsheet into the folder of a case. No file is overwritten.

    With --keep-good a study is taken or refused as a whole; the file of refused rows is read like the first once they
    are corrected.

    Example: gaddum ledger import extraction.xlsx --mapping mapping.yaml --out my-case --drug ketamine
    """
    from gaddum.interop.sheet import write_sheet
    from gaddum.interop.studies import read_studies
    from gaddum.records.finding import RecordError
    from gaddum.records.yaml import dump_record
    from gaddum.surface.files import write_atomically
    from gaddum.surface.scaffold import scaffold_case

    if keep_good is not None and keep_good.exists():
        raise ValueError(f"Refused rows must go to a new file; {keep_good} exists. Name another.")
    found, notes = read_studies(table, mapping, separator=separator, decimal=decimal)
    for note in notes:
        typer.echo(f"{table}: {note}", err=True)
    if found.findings and (keep_good is None or not found.studies):
        raise RecordError(found.findings)
    texts = {study.id: dump_record(study) for study in found.studies}
    if not (out / "case.yaml").is_file():
        scaffold_case(out.resolve().name, out.resolve().parent, drug=drug, studies=texts)
    else:
        there = [name for name in texts if (out / "studies" / f"{name}.yaml").exists()]
        if there:
            raise ValueError(
                f"An import must not overwrite studies; {', '.join(there)} exist in {out}. Remove them, or their rows."
            )
        (out / "studies").mkdir(exist_ok=True)
        for name, text in texts.items():
            write_atomically(out / "studies" / f"{name}.yaml", text)
    typer.echo(f"Wrote {len(texts)} studies to {out / 'studies'}. Now run: gaddum check {out}")
    if keep_good is not None and found.findings:
        write_atomically(keep_good, write_sheet(found.refused, keep_good))
        for finding in found.findings:
            typer.echo(str(finding), err=True)
        typer.echo(
            f"Refused {len(found.refused.rows)} rows; they are in {keep_good} with the reason beside each."
        )
        raise typer.Exit(1)


def export(
    case: CaseName,
    form: Annotated[
        Literal["csv", "xlsx", "bibtex"] | None,
        typer.Option("--format", help="csv, xlsx or bibtex.  [default: by the name of --out, or csv]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write this file instead of printing.")] = None,
) -> None:
    """Write the studies of a case as a spreadsheet, one row an outcome, or the works they cite as BibTeX.

    `gaddum ledger import` reads the spreadsheet back as equal records.

    Example: gaddum ledger export ketamine --out ketamine.xlsx
    """
    from gaddum.interop.bibtex import write_bibtex
    from gaddum.interop.export import export_studies
    from gaddum.records.ledger import load_case
    from gaddum.surface.files import write_atomically

    suffix = "" if out is None else out.suffix.casefold()
    chosen = form or {".xlsx": "xlsx", ".bib": "bibtex"}.get(suffix, "csv")
    if chosen == "xlsx" and out is None:
        raise ValueError("A workbook must be written to a file; got none. Add --out FILE.xlsx.")
    if (chosen == "xlsx") != (suffix == ".xlsx") and out is not None:
        raise ValueError(f"A workbook's name must end in .xlsx, and no other's; got {out} for {chosen}.")
    ledger = load_case(case).ledger
    if chosen == "bibtex":
        content = write_bibtex(ledger).encode()
    else:
        content = export_studies(ledger, out or "ledger.csv")
    if out is None:
        typer.echo(content, nl=False)
    else:
        write_atomically(out, content)


def _listing() -> "QueryRows":
    from gaddum.interop.query import QueryRows
    from gaddum.interop.tables import TABLES

    rows: list[tuple[Any, ...]] = [(name, *column) for name, columns in TABLES.items() for column in columns]
    return QueryRows(("table", "column", "type", "meaning"), rows)


def _json(case: str, answer: "QueryRows") -> str:
    from gaddum.surface.files import as_json

    if len(set(answer.columns)) < len(answer.columns):
        raise ValueError(
            f"Columns must have distinct names in JSON; got {', '.join(answer.columns)}. Rename one by AS."
        )
    rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]
    return as_json({"case": case, "rows": rows})


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write a table as CSV in which no text is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_harmless(one) for one in row] for row in rows)
    return text.getvalue()


def _harmless(value: Any) -> str:
    """A cell that no spreadsheet program takes for a formula, which begins with one of these signs."""
    text = _cell(value)
    return (
        f"'{text}" if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
    )


def _cell(value: Any) -> str:
    from gaddum.surface.files import plain

    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    known = plain(value)
    return known if isinstance(known, str) else json.dumps(known, ensure_ascii=False)
