"""The file of a new study: blanks that the check names, and choices that are records once they are filled in."""

import re

import pytest

from gaddum import check_case, load_case
from gaddum.records.finding import RecordError
from gaddum.surface.cli import main

FILLED = {
    "title": "A title",
    "year": "2021",
    "doi": "10.1000/example",
    "species": "rat",
    "paradigm": "forced swim test",
    "name": "immobility",
    "family": "immobility",
    "test_time": "24 h",
    "improvement": "decrease",
    "amount": "10 mg/kg",
    "route": "ip",
    "drug": "naltrexone",
    "mean": "12",
    "spread": "2.5",
    "n": "8",
    "value": "1.2",
    "p": "0.02",
    "sd": "4",
    "criterion": "half",
    "responders": "3",
    "text": "Something else was found.",
    "why": "No contrast.",
    "locator": "Figure 1",
}
FORMS = "means test p-value difference interaction responders p-threshold verdict narrative".split()


@pytest.fixture
def study(tmp_path, capsys):
    """The file of a new study in a new case."""
    assert main(["new", "mine", "--folder", str(tmp_path), "--drug", "ketamine"]) == 0
    assert main(["new", str(tmp_path / "mine"), "--study", "author_2021"]) == 0
    assert "author_2021.yaml" in capsys.readouterr().out
    return tmp_path / "mine" / "studies" / "author_2021.yaml"


def fill(text: str) -> str:
    """Put something into every blank."""
    text = text.replace("[ , ]", "[0.2, 2.2]")
    for name, value in FILLED.items():
        text = re.sub(rf"(?m)\b{name}:(?= *(?:#|,|\}}|$))", f"{name}: {value}", text)
    return text


def choose(text: str, form: str) -> str:
    """Take one of the commented results, and the arms that it speaks of."""
    block = re.search(rf"(?m)^      # - form: {form}\n(?:      #   .*\n)+", text)
    assert block is not None
    text = text.replace(block[0], re.sub("(?m)^      # ", "      ", block[0]))
    if "KA" in block[0]:
        both = re.search(r"(?m)^        # KA:\n(?:        #   .*\n)+", text)
        assert both is not None
        arm = re.sub("(?m)^        # ", "        ", both[0])
        text = text.replace(both[0], arm + arm.replace("KA:", "A:"))
    return text


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_a_record_once_it_is_filled_in(study, form):
    study.write_text(fill(choose(study.read_text(), form)))
    loaded = load_case(study.parent.parent)
    (outcome,) = loaded.ledger.study("author_2021").experiments[0].outcomes
    assert outcome.form == form
    errors = [one for one in check_case(loaded) if one.level == "error"]
    findings = [one for one in errors if not one.message.startswith(("Every stratum", "The prior table"))]
    assert findings == []


def test_blanks_are_named_with_their_lines(study):
    text = study.read_text()
    with pytest.raises(RecordError, match="sources.paper"):
        load_case(study.parent.parent)
    study.write_text(text.replace("doi:  ", "doi: 10.1000/x  "))
    with pytest.raises(RecordError) as caught:
        load_case(study.parent.parent)
    lines = text.splitlines()
    blanks = {
        "title", "year", "species", "paradigm", "amount", "route", "name", "family", "test_time", "improvement",
        "outcomes",
    }  # fmt: skip
    assert {one.where.split(".")[-1] for one in caught.value.findings} == blanks
    assert all(
        one.line and f"{one.where.split('.')[-1]}:" in lines[one.line - 1] for one in caught.value.findings
    )


def test_the_drug_is_that_of_the_case(study):
    assert "{drug: ketamine, amount: , route: , time: 0 h}" in study.read_text()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("author_2021", "must not overwrite"),
        ("Author 2021", "lower-case letters"),
        ("../x", "lower-case letters"),
    ],
)
def test_a_study_that_is_there_or_cannot_be_named_so_is_refused(study, name, message, capsys):
    before = study.read_bytes()
    assert main(["new", str(study.parent.parent), "--study", name]) == 2
    assert message in capsys.readouterr().err
    assert study.read_bytes() == before and len(list(study.parent.iterdir())) == 2


def test_a_study_needs_a_case(tmp_path, capsys):
    assert main(["new", str(tmp_path), "--study", "author_2021"]) == 2
    assert "holds case.yaml" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
