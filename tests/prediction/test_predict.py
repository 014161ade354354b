"""Predictions: chances against a million simulated studies, scores against their definition, and refusals."""

import dataclasses

import numpy as np
import pytest

from gaddum.outcomes.verdict_events import critical_value
from gaddum.prediction.blockade_chances import blockade_tests, chances_at_draws, contrasts
from gaddum.prediction.predict import log_mean, predict
from gaddum.prediction.study_draws import StudyDraws, study_draws
from gaddum.records.experiment import Study
from gaddum.records.ledger import Ledger
from prediction.stored import ABOLISHED, ALONE, NEW, write_run

DRAWS = 1_000_000


def study(text: str = NEW) -> Study:
    return Ledger.parse([text]).studies[0]


def crossed() -> Study:
    return study(NEW.replace("      endpoints:", ALONE + "      endpoints:"))


@pytest.fixture(scope="module")
def priors(letter):
    return {prior.name: prior.distribution for prior in letter.case.priors}


@pytest.fixture(scope="module")
def drawn(run) -> StudyDraws:
    return study_draws(run, crossed(), draws=80)


@pytest.fixture(scope="module")
def scored(run, letter):
    return predict(letter, study(NEW + ABOLISHED), run=run)


PARALLEL = "design: parallel"
SESSIONS = "design: crossover\n      session_correlation: 0.8"
CELLS = """design: parallel
      cells_per_animal: {value: 5, unit: "1", source: {how: assumption, reason: planned}}"""


@pytest.mark.parametrize(
    ("with_alone", "design", "error", "deviation"),
    [
        (False, PARALLEL, 1 / 10, 1 / 10),
        (True, PARALLEL, 1 / 10, 1 / 10),
        (False, SESSIONS, 0.2 / 10, 0.2 / 10),
        (True, SESSIONS, 0.2 / 10, 0.2 / 10),
        (False, CELLS, 1 / 10, 2.2 / 10),
    ],
)
def test_chances_are_the_shares_of_a_million_studies_simulated_from_the_draws(
    with_alone, design, error, deviation, drawn, letter, priors
):
    """`error` is the variance that the test takes a mean for, `deviation` the one that it has (squared SD)."""
    text = NEW.replace("      endpoints:", ALONE + "      endpoints:") if with_alone else NEW
    (test,) = blockade_tests(letter, study(text.replace(PARALLEL, design)), priors)
    exact = np.array([drawn.averaged(chance) for chance in chances_at_draws(test, drawn, priors)])
    rng = np.random.default_rng(4)
    effect, residual = (part.ravel() for part in contrasts(test, drawn))
    at = rng.choice(effect.size, DRAWS, p=np.repeat(drawn.probability, 80) / 80)
    failed = rng.random(DRAWS) < drawn.failure
    lost = rng.normal(size=(2, DRAWS)) * drawn.failed_sd
    whole, left = np.where(failed, lost[0], effect[at]), np.where(failed, lost[1], residual[at])
    groups, n = (4, 10) if with_alone else (3, 10)
    df, noise = (groups - 1 if design == SESSIONS else groups) * (n - 1), priors["arm_noise"].value
    sd = np.sqrt(rng.chisquare(df, DRAWS) / df)
    k, v, ka, a = rng.normal(size=(4, DRAWS)) * np.sqrt(deviation + noise**2)
    k, ka = k + whole, ka + left
    base = a if with_alone else v
    rules = priors["correction"].of
    rule = rng.choice(len(rules), DRAWS, p=list(rules.values()))
    pairwise = np.array([critical_value(name, df, groups) for name in rules])[rule]
    single = critical_value("none", df, groups) if with_alone else pairwise
    margin = np.sqrt(2 * error) * sd
    found, remains = k - v > pairwise * margin, ka - base > pairwise * margin
    block = (k - v - ka + a > single * np.sqrt(2) * margin) if with_alone else (k - ka > single * margin)
    shares = [found & block & ~remains, found & block & remains, found & ~block, ~found]
    for chance, share in zip(exact, shares, strict=True):
        assert abs(chance - share.mean()) < 4.5 * np.sqrt(chance * (1 - chance) / DRAWS)


def test_sizes_that_nobody_says_are_averaged_over_the_prior_of_sizes(drawn, letter, priors):
    unknown = study(
        NEW.replace("V: {n: 10}", "V: {}").replace("n: 10, ", "").replace("          n: 10\n", "")
    )
    (test,) = blockade_tests(letter, unknown, priors)
    assert len(test.scenarios) > 1
    mixed = chances_at_draws(test, drawn, priors).abolished
    parts = [
        one.weight
        * chances_at_draws(test._replace(scenarios=(one._replace(weight=1.0),)), drawn, priors).abolished
        for one in test.scenarios
    ]
    np.testing.assert_allclose(mixed, np.sum(parts, axis=0), rtol=1e-9)


