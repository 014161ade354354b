"""An endpoint whose hour or phase is not known: every time that it may have had counts, whatever is asked of it."""

import dataclasses
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from tests.weigh.cases import draws_of

from gaddum.records.check import check_records
from gaddum.records.ledger import Ledger, LoadedCase
from gaddum.response.assemble import assemble
from gaddum.response.response import account
from gaddum.verdict.missing import missing
from gaddum.weigh.likelihood import Problem, build_problem, cohort_log_likelihoods, setting
from gaddum.weigh.predictive import Outline, Predictor, engagement, forest
from gaddum.weigh.reweighing import Reader, reading_of, selective_reading
from letter import load_letter

KETAMINE = "{drug: ketamine, amount: 10 mg/kg, route: ip}"
NALTREXONE = "{drug: naltrexone, amount: 10 mg/kg, route: ip, time: -30 min}"
SOURCE = "{how: abstract, cites: a made-up paper}"
OUTCOMES = f"""
      - form: means
        endpoint: swim
        arms:
          V: {{mean: 150, spread: 12, spread_kind: SD, n: 12}}
          K: {{mean: 138, spread: 12, spread_kind: SD, n: 12}}
          KA: {{mean: 147, spread: 12, spread_kind: SD, n: 12}}
        source: {SOURCE}
      - form: verdict
        endpoint: swim
        verdict: abolished
        agonist_effect_present: true
        roles: {{K: K, V: V, KA: KA}}
        source: {SOURCE}
      - {{form: p-value, endpoint: swim, p: 0.03, contrast: [K, KA], better: first, source: {SOURCE}}}
"""


def case(test_time: str, phase: str) -> LoadedCase:
    """One study whose arms anchor each phase in which they may have been read."""
    study = f"""
id: zhang_hashimoto2019
title: A made-up study
year: 2019
cohort: zhang_hashimoto2019
source: {SOURCE}
experiments:
  - id: swimming
    protocol:
      subject: {{species: mouse, sex: male, paradigm: social defeat, stress: stressed}}
      arms:
        V: {{n: 12}}
        K: {{n: 12, doses: [{KETAMINE}]}}
        KA: {{n: 12, doses: [{NALTREXONE}, {KETAMINE}]}}
      endpoints:
        swim: {{name: swim, family: immobility, test_time: {test_time}, phase: {phase}, improvement: decrease}}
      design: parallel
      source: {SOURCE}
    outcomes: {OUTCOMES}
"""
    loaded, ledger = load_letter(("zhang_hashimoto2019",)), Ledger.parse([study])
    (experiment,) = ledger.studies[0].experiments
    anchors = tuple(
        loaded.case.anchors[0].model_copy(
            update={
                "study": "zhang_hashimoto2019",
                "experiment": "swimming",
                "endpoint": "swim",
                "arm": "K",
                "stratum": experiment.protocol.subject.stratum,
                "phase": phase,
            }
        )
        for phase in {one.phase: None for one in experiment.protocol.endpoints["swim"].assessments}
    )
    changed = loaded.case.model_copy(update={"anchors": anchors, "claims": ()})
    return dataclasses.replace(loaded, case=changed, ledger=ledger, documents={})


class Solved(NamedTuple):
    problem: Problem
    effect: np.ndarray
    spread: np.ndarray
    logs: np.ndarray
    """Log likelihood of the one cohort, by one account."""

    @property
    def outline(self) -> Outline:
        return Outline(self.effect, self.effect, self.spread, self.logs)


@pytest.fixture(scope="module")
def solve():
    """Problems on the same draws, by the names of their parameters."""
    whole = assemble(case("1 h or 24 h", "unknown"))
    z = draws_of(whole, 40)
    kept: dict[tuple[str, str], Solved] = {}

    def solved(test_time: str, phase: str) -> Solved:
        if (test_time, phase) not in kept:
            loaded = case(test_time, phase)
            problem = build_problem(loaded, assemble(loaded))
            mine = z[[whole.index[one.name] for one in problem.assembly.parameters]]
            (hypothesis,) = (h for h in loaded.case.hypotheses if h.name == "nmdar-permissive-opioid")
            given = setting(problem, account(hypothesis, problem.assembly))
            outline = Predictor(problem).outline(mine, given)
            kept[test_time, phase] = Solved(problem, *(np.asarray(part) for part in outline[1:]))
        return kept[test_time, phase]

    return solved


BOTH = ("1 h or 24 h", "unknown")
EITHER = (("1 h", "acute"), ("24 h", "sustained"))


def test_two_equal_hours_are_one_known_hour(solve):
    known, twice = solve("1 h", "acute"), solve("60 min or 1 h", "acute")
    assert len(twice.problem.contrasts) == 2 * len(known.problem.contrasts)
    np.testing.assert_allclose(twice.logs, known.logs, rtol=0, atol=1e-12)


def test_outcomes_of_an_unknown_hour_have_the_mean_likelihood_of_its_hours(solve):
    logs = [solve(*one).logs for one in EITHER]
    assert np.abs(logs[0] - logs[1]).max() > 0.1
    np.testing.assert_allclose(solve(*BOTH).logs, np.logaddexp(*logs) - np.log(2), rtol=0, atol=1e-12)


