"""Responses: bench data as three columns, concentration of agonist, of antagonist, and response; and how to read them.

Two layouts are read. A long table has the columns `agonist`, `antagonist` and `response`, one row a measurement. A wide
table, as Prism has it, holds the concentrations of agonist in its first column and a column of responses per
concentration of antagonist, which heads it; columns with the same head are replicates, empty cells are missing. Either
may hold means with SD or SEM and n. `response_heads` reads the heads.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaddum.concentration_response.response_heads import (
    MOST_SUBJECTS,
    LevelHead,
    parse_concentration_head,
    parse_level,
)
from gaddum.interop.decode import read_text
from gaddum.interop.grid import Grid, GridRow, Heads, number, parse_grid
from gaddum.records.finding import RecordError
from gaddum.text import is_missing

_LONG = ("agonist", "antagonist", "response")
_SPREAD = ("sd", "sem", "n")


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


class ResponseTable(NamedTuple):
    """Responses of a file, and what was skipped, reinterpreted or taken for granted in reading it."""

    responses: Responses
    notes: tuple[str, ...]


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


def read_responses(
    path: str | Path,
    unit: str = "nM",
    *,
    agonist: str | None = None,
    antagonist: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
) -> Responses:
    """Read a table of responses, long or wide.

    Parameters
    ----------
    path
        The file; columns separated by comma, semicolon, tab, bar or blanks.
    unit
        Unit of concentrations that name none, such as ``"nM"``, ``"uM"`` or ``"M"``. A head such as
        ``agonist (uM)`` or ``10 nM`` names its own; ``log`` in a head means log10, of molar where it names no unit.
    agonist, antagonist
        Drugs of the library, whose molar mass turns ng/mL into nM.
    separator, decimal
        What stands between cells (tab, ``;``, ``,``, ``|`` or blanks), and the decimal mark, where the file leaves a
        doubt.

    Returns
    -------
    Responses
        Concentrations in nM. A mean with SD or SEM and n comes as n responses with that mean and SD.
    """
    return read_response_table(
        path, unit, agonist=agonist, antagonist=antagonist, separator=separator, decimal=decimal
    ).responses


def read_response_table(path: str | Path, unit: str = "nM", **options: str | None) -> ResponseTable:
    """Read a table of responses, and say how; see `read_responses`."""
    text, notes = read_text(path)
    table = parse_responses(text, unit, name=str(path), **options)
    return table._replace(notes=(*notes, *table.notes))


def parse_responses(
    text: str,
    unit: str = "nM",
    *,
    name: str = "table",
    agonist: str | None = None,
    antagonist: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
) -> ResponseTable:
    r"""Read responses from text; see `read_responses`.

    Examples
    --------
    >>> found = parse_responses("agonist (uM),control,AM251 10 nM\n1,50,5\n")
    >>> found.responses.levels.tolist(), found.notes
    ([0.0, 10.0], ('agonist: uM', 'levels of antagonist: control = 0 nM, AM251 10 nM = 10 nM'))
    """
    drugs = {"agonist": agonist, "antagonist": antagonist}
    read_as = partial(
        parse_grid, text, wanted=_WANTED, name=name, separator=separator, decimal=decimal, short=True
    )
    try:
        grid = read_as(known=lambda heads: _is_long(heads) or _is_wide(heads, unit, drugs))
    except RecordError:  # the heads themselves say best what is wrong with them
        grid = read_as(known=_nearly)
    grid = grid._replace(heads=_pointed(grid.heads))
    if not grid.rows:
        raise ValueError(f"{name} must hold a line of heads and at least one of numbers; got one line.")
    read = _long if len({*_LONG} & {_role(head) for head in grid.heads}) > 1 else _wide
    responses, told = read(name, grid, unit, drugs)
    if not responses.response.size:
        raise ValueError(f"{name} must hold at least one response; got empty cells only.")
    return ResponseTable(responses, (*grid.notes, *told))


_WANTED = "name agonist, antagonist and response, or the agonist and then each concentration of antagonist"
_Drugs = Mapping[str, str | None]


def _pointed(heads: Heads) -> Heads:
    """Heads with points in place of decimal commas, where a comma cannot part thousands."""
    return tuple(re.sub(r"(?<=[0-9]),(?=(?:[0-9]{1,2}|[0-9]{4,})(?![0-9]))", ".", head) for head in heads)


def _role(head: str) -> str:
    """Which column of a long table a head names, in its own word where it names none."""
    head = head.replace("_", " ")
    bare = re.sub(r"[\[(][^\])]*[\])]", "", head).casefold()
    inner = re.sub(r"^-? ?log(?:10)?[ \[(]*(agonist|antagonist).*", r"\1", head.casefold())
    word = inner if inner in _LONG else " ".join(re.split(r"[,/]", bare)[0].replace(".", "").split())
    first = word.split(" ")[0]
    if first in ("agonist", "antagonist") and len(word.split()) == 2:  # agonist nM
        return first
    means = {"mean": "response", "mean response": "response", "response mean": "response", "se": "sem"}
    return means.get(word, word)


def _is_long(heads: Heads) -> bool:
    return {*_LONG} <= {_role(head) for head in heads}


def _is_wide(heads: Heads, unit: str, drugs: _Drugs) -> bool:
    try:
        parse_concentration_head(heads[0], unit, drugs["agonist"])
        return len([parse_level(head, unit, drugs["antagonist"]) for head in _pointed(heads)[1:]]) > 0
    except ValueError:
        return False


def _nearly(heads: Heads) -> bool:
    """Whether these look like heads, though not all of them can be read."""
    return (
        len(heads) > 1
        and not re.search("[,;|]", "".join(heads))
        and bool(re.search(r"[^\W\d_]{3}", heads[0]))
    )


def _long(name: str, grid: Grid, unit: str, drugs: _Drugs) -> tuple[Responses, list[str]]:
    roles = [_role(head) for head in grid.heads]
    absent = [who for who in _LONG if who not in roles]
    twice = [who for who in (*_LONG, *_SPREAD) if roles.count(who) > 1]
    if absent or twice:
        told = f"lacks {', '.join(absent)}" if absent else f"has {', '.join(twice)} more than once"
        raise ValueError(f"A long table must have the columns {', '.join(_LONG)} once; {name} {told}.")
    place = {role: index for index, role in enumerate(roles)}
    scales = [parse_concentration_head(_with_unit(grid, place[who]), unit, drugs[who]) for who in _LONG[:2]]
    points: list[tuple[float, float, float]] = []
    told = [f"{who}: {scale.says}" for who, scale in zip(_LONG, scales, strict=False)]
    told += [f"not read: {', '.join(rest)}"] if (rest := _unread(grid.heads, roles)) else []
    names: set[str] = set()
    for row in grid.rows:
        cells = {role: row.cells[index] for role, index in place.items()}
        if is_missing(cells["response"]):
            continue
        agonist = scales[0].to_nanomolar(_number(name, row, cells["agonist"]))
        try:
            blocker = number(cells["antagonist"])
        except ValueError:
            level = _level(name, row, cells["antagonist"], unit, drugs)
            blocker, names = level.level, names | ({level.drug} - {""})
        else:
            blocker = scales[1].to_nanomolar(blocker)
        spread = {one: cells[one] for one in _SPREAD if one in cells}
        values = _values(name, row, cells["response"], spread)
        points += [(agonist, blocker, value) for value in values]
    _one_antagonist(name, names)
    skipped = sum(is_missing(row.cells[place["response"]]) for row in grid.rows)
    told += _said(grid.heads, {*roles} & {*_SPREAD}, skipped)
    return make_responses(*np.array(points, float).reshape(-1, 3).T), told


def _wide(name: str, grid: Grid, unit: str, drugs: _Drugs) -> tuple[Responses, list[str]]:
    first = _with_unit(grid, 0)
    try:
        parse_level(first, unit, drugs["antagonist"])
    except ValueError:
        scale = parse_concentration_head(first, unit, drugs["agonist"])
    else:
        raise ValueError(
            f"The first column must hold the agonist's concentrations; {name} heads it {first!r}."
        )
    heads = [parse_level(head, unit, drugs["antagonist"]) for head in grid.heads[1:]]
    names = {head.drug for head in heads} - {""}
    _one_antagonist(name, names)
    alone = {head for head in grid.heads if head.casefold().removesuffix("alone").strip() in names}
    if alone:
        raise ValueError(
            f"A control must be without the antagonist; {name} has {alone.pop()!r}. Leave it out."
        )
    columns = _grouped(name, heads)
    points: list[tuple[float, float, float]] = []
    skipped = 0
    for row in grid.rows:
        cells = row.cells[1:]
        for place, spread in columns.items():
            if is_missing(cells[place]):
                skipped += 1
                continue
            agonist = scale.to_nanomolar(_number(name, row, row.cells[0]))
            values = _values(name, row, cells[place], {what: cells[at] for what, at in spread.items()})
            points += [(agonist, heads[place].level, value) for value in values]
    levels = ", ".join(
        dict.fromkeys(f"{grid.heads[place + 1]} = {heads[place].level:.6g} nM" for place in columns)
    )
    spreads = {what for spread in columns.values() for what in spread}
    told = [f"agonist: {scale.says}", f"levels of antagonist: {levels}", *_said(grid.heads, spreads, skipped)]
    return make_responses(*np.array(points, float).reshape(-1, 3).T), told


def _level(name: str, row: GridRow, cell: str, unit: str, drugs: _Drugs) -> LevelHead:
    """Antagonist of a row that says it in words."""
    try:
        return parse_level(cell, unit, drugs["antagonist"])
    except ValueError:
        raise ValueError(
            f"The antagonist of a row must be a concentration, 0 or control; {name} has {cell!r} in row {row.line}."
        ) from None


def _with_unit(grid: Grid, place: int) -> str:
    """Head of a column, with the unit that a row below it says."""
    under = grid.units[place] if grid.units else ""
    return f"{grid.heads[place]} ({under})" if under else grid.heads[place]


def _unread(heads: Heads, roles: Sequence[str]) -> list[str]:
    return [head for head, role in zip(heads, roles, strict=True) if role not in (*_LONG, *_SPREAD)]


def _one_antagonist(name: str, names: set[str]) -> None:
    if len(names) > 1:
        found = ", ".join(sorted(names))
        raise ValueError(f"A table must be about one antagonist; {name} names {found}. Make one table each.")


def _grouped(name: str, heads: Sequence[LevelHead]) -> dict[int, dict[str, int]]:
    """Place of each column of responses or means, with the places of its SD, SEM and n."""
    found: dict[int, dict[str, int]] = {}
    for place, head in enumerate(heads):
        if head.statistic in ("", "mean"):
            found[place] = {}
    for place, head in enumerate(heads):
        if head.statistic in _SPREAD:
            means = [at for at in found if heads[at].level == head.level]
            if len(means) != 1 or head.statistic in found[means[0]]:
                raise ValueError(
                    f"A column of {head.statistic} must belong to one column of means; {name} has {len(means)} at "
                    f"{head.level:g} nM. Give each mean its own level, or the single values."
                )
            found[means[0]][head.statistic] = place
    return found


def _values(name: str, row: GridRow, cell: str, spread: Mapping[str, str]) -> list[float]:
    """The response, or n of them with its mean and SD: the sums that least squares rest on are the same."""
    mean = _number(name, row, cell)
    given = {what: _number(name, row, text) for what, text in spread.items() if not is_missing(text)}
    error = given.get("sd", given.get("sem"))
    if error is None or "n" not in given:
        return [mean]
    n = given["n"]
    if error < 0 or n != int(n) or not 1 <= n <= MOST_SUBJECTS or {"sd", "sem"} <= set(given):
        raise ValueError(
            f"A mean must have one of SD and SEM, not negative, and n from 1 to {MOST_SUBJECTS}; {name} has "
            f"{', '.join(f'{what} {value:g}' for what, value in given.items())} in row {row.line}."
        )
    if n == 1:
        return [mean]
    half = (error if "sd" in given else error * n**0.5) * ((n - 1) / 2) ** 0.5
    return [mean - half, mean + half, *([mean] * (int(n) - 2))]


def _said(heads: Heads, spreads: set[str], skipped: int) -> list[str]:
    told = [f"{skipped} empty cell{'s' if skipped > 1 else ''} left out"] if skipped else []
    if "n" in spreads and len(spreads) > 1:
        told.append("a mean with its SD or SEM and n counts as n responses with that mean and SD")
    elif spreads:
        told.append(
            f"{' and '.join(sorted(spreads))} not used: a mean counts as one response without SD or SEM and n"
        )
    return told


def _number(name: str, row: GridRow, cell: str) -> float:
    try:
        return number(cell)
    except ValueError:
        raise ValueError(
            f"Cells must hold finite numbers; {name} has {cell!r} in row {row.line}. Leave missing responses empty."
        ) from None