def test_the_residual_is_over_the_antagonist_alone_where_it_was_given(drawn, letter, priors):
    (test,) = blockade_tests(letter, drawn.study, priors)
    place = ("tail_suspension", "hours_3")
    np.testing.assert_array_equal(contrasts(test, drawn)[1], drawn.of(*place, "KA") - drawn.of(*place, "A"))
    assert test.roles == {"K": "K", "V": "V", "KA": "KA", "A": "A"}


def test_chances_of_accounts_average_to_those_of_all(scored):
    (one,) = scored.outcomes
    weights = [row.probability for row in one.accounts]
    for event in ("abolished", "partial", "not_abolished", "nothing_to_block"):
        mean = np.average([getattr(row.verdicts, event) for row in one.accounts], weights=weights)
        assert abs(mean - getattr(one.verdicts, event)) < 1e-9
    assert abs(sum(value for _, value in one.verdicts) - 1) < 1e-9
    assert abs(one.power + one.verdicts.nothing_to_block - 1) < 1e-12


def test_the_log_score_is_the_log_of_the_mean_probability_of_what_was_reported(run, scored):
    found = study_draws(run, study(NEW + ABOLISHED))
    assert found.log_likelihood is not None
    probability = found.probability @ np.exp(found.log_likelihood).mean(axis=1)
    (one,) = scored.outcomes
    assert abs(scored.log_score - np.log(probability)) < 1e-9
    assert abs(one.log_score - scored.log_score) < 1e-9
    assert abs(scored.scores[0].log_score - scored.log_score) < 1e-9
    assert one.observed == "abolished"


def test_log_mean_weighs_accounts_by_their_probability():
    logs = np.log(np.array([[0.1, 0.3], [0.6, 0.6]]))
    assert abs(log_mean(np.array([0.25, 0.75]), logs) - np.log(0.25 * 0.2 + 0.75 * 0.6)) < 1e-12


def test_an_endpoint_that_was_read_at_one_of_two_hours_has_the_mean_likelihood_of_both(run, letter):
    found = {
        hours: predict(letter, study(NEW.replace("3 h", hours) + ABOLISHED), run=run)
        for hours in ("3 h", "24 h", "3 h or 24 h")
    }
    first, last, either = (float(one.log_score or np.nan) for one in found.values())
    assert abs(either - (np.logaddexp(first, last) - np.log(2))) < 1e-9
    assert found["3 h or 24 h"].outcomes[0].log_score == either


def test_a_study_without_outcomes_has_no_score(run, letter):
    found = predict(letter, study(), run=run)
    assert found.log_score is None and found.scores == ()
    assert found.outcomes[0].observed is None


def test_a_study_without_a_blocked_arm_is_told_arm_by_arm(run, letter):
    first, _, last = NEW.partition("        KA:\n")
    found = predict(
        letter, study(first + "      endpoints:" + last.partition("      endpoints:")[2]), run=run
    )
    assert [one.verdicts for one in found.outcomes] == [None]
    assert [one.arm for one in found.arms] == ["V", "K"]
    assert found.notes == (
        "No arm is blocked beside the test drug and its control, so there is no blockade to foretell.",
    )


def test_a_study_that_the_run_weighed_is_said_to_be_no_prediction(run, letter):
    found = predict(letter, "yoon2019", run=run._replace(cohorts=("yoon2019",)))
    assert "weighed yoon2019 already" in found.notes[0]


def test_it_comes_back_from_json_as_it_was(scored):
    assert type(scored).model_validate_json(scored.to_json()) == scored


def test_a_study_is_told_by_its_most_likely_result(scored):
    assert repr(scored).startswith(
        "<StudyPrediction of new_study by case ketamine: tail_suspension hours_3: abol"
    )


def test_an_arm_with_one_subject_is_refused(run, letter):
    with pytest.raises(ValueError, match="at least 2 subjects; got 1 in arm 'V'"):
        predict(letter, study(NEW.replace("V: {n: 10}", "V: {n: 1}")), run=run)


def test_without_a_run_it_says_how_to_make_one(letter, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"got 'runs/ketamine'. Make one with `gaddum adjudicate CASE --out"):
        predict(letter, study())


def test_the_run_of_the_case_is_found_where_adjudicate_leaves_it(run, letter, tmp_path, monkeypatch):
    write_run(run, tmp_path / "runs" / "ketamine")
    monkeypatch.chdir(tmp_path)
    assert predict(letter, study()).run == "runs/ketamine"


def test_a_study_of_an_unknown_population_is_refused(run, letter):
    with pytest.raises(ValueError, match="for which the case has a reference protocol"):
        predict(letter, study(NEW.replace("stress: stressed", "stress: unstressed")), run=run)


def test_a_run_of_another_case_is_refused(run, letter, tmp_path):
    other = dataclasses.replace(letter, case=letter.case.model_copy(update={"title": "Another"}))
    with pytest.raises(ValueError, match="Run it again"):
        predict(other, study(), run=write_run(run, tmp_path))
