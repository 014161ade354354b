import json
from pathlib import Path

import pytest

from gaddum.interop.event_tables import read_events
from gaddum.surface.cli import main


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "theirs.csv"
    path.write_text("ID,TIME,AMT,WT\n1,0,100,70\n1,2,.,70\n", encoding="utf-8")
    return path


def test_the_table_is_printed_with_predictions(table, capsys):
    assert main(["events", str(table), "CL=5", "v=20", "--advan", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(",WT,PRED")
    assert [float(line.split(",")[-1]) for line in lines[1:]] == pytest.approx([5.0, 3.0326533])


def test_the_table_is_written_to_a_file_that_reads_back(table, tmp_path, capsys):
    assert main(["events", str(table), "CL=5", "V=20", "--advan", "1", "--out", str(tmp_path / "o.csv")]) == 0
    assert capsys.readouterr().out == ""
    assert read_events(tmp_path / "o.csv").covariates == ("WT", "PRED")


def test_json_has_items_covariates_and_prediction(table, capsys):
    assert main(["events", str(table), "CL=5", "V=20", "--advan", "1", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["events"]
    assert (first["amt"], first["covariates"], first["pred"]) == (100.0, {"WT": "70"}, 5.0)
    assert second["evid"] == 0 and second["dv"] is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (["CL=5", "V=x"], "must be NAME=NUMBER, such as CL=5; got 'V=x'"),
        (["CL=5", "V=1", "cl=5"], "given once"),
        (["CL=5"], "ADVAN1 must have the parameters CL, V"),
    ],
)
def test_wrong_parameters_are_a_usage_error(table, parameters, message, capsys):
    assert main(["events", str(table), *parameters, "--advan", "1"]) == 2
    assert message in capsys.readouterr().err


def test_a_table_that_cannot_be_read_is_unusable_and_says_where(table, capsys):
    table.write_text("TIME,AMT\n0,lots\n")
    assert main(["events", str(table), "CL=5", "V=20", "--advan", "1"]) == 2
    assert "theirs.csv:2: error: AMT: The value must be a number" in capsys.readouterr().err


def test_what_was_taken_for_granted_is_said_beside_the_table(table, capsys):
    table.write_text("ID;TIME;AMT;V;CL\nS1;0;100;20,5;9\nS1;2;.;20,5;9\n")
    assert main(["events", str(table), "CL=5", "--advan", "1"]) == 0
    said = capsys.readouterr().err
    assert "note: commas are read as decimal marks" in said and "note: V is taken from the column V" in said
    assert "note: the column CL is not read, since CL is given" in said


def test_a_doubt_of_commas_is_settled_by_an_option(table, capsys):
    table.write_text("TIME;AMT\n0;1,234\n1;.\n")
    assert main(["events", str(table), "CL=5", "V=1", "--advan", "1"]) == 2
    assert "--decimal" in capsys.readouterr().err
    assert main(["events", str(table), "CL=5", "V=1", "--advan", "1", "--decimal", ","]) == 0
    assert capsys.readouterr().out.splitlines()[1].endswith(",1.234")


def test_predictions_stand_beside_those_of_another_program(table, capsys):
    table.write_text(
        "TABLE NO.  1\n ID TIME AMT EVID CL V PRED\n"
        "  1.0000E+00  0.0000E+00  1.0000E+02  1.0000E+00  5.0000E+00  2.0000E+01  5.0000E+00\n"
    )
    assert main(["events", str(table), "--advan", "1"]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert head.endswith("CL,V,PRED,GADDUM") and line.endswith("5.0000E+00,2.0000E+01,5.0000E+00,5")
