"""Mapping: which column of somebody's table is which field of a record.

A mapping file has, under ``fields``, one line a field: its path, and a template of what stands there, in which
``{Column}`` is the text of a column. So a column, a unit, a constant and several columns at once are written alike::

    fields:
      study.id: "{Author} {Year}"
      subject.species: rat
      arms.K.doses: "ketamine {Dose} mg/kg ip at 0 h"
      endpoint.test_time: "{Hours} h"

A template with a column that is empty in a row says nothing of that row. A path may hold columns as well
(``arms.{Group}.n``), and ``#`` stands for every number that the table's columns have there (``arms.{Arm #}.n``).

Paths begin with what they are about:

===========  ===========================================================================
study        the report (`Study`), but for its experiments
experiment   ``experiment.id``
protocol     the protocol, but for what follows
subject      the protocol's subject
arms.NAME    an arm of the protocol; ``doses`` in shorthand
endpoint     the outcome's endpoint, and ``endpoint.key``, by which the protocol knows it
outcome      the outcome of the row, but for its endpoint
===========  ===========================================================================
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple, get_origin

from pydantic import BaseModel, Field

from gaddum.records.base import Record
from gaddum.records.experiment import Study
from gaddum.records.field import FieldPath, fields_at, types_at
from gaddum.records.finding import Finding, RecordError, nearest
from gaddum.records.yaml import read_document, to_record

EXPERIMENT: FieldPath = ("experiments", 0)
PROTOCOL: FieldPath = (*EXPERIMENT, "protocol")
OUTCOME: FieldPath = (*EXPERIMENT, "outcomes", 0)
_HEADS: dict[str, FieldPath] = {
    "study": (),
    "experiment": EXPERIMENT,
    "protocol": PROTOCOL,
    "subject": (*PROTOCOL, "subject"),
    "arms": (*PROTOCOL, "arms"),
    "endpoint": (*PROTOCOL, "endpoints", "*"),
    "outcome": OUTCOME,
}
_ELSEWHERE = {
    "study": ("experiments",),
    "experiment": ("protocol", "outcomes"),
    "protocol": ("subject", "arms", "endpoints"),
    "outcome": ("endpoint",),
}
"""Fields that other heads speak of."""
KEY = ("endpoint", "key")
_COLUMN = re.compile(r"\{([^{}]+)\}")


class Template(NamedTuple):
    """What stands in a field: text, in which columns are put in."""

    path: str
    """Path of the field, in which columns may stand too."""
    text: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that the text and the path draw on."""
        return tuple(dict.fromkeys(_COLUMN.findall(self.text) + _COLUMN.findall(self.path)))

    @property
    def is_constant(self) -> bool:
        """Whether the text is the same in every row."""
        return not _COLUMN.search(self.text)


class Mapping(Record):
    """Which column of a table is which field of a record."""

    fields: dict[str, str] = Field(min_length=1)
    """Template by field path."""
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Their words and ours, by column: ``Sex: {M: male, F: female}``."""
    missing: tuple[str, ...] = ()
    """Texts that mean that nothing is known, such as ``NR``; empty cells do so anyway."""
    sheet: str | None = None
    """Sheet of a workbook; the first where not given."""

    def templates(self, columns: Iterable[str]) -> tuple[Template, ...]:
        """Templates for a table with these columns, ``#`` written out number by number."""
        known = tuple(columns)
        found: list[Template] = []
        every = [Template(path, text) for path, text in self.fields.items()]
        for is_numbered, block in groupby(every, key=lambda one: any("#" in name for name in one.columns)):
            templates = tuple(block)
            if not is_numbered:
                found += templates
                continue
            names = {name for one in templates for name in one.columns if "#" in name}
            for number in sorted({number for name in names for number in _numbers(name, known)}):
                found += [
                    Template(one.path.replace("#", str(number)), one.text.replace("#", str(number)))
                    for one in templates
                ]
        return tuple(found)


