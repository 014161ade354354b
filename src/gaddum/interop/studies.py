"""Studies: published reports from a spreadsheet, one row an outcome.

Rows with the same ``study.id`` are one study, and those with the same ``experiment.id`` in it one experiment; what
several rows say of them must agree, and an empty cell says nothing. A row without ``outcome.form`` describes an
experiment or an endpoint only. A field that holds several values is written as in YAML: ``[6, 9]``, ``{a: b}``.

Where nothing else is said, a study's cohort is its id, an experiment and an endpoint are called ``main``, and the
sources of the protocol, of the weight and of the outcome are that of the study.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import category, normalize

from gaddum.interop.mapping import (
    KEY,
    Mapping,
    Template,
    check_columns,
    fill,
    holds_many,
    place,
    read_mapping,
    split,
)
from gaddum.interop.refusals import REASON, CellPlace, sorted_out
from gaddum.interop.sheet import Row, Sheet, read_sheet
from gaddum.interop.standard import STANDARD
from gaddum.interop.study_draft import StudyDraft, listed, share_source
from gaddum.records.experiment import Study
from gaddum.records.field import FieldPath, leaves
from gaddum.records.finding import Finding, RecordError, nearest
from gaddum.records.outcome import RECORDS
from gaddum.records.outcome.base import ArmName
from gaddum.records.shorthand import parse_doses
from gaddum.records.yaml import Document, parse_document, readable, to_record

_LEAVES = [leaf for record in RECORDS.values() for leaf in leaves(record)]
_ARM_NAMES = {path for path, kind in _LEAVES if kind == ArmName}
"""Fields of outcomes in which the name of an arm stands."""
_RESULTS_OF_ARMS = {path[0] for path, _ in _LEAVES if "*" in path}
"""Fields of outcomes that have arms as their keys."""


class StudiesRead(NamedTuple):
    """Studies of a spreadsheet, and what of it could not be used."""

    studies: tuple[Study, ...]
    findings: tuple[Finding, ...]
    """What is wrong: first each reason with the number of its rows, then row by row."""
    refused: Sheet
    """Rows of the studies with a fault, whose reasons stand in the column `REASON`; without it the table as it was."""


def import_studies(path: str | Path, mapping: str | Path | None = None) -> tuple[Study, ...]:
    """Read studies from a spreadsheet.

    Parameters
    ----------
    path : str or Path
        CSV file or workbook (``.xlsx``) with one row an outcome.
    mapping : str or Path, optional
        YAML file that says which column is which field (see `gaddum.interop.mapping`); without it the columns must be
        those of `gaddum.interop.export.export_studies`.

    Returns
    -------
    tuple of Study
        The studies in the order of their first rows.

    Raises
    ------
    RecordError
        If something cannot be used: a ValueError that names row and column of each finding.
    """
    return _all_of(read_studies(path, mapping)[0])


def read_studies(
    path: str | Path,
    mapping: str | Path | None = None,
    *,
    separator: str | None = None,
    decimal: str | None = None,
) -> tuple[StudiesRead, tuple[str, ...]]:
    """Read the studies of a spreadsheet that are right, what is wrong with others, and notes on the table.

    Parameters are those of `import_studies`, and those of `gaddum.interop.grid.parse_grid` for a table in doubt.
    """
    if mapping is None:
        sheet = read_sheet(path, separator=separator)
        return _read(sheet, STANDARD), sheet.notes
    chosen = read_mapping(mapping)
    wanted = {name for field, text in chosen.fields.items() for name in Template(field, text).columns}
    plain = {name for name in wanted if "#" not in name}
    sheet = read_sheet(
        path,
        sheet=chosen.sheet,
        known=lambda heads: bool(plain) and plain <= set(heads),
        separator=separator,
        decimal=decimal,
    )
    check_columns(chosen, sheet.columns, str(mapping))
    return _read(sheet, chosen), sheet.notes


def studies_of(sheet: Sheet, mapping: Mapping = STANDARD) -> tuple[Study, ...]:
    """Read studies from a table; see `import_studies`."""
    return _all_of(_read(sheet, mapping))


def _all_of(read: StudiesRead) -> tuple[Study, ...]:
    if read.findings:
        raise RecordError(read.findings)
    return read.studies


def _read(sheet: Sheet, mapping: Mapping) -> StudiesRead:
    reader = _Reader(sheet, mapping)
    if mapping is STANDARD:
        reader.refuse_unknown_columns()
    for row in sheet.rows:
        reader.read(row)
    return reader.studies()


class _FieldEntry(NamedTuple):
    """What a row says of one field."""

    path: tuple[str | int, ...]
    """From the beginning on, as in a mapping."""
    text: str | None
    """None where a column is empty."""
    template: Template

    @property
    def group(self) -> tuple[str | int, ...] | None:
        """The arm, or the arm's result, that this is about."""
        if self.path[0] == "arms":
            return self.path[:2]
        in_result = self.path[0] == "outcome" and len(self.path) > 3 and self.path[1] in _RESULTS_OF_ARMS
        return self.path[:3] if in_result else None


