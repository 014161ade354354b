"""Responses: bench data as three columns, concentration of agonist, of antagonist, and response; and how to read them.

Two layouts of CSV are read. A long table has the columns `agonist`, `antagonist` and `response`, one row a
measurement. A wide table, as Prism has it, holds the concentrations of agonist in its first column and a column of
responses per concentration of antagonist, which heads it; columns with the same head are replicates, empty cells are
missing.
"""

import csv
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaddum import units

_NONE = {"", "0", "control", "vehicle", "none", "alone", "agonist alone"}
_LONG = ("agonist", "antagonist", "response")


class Responses(NamedTuple):
    """Measurements of an agonist's effect with and without an antagonist; arrays of one length.

    Attributes
    ----------
    agonist, antagonist
        Concentrations (nM), 0 where absent.
    response
        Effect, in the unit of the assay.
    """

    agonist: np.ndarray
    antagonist: np.ndarray
    response: np.ndarray

    @property
    def levels(self) -> np.ndarray:
        """Distinct concentrations of antagonist (nM), ascending; one curve each."""
        return np.unique(self.antagonist)


def make_responses(
    agonist: Sequence[float] | np.ndarray,
    antagonist: Sequence[float] | np.ndarray | float,
    response: Sequence[float] | np.ndarray,
) -> Responses:
    """Check measurements and put them into columns.

    Parameters
    ----------
    agonist, antagonist
        Concentrations (nM), 0 where absent; a single number for the antagonist holds for all.
    response
        Effect, in the unit of the assay.
    """
    columns = [np.asarray(x, float) for x in (agonist, response)]
    blocker = np.asarray(antagonist, float)
    a, y = columns
    if a.ndim != 1 or a.shape != y.shape or blocker.shape not in ((), a.shape):
        raise ValueError(
            f"agonist, antagonist and response must be columns of one length; got shapes {a.shape}, {blocker.shape} "
            f"and {y.shape}. Write one row a measurement."
        )
    b = np.broadcast_to(blocker, a.shape).copy()
    for name, column in (("agonist", a), ("antagonist", b)):
        bad = ~(np.isfinite(column) & (column >= 0))
        if bad.any():
            raise ValueError(
                f"Concentrations of the {name} must be 0 or more, in nM; got {column[bad][0]:g} in row "
                f"{int(np.argmax(bad)) + 1}. Take logarithms back first."
            )
    if not np.isfinite(y).all():
        raise ValueError(f"Responses must be finite; got {y[~np.isfinite(y)][0]}. Leave missing ones out.")
    return Responses(a, b, y)


def read_responses(path: str | Path, unit: str = "nM") -> Responses:
    """Read a CSV file of responses, long or wide.

    Parameters
    ----------
    path
        The file; columns separated by comma, semicolon or tab.
    unit
        Unit of concentrations that name none, such as ``"nM"``, ``"uM"`` or ``"M"``. A head such as
        ``agonist (uM)`` or ``10 nM`` names its own; a first head that begins with ``log`` means log10 of molar.

    Returns
    -------
    Responses
        Concentrations in nM.
    """
    text = Path(path).read_text(encoding="utf-8-sig")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    separator = next((mark for mark in ("\t", ";", ",") if lines and mark in lines[0]), ",")
    rows = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)]
    if len(rows) < 2:
        raise ValueError(
            f"{path} must hold a line of heads and at least one of numbers; got {len(rows)} line(s)."
        )
    heads = rows[0]
    found = [next((i for i, h in enumerate(heads) if _bare(h) == name), None) for name in _LONG]
    places = [place for place in found if place is not None]
    if len(places) == len(_LONG):
        return _long(path, rows, places, unit)
    if places:
        absent = [name for name, place in zip(_LONG, found, strict=True) if place is None]
        if len(places) > 1 or _bare(heads[0]) != "agonist":
            raise ValueError(
                f"A long table must have the columns {', '.join(_LONG)}; {path} lacks {', '.join(absent)}."
            )
    return _wide(path, rows, unit)


def _long(path: str | Path, rows: list[list[str]], places: list[int], unit: str) -> Responses:
    scales = [_scale(_head_unit(rows[0][place]) or unit) for place in places[:2]]
    columns: list[list[float]] = [[], [], []]
    for number, row in enumerate(rows[1:], 2):
        cells = [row[place] if place < len(row) else "" for place in places]
        if not cells[2]:
            continue
        agonist = _number(path, number, cells[0] or "0")
        blocker = 0.0 if cells[1].casefold() in _NONE else _number(path, number, cells[1])
        for column, value in zip(
            columns, (agonist * scales[0], blocker * scales[1], _number(path, number, cells[2])), strict=True
        ):
            column.append(value)
    return make_responses(*columns)


def _wide(path: str | Path, rows: list[list[str]], unit: str) -> Responses:
    first, *heads = rows[0]
    logarithmic = first.casefold().startswith("log")
    scale = 1.0 if logarithmic else _scale(_head_unit(first) or unit)
    blockers = [_blocker(path, head, unit) for head in heads]
    columns: list[list[float]] = [[], [], []]
    for number, row in enumerate(rows[1:], 2):
        if not row[0]:
            continue
        given = _number(path, number, row[0])
        agonist = 10 ** (given + 9) if logarithmic else given * scale
        for blocker, cell in zip(blockers, row[1:], strict=False):
            if cell:
                for column, value in zip(
                    columns, (agonist, blocker, _number(path, number, cell)), strict=True
                ):
                    column.append(value)
    return make_responses(*columns)


def _blocker(path: str | Path, head: str, unit: str) -> float:
    """Concentration (nM) that heads a column of a wide table."""
    if head.casefold() in _NONE:
        return 0.0
    match = re.search(r"(?P<number>\d+(\.\d*)?([eE][-+]?\d+)?|\.\d+)\s*(?P<unit>[munpµμ]?M)?\b", head)
    if match is None:
        raise ValueError(
            f"A column of a wide table must be headed by the antagonist's concentration, such as '10 nM' or 'control'; "
            f"{path} has {head!r}."
        )
    return float(match["number"]) * _scale(match["unit"] or unit)


def _bare(head: str) -> str:
    return re.sub(r"[\[(].*?[\])]", "", head).strip().casefold()


def _head_unit(head: str) -> str | None:
    match = re.search(r"[\[(]\s*([^\])]*?)\s*[\])]", head)
    return match[1] if match else None


def _scale(unit: str) -> float:
    """Size of a unit of concentration in nM."""
    found = units.canonical_unit(f"1 {unit}", "concentration")
    if found != "nM":
        raise ValueError(f"The unit of a concentration must be molar, such as nM or uM; got {unit!r}.")
    return units.magnitude(f"1 {unit}", "concentration")


def _number(path: str | Path, row: int, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(
            f"Cells must hold finite numbers; {path} has {cell!r} in row {row}. Leave missing cells empty."
        )
    return value
