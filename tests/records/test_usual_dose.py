"""A dose far beyond any that was given is asked about; what studies gave is not."""

import json

import pytest

from gaddum import load_case
from gaddum.records.ledger import bundled_cases
from gaddum.records.library import load_library
from gaddum.records.shorthand import parse_doses
from gaddum.records.usual_dose import doubtful_doses
from gaddum.surface.cli import main


@pytest.mark.parametrize("name", bundled_cases())
def test_doses_of_bundled_studies_are_not_asked_about(name):
    loaded = load_case(name)
    for _, experiment in loaded.ledger.experiments():
        for arm in experiment.protocol.arms.values():
            assert doubtful_doses(arm.doses, experiment.protocol.subject.species, loaded.library) == []


@pytest.mark.parametrize(
    ("text", "species", "asked"),
    [
        ("ketamine 10000 mg/kg ip", "rat", True),
        ("ketamine 10 g/kg ip", "rat", True),
        ("ketamine 30 mg/kg ip", "rat", False),
        ("naltrexone 50 g po", "human", True),
        ("naltrexone 50 mg po", "human", False),
        ("haloperidol 900 mg po", "human", True),  # no case gave it to people; curves were read after some mg
        ("haloperidol 10 mg po", "human", False),
        ("CTAP 1e6 nM bath for 1 h", "mouse", False),  # nothing to compare it with
    ],
)
def test_three_digits_too_many_are_asked_about(text, species, asked):
    assert bool(doubtful_doses(parse_doses(text), species, load_library())) == asked


def test_occupancy_says_so_in_one_line(capsys):
    assert main(["occupancy", "ketamine 9000 mg/kg ip", "--species", "rat", "--at", "1 h", "--json"]) == 0
    notes = json.loads(capsys.readouterr().out)["notes"]
    assert sum("is the unit right?" in note for note in notes) == 1
