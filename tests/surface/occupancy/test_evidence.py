"""What stands beside an occupancy: two bands, how curves are met, what is not known, two humps, several species."""

import csv
import io
import json

import pytest

from gaddum.surface.cli import main
from gaddum.surface.occupancy import chart
from gaddum.surface.occupancy.evidence import NOT_KNOWN, UNKNOWN, met_words, said
from gaddum.surface.occupancy.page import write_page, write_table
from gaddum.surface.occupancy.terminal_table import either

SHORT = ["--draws", "200"]
TWO_ACCOUNTS = [
    "occupancy",
    "naltrexone 1 mg/kg ip",
    "--species",
    "rat",
    "--targets",
    "MOR",
    "--until",
    "24 h",
]


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def run(capsys, *words):
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_band_of_a_reading_holds_that_of_the_truth(capsys):
    found = run(capsys, "occupancy", "naltrexone 50 mg po", "--targets", "MOR", "--at", "4 h", *SHORT)
    curve = found["targets"]["MOR"]
    assert curve["reading_lower"][0] < curve["lower"][0]
    assert curve["upper"][0] < curve["reading_upper"][0]
    assert set(found["bands"]) == {"truth", "reading"}


def test_a_band_wider_than_sixty_points_is_not_known_on_screen_and_a_number_in_json(capsys):
    words = ["occupancy", "naltrexone 5 mg po", "--targets", "MOR", "--at", "4 h", *SHORT]
    curve = run(capsys, *words)["table"]["MOR"]
    assert curve["upper"][0] - curve["lower"][0] > UNKNOWN
    assert said(curve, 0) == NOT_KNOWN
    assert main(words) == 0
    assert NOT_KNOWN in capsys.readouterr().out


def test_how_curves_are_met_is_computed_once_and_kept(capsys, tmp_path):
    words = ["occupancy", "naloxone 1 mg iv", "--targets", "MOR", "--at", "1 h", *SHORT]
    first = run(capsys, *words)["met"]
    (kept,) = (tmp_path / "cache" / "gaddum" / "curves_met").iterdir()
    assert json.loads(kept.read_text()) == first
    kept.write_text(json.dumps([row | {"basis": "from the file"} for row in first]))
    assert run(capsys, *words)["met"][0]["basis"] == "from the file"


def test_the_line_says_label_readings_and_that_nothing_was_read(capsys):
    found = run(capsys, "occupancy", "naloxone 1 mg iv", "--targets", "MOR,KOR", "--at", "1 h", *SHORT)
    (line,) = met_words(found["met"], "human")
    assert line.startswith("naloxone: ")
    assert "MOR predicted" in line and "readings of 3 studies in the 95 % band" in line
    assert "KOR predicted, no occupancy was read in human" in line


def test_conflicting_accounts_are_two_humps_whose_shares_make_the_whole(capsys):
    upper, lower = run(capsys, *TWO_ACCOUNTS)["humps"]["MOR"]
    assert upper["share"] + lower["share"] == pytest.approx(1)
    at = upper["at"]
    assert upper["median"][at] - lower["median"][at] > 0.2


def test_two_humps_are_drawn_as_two_and_the_less_likely_one_is_dashed(capsys):
    document = run(capsys, *TWO_ACCOUNTS)
    rows = chart.chart(document).to_dict()["vconcat"][0]["hconcat"][0]["layer"][0]["data"]["values"]
    assert {row["hump"] for row in rows} == {0, 1}
    shares = [one["share"] for one in document["humps"]["MOR"]]
    first = next(row["median"] for row in rows if row["hump"] == 0)
    assert first == document["humps"]["MOR"][shares.index(max(shares))]["median"][0]


def test_two_humps_are_said_alike_on_the_terminal_and_the_page(capsys):
    document = run(capsys, *TWO_ACCOUNTS)
    assert main(TWO_ACCOUNTS) == 0
    (sentence,) = either(document["humps"])
    assert sentence.startswith("MOR is either of two, at ") and sentence.count("with a chance of") == 2
    assert sentence in " ".join(capsys.readouterr().out.split())
    assert sentence in write_page(document)


def test_no_text_of_a_table_is_a_formula(capsys):
    document = run(capsys, "occupancy", "naloxone 1 mg iv", "--targets", "MOR", "--at", "1 h", *SHORT)
    (part,) = document["protocols"]
    changed = document | {"protocols": [part | {"protocol": "=1+1"}]}
    first, *rows = csv.reader(io.StringIO(write_table(changed)))
    assert {row[0] for row in rows} == {"'=1+1"}
    curve = part["curves"]["MOR"]
    read = [float(row[first.index("median")]) for row in rows if row[2] == "occupied, curve"]
    assert read == pytest.approx(curve["median"], rel=1e-5)


def test_several_species_are_laid_over_each_other(capsys):
    found = run(
        capsys, "occupancy", "naltrexone 10 mg po", "--species", "human,dog", "--targets", "MOR", *SHORT
    )
    assert [one["species"] for one in found["protocols"]] == ["human", "dog"]


def test_eighty_and_ninety_per_cent_are_marked(capsys):
    document = run(capsys, "occupancy", "naltrexone 50 mg po", "--targets", "MOR", *SHORT)
    drawn = json.dumps(chart.chart(document).to_dict())
    assert all(f'"at": {guide}' in drawn for guide in chart.GUIDES)


def test_selectivity_is_of_one_ligand(capsys):
    found = run(
        capsys, "occupancy", "naltrexone 50 mg po + ketamine 0.5 mg/kg iv at 1 h", "--at", "2 h", *SHORT
    )
    assert found["selectivity"]
    assert all(row["ligand"] in found["concentrations"] for row in found["selectivity"])


def test_what_numbers_stand_on_is_told_on_request(capsys):
    words = ["occupancy", "naltrexone 50 mg po", "--targets", "MOR", "--at", "4 h", *SHORT]
    assert {row["standing"] for row in run(capsys, *words)["standing"]} <= {"measured", "borrowed", "guessed"}
    assert main([*words, "-v"]) == 0
    assert "naltrexone: measured K_i at MOR" in " ".join(capsys.readouterr().out.split())
