"""Files of a new case, study, drug and target: blanks that the check names, choices that are records once filled in."""

import re

import pytest

from gaddum import check_case, load_case
from gaddum.outcomes.reduce import reduce_record
from gaddum.records.drug import Drug
from gaddum.records.finding import RecordError
from gaddum.records.prior_table import known_rows
from gaddum.response.assemble import assemble
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
    assert '{drug: "ketamine", amount: , route: , time: 0 h}' in study.read_text()


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


NUMBERS = {"v_c": 0.5, "cl": 0.5, "k_i": 1.2}
"""Numbers for some of the blanks of a drug; 0.5 for all others."""


def fill_drug(text: str) -> str:
    """Put something into every blank of a drug or target."""
    text = text.replace("molar_mass: {value: ,", "molar_mass: {value: 300,").replace(
        "value: ,", "value: 0.5,"
    )
    text = text.replace("drug: ,", "drug: morphine-6-glucuronide,")
    blanks = {
        "doi": "10.1000/x",
        "mode": "partial agonist",
        "full_name": "a receptor",
        "family": "some",
        "cites": "A 2020",
    }
    for name, value in blanks.items():
        text = re.sub(rf"(?m)\b{name}:(?= *(?:#|$))", f"{name}: {value}", text)
    return text


def every_choice(text: str) -> str:
    """Take all that stands behind a # and is a field or an entry of a list."""
    return re.sub(r"(?m)^( *)# ((?:  )*(?:- \{|[a-z_0-9]+: *(?:\{|\[|$)))", r"\1\2", text)


@pytest.fixture
def own(tmp_path):
    """A new case whose drug and one of whose targets the library does not have."""
    words = ["new", "mine", "--folder", str(tmp_path), "--drug", "ownine", "--targets", "mu,OWN-R"]
    assert main(words) == 0
    return tmp_path / "mine"


@pytest.mark.parametrize("chosen", [str, every_choice])
def test_a_drug_and_a_target_of_ones_own_load_once_they_are_filled_in(own, chosen, capsys):
    assert main(["check", str(own)]) == 1
    assert "ownine.yaml:" in capsys.readouterr().err
    for path in (own / "drugs/ownine.yaml", own / "targets/OWN-R.yaml"):
        path.write_text(fill_drug(chosen(path.read_text())))
    loaded = load_case(own)
    assert [one.level for one in check_case(loaded) if one.level != "note"] == []
    drug = loaded.library.drug("ownine")
    assert isinstance(drug, Drug) and [one.target for one in drug.affinities] == ["MOR", "OWN-R"]
    assert [one.gate for one in loaded.case.hypotheses] == ["0", "MOR.agonism", "OWN-R.agonism"]


def test_the_template_of_a_drug_offers_every_field_that_a_drug_may_have(own):
    text = every_choice((own / "drugs/ownine.yaml").read_text())
    path = own / "drugs/ownine.yaml"
    path.write_text(fill_drug(text))
    (own / "targets/OWN-R.yaml").write_text(fill_drug((own / "targets/OWN-R.yaml").read_text()))
    drug = load_case(own).library.drug("ownine")
    assert isinstance(drug, Drug)
    said = drug.model_dump(exclude_defaults=True)
    assert set(Drug.model_fields) - set(said) <= {"kind", "synonyms", "note"}
    assert {"peripherals", "absorption", "k_e0", "reference_weight"} <= set(said["disposition"]["human"])
    assert {"efficacy", "in_vivo_shift", "k_off"} <= set(said["affinities"][0])


def test_a_case_that_is_there_gets_further_drugs_and_keeps_what_it_has(own, capsys):
    before = {path: path.read_bytes() for path in own.rglob("*.yaml")}
    assert main(["new", "mine", "--folder", str(own.parent), "--drug", "blockone", "--targets", "OWN-S"]) == 0
    assert "fill in" in capsys.readouterr().out
    assert {path: path.read_bytes() for path in before} == before
    added = {path.relative_to(own).as_posix() for path in own.rglob("*.yaml") if path not in before}
    assert added == {"drugs/blockone.yaml", "targets/OWN-S.yaml"}


def test_a_name_near_one_of_the_library_is_asked_about(tmp_path, capsys):
    assert main(["new", "mine", "--folder", str(tmp_path), "--drug", "naltrexon"]) == 0
    assert "did you mean 'naltrexone'" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("drug", "gates"),
    [
        ("esketamine", {"0", "DOR.agonism", "KOR.agonism", "MOR.agonism", "NMDAR.block"}),
        ("memantine", {"0", "NMDAR.block"}),
    ],
)
def test_rivals_of_a_new_case_are_what_its_drug_binds(drug, gates, tmp_path):
    assert main(["new", "mine", "--folder", str(tmp_path), "--drug", drug]) == 0
    assert {one.gate for one in load_case(tmp_path / "mine").case.hypotheses} == gates


@pytest.mark.parametrize("form", FORMS)
def test_no_form_of_outcome_lacks_a_row_of_the_prior_table(study, form):
    case = study.parent.parent / "case.yaml"
    anchor = (
        'anchors: [{stratum: "rat, unstated, behaving", phase: acute, study: author_2021, '
        "experiment: main, endpoint: main, arm: K}]"
    )
    case.write_text(case.read_text().partition("priors:")[0] + anchor)
    text = choose(study.read_text(), form)
    for sized in (text, text.replace("n: null", "n: 9")):
        study.write_text(fill(sized))
        loaded = load_case(study.parent.parent)
        assert assemble(loaded).dimension
        assert len(reduce_record(loaded)) == (form != "narrative")
        (note,) = [one for one in check_case(loaded) if "stand by default" in one.message]
        rows = {row.name for row in loaded.case.priors}
        assert note.level == "note" and all(row in note.message for row in rows)
        assert all(row.reason.startswith("By default. ") for row in loaded.case.priors)
        assert "reserve.potency" not in rows and ("n_unknown" not in rows or "n: null" in sized)


def test_the_table_of_a_new_case_holds_what_it_needs_and_says_why(tmp_path):
    assert main(["new", "mine", "--folder", str(tmp_path), "--drug", "memantine"]) == 0
    rows = load_case(tmp_path / "mine").case.priors
    assert all(row.reason.endswith(".") and len(row.reason.split()) > 5 for row in rows)
    left = {
        "endogenous_tone",
        "reserve.potency",
        "placebo_response",
        "retest_correlation",
        "n_unknown",
        "rule",
        "correction",
    }
    assert {row.name for row in rows} == set(known_rows()) - left


def test_a_misspelt_row_of_the_prior_table_is_asked_about(tmp_path):
    assert main(["new", "mine", "--folder", str(tmp_path), "--drug", "memantine"]) == 0
    path = tmp_path / "mine/case.yaml"
    path.write_text(path.read_text().replace('"effect_site"', '"effect_sight"'))
    found = [
        one.message for one in check_case(load_case(tmp_path / "mine")) if "prior" in one.message.casefold()
    ]
    assert any("'effect_sight'" in one and "Did you mean 'effect_site'" in one for one in found)
    assert any("stand by default: effect_site." in one for one in found)
