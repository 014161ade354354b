"""`gaddum ledger query`, as a person uses it."""

import json

import pytest

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
    assert "pip install gaddum[ledger]" in capsys.readouterr().err
