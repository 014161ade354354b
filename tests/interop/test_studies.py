"""Somebody's own spreadsheet becomes studies, by a mapping."""

import csv
from pathlib import Path

import pytest
import yaml

from gaddum import export_studies, import_studies, load_case
from gaddum.interop.export import sheet_of_ledger
from gaddum.interop.mapping import Mapping, read_mapping
from gaddum.interop.refusals import REASON
from gaddum.interop.sheet import sheet_as_csv, write_sheet
from gaddum.interop.studies import read_studies
from gaddum.records.experiment import Study
from gaddum.records.ledger import Ledger
from gaddum.records.outcome.means import Means
from gaddum.records.yaml import dump_record, parse_document, to_record

FIELDS = {
    "study.id": "{Author} {Year}",
    "study.title": "{Title}",
    "study.year": "{Year}",
    "study.source.how": "measured",
    "study.source.doi": "{DOI}",
    "outcome.source.locator": "{Where}",
    "subject.species": "{Species}",
    "subject.sex": "{Sex}",
    "subject.paradigm": "forced swim test",
    "arms.V.n": "{n control}",
    "arms.K.n": "{n drug}",
    "arms.K.doses": "ketamine {Dose} mg/kg ip",
    "endpoint.name": "immobility",
    "endpoint.family": "immobility",
    "endpoint.test_time": "{Hours} h",
    "endpoint.phase": "acute",
    "endpoint.improvement": "decrease",
    "outcome.form": "means",
    "outcome.arms.V.mean": "{Mean control}",
    "outcome.arms.V.spread": "{SEM control}",
    "outcome.arms.V.spread_kind": "SEM",
    "outcome.arms.V.n": "{n control}",
    "outcome.arms.K.mean": "{Mean drug}",
    "outcome.arms.K.spread": "{SEM drug}",
    "outcome.arms.K.spread_kind": "SEM",
    "outcome.arms.K.n": "{n drug}",
}
ROW = {
    "Author": "Smith",
    "Year": "2019",
    "Title": "A title",
    "DOI": "10.1000/a",
    "Where": "Fig 1",
    "Species": "rat",
    "Sex": "M",
    "n control": "8",
    "n drug": "9",
    "Dose": "10",
    "Hours": "1",
    "Mean control": "120",
    "SEM control": "9",
    "Mean drug": "80",
    "SEM drug": "8.5",
}
MAPPING = {"fields": FIELDS, "values": {"Sex": {"M": "male", "F": "female"}}, "missing": ["NR"]}


class Files:
    """A table and a mapping on disk."""

    def __init__(self, folder: Path):
        self.table, self.mapping = folder / "table.csv", folder / "mapping.yaml"

    def read(self, *rows: dict[str, str], **mapping) -> tuple[Study, ...]:
        with self.table.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
            writer.writeheader()
            writer.writerows(rows)
        self.mapping.write_text(yaml.safe_dump(MAPPING | mapping, sort_keys=False))
        return import_studies(self.table, self.mapping)


@pytest.fixture
def files(tmp_path) -> Files:
    return Files(tmp_path)


def test_a_row_is_an_outcome_of_its_study(files):
    (study,) = files.read(ROW)
    (experiment,) = study.experiments
    (outcome,) = experiment.outcomes
    assert (study.id, study.cohort, study.year) == ("smith_2019", "smith_2019", 2019)
    assert isinstance(outcome, Means)
    assert (outcome.arms["K"].mean, outcome.arms["K"].spread, outcome.arms["K"].n) == (80.0, 8.5, 9)


def test_an_id_is_plain_letters_and_digits(files):
    (study,) = files.read(ROW | {"Author": "Müller & Ng"})
    assert study.id == "muller_ng_2019"


def test_units_and_constants_stand_around_columns(files):
    (study,) = files.read(ROW)
    protocol = study.experiments[0].protocol
    (dose,) = protocol.arms["K"].doses
    assert (dose.drug, dose.amount, dose.route) == ("ketamine", "10 mg/kg", "ip")
    assert protocol.endpoints["main"].test_time == "1 h"
    assert protocol.subject.paradigm == "forced swim test"


def test_their_words_become_ours(files):
    (study,) = files.read(ROW)
    assert study.experiments[0].protocol.subject.sex == "male"


def test_a_missing_value_says_nothing(files):
    (study,) = files.read(ROW | {"Sex": "NR"})
    assert study.experiments[0].protocol.subject.sex == "unstated"


def test_sources_are_those_of_the_study_where_nothing_else_is_said(files):
    (study,) = files.read(ROW)
    assert study.experiments[0].protocol.source == study.source
    assert study.experiments[0].outcomes[0].source == study.source.model_copy(update={"locator": "Fig 1"})


