"""Refusals: what of a spreadsheet of studies could not be read, told by reason and by row, and kept for correction.

A study is taken or refused as a whole, so that none is weighed by half. Refused rows stay as they were, with a column
that says why, and are read again once they are corrected.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gaddum.interop.sheet import Sheet
from gaddum.records.experiment import Study
from gaddum.records.finding import Finding, kind_of

REASON = "reason not read"
"""Column of refused rows that says why; not read."""
_MANY = 5
"""Faults from which on their reasons are counted before they are told row by row."""
_MOST_TOLD = 50
"""Faults that are told row by row."""
_BESIDE = "a row of a study with faults"


class CellPlace(NamedTuple):
    """Where in the table something was said."""

    row: int
    columns: tuple[str, ...]

    def __str__(self) -> str:
        if not self.columns:
            return f"row {self.row}"
        many = "columns" if len(self.columns) > 1 else "column"
        return f"row {self.row}, {many} {', '.join(repr(name) for name in self.columns)}"


def sorted_out(
    faults: Sequence[tuple[CellPlace, str, str]],
    found: Mapping[str, Study],
    study_of: Mapping[int, str],
    sheet: Sheet,
) -> tuple[tuple[Study, ...], tuple[Finding, ...], Sheet]:
    """Part what is right from what is not.

    Parameters
    ----------
    faults : sequence of (place, field, message)
        All that is wrong.
    found : mapping of str to Study
        Studies that are records, by id.
    study_of : mapping of int to str
        Id of the study that each row is of.
    sheet : Sheet
        The table.

    Returns
    -------
    tuple
        Studies without a fault in any row, findings, and the rows of the others.
    """
    told: dict[tuple[int, str], Finding] = {}  # one that is shared with other fields of the row is told once
    for cell, field, message in sorted(faults, key=lambda fault: fault[0].row):
        where = ": ".join(filter(None, (str(cell), field)))
        told.setdefault((cell.row, message), Finding("error", sheet.name, where, message))
    reasons: dict[int, list[str]] = {}
    for (number, _), one in told.items():
        reasons.setdefault(number, []).append(f"{one.where.split(', ', 1)[-1]}: {one.message}")
    refused = {study_of.get(number) for number in reasons}
    good = tuple(study for name, study in found.items() if name not in refused)
    rows = tuple(
        row._replace(cells={**row.cells, REASON: " | ".join(reasons.get(row.number, [_BESIDE]))})
        for row in sheet.rows
        if row.number in reasons or study_of.get(row.number) in refused
    )
    columns = (*(name for name in sheet.columns if name != REASON), REASON)
    return good, tuple(_counted(list(told.values()))), Sheet(sheet.name, columns, rows)


def _counted(told: list[Finding]) -> Iterator[Finding]:
    """Reasons by the number of their rows where there are many faults, then the first faults as they stand."""
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for one in told:
        kinds.setdefault(kind_of(one), []).append(one)
    for alike in sorted(kinds.values(), key=len, reverse=True) if len(told) >= _MANY else ():
        first = alike[0]
        message = f"{first.message} (first in {first.where.split(':')[0]})"
        yield Finding("error", first.file, f"{len(alike)} of {len(told)} errors", message)
    yield from told[:_MOST_TOLD]
    if len(told) > _MOST_TOLD:
        more = f"There are {len(told) - _MOST_TOLD} more errors in rows after these; --keep-good writes them all."
        yield Finding("error", told[0].file, "", more)
