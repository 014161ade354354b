"""Export: a ledger as a spreadsheet, one row an outcome, which `import_studies` reads back as equal studies.

The columns are those of `standard`; a column that nothing fills is left out. Each row repeats what it shares with
others of its experiment, so that rows can be sorted and filtered.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gaddum.interop.mapping import split
from gaddum.interop.sheet import Sheet, sheet_of, write_sheet
from gaddum.interop.standard import STANDARD
from gaddum.interop.studies import studies_of
from gaddum.records.base import Record
from gaddum.records.dose import Dose
from gaddum.records.experiment import Experiment, Study
from gaddum.records.ledger import Ledger
from gaddum.records.outcome import Outcome
from gaddum.records.shorthand import write_doses


def export_studies(ledger: Ledger, path: str | Path) -> bytes:
    """Write a ledger as the content of a spreadsheet file.

    Parameters
    ----------
    ledger : Ledger
        The studies.
    path : str or Path
        Name of the file, by which a workbook (``.xlsx``) is told from CSV. It is not written.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    ValueError
        If a study cannot be said in a spreadsheet.
    ImportError
        If it is a workbook and openpyxl is not installed.
    """
    sheet = sheet_of_ledger(ledger)
    return write_sheet(sheet, path)


def sheet_of_ledger(ledger: Ledger) -> Sheet:
    """Write a ledger as a table; see `export_studies`."""
    arms = max((len(experiment.protocol.arms) for _, experiment in ledger.experiments()), default=0)
    templates = STANDARD.templates(f"arm {number}" for number in range(1, arms + 1))
    rows = []
    for study, experiment, endpoint, outcome in _rows(ledger):
        names = {f"arm {number}": name for number, name in enumerate(experiment.protocol.arms, 1)}
        said = _said(study, experiment, endpoint, outcome)
        row = dict(names)
        for one in templates:
            path = split(one.path, names)
            text = None if "" in path else _text(_at(said, path))
            if text:
                row[one.columns[0]] = text
        rows.append(row)
    # the column that names an arm comes before those that speak of it
    sheet = sheet_of(
        "ledger", rows, dict.fromkeys(name for one in templates for name in reversed(one.columns))
    )
    _refuse_what_is_lost(ledger, sheet)
    return sheet


def _rows(ledger: Ledger) -> Iterator[tuple[Study, Experiment, str, Outcome | None]]:
    for study, experiment in ledger.experiments():
        for outcome in experiment.outcomes:
            yield study, experiment, outcome.endpoint, outcome
        told = {outcome.endpoint for outcome in experiment.outcomes}
        for endpoint in experiment.protocol.endpoints:
            if endpoint not in told:
                yield study, experiment, endpoint, None


def _said(study: Study, experiment: Experiment, endpoint: str, outcome: Outcome | None) -> dict[str, Any]:
    """What a row can say, by the beginnings of field paths."""
    protocol = _plain(experiment.protocol)
    doses = {name: _doses(arm.doses) for name, arm in experiment.protocol.arms.items() if arm.doses}
    return {
        "study": _plain(study),
        "experiment": {"id": experiment.id},
        "protocol": protocol,
        "subject": protocol["subject"],
        "arms": {
            name: arm | ({"doses": doses[name]} if name in doses else {})
            for name, arm in protocol["arms"].items()
        },
        "endpoint": {"key": endpoint} | protocol["endpoints"].get(endpoint, {}),
        "outcome": {} if outcome is None else _plain(outcome),
    }


def _plain(record: Record) -> dict[str, Any]:
    return record.model_dump(mode="json", exclude_none=True, exclude_defaults=True)


def _doses(doses: tuple[Dose, ...]) -> str:
    """Doses in shorthand, or as in YAML where shorthand cannot say them."""
    try:
        return write_doses(doses)
    except ValueError:
        return json.dumps([_plain(dose) for dose in doses], ensure_ascii=False)


def _at(said: Any, path: tuple[str | int, ...]) -> Any:
    here = said
    for part in path:
        if isinstance(here, dict):
            here = here.get(part)
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            return None
    return here


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return json.dumps(value, ensure_ascii=False)


def _refuse_what_is_lost(ledger: Ledger, sheet: Sheet) -> None:
    """Read the table back, so that nobody keeps one that says less than the record."""
    back = {study.id: study for study in studies_of(sheet)} if sheet.rows else {}
    lost = [study.id for study in ledger.studies if back.get(study.id) != study]
    if lost:
        raise ValueError(
            f"A study must read back from a spreadsheet as it is; {', '.join(lost)} would not. Check that its outcomes "
            "name arms and endpoints of their experiment, or pass on its YAML file."
        )