def test_rows_of_one_id_are_one_study(files):
    later = ROW | {"Hours": "24"}
    fields = FIELDS | {"endpoint.key": "hours_{Hours}", "experiment.id": "{Where}"}
    first, second = files.read(ROW, ROW | {"Year": "2020"}, later, fields=fields)
    assert (first.id, second.id) == ("smith_2019", "smith_2020")
    (experiment,) = first.experiments
    assert [outcome.endpoint for outcome in experiment.outcomes] == ["hours_1", "hours_24"]


def test_rows_of_other_experiments_are_kept_apart(files):
    (study,) = files.read(
        ROW, ROW | {"Where": "Fig 2", "Species": "mouse"}, fields=FIELDS | {"experiment.id": "{Where}"}
    )
    assert [one.protocol.subject.species for one in study.experiments] == ["rat", "mouse"]


def test_arms_may_be_named_by_columns(files):
    slots = {
        "arms.{Arm #}.doses": "{Doses #}",
        "outcome.form": "verdict",
        "outcome.verdict": "effective",
        "outcome.roles.K": "{Arm 2}",
        "outcome.roles.V": "{Arm 1}",
    }
    fields = {name: text for name, text in FIELDS.items() if "arms" not in name} | slots
    (study,) = files.read(
        ROW | {"Arm 1": "salt 0.9", "Arm 2": "K", "Doses 2": "ketamine 3 mg/kg ip"}, fields=fields
    )
    arms = study.experiments[0].protocol.arms
    assert {name: len(arm.doses) for name, arm in arms.items()} == {"salt 0.9": 0, "K": 1}


def test_an_arm_that_a_row_does_not_have_is_left_out(files):
    fields = FIELDS | {
        "arms.KA.n": "{n both}",
        "arms.KA.doses": "naltrexone {Naltrexone} mg/kg sc at -1 h + ketamine {Dose} mg/kg ip",
        "outcome.arms.KA.mean": "{Mean both}",
        "outcome.arms.KA.spread_kind": "SEM",
    }
    (study,) = files.read(ROW | {"n both": "", "Mean both": "", "Naltrexone": ""}, fields=fields)
    assert list(study.experiments[0].protocol.arms) == ["V", "K"]


def test_an_arm_of_unknown_size_keeps_its_constant_dose(files):
    fields = FIELDS | {
        "arms.K.doses": "ketamine 10 mg/kg ip",
        "outcome.form": "verdict",
        "outcome.verdict": "effective",
        "outcome.roles.K": "K",
        "outcome.roles.V": "V",
    }
    fields = {name: text for name, text in fields.items() if not name.startswith("outcome.arms")}
    (study,) = files.read(ROW | {"n drug": "", "n control": ""}, fields=fields)
    arms = study.experiments[0].protocol.arms
    assert (arms["K"].n, arms["V"].n, len(arms["K"].doses)) == (None, None, 1)


def test_a_row_without_a_form_describes_the_protocol_only(files):
    fields = {name: text for name, text in FIELDS.items() if not name.startswith("outcome")}
    (study,) = files.read(ROW, fields=fields)
    assert study.experiments[0].outcomes == ()


def test_a_field_of_several_values_is_written_as_in_yaml(files):
    fields = FIELDS | {
        "arms.V.n_range": "{range}",
        "study.risk_of_bias": "{bias}",
        "subject.weight": "{weight}",
        "study.note": "{bias}",
    }
    more = {"range": "[6, 9]", "bias": "{other: low}", "weight": "{value: 0.3, unit: kg}"}
    (study,) = files.read(ROW | more, fields=fields)
    protocol = study.experiments[0].protocol
    assert protocol.arms["V"].n_range == (6, 9) and study.risk_of_bias == {"other": "low"}
    assert protocol.subject.weight is not None and protocol.subject.weight.source == study.source
    assert study.note == "{other: low}"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (
            {"Species": "ratt"},
            r"row 3, column 'Species': experiments\[0\].protocol.subject.species: .*Did you mean 'rat'",
        ),
        (
            {"Dose": "ten"},
            r"row 3, column 'Dose': experiments\[0\].protocol.arms.K.doses: .*there must be a drug",
        ),
        ({"Dose": ""}, r"row 3, column 'Dose': .*Arm K must have its doses; got an empty cell"),
        ({"n drug": "9.5"}, r"row 3, column 'n drug': .*valid integer"),
        ({"n drug": ""}, r"row 3, column 'n drug': .*arms.K.n: The field 'n' must be given"),
        ({"SEM drug": "-1"}, r"row 3, column 'SEM drug': .*greater than 0; got '-1'"),
        ({"Hours": "one"}, r"row 3, column 'Hours': .*time"),
        ({"Title": ""}, r"row 3, column 'Title': title: The field 'title' must be given"),
        ({"DOI": ""}, r"row 3: source: .*must be traceable"),
        ({"Author": ""}, r"row 3, columns 'Author', 'Year': A row must have `study.id`"),
    ],
)
def test_an_error_names_row_and_column(files, change, where):
    with pytest.raises(ValueError, match=where):
        files.read(ROW, ROW | {"Year": "2020"} | change)