def test_endpoints_with_different_numbers_of_hours_are_mixed_side_by_side(solve):
    """A second endpoint, of one hour more, in a cohort of its own."""
    first, second = case(*BOTH), case("1 h or 2 h or 24 h", "acute")
    (study,) = second.ledger.studies
    second_study = study.model_copy(update={"id": "again", "cohort": "again"})
    together = dataclasses.replace(first, ledger=Ledger((*first.ledger.studies, second_study)))
    problem = build_problem(together, assemble(together))
    effect = np.random.default_rng(0).normal(0.8, 0.6, (problem.assembly.rows.expectancy.size, 40))
    spread = np.full(40, 0.3)
    found = np.asarray(cohort_log_likelihoods(problem, jnp.asarray(effect), jnp.asarray(spread)))
    assert problem.cohorts == ("again", "zhang_hashimoto2019")
    for cohort, times in enumerate((3, 2)):
        at = []
        for hour in range(times):
            mine = [s.cohort == cohort for s in problem.scored]
            places = [np.flatnonzero(problem.outcome_of == place)[hour] for place in np.flatnonzero(mine)]
            alone = problem._replace(
                members_1d=np.zeros_like(problem.members_1d[:1]),
                members_2d=np.zeros_like(problem.members_2d[:1]),
                cohorts=("one",),
                log_saturated=problem.log_saturated[cohort : cohort + 1],
                times=problem.times._replace(rows=np.zeros((0, 0), int)),
            )
            ones = alone.members_1d.shape[1]
            for place in places:
                members = alone.members_1d if place < ones else alone.members_2d
                members[0, place if place < ones else place - ones] = 1.0
            logs = np.asarray(cohort_log_likelihoods(alone, jnp.asarray(effect), jnp.asarray(spread)))
            at.append(logs[0])
        expected = np.logaddexp.reduce(at) - np.log(times)
        np.testing.assert_allclose(found[cohort], expected, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_the_gradient_is_that_of_the_mean(solve):
    one = solve(*BOTH)
    problem = one.problem
    effect, spread = one.effect[:, :1], one.spread[:1]

    @jax.jit
    def value(effect):
        return cohort_log_likelihoods(problem, effect, jnp.asarray(spread)).sum()

    slope = np.asarray(jax.grad(value)(jnp.asarray(effect)))
    step = 1e-5
    for row in range(len(effect)):
        ahead, behind = effect.copy(), effect.copy()
        ahead[row] += step
        behind[row] -= step
        numeric = (float(value(jnp.asarray(ahead))) - float(value(jnp.asarray(behind)))) / (2 * step)
        assert slope[row, 0] == pytest.approx(numeric, abs=1e-6)
    assert (np.abs(slope) > 1e-6).sum() >= 4  # K and KA at both hours


def test_predictions_draw_one_hour_for_all_outcomes_and_average_their_densities(solve):
    both, known = solve(*BOTH), [solve(*one) for one in EITHER]

    def predicted(one):
        return Predictor(one.problem).predict(one.outline, seed=3)

    mixed, apart = predicted(both), [predicted(one) for one in known]
    np.testing.assert_allclose(mixed.density, np.mean([one.density for one in apart], axis=0), rtol=1e-12)
    at = np.array([np.isclose(mixed.effects[0], one.effects[0], rtol=0, atol=1e-12) for one in apart])
    assert (at.any(axis=0)).all() and (at == at[:, :1]).all()
    assert 8 < at[0, 0].sum() < 32


def test_left_out_outcomes_leave_no_trace_and_the_rest_share_the_hour(solve):
    both, known = solve(*BOTH), [solve(*one) for one in EITHER]

    def logs(one, kept):
        return Reader(one.problem).cohort_logs(one.outline, reading_of(one.problem, kept))

    kept = np.array([True, False, True])
    expected = np.logaddexp(*(logs(one, kept) for one in known)) - np.log(2)
    np.testing.assert_allclose(logs(both, kept), expected, rtol=0, atol=1e-12)
    np.testing.assert_allclose(logs(both, None), both.logs, rtol=0, atol=1e-12)
    np.testing.assert_allclose(logs(both, np.zeros(3, bool)), 0.0, atol=1e-12)


def test_what_was_selected_for_publication_reads_as_it_is_where_everything_is_published(solve):
    one = solve(*BOTH)
    found = Reader(one.problem).cohort_logs(one.outline, selective_reading(one.problem, 1.0, 1.0))
    np.testing.assert_allclose(found, one.logs, rtol=0, atol=1e-9)


def test_the_forest_has_one_row_an_outcome_and_engagement_one_an_hour(solve):
    one = solve(*BOTH)
    predicted = Predictor(one.problem).predict(one.outline, seed=0)
    rows = forest(one.problem, predicted, predicted)
    assert len({(row.endpoint, row.form, row.contrast) for row in rows}) == len(rows)
    assert {row.form for row in rows} == {"means", "verdict", "p-value"}
    levels = [np.full((*one.problem.assembly.times.shape, 40), 0.5) for _ in one.problem.assembly.features]
    told = {row.time_h for row in engagement(one.problem, levels) if row.phase == "expression"}
    assert told == {1.0, 24.0}


def test_the_record_says_how_many_outcomes_lack_their_hour(solve):
    loaded, one = case(*BOTH), solve(*BOTH)
    assert "3 of 3 scored outcomes come without a known time of the test." in missing(
        loaded, one.problem.scored, []
    )


def test_a_population_needs_an_anchor_in_every_phase_that_a_test_may_have_had():
    loaded = case("unknown", "unknown")
    assert [str(one) for one in check_records(loaded) if one.level == "error"] == []
    fewer = dataclasses.replace(
        loaded, case=loaded.case.model_copy(update={"anchors": loaded.case.anchors[:1]})
    )
    (fault,) = (one for one in check_records(fewer) if one.level == "error")
    assert "phase 'sustained'" in fault.message
