"""Counts of responders: closed forms, simulated trials, and what a retest is worth."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import betaln, comb, log_ndtr, logsumexp, ndtr, ndtri

from gaddum.outcomes.noncentral_t import GRID
from gaddum.outcomes.responder_counts import (
    correlation_nodes,
    placebo_weights,
    responders_log_probability,
    retest_log_probability,
)
from gaddum.records.outcome.responders import Count
from gaddum.records.prior import Beta, Fixed, LogitNormal, Normal


def beta(a: float, b: float) -> Beta:
    return Beta(family="beta", a=a, b=b)


def fixed(value: float) -> Fixed:
    return Fixed(family="fixed", value=value)


HALF = fixed(0.5)
PLACEBO = beta(2, 9)


def test_known_placebo_response_gives_a_binomial() -> None:
    log_p = responders_log_probability((Count(responders=5, n=12),), HALF)
    expected = np.log(comb(12, 5)) + 5 * log_ndtr(GRID) + 7 * log_ndtr(-GRID)
    np.testing.assert_allclose(log_p, expected, rtol=1e-9)


def test_beta_prior_without_effect_is_the_beta_binomial() -> None:
    log_p = responders_log_probability((Count(responders=5, n=12),), PLACEBO)
    assert log_p[120] == pytest.approx(stats.betabinom.logpmf(5, 12, 2, 9), abs=1e-6)


def test_placebo_integral_agrees_with_direct_quadrature_in_the_tails() -> None:
    log_p = responders_log_probability((Count(responders=5, n=12),), PLACEBO)
    q = np.linspace(-10, 10, 100_001)
    log_prior = log_ndtr(q) + 8 * log_ndtr(-q) - 0.5 * q**2 - 0.5 * np.log(2 * np.pi) - betaln(2, 9)
    for i in (40, 70, 100, 131, 150, 170, 190):
        x = q + GRID[i]
        log_f = log_prior + np.log(comb(12, 5)) + 5 * log_ndtr(x) + 7 * log_ndtr(-x)
        expected = logsumexp(log_f) + np.log(q[1] - q[0])
        assert log_p[i] == pytest.approx(expected, abs=1e-4)


def test_vehicle_counts_update_the_placebo_response() -> None:
    log_p = responders_log_probability(
        (Count(responders=5, n=12),), PLACEBO, vehicle=Count(responders=3, n=20)
    )
    expected = stats.betabinom.logpmf(3, 20, 2, 9) + stats.betabinom.logpmf(5, 12, 5, 26)
    assert log_p[120] == pytest.approx(expected, abs=1e-6)


@pytest.mark.slow
def test_probabilities_of_all_counts_sum_to_one() -> None:
    total = sum(
        np.exp(responders_log_probability((Count(responders=k, n=4), Count(responders=j, n=2)), PLACEBO))
        for k in range(5)
        for j in range(3)
    )
    np.testing.assert_allclose(total, 1, atol=1e-9)


def test_probabilities_of_all_retests_sum_to_that_of_the_test() -> None:
    total = sum(
        np.exp(
            retest_log_probability(Count(responders=2, n=4), Count(responders=r, n=2), PLACEBO, fixed(0.6))
        )
        for r in range(3)
    )
    test = np.exp(responders_log_probability((Count(responders=2, n=4),), PLACEBO))
    np.testing.assert_allclose(total, np.broadcast_to(test[:, None], total.shape), rtol=1e-8)


def test_no_correlation_makes_the_sessions_independent() -> None:
    log_p = retest_log_probability(Count(responders=6, n=10), Count(responders=2, n=6), HALF, fixed(0.0))
    expected = stats.binom.logpmf(6, 10, ndtr(0.3)) + stats.binom.logpmf(2, 6, ndtr(-0.4))
    assert log_p[123, 116] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rho", [0.2, 0.7, 0.97])
def test_retest_agrees_with_the_bivariate_normal(rho: float) -> None:
    log_p = retest_log_probability(Count(responders=7, n=12), Count(responders=0, n=7), HALF, fixed(rho))
    for i, j in [(122, 118), (130, 130), (115, 90)]:
        x, y = GRID[i], GRID[j]
        once = ndtr(x) - stats.multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([x, y])
        expected = np.log(stats.binom.pmf(7, 12, ndtr(x))) - 7 * np.log(ndtr(x)) + 7 * np.log(once)
        assert log_p[i, j] == pytest.approx(expected, abs=1e-4)


def test_retest_tail_agrees_with_direct_quadrature() -> None:
    rho = 0.7
    log_p = retest_log_probability(Count(responders=2, n=4), Count(responders=1, n=2), HALF, fixed(rho))
    u = np.linspace(-14, 14, 200_001)
    for i, j in [(80, 110), (150, 60), (165, 150)]:
        x, y = ((GRID[k] + np.sqrt(rho) * u) / np.sqrt(1 - rho) for k in (i, j))
        step = stats.norm.pdf(u) * (u[1] - u[0])
        both, once = np.sum(step * ndtr(x) * ndtr(y)), np.sum(step * ndtr(x) * ndtr(-y))
        expected = np.log(12 * both * once) + 2 * stats.norm.logcdf(-GRID[i])
        assert log_p[i, j] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("a", "b"), [(3, 7), (8, 2)])
def test_quadrature_of_the_correlation_has_converged(a: float, b: float) -> None:
    log_p = retest_log_probability(Count(responders=7, n=12), Count(responders=0, n=7), HALF, beta(a, b))
    rho = (np.arange(400) + 0.5) / 400
    u = np.linspace(-9, 9, 2001)[:, None]
    for i, j in [(122, 118), (122, 122), (130, 100), (140, 150)]:
        x, y = ((GRID[k] + np.sqrt(rho) * u) / np.sqrt(1 - rho) for k in (i, j))
        once = np.sum(stats.norm.pdf(u) * ndtr(x) * ndtr(-y), axis=0) * (u[1] - u[0])
        chance = np.mean(stats.beta.pdf(rho, a, b) * once**7)
        expected = np.log(comb(12, 7) * chance) + 5 * log_ndtr(-GRID[i])
        assert log_p[i, j] == pytest.approx(expected, abs=2e-4)


def test_a_blocked_retest_is_likelier_to_find_no_responder() -> None:
    log_p = retest_log_probability(Count(responders=7, n=12), Count(responders=0, n=7), PLACEBO, beta(4, 3))
    assert np.all(np.diff(log_p[135]) < 1e-9)


def test_placebo_weights_keep_the_prior_mean() -> None:
    q0 = np.round(0.1 * np.arange(-100, 101), 10)
    assert placebo_weights(PLACEBO) @ ndtr(q0) == pytest.approx(2 / 11, abs=1e-8)
    weights = placebo_weights(LogitNormal(family="logit-normal", median=0.3, sd=0.5))
    assert weights[q0 < ndtri(0.3)].sum() == pytest.approx(0.5, abs=0.05)


def test_a_prior_that_is_no_fraction_is_refused() -> None:
    normal = Normal(family="normal", mean=0.3, sd=0.1)
    with pytest.raises(ValueError, match="placebo"):
        placebo_weights(normal)
    with pytest.raises(ValueError, match="retest correlation"):
        correlation_nodes(normal)


def test_a_retest_larger_than_its_test_is_refused() -> None:
    with pytest.raises(ValueError, match="more subjects than there were responders"):
        retest_log_probability(Count(responders=3, n=9), Count(responders=0, n=7), PLACEBO, beta(4, 3))