def test_an_error_in_a_later_row_of_a_study_names_that_row(files):
    with pytest.raises(ValueError, match="row 3, column 'n control'"):
        files.read(
            ROW | {"n control": ""}, ROW | {"n control": "many"}, fields=FIELDS | {"outcome.arms.V.n": "8"}
        )


@pytest.mark.parametrize(
    ("hours", "test_time"), [("unknown", "unknown"), ("1 or 24", "1 or 24 h"), ("2", "2 h")]
)
def test_an_hour_that_is_not_known_is_kept_and_comes_back(files, tmp_path, hours, test_time):
    (study,) = files.read(
        ROW | {"Hours": hours, "Phase": "unknown"}, fields=FIELDS | {"endpoint.phase": "{Phase}"}
    )
    (endpoint,) = study.experiments[0].protocol.endpoints.values()
    assert (endpoint.test_time, endpoint.phase) == (test_time, "unknown")
    (tmp_path / "again.csv").write_bytes(export_studies(Ledger((study,)), "again.csv"))
    assert import_studies(tmp_path / "again.csv") == (study,)


def test_rows_of_one_study_must_agree(files):
    with pytest.raises(
        ValueError, match=r"row 3, column 'Title': .*got 'Other' after 'A title' in row 2, column 'Title'"
    ):
        files.read(ROW, ROW | {"Title": "Other"})


def test_rows_of_one_study_must_agree_on_its_cohort(files):
    with pytest.raises(ValueError, match="row 3, column 'Cohort': cohort: Rows of one study must agree"):
        files.read(ROW | {"Cohort": "a"}, ROW | {"Cohort": "b"}, fields=FIELDS | {"study.cohort": "{Cohort}"})


def test_ids_that_differ_in_spelling_only_are_refused(files):
    with pytest.raises(
        ValueError, match="must differ in letters or digits; got 'SMITH 2019' after 'Smith 2019'"
    ):
        files.read(ROW, ROW | {"Author": "SMITH"})


def test_a_result_needs_its_form(files):
    fields = {name: text for name, text in FIELDS.items() if name != "outcome.form"}
    with pytest.raises(
        ValueError, match=r"row 2, column 'Where': A row with a result must have `outcome.form`"
    ):
        files.read(ROW, fields=fields)


def test_what_a_column_says_of_an_unnamed_arm_is_refused(files):
    fields = FIELDS | {"arms.{Arm}.note": "{Remark}"}
    with pytest.raises(ValueError, match="row 2, column 'Arm': This must be filled"):
        files.read(ROW | {"Arm": "", "Remark": "small"}, fields=fields)


def test_a_field_said_as_a_whole_and_in_parts_is_refused(files):
    fields = FIELDS | {"subject.weight": "{weight}", "subject.weight.value": "{weight}"}
    with pytest.raises(ValueError, match="as a whole or in parts"):
        files.read(ROW | {"weight": "0.3"}, fields=fields)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("study.titel", "Did you mean 'title'"),
        ("arm.K.n", "Did you mean 'arms'"),
        ("arms.K.m", "must lead to a field of the record"),
        ("outcome.arms.K.men", "Did you mean 'mean'"),
        ("study.experiments", "by its own beginning"),
        ("study", "must lead to a field"),
        ("outcome.endpoint", "by its own beginning"),
    ],
)
def test_a_field_that_records_lack_is_named_with_its_line(files, field, message):
    with pytest.raises(ValueError, match=rf"mapping.yaml:\d+: error: .*{message}"):
        files.read(ROW, fields=FIELDS | {field: "{Title}"})


def test_a_column_that_the_table_lacks_is_named(files):
    with pytest.raises(ValueError, match="Did you mean 'Author'"):
        files.read(ROW, fields=FIELDS | {"study.lab": "{Autor}"})
    with pytest.raises(ValueError, match="got 'Arm #'"):
        files.read(ROW, fields=FIELDS | {"arms.{Arm #}.note": "x"})


def test_without_a_mapping_columns_must_be_those_of_an_export(files):
    files.table.write_text("study,titel\nx,y\n")
    with pytest.raises(ValueError, match="row 1, column 'titel': .*Did you mean 'title'"):
        import_studies(files.table)


