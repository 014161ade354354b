"""The command `gaddum power`: what it prints, writes and refuses."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from gaddum.power_results import PowerResult
from gaddum.surface.cli import main

PAIRS = ["power", "--paired", "--n", "7", "--effect", "1"]


def told(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert main(words) == 0
    return capsys.readouterr().out


def test_json_says_power_and_the_limits_of_the_bayes_factor(capsys: pytest.CaptureFixture[str]):
    found = json.loads(told([*PAIRS, "--json"], capsys))
    assert found["power"] == pytest.approx(0.600497, abs=1e-6)
    assert (round(found["t_for_bf10"], 2), round(found["bf01_max"], 2)) == (4.15, 2.83)
    assert found["bf10_max"] is None and 0.19 < found["prob_bf10"] < 0.2


def test_what_is_printed_says_what_n_can_never_show(capsys: pytest.CaptureFixture[str]):
    said = " ".join(told(PAIRS, capsys).split())
    assert "BF10 > 10 needs |t| > 4.15" in said
    assert "can never show more than BF01 = 2.83, whatever the data; 10 is out of reach" in said


def test_the_smallest_n_and_a_sequential_design_are_told_in_words(capsys: pytest.CaptureFixture[str]):
    words = ["power", "--effect", "0.8", "--assurance", "0.8", "--n", "40", "--sequential", "--every", "5"]
    said = " ".join(told(words, capsys).split())
    assert "takes n = 26 for p < 0.05, and n = 47 for BF10 > 10" in said
    assert "from n = 5 on, every 5, to 40: right 0." in said and "\u00b1" in said


def test_the_test_of_counts_is_named(capsys: pytest.CaptureFixture[str]):
    assert told(["power", "--p1", "0.2", "--p2", "0.7", "--n", "15"], capsys).startswith(
        "Fisher's exact test"
    )


def test_csv_has_a_row_an_n(capsys: pytest.CaptureFixture[str]):
    rows = list(csv.DictReader(told([*PAIRS, "--csv"], capsys).splitlines()))
    assert [int(row["n"]) for row in rows] == sorted({int(row["n"]) for row in rows})
    (seven,) = [row for row in rows if row["n"] == "7"]
    assert float(seven["power"]) == pytest.approx(0.600497, abs=1e-6)


def test_files_are_written_and_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    told([*PAIRS, "--out", str(tmp_path / "sized")], capsys)
    found = PowerResult.model_validate_json((tmp_path / "sized/power.json").read_text())
    assert (
        found.command
        == "gaddum power --n 7 --paired --effect 1.0 --alpha 0.05 --scale 0.7071067811865476 "
        + ("--threshold 10.0 --first 5 --every 1 --seed 0")
    )
    assert PowerResult.model_validate_json(found.to_json()) == found
    page = (tmp_path / "sized/power.html").read_text()
    assert "BF01 = 2.83" in page and "<svg" in page and 'src="http' not in page
    assert "currentColor" not in (tmp_path / "sized/power.svg").read_text()


def test_contradictions_are_refused_with_what_to_do(capsys: pytest.CaptureFixture[str]):
    assert main([*PAIRS, "--p1", "0.2", "--p2", "0.4"]) == 2
    assert "Leave out --effect, or --p1 and --p2" in capsys.readouterr().err


def test_power_loads_none_of_the_slow_libraries():
    code = (
        "import sys\nfrom gaddum.surface.cli import main\n"
        f"main({[*PAIRS, '--json']})\n"
        "slow = ['altair', 'jax', 'jaxtyping', 'scipy.optimize', 'scipy.stats', 'xarray', 'yaml']\n"
        "sys.stderr.write(repr([name for name in slow if name in sys.modules]))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stderr == "[]"
