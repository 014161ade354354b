"""A ledger as a spreadsheet: nothing is lost on the way out and back."""

import dataclasses

import pytest

from gaddum import export_studies, import_studies, load_case
from gaddum.interop.export import sheet_of_ledger
from gaddum.interop.sheet import Sheet, parse_sheet, sheet_as_csv
from gaddum.interop.studies import studies_of
from gaddum.records.ledger import Ledger


@pytest.fixture(scope="module", params=["ketamine", "morphine"])
def ledger(request) -> Ledger:
    return load_case(request.param).ledger


@pytest.fixture(scope="module")
def sheet(ledger) -> Sheet:
    return sheet_of_ledger(ledger)


def test_every_bundled_study_comes_back_from_csv_as_it_was(ledger, sheet):
    back = Ledger(studies_of(parse_sheet(sheet_as_csv(sheet))))
    assert back.studies == ledger.studies


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_every_study_comes_back_from_a_file_as_it_was(name, tmp_path):
    ledger = load_case("morphine").ledger
    (tmp_path / name).write_bytes(export_studies(ledger, name))
    assert Ledger(import_studies(tmp_path / name)).studies == ledger.studies


@pytest.mark.slow  # writing and reading the large workbook; the small one and the large CSV are fast tests
def test_every_study_of_the_large_case_comes_back_from_a_workbook(tmp_path):
    ledger = load_case("ketamine").ledger
    (tmp_path / "t.xlsx").write_bytes(export_studies(ledger, "t.xlsx"))
    assert Ledger(import_studies(tmp_path / "t.xlsx")).studies == ledger.studies


def test_a_row_is_an_outcome_or_an_endpoint_without_one(ledger, sheet):
    assert sum("form" in row.cells for row in sheet.rows) == len(list(ledger.outcomes()))


def test_doses_are_in_shorthand():
    rows = sheet_of_ledger(load_case("ketamine").ledger.select(["williams2018"])).rows
    assert rows[0].cells["arm 2"] == "KA"
    assert (
        rows[0].cells["arm 2 doses"]
        == "naltrexone 50 mg po at -45 min as salt + ketamine 0.5 mg/kg iv over 40 min"
    )
    assert rows[0].cells["arm 2 n"] == "12"


def test_columns_that_nothing_fills_are_left_out(sheet):
    assert all(any(column in row.cells for row in sheet.rows) for column in sheet.columns)


def test_an_empty_ledger_is_an_empty_table():
    assert sheet_of_ledger(Ledger()).rows == ()


def test_a_study_that_a_table_cannot_say_is_refused():
    study = load_case("morphine").ledger.study("matthes_1996")
    (experiment,) = study.experiments
    twice = study.model_copy(update={"experiments": (experiment, experiment)})
    with pytest.raises(ValueError, match="matthes_1996 would not"):
        sheet_of_ledger(dataclasses.replace(Ledger(), studies=(twice,)))
