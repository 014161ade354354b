"""Power in a case: Bayes factors by event against their definition, and what must hold."""

import dataclasses
import json

import numpy as np
import pytest

from gaddum.outcomes.blockade_events import EventChances
from gaddum.power_results import CasePower
from gaddum.prediction.case_power import SIZES, case_power
from gaddum.prediction.predict import predict
from gaddum.records.ledger import Ledger
from gaddum.surface.cli import main
from letter import load_letter
from prediction.stored import NEW, prior_run, write_run


@pytest.fixture(scope="module")
def loaded():
    whole = load_letter(("zhang_hashimoto2019",))
    names = ("nmdar", "nmdar-permissive-opioid")
    chosen = tuple(one for one in whole.case.hypotheses if one.name in names)
    return dataclasses.replace(whole, case=whole.case.model_copy(update={"hypotheses": chosen}))


@pytest.fixture(scope="module")
def run(loaded):
    return prior_run(loaded, draws=400)


@pytest.fixture(scope="module")
def found(loaded, run) -> CasePower:
    return case_power(loaded, Ledger.parse([NEW]).studies[0], run=run, threshold=1.2)


def test_every_account_gives_every_event_a_chance_at_every_size(found: CasePower):
    assert found.sizes == SIZES and len(found.rows) == 2 * len(SIZES)
    for row in found.rows:
        assert tuple(row.events) == EventChances._fields
        assert sum(row.events.values()) == pytest.approx(1.0, abs=1e-9)
        assert row.correct + row.undecided + row.misleading == pytest.approx(1.0, abs=1e-9)


def test_bayes_factor_of_two_accounts_is_the_ratio_of_their_chances_and_each_the_others_inverse(
    found: CasePower,
):
    for n in SIZES:
        one, other = (row for row in found.rows if row.n == n)
        for event in EventChances._fields:
            assert one.bayes_factors[event] == pytest.approx(one.events[event] / other.events[event])
            assert one.bayes_factors[event] * other.bayes_factors[event] == pytest.approx(1.0)


def test_mean_bayes_factor_of_a_wrong_account_is_one(found: CasePower):
    """Under its rival, an account's Bayes factor averages 1, whatever the study."""
    for n in SIZES:
        one, other = (row for row in found.rows if row.n == n)
        mean = sum(one.bayes_factors[event] * other.events[event] for event in EventChances._fields)
        assert mean == pytest.approx(1.0, abs=1e-9)


def test_answers_are_the_events_whose_bayes_factors_pass_the_threshold(found: CasePower):
    for row in found.rows:
        beyond = [event for event, factor in row.bayes_factors.items() if factor > found.threshold]
        assert row.correct == pytest.approx(sum(row.events[event] for event in beyond))
    assert any(row.correct > 0.05 for row in found.rows if row.n == SIZES[-1])


def test_nothing_to_block_grows_rarer_with_size(found: CasePower):
    for name in {row.name for row in found.rows}:
        none = [row.events["nothing_to_block"] for row in found.rows if row.name == name]
        assert none == sorted(none, reverse=True)


def test_chances_at_the_size_of_the_study_are_those_that_are_predicted(loaded, run):
    study = Ledger.parse([NEW]).studies[0]
    here = case_power(loaded, study, run=run, n=10)
    (told,) = predict(loaded, study, run=run).outcomes
    assert told.verdicts is not None
    mean = np.sum([[row.probability * chance for chance in row.events.values()] for row in here.rows], axis=0)
    assert mean == pytest.approx(list(dict(told.verdicts).values()), abs=1e-9)


@pytest.mark.parametrize(
    ("asked", "said"), [({"n": 1}, "at least 2 subjects"), ({"threshold": 1.0}, "above 1; got 1")]
)
def test_what_cannot_be_answered_is_refused(loaded, run, asked, said):
    with pytest.raises(ValueError, match=said):
        case_power(loaded, Ledger.parse([NEW]).studies[0], run=run, **asked)


def test_a_study_without_a_blockade_is_refused(loaded, run):
    text = NEW.replace("            - {drug: naltrexone, amount: 10 mg/kg, route: ip, time: -30 min}\n", "")
    with pytest.raises(ValueError, match="no arm with an antagonist"):
        case_power(loaded, Ledger.parse([text]).studies[0], run=run)


def test_the_command_prints_chances_by_size_and_json(loaded, run, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("gaddum.prediction.case_power.load_case", lambda name: loaded)
    path = tmp_path / "new.yaml"
    path.write_text(NEW, encoding="utf-8")
    words = ["power", "ketamine", str(path), "--run", str(write_run(run, tmp_path / "run")), "--n", "20"]
    assert main(words) == 0
    assert "not abolished" in (said := capsys.readouterr().out) and "Bayes factor" in said
    assert main([*words, "--json"]) == 0
    assert CasePower.model_validate(json.loads(capsys.readouterr().out)).sizes == (20,)
    assert main([*words, "--effect", "1"]) == 2
    assert "Leave out what else there is" in " ".join(capsys.readouterr().err.split())
