"""`gaddum ledger query`: the published studies of a case as tables, asked by SQL."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gaddum.surface.csv_table import cell, csv_of
from gaddum.surface.options import AsCsv, AsJson, CaseName
from gaddum.surface.request import Request, asking

if TYPE_CHECKING:
    from gaddum.interop.query import QueryRows


@dataclass(frozen=True)
class LedgerQueryRequest(Request):
    """What is asked of `gaddum ledger query`."""

    verb = "ledger query"
    case: CaseName
    sql: Annotated[
        str | None,
        typer.Argument(
            metavar="SQL", help="One SELECT; the tables and columns are listed where it is left out."
        ),
    ] = None


@asking
def ledger_query(
    asked: LedgerQueryRequest,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Ask the ledger of a case by SQL. The statement reads the ledger's tables and nothing else.

    Example: gaddum ledger query ketamine "SELECT form, count(*) AS n FROM outcomes GROUP BY form ORDER BY n DESC"
    """
    if as_json and as_csv:
        raise ValueError("An answer must be JSON or CSV; got both. Take one.")
    answer = run(asked)
    if as_json:
        typer.echo(_json(asked.case, answer))
    elif as_csv:
        typer.echo(csv_of(answer.columns, answer.rows), nl=False)
    else:
        from gaddum.surface.terminal import print_rows

        print_rows(answer.columns, [[cell(one) for one in row] for row in answer.rows])


def run(asked: LedgerQueryRequest) -> "QueryRows":
    """Answer the statement; without one, list the tables and their columns."""
    from gaddum.interop.query import query_ledger
    from gaddum.records.ledger import load_case
    from gaddum.surface.accelerator import collecting_seldom

    if asked.sql is None:
        return _listing()
    with collecting_seldom():
        return query_ledger(load_case(asked.case).ledger, asked.sql)


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