class _Reader:
    """Reads rows into drafts, and drafts into studies."""

    def __init__(self, sheet: Sheet, mapping: Mapping) -> None:
        self.sheet = sheet
        self.mapping = mapping
        self.templates = mapping.templates(sheet.columns)
        self.faults: list[tuple[CellPlace, str, str]] = []
        """Cell, field and message of everything that is wrong."""
        self._cells: list[CellPlace] = []
        self._drafts: dict[str, StudyDraft] = {}
        self._names: dict[str, str] = {}
        """Text of each study's id, as it stands in the table."""
        self._study_of: dict[int, str] = {}
        """Study of each row that names one."""
        self._arms = {
            str(path[1]) for path in (split(one.path, {}) for one in self.templates) if path[0] == "arms"
        }

    def refuse_unknown_columns(self) -> None:
        known = [column for template in self.templates for column in template.columns]
        unknown = [column for column in self.sheet.columns if column not in (*known, REASON)]
        if unknown:
            near = nearest(unknown[0], known)
            hint = near + " " if near.startswith("Did you mean") else ""
            message = (
                f"Without a mapping the columns must be those that `gaddum ledger export` writes. {hint}"
                "Give a mapping from your columns to fields."
            )
            raise RecordError([Finding("error", self.sheet.name, str(CellPlace(1, tuple(unknown))), message)])

    def read(self, row: Row) -> None:
        texts = {
            column: self.mapping.values.get(column, {}).get(text, text)
            for column, text in row.cells.items()
            if text not in self.mapping.missing
        }
        said = [_FieldEntry(split(one.path, texts), fill(one.text, texts), one) for one in self.templates]
        by_path = {one.path: one for one in said if one.text is not None}
        draft = self._draft(row, by_path.get(("study", "id")))
        if draft is None:
            return
        experiment = self._experiment(draft, _text(by_path, ("experiment", "id")), row)
        form = by_path.get(("outcome", "form"))
        outcome = draft.outcomes[experiment] if form is not None else -1
        draft.outcomes[experiment] += form is not None
        key = _text(by_path, KEY)

        def located(path: tuple[str | int, ...]) -> FieldPath:
            at = place(path)
            if path[0] == "outcome":
                return ("experiments", experiment, "outcomes", outcome, *at[4:])
            if path[0] == "endpoint":
                return ("experiments", experiment, "protocol", "endpoints", key, *at[5:])
            return ("experiments", experiment, *at[2:]) if path[0] != "study" else at

        if form is not None:
            self._set(draft, (*located(("outcome",)), "endpoint"), key, row, by_path.get(KEY))
        self._open_arms(draft, said, located, row)
        groups = _groups_spoken_of(said)
        for one in said:
            if one.path in (("study", "id"), ("experiment", "id"), KEY):
                continue
            if "" in one.path:
                self._unnamed(one, row)
            elif one.text is None:
                self._empty(draft, one, located(one.path), groups, row)
            elif one.path[0] == "outcome" and form is None:
                if not one.template.is_constant:
                    self._note(
                        row, one.template.columns, "A row with a result must have `outcome.form`; got none."
                    )
            elif not (one.template.is_constant and one.group is not None and one.group not in groups):
                self._say(draft, one, located(one.path), row)

    def studies(self) -> StudiesRead:
        found: dict[str, Study] = {}
        for name, draft in self._drafts.items():
            content = listed(draft.content)
            content.setdefault("cohort", name)
            share_source(content)
            try:
                found[name] = to_record(Document(self.sheet.name, content, draft.cells), Study)
            except RecordError as error:
                self.faults += [
                    (self._cells[one.line or 0], one.where, one.message) for one in error.findings
                ]
        return StudiesRead(*sorted_out(self.faults, found, self._study_of, self.sheet))

    def _draft(self, row: Row, given: _FieldEntry | None) -> StudyDraft | None:
        if given is None or given.text is None:
            wanted = [one.columns for one in self.templates if one.path == "study.id"]
            self._note(row, wanted[0] if wanted else (), "A row must have `study.id`; got none.")
            return None
        latin = normalize("NFKD", given.text.casefold()).encode("ascii", "ignore").decode()
        name = re.sub(r"[^a-z0-9]+", "_", latin).strip("_")
        if self._names.setdefault(name, given.text) != given.text:
            self._note(
                row,
                given.template.columns,
                f"Ids of studies must differ in letters or digits; got {given.text!r} after {self._names[name]!r}.",
            )
        self._study_of[row.number] = name
        if name not in self._drafts:
            draft = self._drafts[name] = StudyDraft()
            draft.cells[()] = self._cell(row, ())
            self._set(draft, ("id",), name, row, given)
        return self._drafts[name]

    def _experiment(self, draft: StudyDraft, name: str, row: Row) -> int:
        if name not in draft.experiments:
            number = draft.experiments[name] = len(draft.experiments)
            draft.outcomes.append(0)
            self._set(draft, ("experiments", number, "id"), name, row, None)
        return draft.experiments[name]

    def _open_arms(self, draft: StudyDraft, said: list[_FieldEntry], located: Any, row: Row) -> None:
        """Make the arms that a column names, and those of the mapping that the result speaks of."""
        spoken = [
            str(one.path[1])
            for one in said
            if one.path[0] == "arms" and "{" in one.template.path.split(".")[1]
        ]
        spoken += [name for name in _named_by_outcome(said) if name in self._arms]
        for name in dict.fromkeys(spoken):
            if name:
                draft.open(located(("arms", name)), self._cell(row, ()))

    def _say(self, draft: StudyDraft, one: _FieldEntry, at: FieldPath, row: Row) -> None:
        assert one.text is not None
        text = one.text.replace("\r\n", "\n")
        if any(category(sign) == "Cc" and sign not in "\n\t" for sign in text):
            self._note(row, one.template.columns, "Text must be free of control characters.", at)
            return
        try:
            value = _value(one.path, text)
        except ValueError as error:
            self._note(row, one.template.columns, str(error), at)
            return
        self._set(draft, at, value, row, one)

    def _set(self, draft: StudyDraft, at: FieldPath, value: Any, row: Row, one: _FieldEntry | None) -> None:
        columns = () if one is None else one.template.columns
        parent = draft.open(at[:-1], self._cell(row, ()))
        if parent is None:
            self._note(row, columns, "A field must be said as a whole or in parts; got both.", at)
            return
        last, is_shared = at[-1], at[2:3] != ("outcomes",)
        before = self._cells[draft.cells[at]] if at in draft.cells and last in parent else None
        if is_shared and before is not None and before.row != row.number and parent[last] != value:
            what = "experiment" if at[:1] == ("experiments",) else "study"
            told = f"got {_short(value)} after {_short(parent[last])} in {before}"
            self._note(row, columns, f"Rows of one {what} must agree; {told}.", at)
            return
        if last not in parent:
            draft.cells[at] = self._cell(row, columns)
        parent[last] = value

    def _empty(
        self, draft: StudyDraft, one: _FieldEntry, at: FieldPath, groups: set[tuple[str | int, ...]], row: Row
    ) -> None:
        """Remember where a field would have been said; an arm that is used needs its dose."""
        if one.path[0] != "outcome" or draft.outcomes[int(at[1])]:
            draft.cells.setdefault(at, self._cell(row, one.template.columns))
        composed = one.template.text != "{" + one.template.columns[0] + "}"
        if one.path[0] == "arms" and one.path[2:] == ("doses",) and composed and one.group in groups:
            self._note(
                row, one.template.columns, f"Arm {one.path[1]} must have its doses; got an empty cell.", at
            )

    def _unnamed(self, one: _FieldEntry, row: Row) -> None:
        if one.text is not None and not one.template.is_constant:
            columns = [name for name in one.template.columns if name not in row.cells]
            self._note(
                row,
                tuple(columns),
                f"This must be filled, for {one.template.text} speaks of it; got nothing.",
            )

    def _cell(self, row: Row, columns: tuple[str, ...]) -> int:
        self._cells.append(CellPlace(row.number, columns))
        return len(self._cells) - 1

    def _note(self, row: Row, columns: tuple[str, ...], message: str, at: FieldPath = ()) -> None:
        self.faults.append((CellPlace(row.number, columns), readable(at), message))


