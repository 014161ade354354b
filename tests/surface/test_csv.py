"""Tables of the commands as CSV: the same rows as their JSON."""

import csv
import io
import json

import pytest

from gaddum.surface import cli

FEW = ["--draws", "16"]


def asked(capsys, arguments: list[str], form: str) -> str:
    assert cli.main([*arguments, form]) in (0, 1)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "rows_of"),
    [
        (["drugs"], lambda said: said["drugs"]),
        (["targets"], lambda said: said["targets"]),
        (["targets", "show", "MOR"], lambda said: said["shown"][0]["known"]),
        (
            ["drugs", "show", "ketamine"],
            lambda said: [k for p in said["shown"][0]["parts"] for k in p["known"]],
        ),
        (["check", "morphine"], lambda said: said["findings"]),
        (["audit", "matthes_1996", *FEW], lambda said: said["studies"][0]["concerns"]),
        (["benchmarks", "B05-nalmefene", *FEW], lambda said: said["benchmarks"][0]["readings"]),
    ],
)
def test_a_table_has_the_rows_of_the_json(arguments, rows_of, capsys):
    rows = rows_of(json.loads(asked(capsys, arguments, "--json")))
    found = list(csv.DictReader(io.StringIO(asked(capsys, arguments, "--csv"))))
    assert len(found) == len(rows) > 0
    for row, one in zip(found, rows, strict=True):
        told = {name: value for name, value in one.items() if isinstance(value, str) and value[:1].isalnum()}
        assert told and told.items() <= row.items()


@pytest.mark.parametrize(
    "arguments", [["occupancy", "ketamine 10 mg/kg ip"], ["simulate", "ketamine 10 mg/kg ip"]]
)
def test_curves_have_a_row_a_time(arguments, capsys):
    told = asked(capsys, [*arguments, "--species", "rat", "--targets", "NMDAR", *FEW], "--csv")
    found = list(csv.DictReader(io.StringIO(told)))
    assert {"time_h", "median", "lower", "upper", "unit"} <= found[0].keys()
    assert all(float(row["lower"]) <= float(row["median"]) <= float(row["upper"]) for row in found)


def test_json_and_csv_are_not_had_at_once(capsys):
    assert cli.main(["drugs", "--json", "--csv"]) == 2
    assert "got both" in capsys.readouterr().err
