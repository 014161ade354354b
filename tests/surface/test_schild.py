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
