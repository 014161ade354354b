"""Query: SQL over a ledger, by DuckDB in memory.

The statement can read the ledger's tables (see `tables`) and nothing else: no file, no network, no Python variable, no
setting, and it cannot write.
"""

import json
import re
import threading
from typing import Any, NamedTuple

from gaddum.extras import required
from gaddum.interop.tables import TABLES, describe_tables, ledger_tables
from gaddum.memory import within_memory
from gaddum.records.ledger import Ledger

MAX_ROWS = 100_000
"""Most rows of an answer."""
MAX_SECONDS = 30.0
"""Longest time that a query may take (s)."""
MAX_MEMORY = 2_000_000_000
"""How much a query may let the process grow (bytes of addresses)."""
MAX_CELL = 100_000
"""Longest text of a cell."""

_LOCKED = {
    "threads": "1",
    "memory_limit": "1GB",
    "temp_directory": "",
    "allow_community_extensions": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
}
"""Settings, of which the last closes the list."""


class QueryRows(NamedTuple):
    """What a query gives."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


def query_ledger(ledger: Ledger, sql: str) -> QueryRows:
    """Ask a ledger by SQL.

    Parameters
    ----------
    ledger : Ledger
        The studies.
    sql : str
        One SELECT (or WITH, DESCRIBE, SHOW, SUMMARIZE, VALUES) over the tables of `gaddum.interop.tables`.

    Returns
    -------
    QueryRows
        Names of the columns, and the rows.

    Raises
    ------
    ValueError
        If the statement does not read, or names what there is not; says which tables and columns there are.
    ImportError
        If duckdb is not installed.

    Examples
    --------
    >>> from gaddum import load_case
    >>> ledger = load_case("morphine").ledger
    >>> query_ledger(ledger, "SELECT study, year FROM studies ORDER BY year LIMIT 1")
    QueryRows(columns=('study', 'year'), rows=[('ocallaghan_1975', 1975)])
    """
    duckdb = required("duckdb", "A query")
    with duckdb.connect(":memory:") as connection:
        for option, value in _LOCKED.items():
            connection.execute(f"SET {option} = '{value}'")
        _refuse_all_but_reading(connection, sql)
        _fill(connection, ledger)
        ended = threading.Event()
        watchdog = threading.Timer(MAX_SECONDS, lambda: (ended.set(), connection.interrupt()))
        watchdog.start()
        try:
            with within_memory(MAX_MEMORY):
                asked = connection.sql(sql)
                columns, rows = (
                    tuple(asked.columns),
                    asked.limit(MAX_ROWS + 1).fetchall(),
                )  # no row more is made
        except (duckdb.InterruptException, RuntimeError):  # of the watchdog, or of the user
            if not ended.is_set():
                raise KeyboardInterrupt from None
            raise ValueError(
                f"A query must end within {MAX_SECONDS:g} s; this one did not. Ask for less."
            ) from None
        except (duckdb.OutOfMemoryException, MemoryError):
            raise ValueError(
                "A query must keep within 1 GB of memory; this one did not. Ask for less."
            ) from None
        except (duckdb.Error, UnicodeDecodeError) as error:
            raise ValueError(_told(error, sql)) from None
        finally:
            watchdog.cancel()
    if len(rows) > MAX_ROWS:
        raise ValueError(f"An answer must have at most {MAX_ROWS:,} rows; got more. Add LIMIT or WHERE.")
    if any(len(cell) > MAX_CELL for row in rows for cell in row if isinstance(cell, (str, bytes, list))):
        raise ValueError(f"A cell must hold at most {MAX_CELL:,} characters; got more. Cut it by left().")
    return QueryRows(columns, rows)


def _refuse_all_but_reading(connection: Any, sql: str) -> None:
    import duckdb

    try:
        kinds = [statement.type.name for statement in connection.extract_statements(sql)]
    except duckdb.Error as error:
        raise ValueError(_told(error, sql)) from None
    if kinds != ["SELECT"]:
        found = " and ".join(kinds) or "none"
        raise ValueError(f"A query must be one SELECT, which reads and changes nothing; got {found}.")


def _fill(connection: Any, ledger: Ledger) -> None:
    for name, rows in ledger_tables(ledger).items():
        names = [column.name for column in TABLES[name]]
        columns = ", ".join(f'"{column.name}" {column.kind}' for column in TABLES[name])
        connection.execute(f"CREATE TABLE {name} ({columns})")
        for start in range(0, len(rows), 1000):  # as JSON, ten times as quick as one parameter a cell
            part = json.dumps([dict(zip(names, row, strict=True)) for row in rows[start : start + 1000]])
            connection.execute(
                f"INSERT INTO {name} SELECT unnest(CAST(?::JSON AS STRUCT({columns})[]), recursive := true)",
                [part],
            )


def _told(error: Exception, sql: str) -> str:
    """DuckDB's complaint, and what there is: columns of the tables that the statement names, else all tables."""
    import duckdb

    if isinstance(error, duckdb.PermissionException):
        return f"A query can read the ledger's own tables only; got: {str(error).splitlines()[0]}"
    complaint, *rest = str(error).split("\n\n")
    complaint = complaint.splitlines()[0].rstrip("!.")
    pointed = "".join(f"\n{part}" for part in rest if part.startswith("LINE"))
    if not isinstance(error, (duckdb.CatalogException, duckdb.BinderException)):
        return f"{complaint}.{pointed}\nTables: {', '.join(TABLES)}."
    words = set(re.findall(r"\w+", sql.casefold()))
    every = describe_tables().splitlines()
    named = [line for line in every if line.split("(")[0] in words]
    there = named if named and isinstance(error, duckdb.BinderException) else every
    return f"{complaint}.{pointed}\nThere are:\n  " + "\n  ".join(there)
