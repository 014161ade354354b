"""Reweighing: selective publication normalises what can be published, and leaving out leaves nothing behind."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import simpson

from gaddum.outcomes.noncentral_t import GRID
from gaddum.outcomes.reduce import reduce_outcome
from gaddum.records.ledger import Ledger
from gaddum.records.outcome.p_value import PValue
from gaddum.records.outcome.verdict import Verdict
from gaddum.records.source import Source
from gaddum.response.assemble import assemble
from gaddum.weigh.likelihood import ScoredOutcome, build_problem, cohort_log_likelihoods
from gaddum.weigh.predictive import Outline
from gaddum.weigh.reweighing import Reader, log_selection, reading_of, selected, selective_reading
from letter import load_letter

HERE = Source(how="assumption", reason="made up for a test")


@pytest.fixture(scope="module")
def letter():
    return load_letter()


@pytest.fixture(scope="module")
def problem(letter):
    """Two cohorts of the letter's record: five outcomes, two of them flagged."""
    ledger = letter.ledger.select(["zhang2014", "yoon2019"])
    case = letter.case.model_copy(
        update={"anchors": tuple(a for a in letter.case.anchors if a.study in ("zhang2014", "yoon2019"))}
    )
    small = dataclasses.replace(letter, ledger=Ledger(ledger.studies), case=case)
    return build_problem(small, assemble(small))


@pytest.fixture(scope="module")
def predicted(problem):
    """Effects of all rows, and the cohorts' spread, in 40 draws."""
    effect = np.random.default_rng(0).normal(0.8, 0.6, (problem.assembly.rows.expectancy.size, 40))
    return Outline(effect, effect, np.full(40, 0.3), np.zeros((len(problem.cohorts), 40)))


def flagged(letter, make, **given):
    """An outcome on the mice of one study, flagged as one whose publication may have hung on its result."""
    study = letter.ledger.study("zhang2014")
    experiment = study.experiments[0]
    arms = {name: arm.model_copy(update={"n": 10}) for name, arm in experiment.protocol.arms.items()}
    protocol = experiment.protocol.model_copy(update={"arms": arms})
    experiment = experiment.model_copy(update={"protocol": protocol})
    outcome = make(endpoint="tail", selected=True, source=HERE, **given)
    priors = {prior.name: prior.distribution for prior in letter.case.priors}
    reduced = reduce_outcome(experiment, outcome, priors)
    assert reduced is not None
    return ScoredOutcome(study, experiment, outcome, reduced, 0, 1.0)


def verdict(letter, word):
    return flagged(letter, Verdict, form="verdict", verdict=word, roles={"K": "X_R", "V": "V"})


def published(s, omega):
    return np.exp(s.reduced.grid_log_density + log_selection(s, omega))


@pytest.mark.parametrize("omega", [0.1, 0.3])
def test_published_verdict_and_its_complement_have_probability_one(letter, omega):
    total = published(verdict(letter, "effective"), omega) + published(
        verdict(letter, "not effective"), omega
    )
    np.testing.assert_allclose(total, 1.0, atol=1e-9)


def test_published_p_values_have_probability_one(letter):
    """Densities over the observed effect, of significant and other results in either direction, add up to one."""
    error, place = np.sqrt(2 / 10), int(np.searchsorted(GRID, 0.4))
    critical = stats.t.isf(0.025, 18) * error
    total = 0.0
    for better in ("first", "second"):
        for low, high in ((1e-3, critical - 1e-6), (critical + 1e-6, 5.0)):
            effects = np.linspace(low, high, 25)
            rows = [
                flagged(
                    letter,
                    PValue,
                    form="p-value",
                    p=float(2 * stats.t.sf(d / error, 18)),
                    contrast=("X_R", "V"),
                    better=better,
                )
                for d in effects
            ]
            total += simpson([published(s, 0.1)[place] for s in rows], x=effects)
    assert total == pytest.approx(1.0, abs=2e-3)


@pytest.mark.parametrize("word", ["effective", "not effective"])
def test_publication_of_everything_changes_nothing(letter, word):
    assert np.abs(log_selection(verdict(letter, word), 1.0)).max() == 0


def test_selection_takes_weight_from_an_effect_that_was_claimed(letter):
    """Where only significant results appear, a significant one says little: small effects gain."""
    added = log_selection(verdict(letter, "effective"), 0.1)
    assert (np.diff(added) <= 1e-12).all()
    assert added[GRID == 0.0] > added[GRID == 3.0] + 1


def test_null_result_that_was_hard_to_publish_says_more_against_a_large_effect(letter):
    added = log_selection(verdict(letter, "not effective"), 0.1)
    assert (np.diff(added) <= 1e-12).all()
    assert added[GRID == 0.0] == pytest.approx(0.0, abs=0.3)
    assert added[GRID == 3.0] == pytest.approx(np.log(0.1), abs=0.01)


def test_only_flagged_outcomes_are_selected(problem):
    assert {(s.study.id, s.outcome.endpoint) for s in selected(problem)} == {
        ("zhang2014", "tail"),
        ("zhang2014", "week"),
    }


def test_record_as_it_is_reads_as_the_likelihood_does(problem, predicted):
    found = Reader(problem).cohort_logs(predicted, reading_of(problem))
    np.testing.assert_allclose(
        found, cohort_log_likelihoods(problem, predicted.effect, predicted.spread), rtol=1e-10
    )


def test_cohort_without_outcomes_has_likelihood_one(problem, predicted):
    reader = Reader(problem)
    kept = np.array([s.study.id != "zhang2014" for s in problem.scored])
    whole, part = (reader.cohort_logs(predicted, reading_of(problem, k)) for k in (None, kept))
    gone = problem.cohorts.index("zhang2014")
    np.testing.assert_allclose(part[gone], 0.0, atol=1e-12)
    np.testing.assert_allclose(np.delete(part, gone, 0), np.delete(whole, gone, 0))


def test_selection_touches_only_cohorts_with_flagged_outcomes(problem, predicted):
    reader = Reader(problem)
    plain = reader.cohort_logs(predicted, reading_of(problem))
    chosen = reader.cohort_logs(predicted, selective_reading(problem, 0.1, 1.5))
    touched = np.abs(chosen - plain).max(axis=1) > 1e-6
    assert [name for name, flag in zip(problem.cohorts, touched, strict=True) if flag] == ["zhang2014"]
