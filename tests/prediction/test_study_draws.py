"""A study by every account: what the case itself would say of it, priors where a run has no draws, and refusals."""

from typing import Any

import jax
import numpy as np
import pytest
from scipy import stats

from gaddum.numerics.variates import even_variates
from gaddum.prediction.study_draws import StudyDraws, study_draws
from gaddum.records.finding import RecordError
from gaddum.records.ledger import Ledger
from gaddum.response.assemble import assemble
from gaddum.response.response import respond
from gaddum.weigh.compare import variant_account
from gaddum.weigh.likelihood import build_problem, cohort_log_likelihoods, cohort_spread, setting
from gaddum.weigh.predictive import FOR_FEW_DRAWS
from prediction.stored import NEW, prior_run

KNOWN = ("zhang_hashimoto2019", "yoon2019")


@pytest.fixture(scope="module")
def whole_case(letter):
    """Effects, spread and cohort log likelihoods of the case itself, as a function of draws and account."""
    problem = build_problem(letter, assemble(letter))

    def function(z, given):
        effect = respond(problem.assembly, z, given.account, given.table).effect
        spread = cohort_spread(problem, z, given)
        return effect, spread, cohort_log_likelihoods(problem, effect, spread)

    return problem, jax.jit(function, compiler_options=FOR_FEW_DRAWS)


@pytest.fixture(scope="module")
def new(run) -> StudyDraws:
    (study,) = Ledger.parse([NEW]).studies
    return study_draws(run, study, draws=80)


def of_case(fit, whole_case):
    problem, function = whole_case
    z = np.array([fit.scores[one.name] for one in problem.assembly.parameters])
    given = setting(problem, variant_account(fit.variant, problem.assembly, absolute=False))
    return problem, [np.asarray(one) for one in function(z, given)]


@pytest.mark.parametrize("name", KNOWN)
def test_a_study_of_the_case_has_the_log_likelihood_that_its_cohort_has_in_the_case(
    name, run, whole_case, letter
):
    found = study_draws(run, letter.ledger.study(name), draws=80)
    assert found.log_likelihood is not None
    for mine, fit in zip(found.log_likelihood, run.fits, strict=True):
        problem, (_, _, logs) = of_case(fit, whole_case)
        np.testing.assert_allclose(mine, logs[problem.cohorts.index(name)], atol=1e-9)


def test_arms_have_the_effects_that_they_have_in_the_case_times_the_deviation_of_a_cohort(
    run, whole_case, letter
):
    study = letter.ledger.study("zhang_hashimoto2019")
    found = study_draws(run, study, draws=80, seed=3)
    deviate = even_variates([f"deviation of {study.cohort}"], 80, 3)[0]
    for place, fit in enumerate(run.fits):
        problem, (effect, spread, _) = of_case(fit, whole_case)
        rows = {(r.study, r.endpoint, r.arm): r.row for r in problem.assembly.readings}
        for arm in ("K", "KA"):
            expected = effect[rows[study.id, "hours_3", arm]] * np.exp(spread * deviate)
            np.testing.assert_allclose(
                found.of("behaviour", "hours_3", arm)[place], expected, rtol=1e-9, atol=1e-12
            )


def test_every_arm_is_read_at_every_endpoint_though_nothing_was_reported(new):
    assert [(r.arm, r.endpoint) for r in new.readings] == [(arm, "hours_3") for arm in ("V", "K", "KA")]
    assert new.log_likelihood is None and new.scored == ()


def test_a_vehicle_does_nothing(new):
    assert not new.of("tail_suspension", "hours_3", "V").any()


def test_an_account_that_needs_opioid_signalling_loses_effect_under_naltrexone_and_block_alone_does_not(new):
    drug, blocked = (new.of("tail_suspension", "hours_3", arm) for arm in ("K", "KA"))
    kept = dict(zip(new.accounts, np.median(blocked / drug, axis=1), strict=True))
    assert kept["nmdar-permissive-opioid@both"] < 0.9
    assert abs(kept["nmdar"] - 1) < 0.2  # but for naltrexone's own effect


def test_occupancy_is_told_of_arms_at_both_times(new):
    seen = {(one.arm, one.feature, one.phase) for one in new.occupancy}
    assert {("KA", "MOR.tone", "induction"), ("KA", "MOR.tone", "expression")} <= seen
    assert {one.study for one in new.occupancy} == {"new_study"}


def test_without_draws_of_its_parameters_a_study_is_predicted_by_their_priors(letter, whole_case):
    """The effect of a drug by a run that knows nothing has the distribution of simulated prior draws."""
    study = letter.ledger.study("zhang_hashimoto2019")
    nothing = prior_run(letter, known=False, draws=1000)
    found = study_draws(nothing, study, draws=1000)
    problem, function = whole_case
    rows = {(r.study, r.endpoint, r.arm): r.row for r in problem.assembly.readings}
    random = np.random.default_rng(9)
    for place, fit in enumerate(nothing.fits[:2]):
        given = setting(problem, variant_account(fit.variant, problem.assembly, absolute=False))
        drawn = [function(random.standard_normal((problem.assembly.dimension, 80)), given) for _ in range(12)]
        effect = np.concatenate([np.asarray(one[0]) for one in drawn], axis=1)
        spread = np.concatenate([np.asarray(one[1]) for one in drawn])
        scale = np.exp(spread * random.standard_normal(spread.size))
        for arm in ("K", "KA"):
            simulated = effect[rows[study.id, "hours_3", arm]] * scale
            mine = found.of("behaviour", "hours_3", arm)[place]
            compared: Any = stats.ks_2samp(mine, simulated)
            assert compared.pvalue > 1e-3


def test_another_drug_of_the_library_may_be_given(run):
    text = NEW.replace("naltrexone, amount: 10 mg/kg", "naloxone, amount: 10 mg/kg")
    (study,) = Ledger.parse([text]).studies
    found = study_draws(run, study, draws=40)
    mine = found.accounts.index("nmdar-permissive-opioid@both")
    effects = [np.median(found.of("tail_suspension", "hours_3", arm)[mine]) for arm in ("K", "KA")]
    assert effects[1] < effects[0]


def test_filled_in_outcomes_are_scored_one_by_one_and_together(run, letter):
    found = study_draws(run, letter.ledger.study("zhang_hashimoto2019"), draws=40)
    assert found.log_likelihood is not None and found.log_likelihood_of_outcome is not None
    assert [s.outcome.endpoint for s in found.scored] == ["hours_3", "days_1_2"]
    best = found.log_likelihood_of_outcome.min(axis=0)
    assert (
        found.log_likelihood <= best + 1e-9
    ).all()  # two reports are no more likely than the less likely one


def changed(old: str, new: str):
    assert old in NEW
    return Ledger.parse([NEW.replace(old, new)]).studies[0]


def test_a_population_without_a_reference_protocol_is_refused_with_those_that_there_are(run):
    with pytest.raises(
        ValueError, match=r"case has a reference protocol; got rat, stressed.*mouse, stressed"
    ):
        study_draws(run, changed("species: mouse", "species: rat"))


def test_a_study_of_which_no_account_speaks_is_refused(run):
    text = NEW.replace("drug: ketamine", "drug: citalopram").replace("drug: naltrexone", "drug: citalopram")
    (study,) = Ledger.parse([text]).studies
    with pytest.raises(ValueError, match="of which an account speaks; new_study doses citalopram"):
        study_draws(run, study)


def test_an_unknown_drug_is_refused_with_the_near_names(run):
    with pytest.raises(RecordError, match="naltrexone"):
        study_draws(run, changed("naltrexone", "naltrexon"))