def read_mapping(path: str | Path) -> Mapping:
    """Read a mapping from a YAML file.

    Parameters
    ----------
    path : str or Path
        The file.

    Raises
    ------
    RecordError
        If it is no mapping, or names a field that records do not have.
    """
    document = read_document(Path(path))
    mapping = to_record(document, Mapping)
    faults = [
        document.finding(("fields", field), fault)
        for field in mapping.fields
        if (fault := _fault(field)) is not None
    ]
    if faults:
        raise RecordError(faults)
    return mapping


def check_columns(mapping: Mapping, columns: Iterable[str], name: str) -> None:
    """Raise `RecordError` if a mapping draws on columns that a table does not have."""
    known = tuple(columns)
    wanted = [
        (one, f"fields.{field}")
        for field, text in mapping.fields.items()
        for one in Template(field, text).columns
    ]
    wanted += [(column, f"values.{column}") for column in mapping.values]
    faults = []
    for column, where in wanted:
        there = any(_numbers(column, known)) if "#" in column else column in known
        if not there:
            hint = nearest(column, known, what="Columns")
            message = f"A mapping must draw on columns of the table; got {column!r}. {hint}"
            faults.append(Finding("error", name, where, message))
    if faults:
        raise RecordError(faults)


def split(path: str, cells: dict[str, str]) -> tuple[str | int, ...]:
    """Split a field path, with the columns in it put in; those that are empty stay empty.

    Examples
    --------
    >>> split("arms.{Group}.doses.0.amount", {"Group": "K 0.5"})
    ('arms', 'K 0.5', 'doses', 0, 'amount')
    """
    parts = _parts(path)
    filled = [_COLUMN.sub(lambda found: cells.get(found[1], ""), part) for part in parts]
    return tuple(int(part) if parts[at].isdecimal() else part for at, part in enumerate(filled))


def fill(text: str, cells: dict[str, str]) -> str | None:
    """Put columns into a template; None if one of them is empty.

    Examples
    --------
    >>> fill("ketamine {Dose} mg/kg ip", {"Dose": "10"}), fill("{Hours} h", {})
    ('ketamine 10 mg/kg ip', None)
    """
    if any(column not in cells for column in _COLUMN.findall(text)):
        return None
    return _COLUMN.sub(lambda found: cells[found[1]], text)


def place(path: tuple[str | int, ...]) -> FieldPath:
    """Where a path leads within a study, the experiment and outcome being the first and the endpoint ``*``."""
    return (*_HEADS[str(path[0])], *path[1:])


@cache
def holds_many(path: FieldPath) -> bool:
    """Whether a field of a study holds a list or fields of its own, and no text."""
    types = types_at(Study, path)
    return str not in types and any(
        get_origin(one) in (dict, tuple) or (isinstance(one, type) and issubclass(one, BaseModel))
        for one in types
    )


def _parts(path: str) -> list[str]:
    """Split at dots outside braces."""
    return re.split(r"\.(?![^{}]*\})", path)


def _numbers(column: str, known: Iterable[str]) -> Iterator[int]:
    """Numbers for which a numbered column is there."""
    pattern = re.compile("([0-9]{1,4})".join(re.escape(part) for part in column.split("#", 1)))
    for name in known:
        if match := pattern.fullmatch(name):
            yield int(match[1])


def _fault(field: str) -> str | None:
    """What is wrong with a field path."""
    path = split(field, dict.fromkeys(_COLUMN.findall(field), "*"))
    head = str(path[0])
    if head not in _HEADS:
        hint = nearest(head, _HEADS, what="Beginnings")
        return f"A field path must begin with what it is about; got {field!r}. {hint}"
    if path == KEY:
        return None
    if len(path) == 1 or path[1] in _ELSEWHERE.get(head, ()):
        heads = ", ".join(_HEADS)
        return f"A field path must lead to a field; got {field!r}. Write it by its own beginning: {heads}."
    parent, last = place(path)[:-1], path[-1]
    names = fields_at(Study, parent)
    opens = any(
        get_origin(one) is dict or (get_origin(one) is tuple and isinstance(last, int))
        for one in types_at(Study, parent)
    )
    if last in names or opens:
        return None
    hint = nearest(str(last), names, what="Fields there")
    return f"A field path must lead to a field of the record; got {field!r}. {hint}"
