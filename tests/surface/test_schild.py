"""The command `gaddum schild`: numbers, files, exit codes."""

import json
from pathlib import Path

import numpy as np
import pytest

from gaddum.concentration_response.formulas import gaddum_ec50_shift
from gaddum.surface.cli import main


@pytest.fixture
def table(tmp_path: Path):
    def write(blockers=(0.0, 10.0, 100.0), noise=0.02):
        a, b = (grid.ravel() for grid in np.meshgrid(10.0 ** np.arange(0, 6), blockers))
        y = gaddum_ec50_shift(a, b, 30.0, 2.0) + np.random.default_rng(0).normal(0, noise, a.shape)
        rows = [f"{i:g},{j:g},{k:.6f}" for i, j, k in zip(a, b, y, strict=True)]
        path = tmp_path / "data.csv"
        path.write_text("\n".join(["agonist,antagonist,response", *rows]), encoding="utf-8")
        return str(path)

    return write


def test_json_holds_both_ways_of_fitting_and_every_curve(table, capsys):
    assert main(["schild", table(blockers=(0.0, 10.0, 100.0, 1000.0)), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    for block in ("global", "regression"):
        assert document[block]["estimates"]["pa2"]["value"] == pytest.approx(8.7, abs=0.2)
        assert 0 <= document[block]["slope_test"]["p"] <= 1
    assert [row["antagonist_nM"] for row in document["curves"]] == [0, 10, 100, 1000]
    assert document["curves"][2]["dose_ratio"] == pytest.approx(51, rel=0.2)


def test_unit_scales_ec50_and_pa2(table, capsys):
    path = table()
    found = []
    for unit in ("nM", "uM"):
        assert main(["schild", path, "--unit", unit, "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["global"]["estimates"])
    assert found[1]["pa2"]["value"] == pytest.approx(found[0]["pa2"]["value"] - 3, abs=1e-6)
    assert found[1]["log_ec50"]["value"] == pytest.approx(found[0]["log_ec50"]["value"] + 3, abs=1e-6)


def test_one_antagonist_level_holds_the_slope_and_says_so(table, capsys):
    assert main(["schild", table(blockers=(0.0, 100.0))]) == 0
    assert "held at 1" in " ".join(capsys.readouterr().out.split())


def test_level_that_shifts_nothing_is_left_out_of_the_regression_and_named(table, capsys):
    assert main(["schild", table(blockers=(0.0, 0.001, 10.0, 100.0)), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    ratio = {row["antagonist_nM"]: row["dose_ratio"] for row in document["curves"]}[0.001]
    assert (ratio <= 1) == any("0.001 nM" in note for note in document["notes"])


def test_out_writes_figure_and_result(table, tmp_path, capsys):
    assert main(["schild", table(), "--out", str(tmp_path / "run")]) == 0
    assert (tmp_path / "run" / "schild.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))["level"] == 0.95
    assert "schild.png" in capsys.readouterr().out


def test_parameter_can_be_held(table, capsys):
    assert main(["schild", table(), "--hold", "bottom=0,top=1", "--json"]) == 0
    estimates = json.loads(capsys.readouterr().out)["global"]["estimates"]
    assert estimates["bottom"]["fixed"] and estimates["top"]["value"] == 1.0


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        (["--hold", "bottom"], "--hold must be like"),
        (["--hold", "ec50=1"], "must be one of"),
        (["--unit", "ng/mL"], "must be molar"),
    ],
)
def test_wrong_option_is_a_usage_error_that_says_why(table, capsys, more, fault):
    assert main(["schild", table(), *more]) == 2
    assert fault in capsys.readouterr().err


def test_missing_file_is_a_usage_error(capsys):
    assert main(["schild", "nowhere.csv"]) == 2
    assert "nowhere.csv" in capsys.readouterr().err


def test_an_antagonist_that_does_nothing_is_a_bound_in_every_output(table, tmp_path, capsys):
    path = tmp_path / "none.csv"
    rows = [
        "1,2.3,0.9,-0.8",
        "10,23.7,25.5,22.7",
        "100,80.1,78.3,77.4",
        "1000,97.6,95.6,96.2",
        "10000,101.3,98.2,99.7",
    ]
    path.write_text("\n".join(["agonist (nM),control,AM251 100 nM,AM251 1 uM", *rows]), encoding="utf-8")
    assert main(["schild", str(path), "--out", str(tmp_path / "run")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    document = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    pa2 = document["global"]["estimates"]["pa2"]
    assert pa2["value"] is None and pa2["profile_lower"] is None and 4 < pa2["profile_upper"] < 7
    assert document["regression"] is None
    assert f"pA2 below {pa2['profile_upper']:.2f}" in said and "pA2 is below" in said


def test_one_dose_ratio_gives_its_pa2_without_an_error(tmp_path, capsys):
    a = 10.0 ** np.arange(0, 6)
    path = tmp_path / "one.csv"
    rows = [f"{x:g},{x / (x + 30)},{x / (x + 30 * 11.2)}" for x in a]
    path.write_text("\n".join(["agonist (nM),control,100 nM", *rows]), encoding="utf-8")
    assert main(["schild", str(path)]) == 0
    regression = next(part for part in capsys.readouterr().out.split("\n\n") if part.startswith("Regression"))
    assert regression.splitlines()[1].split()[:3] == ["pA2", "8.01", "none"]


def test_levels_that_were_read_are_printed_back(tmp_path, capsys):
    path = tmp_path / "levels.csv"
    a = 10.0 ** np.arange(0, 6)
    rows = [f"{x:g},{x / (x + 30)},{x / (x + 330)},{x / (x + 3030)}" for x in a]
    path.write_text("\n".join(["agonist (nM),control,AM251 10 nM,AM251 0.1 umol/L", *rows]), encoding="utf-8")
    assert main(["schild", str(path)]) == 0
    assert "AM251 0.1 umol/L = 100 nM" in " ".join(capsys.readouterr().out.split())