def test_a_mapping_is_read_as_it_is_written(files):
    files.mapping.write_text("fields:\n  study.id: '{Author}'\nsheet: Data\n")
    assert read_mapping(files.mapping) == Mapping(fields={"study.id": "{Author}"}, sheet="Data")


def test_numbered_columns_are_taken_in_the_order_of_their_numbers():
    mapping = Mapping(fields={"arms.{Arm #}.n": "{n #}", "arms.{Arm #}.note": "{note #}"})
    paths = [one.path for one in mapping.templates(["Arm 10", "Arm 2", "n 2"])]
    assert paths == ["arms.{Arm 2}.n", "arms.{Arm 2}.note", "arms.{Arm 10}.n", "arms.{Arm 10}.note"]


def read_kept(files, *rows):
    """The studies that are right, and what else there is, of a table on disk."""
    with pytest.raises(ValueError):
        files.read(*rows)
    return read_studies(files.table, files.mapping)[0]


def study_of_year(year, **change):
    return ROW | {"Year": str(year)} | change


def test_reasons_are_counted_before_rows_are_told(files):
    rows = [study_of_year(2000 + n, Species="ratt") for n in range(7)] + [study_of_year(2010, Hours="one")]
    found = read_kept(files, *rows, study_of_year(2011))
    reasons = [one for one in found.findings if "errors" in one.where]
    assert [one.where for one in reasons] == ["7 of 8 errors", "1 of 8 errors"]
    assert "first in row 2, column 'Species'" in reasons[0].message
    assert found.findings[: len(reasons)] == tuple(reasons) and len(found.findings) == len(reasons) + 8


def test_every_error_of_a_long_table_is_found_at_once(files):
    rows = [study_of_year(1900 + n, Species="ratt") for n in range(120)] + [study_of_year(2021, Hours="one")]
    found = read_kept(files, *rows)
    assert "120 of 121 errors" in found.findings[0].where and "1 of 121 errors" in found.findings[1].where
    assert "71 more errors" in found.findings[-1].message


def test_what_is_right_is_kept_and_what_is_not_reads_back_after_correction(files):
    bad = study_of_year(2020, **{"SEM drug": "-8.5"})
    found = read_kept(files, ROW, bad, study_of_year(2020, Where="Fig 2"), study_of_year(2021))
    assert [one.id for one in found.studies] == ["smith_2019", "smith_2021"]
    assert [row.number for row in found.refused.rows] == [3, 4]  # a study is refused as a whole
    first, second = (row.cells[REASON] for row in found.refused.rows)
    assert "greater than 0; got '-8.5'" in first and second == "a row of a study with faults"
    corrected = sheet_as_csv(found.refused).replace("-8.5", "8.5", 1)
    files.table.write_text(corrected)
    (again,) = import_studies(files.table, files.mapping)
    files.table.unlink()
    assert files.read(study_of_year(2020), study_of_year(2020, Where="Fig 2")) == (again,)


def test_refused_rows_of_an_exported_table_read_back_as_they_were(tmp_path):
    sheet = sheet_of_ledger(load_case("ketamine").ledger.select(["williams2018", "jiang2024"]))
    rows = tuple(
        row._replace(cells=row.cells | {"species": "ratt"}) if row.cells["study"] == "jiang2024" else row
        for row in sheet.rows
    )
    (tmp_path / "t.csv").write_bytes(write_sheet(sheet._replace(rows=rows), "t.csv"))
    found, _ = read_studies(tmp_path / "t.csv")
    assert [one.id for one in found.studies] == ["williams2018"]
    for name in ("again.csv", "again.xlsx"):
        mended = tuple(row._replace(cells=row.cells | {"species": "human"}) for row in found.refused.rows)
        (tmp_path / name).write_bytes(write_sheet(found.refused._replace(rows=mended), name))
        (study,) = import_studies(tmp_path / name)
        assert study.experiments[0].protocol.subject.species == "human"


def test_text_of_several_lines_is_kept_and_control_characters_are_refused(files):
    (study,) = files.read(ROW | {"Title": "two\r\nlines"})
    assert study.title == "two\nlines" and to_record(parse_document(dump_record(study)), Study) == study
    with pytest.raises(ValueError, match="row 2, column 'Title': title: Text must be free of control"):
        files.read(ROW | {"Title": "red \x1b[31m"})


def test_a_series_of_one_day_is_one_dose(files):
    fields = FIELDS | {"arms.K.doses": "ketamine {Dose} mg/kg ip every 24 h x {Days}"}
    once, week = files.read(ROW | {"Days": "1"}, study_of_year(2020, Days="7"), fields=fields)
    doses = [one.experiments[0].protocol.arms["K"].doses[0] for one in (once, week)]
    assert [(one.repeats, one.interval) for one in doses] == [(1, None), (7, "24 h")]
