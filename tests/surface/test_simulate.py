"""The command `gaddum simulate`: what its JSON and its files say, and that its command repeats it."""

import csv
import json
import shlex

import pytest

from gaddum.surface.cli import main

PLAIN = ["simulate", "ketamine 0.5 mg/kg iv over 40 min", "--draws", "32", "--at", "40 min, 1 d"]
ACCOUNT = ["--case", "ketamine", "--hypotheses", "nmdar-permissive-opioid"]
BLOCKED = "naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min"


@pytest.fixture(autouse=True)
def settings_of_jax_stay(monkeypatch):
    monkeypatch.setattr("gaddum.surface.accelerator.configure_jax", lambda **given: None)


def run(capsys, *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_without_a_case_there_are_features_and_no_states(capsys):
    found = run(capsys, *PLAIN)
    (part,) = found["protocols"]
    assert found["drawn_from"] == "prior"
    assert {"NMDAR.block", "MOR.tone"} <= set(part["table"])
    assert not any("state" in name for name in part["table"])
    assert part["table"]["NMDAR.block"]["time_h"] == pytest.approx([2 / 3, 24.0])


def test_an_antagonist_takes_from_the_state_of_an_account_that_needs_its_target(capsys):
    found = run(capsys, *PLAIN[:2], BLOCKED, *PLAIN[2:], *ACCOUNT)
    drug, blocked = (
        part["table"]["nmdar-permissive-opioid, sustained state"]["median"][1] for part in found["protocols"]
    )
    assert 0 < blocked < 0.9 * drug


def test_the_printed_command_gives_the_same_again(capsys):
    found = run(capsys, *PLAIN, *ACCOUNT, "--population", "human, stressed, behaving", "--seed", "2")
    words = shlex.split(found["manifest"]["command"])
    again = run(capsys, *words[1:])
    assert again["protocols"] == found["protocols"]


def test_an_arm_brings_its_species_and_test_times(capsys):
    found = run(capsys, "simulate", "ketamine:klein2020/behaviour/KA", "--draws", "8", "--targets", "MOR")
    (part,) = found["protocols"]
    assert part["species"] == "rat"
    assert part["table"]["MOR.tone"]["time_h"] == [one["time_h"] for one in part["tests"]][:1]


def test_files_hold_what_the_terminal_says(capsys, tmp_path):
    assert main([*PLAIN, *ACCOUNT, "--out", str(tmp_path)]) == 0
    assert "prior of case ketamine" in " ".join(capsys.readouterr().out.split())
    assert {path.name for path in tmp_path.iterdir()} == {
        f"simulation.{kind}" for kind in ("json", "csv", "svg", "png")
    }
    told = json.loads((tmp_path / "simulation.json").read_text())["protocols"][0]
    rows = list(csv.DictReader((tmp_path / "simulation.csv").read_text().splitlines()))
    state = [row for row in rows if row["quantity"] == "nmdar-permissive-opioid, acute state"]
    assert [float(row["median"]) for row in state] == pytest.approx(
        told["curves"]["nmdar-permissive-opioid, acute state"]["median"], rel=1e-5
    )
    assert {row["unit"] for row in rows} == {"1", "nM"}


def test_what_cannot_be_simulated_is_refused_with_what_can(capsys):
    assert main([*PLAIN, "--case", "ketamine", "--hypotheses", "nmda"]) == 2
    assert "nmdar" in capsys.readouterr().err
    assert main([*PLAIN, "--population", "human, stressed, behaving"]) == 2
    assert "case" in capsys.readouterr().err
