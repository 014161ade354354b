"""Comparison in closed form: variants, equivalence classes, posterior probabilities, importance weights."""

import jax
import numpy as np
import pytest

from gaddum.response.assemble import assemble
from gaddum.weigh import compare
from gaddum.weigh.likelihood import build_problem
from letter import load_letter

NO_ERROR = np.zeros(1)


@pytest.fixture(scope="module")
def ketamine():
    return load_letter()


def weigh(log_ml, masses=None, groups=None):
    names = [f"h{i}" for i in range(len(log_ml))]
    masses = np.ones(len(log_ml)) if masses is None else np.array(masses)
    groups = groups or [[i] for i in range(len(log_ml))]
    logs = [np.atleast_1d(np.asarray(x, float)) for x in log_ml]
    return compare.weigh(names, masses, groups, logs, [np.zeros(x.size) for x in logs])


def test_variants_share_the_mass_so_their_marginal_likelihoods_average():
    value, error, share = compare.combine(np.log([0.2, 0.4, 0.6]), np.array([0.1, 0.2, 0.3]))
    assert value == pytest.approx(np.log(0.4), abs=1e-14)
    assert share == pytest.approx((1 / 6, 1 / 3, 1 / 2), abs=1e-14)
    assert error == pytest.approx(np.sqrt((0.1 / 6) ** 2 + (0.2 / 3) ** 2 + (0.3 / 2) ** 2), abs=1e-14)


def test_combining_does_not_overflow():
    value, _, share = compare.combine(np.array([-2000.0, -2001.0]), np.zeros(2))
    assert value == pytest.approx(-2000 + np.log((1 + np.exp(-1)) / 2), abs=1e-10)
    assert sum(share) == pytest.approx(1, abs=1e-12)


def test_posterior_probabilities_are_mass_times_marginal_likelihood():
    found = weigh(np.log([0.1, 0.3, 0.6]), masses=[2.0, 1.0, 1.0])
    total = 0.2 + 0.3 + 0.6
    assert [w.probability for w in found.values()] == pytest.approx(
        [0.2 / total, 0.3 / total, 0.6 / total], abs=1e-14
    )


def test_members_of_a_class_share_one_mass():
    found = weigh([0.0, 0.0, 0.0], groups=[[0, 2], [1]])
    assert [w.probability for w in found.values()] == pytest.approx([0.25, 0.5, 0.25], abs=1e-14)
    masses = compare.prior_masses(np.array([1.0, 1.0, 1.0]), [[0, 2], [1]])
    assert masses == pytest.approx([0.25, 0.5, 0.25], abs=1e-14)


def test_hypothesis_entered_again_leaves_the_others_probability():
    alone = weigh(np.log([0.2, 0.8]))
    again = weigh(np.log([0.2, 0.8, 0.2]), groups=[[0, 2], [1]])
    assert again["h1"].probability == pytest.approx(alone["h1"].probability, abs=1e-14)


def test_permuting_hypotheses_permutes_probabilities():
    logs, order = np.log([0.2, 0.5, 0.9]), [2, 0, 1]
    one, other = weigh(logs), weigh(logs[order])
    for new, old in enumerate(order):
        assert other[f"h{new}"].probability == pytest.approx(one[f"h{old}"].probability, abs=1e-14)


def test_reweighting_is_the_mean_ratio_of_likelihoods():
    logs = np.log(np.array([0.5, 1.0, 2.0, 4.5]))
    value, effective = compare.reweighted_log_ml(-3.0, logs)
    assert value == pytest.approx(-3 + np.log(2.0), abs=1e-14)
    assert effective == pytest.approx(8.0**2 / (0.25 + 1 + 4 + 20.25), abs=1e-12)


def test_reweighting_by_nothing_changes_nothing():
    value, effective = compare.reweighted_log_ml(-3.0, np.zeros(50))
    assert value == pytest.approx(-3.0, abs=1e-14) and effective == pytest.approx(50, abs=1e-10)


def test_reweighting_a_conjugate_normal_by_dropping_a_datum():
    """Prior N(0, 1), data y_1 = 0.7 and y_2 = -0.2 of unit variance: drop the second from posterior draws."""
    random = np.random.default_rng(0)
    y = np.array([0.7, -0.2])

    def log_ml(data):
        covariance = np.eye(data.size) + 1
        return -0.5 * (
            data @ np.linalg.solve(covariance, data)
            + np.linalg.slogdet(covariance)[1]
            + data.size * np.log(2 * np.pi)
        )

    draws = y.sum() / 3 + random.standard_normal(200_000) / np.sqrt(3)
    dropped = 0.5 * (y[1] - draws) ** 2 + 0.5 * np.log(2 * np.pi)
    value, _ = compare.reweighted_log_ml(log_ml(y), dropped)
    assert value == pytest.approx(log_ml(y[:1]), abs=0.01)


def test_classes_are_chains_of_near_neighbours():
    far, near = 1.0, compare.EQUIVALENT_BELOW / 2
    divergence = np.full((4, 4), far)
    np.fill_diagonal(divergence, 0.0)
    divergence[0, 2] = divergence[2, 0] = divergence[2, 3] = divergence[3, 2] = near
    assert compare.classes(divergence) == [[0, 2, 3], [1]]
    assert compare.classes(np.zeros((0, 0))) == []


def test_variants_follow_the_phased_inputs(ketamine):
    found = compare.variants(ketamine.case)
    for hypothesis in ketamine.case.hypotheses:
        phases = [v.phase for v in found if v.hypothesis.name == hypothesis.name]
        assert phases == (list(compare.PHASES) if hypothesis.phased else [None])


@pytest.mark.slow
def test_divergence_is_zero_to_itself_symmetric_and_large_between_rivals(ketamine):
    assembly = assemble(ketamine)
    problem = build_problem(ketamine, assembly)
    contrasts = np.concatenate([problem.contrasts_1d, *problem.contrasts_2d])
    variants = [v for v in compare.variants(ketamine.case) if v.phase in (None, "both")]
    named = {v.hypothesis.name: v for v in variants}
    chosen = [named[name] for name in ("nmdar", "nmdar-permissive-opioid", "nmdar", "nothing-specific")]
    accounts = [compare.variant_account(v, assembly, absolute=False) for v in chosen]
    with jax.enable_x64(True):
        found = compare.divergences(accounts, assembly, contrasts, seed=0)
    assert np.array_equal(found, found.T) and not np.diag(found).any()
    assert found[0, 2] < 1e-12
    assert compare.classes(found) == [[0, 2], [1], [3]]
