"""Tables as CSV for spreadsheet programs."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any


def csv_of(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Write a table as CSV in which no text is a formula."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_harmless(one) for one in row] for row in rows)
    return text.getvalue()


def csv_of_rows(rows: Iterable[dict[str, Any]]) -> str:
    """Write rows by their names of columns, in the order in which these come first."""
    kept = list(rows)
    columns = list(dict.fromkeys(name for row in kept for name in row))
    return csv_of(columns, ([row.get(name) for name in columns] for row in kept))


def _harmless(value: Any) -> str:
    """A cell that no spreadsheet program takes for a formula, which begins with one of these signs."""
    text = cell(value)
    return (
        f"'{text}" if isinstance(value, str) and text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
    )


def cell(value: Any) -> str:
    """Write a value as text for a table."""
    from gaddum.surface.files import plain

    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    known = plain(value)
    return known if isinstance(known, str) else json.dumps(known, ensure_ascii=False)
