"""The likelihood of a case: what must not move it, what must, and how its integrals and weights behave."""

import dataclasses
import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from tests.weigh.cases import (
    HERE,
    draws_of,
    evaluate,
    evaluate_with,
    for_few,
    of_mice,
    p_value,
    with_outcomes,
)

from gaddum.outcomes.group_sizes import fixed_value
from gaddum.records.ledger import Ledger
from gaddum.records.outcome import is_scored
from gaddum.records.outcome.means import Means
from gaddum.response.assemble import assemble
from gaddum.response.response import account, respond
from gaddum.weigh.density_tables import evaluate_1d, evaluate_2d
from gaddum.weigh.likelihood import (
    build_problem,
    cohort_log_likelihoods,
    cohort_spread,
    setting,
)
from letter import load_letter


@pytest.fixture(scope="module")
def ketamine():
    return load_letter()


@pytest.fixture(scope="module")
def whole(ketamine):
    """The whole record: assembly and problem."""
    assembly = assemble(ketamine)
    return assembly, build_problem(ketamine, assembly)


# Contrasts and shared subjects


@pytest.mark.slow
def test_contrasts_around_a_loop_sum_to_zero(ketamine):
    loaded = of_mice(ketamine, p_value("K", "V"), p_value("V", "KA"), p_value("KA", "K"))
    assembly = assemble(loaded)
    problem = build_problem(loaded, assembly)
    hypothesis = next(h for h in ketamine.case.hypotheses if h.name == "nmdar-permissive-opioid")
    z = draws_of(assembly, 200)
    effect = np.asarray(
        jax.jit(lambda z, given: respond(assembly, z, given).effect)(z, account(hypothesis, assembly))
    )
    predicted = problem.contrasts_1d @ effect
    assert np.abs(predicted[1]).max() > 0.1
    assert np.abs(predicted.sum(axis=0)).max() < 1e-12


@pytest.mark.slow
def test_readout_entered_twice_on_the_same_subjects_counts_once(ketamine):
    once = of_mice(ketamine, p_value("K", "KA", same_subjects="mice", correlation=1.0))
    twice = of_mice(ketamine, *2 * [p_value("K", "KA", same_subjects="mice", correlation=1.0)])
    assembly = assemble(once)
    z = draws_of(assembly, 500)
    problems = [build_problem(c, assembly) for c in (once, twice)]
    functions = [for_few(problem) for problem in problems]
    for hypothesis in ketamine.case.hypotheses[:3]:
        one, two = (evaluate_with(f, p, hypothesis, z) for f, p in zip(functions, problems, strict=True))
        assert np.abs(one - two).max() < 1e-10


@pytest.mark.slow
def test_readout_entered_in_two_reports_of_a_cohort_counts_once(ketamine):
    once = of_mice(ketamine, p_value("K", "KA", same_subjects="mice", correlation=1.0))
    study = once.ledger.study("zhang_hashimoto2019")
    again = study.model_copy(update={"id": "zhang_again"})
    assert again.cohort == study.cohort
    twice = dataclasses.replace(once, ledger=Ledger((*once.ledger.studies, again)))
    assemblies = [assemble(c) for c in (once, twice)]
    z = draws_of(assemblies[0], 500)
    hypothesis = ketamine.case.hypotheses[2]
    problems = [build_problem(c, assembly) for c, assembly in zip((once, twice), assemblies, strict=True)]
    one, two = (evaluate(problem, hypothesis, z) for problem in problems)
    assert np.abs(one - two).max() < 1e-10


def test_uncorrelated_readouts_count_in_full(ketamine):
    once = of_mice(ketamine, p_value("K", "KA"))
    twice = of_mice(ketamine, *2 * [p_value("K", "KA", same_subjects="mice", correlation=0.0)])
    assembly = assemble(once)
    one, two = (build_problem(c, assembly) for c in (once, twice))
    assert two.log_saturated[0] == pytest.approx(2 * one.log_saturated[0], rel=1e-12)


# Heterogeneity and study failure


