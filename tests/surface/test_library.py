"""What the library holds and lacks, as the commands tell it; and a case's own drugs beside it."""

import json

import pytest

from gaddum.records.drug import Drug
from gaddum.records.drug_quantities import quantities
from gaddum.records.library import load_library
from gaddum.surface.cli import main
from gaddum.surface.library import DrugsRequest, TargetsRequest, run

LIBRARY = load_library()
OWN = """
name: ownine
sources: {here: {how: assumption, reason: made up for a test}}
molar_mass: {value: 300, unit: g/mol, source: here}
disposition:
  human:
    sampling: venous
    v_c: {value: 1, unit: L/kg, source: here}
    cl: {value: 0.5, unit: L/h/kg, spread: {kind: GSD, value: 1.2}, source: here}
affinities:
  - {target: OWN-R, mode: agonist, k_i: [{value: 10, unit: nM, source: here}, {value: 30, unit: nM, source: here}]}
"""
OWN_TARGET = """
name: OWN-R
full_name: receptor of one's own
family: test
features: [agonism, tone, engagement]
source: {how: assumption, reason: made up for a test}
"""


@pytest.fixture
def case(tmp_path):
    """A case with a drug and a target that the library does not have."""
    assert main(["new", "mine", "--folder", str(tmp_path), "--drug", "ownine", "--targets", "OWN-R"]) == 0
    (tmp_path / "mine/drugs/ownine.yaml").write_text(OWN, encoding="utf-8")
    (tmp_path / "mine/targets/OWN-R.yaml").write_text(OWN_TARGET, encoding="utf-8")
    return str(tmp_path / "mine")


def shown(*words, **said):
    (one,) = run(DrugsRequest(show=words, **said))["shown"]
    return one


def test_lists_name_everything():
    assert {row["drug"] for row in run(DrugsRequest())["drugs"]} == set(LIBRARY.drugs)
    assert [row["target"] for row in run(TargetsRequest())["targets"]] == list(LIBRARY.targets)


@pytest.mark.parametrize("name", ["naltrexone", "memantine", "CTAP", "S-ketamine", "midazolam"])
def test_every_number_of_a_drug_is_shown_with_its_unit_and_source(name):
    drug = LIBRARY.drug(name)
    assert isinstance(drug, Drug)
    known = " ".join(row["value"] + row["source"] for row in shown("show", name)["known"])
    for _, quantity, _ in quantities(drug):
        assert f"{quantity.value:g}{'' if quantity.unit == '1' else ' ' + quantity.unit}" in known
        assert quantity.source.how in known


def test_conflicting_reports_stand_side_by_side(case):
    rows = {row["what"]: row["value"] for row in shown("ownine", case=case)["known"]}
    assert (
        rows["k_i at OWN-R"]
        == "10 nM (no spread given, GSD 1.5 taken) or 30 nM (no spread given, GSD 1.5 taken)"
    )
    assert rows["cl"] == "0.5 L/h/kg (GSD 1.2)" and rows["molar_mass"] == "300 g/mol"


def test_what_nobody_measured_is_named(case):
    said = " ".join(shown("show", "ownine", case=case, species="rat")["lacking"])
    for words in (
        "OWN-R in rat: in-vivo",
        "efficacy",
        "f_u of ownine in rat",
        "Kp,uu of ownine",
        "kinetics scaled from human",
    ):
        assert words in said
    assert "routes in human: iv only" in shown("ownine", case=case)["lacking"]


def test_a_target_is_shown_with_all_that_binds_it():
    (one,) = run(TargetsRequest(show=("show", "mu")))["shown"]
    drugs = [drug for drug in LIBRARY.drugs.values() if isinstance(drug, Drug)]
    said = {f"{drug.name}, {bond.mode}" for drug in drugs for bond in drug.affinities if bond.target == "MOR"}
    assert {row["what"] for row in one["known"]} == said


def test_a_mixture_is_shown_as_its_parts():
    assert [part["drug"] for part in shown("ketamine")["parts"]] == ["S-ketamine", "R-ketamine"]


@pytest.mark.parametrize(
    "words", [["drugs", "show", "naltrexon"], ["targets", "show", "MOO"], ["drugs", "show"]]
)
def test_an_unknown_name_and_none_exit_with_2(words, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("Error")


@pytest.mark.parametrize(
    "words", [["drugs"], ["targets"], ["drugs", "show", "ketamine"], ["targets", "show", "NMDA"]]
)
def test_commands_print_for_people_and_for_programs(words, capsys):
    assert main(words) == 0
    assert capsys.readouterr().out.strip()
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["command"] == " ".join(["gaddum", *words])


def test_occupancy_knows_the_drugs_and_targets_of_a_case(case, capsys):
    words = ["occupancy", "ownine 10 mg iv", "--at", "1 h", "--draws", "50", "--json"]
    assert main(words) == 2
    assert "ownine" in capsys.readouterr().err
    for more in ([], ["--targets", "own-r"]):
        assert main([*words, "--case", case, *more]) == 0
        (part,) = json.loads(capsys.readouterr().out)["protocols"]
        assert list(part["table"]) == ["OWN-R"]


def test_a_table_of_events_knows_the_drugs_of_a_case(case, tmp_path, capsys):
    (tmp_path / "doses.csv").write_text("ID,TIME,AMT,CMT\n1,0,10,2\n", encoding="utf-8")
    words = ["occupancy", str(tmp_path / "doses.csv"), "--drug", "ownine", "--draws", "50", "--json"]
    assert main([*words, "--route", "iv", "--case", case]) == 0
    (part,) = json.loads(capsys.readouterr().out)["protocols"]
    assert list(part["table"]) == ["OWN-R"]
