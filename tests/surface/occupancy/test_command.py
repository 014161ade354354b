"""The command `gaddum occupancy`: the shape of its JSON, its files, and what it says to unusable input."""

import csv
import json
import re
import shlex

import pytest

from gaddum.surface.cli import main

PLAIN = ["occupancy", "naltrexone 50 mg po at 0 h", "--species", "human", "--targets", "MOR", "--draws", "64"]
CURVE = {"time_h", "median", "lower", "upper"}


@pytest.fixture(autouse=True)
def settings_of_jax_stay(monkeypatch):
    monkeypatch.setattr("gaddum.surface.accelerator.configure_jax", lambda **given: None)


def run(capsys, *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def check_curve(curve: dict, *, most: float = 1.0) -> None:
    assert set(curve) - {"unit", "reading_lower", "reading_upper"} == CURVE
    assert len({len(curve[key]) for key in CURVE}) == 1
    for low, middle, high in zip(curve["lower"], curve["median"], curve["upper"], strict=True):
        assert 0 <= low <= middle <= high <= most


def test_json_holds_a_band_per_target_at_the_wanted_times(capsys):
    found = run(capsys, *PLAIN, "--at", "4 h", "--at", "30 min, 1 d")
    assert list(found["targets"]) == ["MOR"]
    assert found["targets"]["MOR"]["time_h"] == [0.5, 4.0, 24.0]
    for part in ("targets", "blocked", "activated", "curves"):
        check_curve(found[part]["MOR"])
    for curve in found["ligands"]["MOR"].values():
        check_curve(curve)
    for curve in found["concentrations"].values():
        check_curve(curve, most=float("inf"))
    assert {"assumptions", "protocol", "species", "seed", "draws", "manifest", "protocols"} <= set(found)
    assert found["targets"]["MOR"]["median"][1] > 0.5


def test_without_times_the_whole_curve_is_given(capsys):
    found = run(capsys, *PLAIN)
    assert len(found["targets"]["MOR"]["time_h"]) > 100
    assert found["targets"]["MOR"]["median"][0] == 0


def test_printed_command_gives_the_same_numbers_again(capsys):
    found = run(capsys, *PLAIN, "--at", "4 h", "--seed", "3", "--above", "0.5")
    words = shlex.split(found["manifest"]["command"])
    assert words[0] == "gaddum"
    again = run(capsys, *words[1:])
    assert again["targets"] == found["targets"] and again["above"] == found["above"]


def test_several_protocols_stand_side_by_side(capsys):
    found = run(capsys, PLAIN[0], "naltrexone 25 mg po", "naltrexone 50 mg po", *PLAIN[2:], "--at", "4 h")
    assert "targets" not in found
    low, high = (part["targets"]["MOR"]["median"][0] for part in found["protocols"])
    assert low < high


def test_an_arm_of_a_study_brings_its_species_weight_and_test_times(capsys):
    found = run(capsys, "occupancy", "ketamine:klein2020/behaviour/KA", "--draws", "16", "--targets", "MOR")
    assert found["species"] == "rat"
    assert found["tests"]
    assert found["targets"]["MOR"]["time_h"] == sorted({one["time_h"] for one in found["tests"]})
    assert "ketamine" in found["protocol"] and "naltrexone" in found["protocol"]


def test_time_above_a_level_lies_within_the_curve(capsys):
    above = run(capsys, *PLAIN, "--above", "0.8", "--until", "48 h")["above"]
    row = above["targets"]["MOR"]
    assert 0 <= row["lower_h"] <= row["median_h"] <= row["upper_h"] <= above["until_h"] == 48


def test_a_reached_dose_does_reach(capsys):
    reach = run(capsys, *PLAIN, "--reach", "MOR 0.8 at 12 h")["reach"]
    assert reach["median"]["multiple"] < reach["lower"]["multiple"]
    doses = reach["median"]["doses"]
    again = run(capsys, PLAIN[0], doses, *PLAIN[2:], "--at", "12 h")
    assert again["targets"]["MOR"]["median"][0] == pytest.approx(0.8, abs=1e-3)


@pytest.mark.slow
def test_a_pretreatment_window_is_before_the_reading(capsys):
    found = run(capsys, *PLAIN, "--reach", "MOR 0.7 at 0 h, 2 h", "--vary", "time")
    ((early, late),) = found["reach"]["median"]["spans"]
    assert early < late < 0


@pytest.mark.slow
def test_human_equivalent_of_an_animal_dose(capsys):
    mouse = ["occupancy", "naltrexone 1 mg/kg sc", "--species", "mouse", "--targets", "MOR", "--draws", "32"]
    found = run(capsys, *mouse, "--human-equivalent", "MOR")["human_equivalent"]
    assert found["by_weight"].startswith("naltrexone 0.07")
    assert 0 < found["held_by_weight"] <= found["held_by_animal"] <= 1


@pytest.mark.slow
def test_out_leaves_five_files_and_the_page_loads_nothing(capsys, tmp_path):
    assert main([*PLAIN, "--at", "4 h", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert re.search(r"0\.\d\d \(0\.\d\d\u2013", shown)
    names = {path.suffix: path for path in tmp_path.iterdir()}
    assert set(names) == {".html", ".svg", ".png", ".csv", ".json"}
    page = names[".html"].read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="(?!#)|url\((?!#)|@import', page)
    assert "<svg" in page and "naltrexone" in page
    assert names[".png"].read_bytes()[:4] == b"\x89PNG"
    rows = list(csv.DictReader(names[".csv"].read_text(encoding="utf-8").splitlines()))
    assert {row["kind"] for row in rows} >= {"occupied", "concentration"}
    assert all(0 <= float(row["median"]) <= 1 for row in rows if row["kind"] == "occupied")


def test_text_in_a_page_is_escaped(capsys, tmp_path):
    from gaddum.surface.occupancy.page import write_page

    document = run(capsys, *PLAIN, "--at", "4 h")
    for part in document["protocols"]:
        part["notes"] = ["<script>alert(1)</script>"]
    assert "<script>" not in write_page(document)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["naltrexon 50 mg po"], "naltrexone"),
        (["naltrexone 50 mg po", "--targets", "MORE"], "MOR"),
        (["naltrexone 50 mg po", "--at", "-1 h"], "before the first dose"),
        (["naltrexone 50 mg po", "--at", "4 parsecs"], "parsecs"),
        (["naltrexone 50 mg po", "--until", "-1 h"], "end after the first dose"),
        (["naltrexone 50 mg po", "--weight", "80 L"], "mass"),
        (["naltrexone 50 mg po", "--species", "unicorn"], "unicorn"),
        (["naltrexone 50 mg po", "--preparation", "soup"], "soup"),
        (["naltrexone 50 mg"], "route"),
        (["naltrexone 50 mg ip"], "absorption"),
        (["naltrexone 50 mg po", "--reach", "MOR plenty"], "MOR 0.9 at 2 h"),
        (["naltrexone 50 mg po", "--targets", "MOR", "--reach", "MOR 0.9999999 at 100 d"], "most"),
        (["naltrexone 50 mg po", "--reach", "MOR 0.9 at 2 h", "--vary", "mood"], "dose or time"),
        (["naltrexone 50 mg po", "--reach", "MOR 0.9 at 2 h", "--drug", "ketamine"], "naltrexone"),
        (["naltrexone 50 mg po", "--human-equivalent", "MOR"], "animal"),
        (["ketamine:nobody2000/behaviour/KA"], "nobody2000"),
        (["ketamine:klein2020/nothing/KA"], "behaviour"),
        (["ketamine:klein2020/behaviour/Q"], "KA"),
        ([""], "a drug"),
    ],
)
def test_unusable_input_is_code_2_with_a_sentence(capsys, arguments, said):
    assert main(["occupancy", *arguments, "--draws", "16"]) == 2
    caught = capsys.readouterr()
    assert said in caught.err
    assert "Traceback" not in caught.err and caught.out == ""


def test_an_arm_whose_hour_of_test_is_not_known_is_read_at_every_hour_that_it_may_be(tmp_path, capsys):
    assert main(["new", "fresh", "--folder", str(tmp_path), "--drug", "ketamine"]) == 0
    study = tmp_path / "fresh" / "studies" / "example.yaml"
    study.write_text(study.read_text("utf-8").replace("test_time: 0 h", "test_time: 1 h or 24 h"), "utf-8")
    capsys.readouterr()
    found = run(capsys, "occupancy", f"{tmp_path / 'fresh'}:example/first/K", "--draws", "16")
    tests = found["protocols"][0]["tests"]
    assert [one["time_h"] for one in tests] == [1.0, 24.0]
    assert all(one["endpoint"].startswith("first, if at") for one in tests)