def _text(by_path: dict[tuple[str | int, ...], _FieldEntry], path: tuple[str, ...]) -> str:
    given = by_path.get(path)
    return "main" if given is None or given.text is None else given.text


def _groups_spoken_of(said: list[_FieldEntry]) -> set[tuple[str | int, ...]]:
    """Arms, and results of arms, of which a column says something or which the result names."""
    groups = {
        one.group for one in said if one.group and one.text is not None and not one.template.is_constant
    }
    return groups | {("arms", name) for name in _named_by_outcome(said)}


def _named_by_outcome(said: list[_FieldEntry]) -> Iterator[str]:
    """Names of arms in the result of a row."""
    for one in said:
        if one.path[0] != "outcome" or one.text is None:
            continue
        within = one.path[1:]
        if within in _ARM_NAMES:
            yield one.text
        elif one.group is not None and not one.template.is_constant:
            yield str(within[1])


def _value(path: tuple[str | int, ...], text: str) -> Any:
    """What a text means in a field."""
    is_yaml = text[0] in "[{"
    if path[0] == "arms" and path[2:] == ("doses",) and not is_yaml:
        return [dose.model_dump(exclude_defaults=True) for dose in parse_doses(text)]
    if not is_yaml or not holds_many(place(path)):
        return text
    try:
        return parse_document(f"value: {text}").content["value"]
    except RecordError as error:
        raise ValueError(error.findings[0].message) from None


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