@pytest.fixture(scope="module")
def cohort_logs(whole):
    """Log likelihoods of the whole record's cohorts by a number of nodes, each number compiled once."""
    assembly, problem = whole

    @functools.cache
    def compiled(nodes):
        def logs(z, given):
            effect = respond(assembly, z, given.account, given.table).effect
            return cohort_log_likelihoods(problem, effect, cohort_spread(problem, z, given), count=nodes)

        return jax.jit(logs)

    def evaluated(hypothesis, z, nodes):
        given = setting(problem, account(hypothesis, assembly))
        blocks = np.split(z, z.shape[1] // 100, axis=1)
        return np.concatenate([np.asarray(compiled(nodes)(block, given)) for block in blocks], axis=1)

    return evaluated


def test_cohorts_that_do_not_vary_have_the_likelihood_of_their_tables_and_of_failure(ketamine):
    loaded = of_mice(ketamine, p_value("K", "V"), p_value("KA", "V"))
    problem = build_problem(loaded, assemble(loaded))
    rows = problem.contrasts_1d.shape[1]
    effect = np.random.default_rng(0).normal(0.5, 1.0, (rows, 50))
    found = cohort_log_likelihoods(problem, jnp.asarray(effect), jnp.full(50, 1e-9))
    tables = evaluate_1d(problem.tables, jnp.asarray(problem.contrasts_1d @ effect))
    held = np.log1p(-problem.failure) + np.asarray(tables).sum(axis=0)
    failed = np.log(problem.failure) + sum(s.reduced.log_saturated for s in problem.scored)
    np.testing.assert_allclose(found, np.logaddexp(held, failed)[None], atol=1e-6)


def with_antagonist_alone(loaded):
    """The mouse study with its fourth arm: what the blocked one gets but for the test drug."""

    def completed(experiment):
        protocol = experiment.protocol
        doses = tuple(dose for dose in protocol.arms["KA"].doses if dose.drug == "naltrexone")
        arms = protocol.arms | {"A": protocol.arms["KA"].model_copy(update={"doses": doses})}
        return experiment.model_copy(update={"protocol": protocol.model_copy(update={"arms": arms})})

    studies = tuple(
        study.model_copy(update={"experiments": tuple(map(completed, study.experiments))})
        if study.id == "zhang_hashimoto2019"
        else study
        for study in loaded.ledger.studies
    )
    return dataclasses.replace(loaded, ledger=Ledger(studies))


def means_of(**arms: float) -> Means:
    arms_ = {
        name: {"mean": mean, "spread": 12.0, "spread_kind": "SD", "n": 10} for name, mean in arms.items()
    }
    said = {"form": "means", "endpoint": "hours_3", "arms": arms_, "source": HERE}
    return Means.model_validate(said)


@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_means_of_four_arms_have_the_density_of_all_their_differences(ketamine, precision):
    loaded = with_antagonist_alone(of_mice(ketamine, means_of(V=150.0, K=100.0, KA=148.0, A=152.0)))
    problem = build_problem(loaded, assemble(loaded))
    effect = np.random.default_rng(0).normal(0.5, 1.5, (problem.contrasts_1d.shape[1], 50))
    found = cohort_log_likelihoods(problem, jnp.asarray(effect, precision), jnp.full(50, 1e-9, precision))
    (s,) = problem.scored
    delta = problem.contrasts[0] @ effect
    d = {"K": 50 / 12, "KA": 2 / 12, "A": -2 / 12}  # less immobility is better
    observed = np.array([d[contrast[0][0]] for contrast in s.reduced.contrasts])
    noise = fixed_value({one.name: one.distribution for one in loaded.case.priors}, "arm_noise") ** 2
    covariance = (1 / 10 + noise) * (np.eye(3) + 1)
    # Integrated over the estimated SD, in true ones: a chi of 36 degrees of freedom.
    u = np.linspace(1e-3, 2.5, 4001)
    weight = stats.chi.pdf(u * 6, 36) * 6 * u**3
    gap = u[:, None, None] * observed[:, None] - delta
    form = np.einsum("uid,ij,ujd->ud", gap, np.linalg.inv(covariance), gap)
    log_norm = -0.5 * np.linalg.slogdet(2 * np.pi * covariance)[1]
    held = np.log(np.trapezoid(weight[:, None] * np.exp(log_norm - 0.5 * form), u, axis=0))
    exact = np.logaddexp(np.log1p(-problem.failure) + held, np.log(problem.failure) + s.reduced.log_saturated)
    np.testing.assert_allclose(found[0], exact, atol=1e-5 if precision is np.float64 else 2e-3)


def test_means_of_three_arms_count_the_same_by_their_quadratic_form_and_by_a_table(ketamine):
    """Those on which publication may have depended keep a table over both contrasts."""
    found = []
    for selected in (False, True):
        means = means_of(V=150.0, K=100.0, KA=148.0).model_copy(update={"selected": selected})
        loaded = of_mice(ketamine, means)
        problem = build_problem(loaded, assemble(loaded))
        effect = np.random.default_rng(0).normal(0.5, 1.5, (problem.contrasts_1d.shape[1], 200))
        found.append(cohort_log_likelihoods(problem, jnp.asarray(effect), jnp.full(200, 1e-9)))
    np.testing.assert_allclose(found[0], found[1], atol=5e-4)


@pytest.mark.slow
def test_heterogeneity_integral_agrees_with_64_nodes(ketamine, whole, cohort_logs):
    z = draws_of(whole[0], 500)
    for name in ("nmdar", "nmdar-permissive-opioid"):
        hypothesis = next(h for h in ketamine.case.hypotheses if h.name == name)
        few, many = (cohort_logs(hypothesis, z, nodes) for nodes in (12, 64))
        wrong = np.abs(few - many)
        # The worst draws have a spread of about one log unit, far in the tail of its prior.
        assert wrong.mean() < 1e-3 and np.quantile(wrong, 0.99) < 0.02
        evidence = [np.logaddexp.reduce(logs.sum(axis=0)) for logs in (few, many)]
        assert evidence[0] == pytest.approx(evidence[1], abs=5e-3)


@pytest.mark.slow
def test_heterogeneity_integral_converges(ketamine, whole, cohort_logs):
    """As it would not if effects beyond the tables met in their corner, where a difference between arms is lost."""
    z = draws_of(whole[0], 500)
    hypothesis = next(h for h in ketamine.case.hypotheses if h.name == "nmdar")
    few, many = (cohort_logs(hypothesis, z, nodes) for nodes in (64, 96))
    assert np.abs(few - many).max() < 5e-3


@pytest.mark.slow
def test_order_of_effects_beyond_the_table_is_kept(ketamine):
    loaded = with_outcomes(
        ketamine, lambda s, e: [o for o in e.outcomes if s.id == "zhang_hashimoto2019" and is_scored(o)]
    )
    problem = build_problem(loaded, assemble(loaded))
    weaker, stronger = jnp.full((2, 1), 20.0), jnp.full((2, 1), 15.0)  # both beyond the table
    unblocked = evaluate_2d(problem.tables, jnp.full((2, 1), 20.0), weaker)
    blocked = evaluate_2d(problem.tables, jnp.full((2, 1), 20.0), stronger)
    assert np.all(np.asarray(unblocked) > np.asarray(blocked) + 0.1)


@pytest.mark.slow
def test_study_failure_bounds_each_cohort_from_below(ketamine, whole, cohort_logs):
    assembly, problem = whole
    bound = np.log(problem.failure) + problem.log_saturated[:, None]
    for hypothesis in ketamine.case.hypotheses:
        assert np.all(cohort_logs(hypothesis, draws_of(assembly, 200), 12) >= bound - 1e-12)


@pytest.mark.slow
def test_hypothesis_that_says_nothing_has_the_heterogeneity_of_nothing(whole, ketamine, cohort_logs):
    """With no effect to multiply, cohorts without people or antagonists have one likelihood for all draws."""
    assembly, problem = whole
    nothing = next(h for h in ketamine.case.hypotheses if h.gate == "0")
    logs = cohort_logs(nothing, draws_of(assembly, 200), 12)
    assert np.ptp(logs[problem.cohorts.index("zhang2014")]) < 1e-12


# Weights


def by_name(assembly, other, z):
    """Draws of another assembly's parameters, taken by name."""
    return z[[assembly.index[p.name] for p in other.parameters]]


def scored_if(loaded, keep):
    """Narratives and unscored outcomes stay, so that anchors and protocols do."""
    return with_outcomes(loaded, lambda s, e: [o for o in e.outcomes if keep(s, e) or not is_scored(o)])


@pytest.mark.slow
@pytest.mark.parametrize("year", [2014, 2018, 2019])
def test_until_equals_dropping_later_studies(ketamine, whole, year):
    assembly, problem = whole
    early = scored_if(ketamine, lambda study, experiment: study.year <= year)
    less = assemble(early)
    reduced = build_problem(early, less)
    cut = build_problem(ketamine, assembly, until=year)
    z = draws_of(assembly, 500)
    hypothesis = ketamine.case.hypotheses[2]
    weights = np.where(cut.years > year, 0.0, cut.link)
    function = for_few(cut)
    there = evaluate_with(function, cut, hypothesis, z, weights=weights)
    here = evaluate(reduced, hypothesis, by_name(assembly, less, z))
    assert 0 < len(reduced.scored) < len(problem.scored)
    assert np.abs(there - here).max() < 1e-9


def test_until_drops_a_later_report_of_a_cohort_that_began_before(ketamine):
    first = of_mice(ketamine, p_value("K", "KA"))
    study = first.ledger.study("zhang_hashimoto2019")
    later = study.model_copy(update={"id": "zhang_later", "year": study.year + 2})
    both = dataclasses.replace(first, ledger=Ledger((*first.ledger.studies, later)))
    problem = build_problem(both, assemble(both), until=study.year)
    assert [s.study.id for s in problem.scored] == [study.id]
    assert len(build_problem(both, assemble(both)).scored) == 2


@pytest.mark.slow
def test_link_zero_equals_dropping_slices(ketamine, whole):
    assembly, problem = whole
    behaving = scored_if(ketamine, lambda s, e: e.protocol.subject.preparation == "behaving")
    less = assemble(behaving)
    reduced = build_problem(behaving, less)
    z = draws_of(assembly, 500)
    hypothesis = ketamine.case.hypotheses[2]
    weights = np.array([0.0 if name.endswith(", slice") else 1.0 for name in problem.cohorts])
    assert weights.min() == 0 and weights.max() == 1
    function = for_few(problem)
    there = evaluate_with(function, problem, hypothesis, z, weights=weights)
    assert np.abs(there - evaluate(reduced, hypothesis, by_name(assembly, less, z))).max() < 1e-9


def test_empty_record_has_log_likelihood_zero(ketamine):
    empty = dataclasses.replace(ketamine, ledger=Ledger())
    assembly = assemble(empty)
    problem = build_problem(empty, assembly)
    assert not problem.scored
    assert not evaluate(problem, ketamine.case.hypotheses[0], draws_of(assembly, 10)).any()
