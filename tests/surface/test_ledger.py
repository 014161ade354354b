"""`gaddum ledger query`, `import` and `export`, as a person uses them."""

import json

import pytest

from gaddum import load_case
from gaddum.surface.cli import main

COUNT = "SELECT form, count(*) AS n FROM outcomes GROUP BY form ORDER BY form"


def test_an_answer_is_printed_as_table_csv_and_json(capsys):
    assert main(["ledger", "query", "morphine", COUNT]) == 0
    table = capsys.readouterr().out
    assert main(["ledger", "query", "morphine", COUNT, "--csv"]) == 0
    assert capsys.readouterr().out == "form,n\nnarrative,9\nverdict,26\n"
    assert main(["ledger", "query", "morphine", COUNT, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "case": "morphine",
        "rows": [{"form": "narrative", "n": 9}, {"form": "verdict", "n": 26}],
    }
    assert [line.split() for line in table.splitlines()] == [
        ["form", "n"],
        ["narrative", "9"],
        ["verdict", "26"],
    ]


def test_values_that_json_lacks_are_written_as_text_or_null(capsys):
    sql = "SELECT 'nan'::DOUBLE AS a, DATE '2020-01-02' AS b, [1, 2] AS c, true AS d"
    assert main(["ledger", "query", "morphine", sql, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert row == {"a": None, "b": "2020-01-02", "c": [1, 2], "d": True}


def test_without_sql_the_tables_are_listed(capsys):
    assert main(["ledger", "query", "morphine", "--csv"]) == 0
    assert "outcome_arms,spread_kind,VARCHAR," in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["SELECT * FROM nope"], "There are:"),
        (["SELECT 1 AS a, 2 AS a", "--json"], "distinct names"),
        (["SELECT 1", "--json", "--csv"], "JSON or CSV"),
    ],
)
def test_a_query_that_cannot_be_answered_exits_with_2(arguments, message, capsys):
    assert main(["ledger", "query", "morphine", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and message in captured.err


def test_a_missing_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    assert main(["ledger", "query", "morphine", "SELECT 1"]) == 2
    assert "pip install 'gaddum[ledger]'" in capsys.readouterr().err


@pytest.fixture
def exported(tmp_path, capsys):
    """The morphine case as CSV."""
    assert main(["ledger", "export", "morphine", "--out", str(tmp_path / "table.csv")]) == 0
    assert capsys.readouterr().out == ""
    return tmp_path / "table.csv"


def test_what_is_exported_is_imported_into_a_new_case(exported, capsys):
    case = exported.parent / "again"
    assert main(["ledger", "import", str(exported), "--out", str(case), "--drug", "morphine"]) == 0
    assert "Wrote 17 studies" in capsys.readouterr().out
    assert load_case(case).ledger == load_case("morphine").ledger
    assert load_case(case).case.test_drug == "morphine"


def test_an_import_into_a_case_adds_to_it_and_overwrites_nothing(exported, capsys):
    case = exported.parent / "mine"
    assert main(["new", "mine", "--folder", str(exported.parent), "--drug", "ketamine"]) == 0
    assert main(["ledger", "import", str(exported), "--out", str(case)]) == 0
    assert len(load_case(case).ledger) == 18
    before = {path: path.read_bytes() for path in case.rglob("*.yaml")}
    assert main(["ledger", "import", str(exported), "--out", str(case)]) == 2
    assert "must not overwrite studies; ocallaghan_1975" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in case.rglob("*.yaml")} == before


def test_an_import_with_an_error_writes_nothing(exported, capsys):
    exported.write_text(exported.read_text().replace(",rat,", ",ratt,"))
    assert main(["ledger", "import", str(exported), "--out", str(exported.parent / "again")]) == 2
    assert "column 'species'" in capsys.readouterr().err
    assert [path.name for path in exported.parent.iterdir()] == ["table.csv"]


def test_good_studies_are_kept_and_the_rows_of_others_written_with_their_reason(exported, capsys):
    text = exported.read_text()
    bad = next(line for line in text.splitlines() if line.startswith("matthes_1996,"))
    exported.write_text(text.replace(bad, bad.replace(",mouse,", ",mouze,")))
    case, refused = exported.parent / "again", exported.parent / "refused.csv"
    command = ["ledger", "import", str(exported), "--out", str(case), "--drug", "morphine"]
    assert main([*command, "--keep-good", str(refused)]) == 1
    said = capsys.readouterr()
    assert "Wrote 16 studies" in said.out and "reason beside each" in said.out and "mouze" in said.err
    assert len(load_case(case).ledger) == 16
    assert main([*command, "--keep-good", str(refused)]) == 2  # refused rows overwrite nothing
    refused.write_text(refused.read_text().replace("mouze", "mouse"))
    assert main(["ledger", "import", str(refused), "--out", str(case)]) == 0
    assert load_case(case).ledger == load_case("morphine").ledger


def test_an_export_is_printed_where_no_file_is_named(exported, capsys):
    assert main(["ledger", "export", "morphine"]) == 0
    assert capsys.readouterr().out == exported.read_text(encoding="utf-8")


def test_the_form_of_an_export_is_told_from_the_name_of_the_file(tmp_path):
    for name, beginning in (("t.xlsx", b"PK"), ("t.bib", b"@misc{"), ("t.txt", b"study,year")):
        assert main(["ledger", "export", "morphine", "--out", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_bytes().startswith(beginning)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["--format", "xlsx"], "Add --out"), (["--format", "xlsx", "--out", "t.csv"], "must end in .xlsx")],
)
def test_a_workbook_needs_a_file_of_its_own_kind(arguments, message, capsys):
    assert main(["ledger", "export", "morphine", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_text_of_the_ledger_cannot_speak_to_the_terminal(capsys):
    assert main(["ledger", "query", "morphine", "SELECT 'a' || chr(27) || '[31mred' AS \"x\x1b[2J\""]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x"])
def test_a_text_of_the_ledger_is_no_formula_in_csv(text, capsys):
    assert main(["ledger", "query", "morphine", f"SELECT '{text}' AS a, -1 AS b", "--csv"]) == 0
    assert capsys.readouterr().out == f"a,b\n'{text},-1\n"
