"""Importance weights against cases whose answer is known exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gaddum.prediction.importance import moved_chances, new_weights

DRAWS = 4000


def normal_accounts(seed: int, reading: float, sd: float = 1.0):
    """Two accounts: a mean about 0 and one about 2, each known to 1; the study reads it with an error."""
    random = np.random.default_rng(seed)
    means = np.array([0.0, 2.0])[:, None] + random.standard_normal((2, DRAWS))
    return means, stats.norm.logpdf(reading, means, sd)


def exact(reading: float, level: float) -> tuple[np.ndarray, float]:
    """Probability of each account, and that the mean exceeds a level, by conjugacy."""
    fit = stats.norm.pdf(reading, [0.0, 2.0], 2**0.5)
    chance = fit / fit.sum()
    above = stats.norm.sf(level, (np.array([0.0, 2.0]) + reading) / 2, 0.5**0.5)
    return chance, float(chance @ above)


@pytest.mark.parametrize("reading", [-1.0, 1.0, 2.5])
def test_weights_give_the_conjugate_posterior_within_their_error(reading: float):
    misses = []
    for seed in range(40):
        means, logs = normal_accounts(seed, reading)
        weights = new_weights(np.full(2, 0.5), logs, np.full(2, float(DRAWS)), np.zeros(2))
        truth = np.stack([means > 1.0, np.broadcast_to([[True], [False]], means.shape)], axis=1).astype(float)
        found = moved_chances(weights, truth)
        chance, above = exact(reading, 1.0)
        before = 0.5 * (stats.norm.sf(1.0) + stats.norm.sf(-1.0))
        expected = np.array([above - before, chance[0] - 0.5])
        misses.append((found.after - found.before - expected) / found.error)
    z = np.array(misses)
    assert np.abs(z.mean(axis=0)).max() < 4 / 40**0.5
    assert (np.abs(z.std(axis=0) - 1) < 4 / 80**0.5).all()


def test_log_evidence_is_the_conjugate_one_within_its_error():
    _, logs = normal_accounts(3, 1.0)
    found = new_weights(np.full(2, 0.5), logs, np.full(2, float(DRAWS)), np.zeros(2))
    expected = stats.norm.logpdf(1.0, [0.0, 2.0], 2**0.5)
    assert (np.abs(found.log_evidence - expected) < 4.5 * found.log_evidence_error).all()


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 6), st.integers(2, 40), st.integers(0, 10**6))
def test_reweighing_few_draws_is_bayes_rule_over_all_of_them(accounts: int, draws: int, seed: int):
    random = np.random.default_rng(seed)
    probability = random.dirichlet(np.ones(accounts))
    logs = random.normal(0, 2, (accounts, draws))
    truth = (random.random((accounts, 3, draws)) < 0.5).astype(float)
    found = moved_chances(new_weights(probability, logs, np.full(accounts, draws), np.zeros(accounts)), truth)
    joint = probability[:, None] / draws * np.exp(logs)
    expected = np.einsum("ad,apd->p", joint / joint.sum(), truth)
    np.testing.assert_allclose(found.after, expected, atol=1e-12)


def test_a_study_that_says_nothing_moves_nothing_without_error():
    weights = new_weights(np.array([0.3, 0.7]), np.full((2, 50), -3.0), np.full(2, 50.0), np.full(2, 0.1))
    truth = np.random.default_rng(0).integers(0, 2, (2, 4, 50)).astype(float)
    found = moved_chances(weights, truth)
    np.testing.assert_allclose(found.after, found.before, atol=1e-12)
    np.testing.assert_allclose(found.error, 0, atol=1e-12)
    np.testing.assert_allclose(weights.effective, 50)


def test_draws_that_are_worth_fewer_give_larger_errors_and_fewer_effective_ones():
    means, logs = normal_accounts(1, 1.5)
    truth = (means > 1)[:, None].astype(float)
    few, many = (
        new_weights(np.full(2, 0.5), logs, np.full(2, worth), np.zeros(2)) for worth in (DRAWS / 4, DRAWS)
    )
    np.testing.assert_allclose(few.effective * 4, many.effective)
    np.testing.assert_allclose(moved_chances(few, truth).error, 2 * moved_chances(many, truth).error)


def test_error_of_the_evidence_by_the_run_enters_where_the_study_moves_an_account():
    _, logs = normal_accounts(1, 3.0)
    truth = np.array([1.0, 0.0])[:, None, None]
    sure, unsure = (
        moved_chances(
            new_weights(np.full(2, 0.5), logs, np.full(2, float(DRAWS)), np.full(2, one)), truth
        ).error[0]
        for one in (0.0, 0.2)
    )
    assert unsure > sure


def test_an_account_of_no_probability_gets_none():
    found = new_weights(np.array([0.0, 1.0]), np.zeros((2, 10)), np.full(2, 10.0), np.zeros(2))
    assert found.after.sum(axis=1).tolist() == pytest.approx([0.0, 1.0])
