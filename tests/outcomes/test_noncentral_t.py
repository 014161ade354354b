"""Noncentral t densities and intervals against mpmath, scipy and direct quadrature, tails included."""

import mpmath as mp
import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import log_ndtr, logsumexp

from gaddum.outcomes.joint_means import JointMeans
from gaddum.outcomes.noncentral_t import (
    GRID,
    LOG_FLOOR,
    chi_nodes,
    effect_interval,
    effect_logpdf,
    floored,
    nct_interval,
    nct_logpdf,
    t_of_p,
)

CASES = [(2.4, 3.0), (0.05, 14.0), (7.5, 15.0), (-3.1, 60.0), (31.0, 8.0)]
SHIFTS = np.array([-18.0, -5.0, 0.0, 2.5, 11.0, 22.0])


LOG_S = np.linspace(-20, 5, 40001)


def log_integral(log_f: np.ndarray, df: float) -> float:
    """Log of the integral over S of its density times f, by brute force on log s."""
    s = np.exp(LOG_S)
    log_density = stats.chi.logpdf(s * np.sqrt(df), df) + 0.5 * np.log(df)
    return float(logsumexp(log_density + LOG_S + log_f) + np.log(LOG_S[1] - LOG_S[0]))


@pytest.mark.parametrize(("t", "df"), CASES)
def test_density_agrees_with_direct_quadrature_in_bulk_and_tails(t: float, df: float) -> None:
    s = np.exp(LOG_S)
    expected = [log_integral(LOG_S + stats.norm.logpdf(t * s - shift), df) for shift in SHIFTS]
    np.testing.assert_allclose(nct_logpdf(t, df, SHIFTS), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("c", "df"), [(2.0, 14.0), (3.2, 4.0), (2.6, 60.0), (4.3, 2.0)])
def test_intervals_agree_with_direct_quadrature_in_bulk_and_tails(c: float, df: float) -> None:
    s = np.exp(LOG_S)
    above = [log_integral(log_ndtr(shift - c * s), df) for shift in SHIFTS]
    np.testing.assert_allclose(np.log(nct_interval(c, np.inf, df, SHIFTS)), above, rtol=0, atol=1e-5)
    near = []
    for shift in np.abs(SHIFTS):
        upper, lower = log_ndtr(c * s - shift), log_ndtr(-c * s - shift)
        near.append(log_integral(upper + np.log1p(-np.exp(lower - upper)), df))
    np.testing.assert_allclose(np.log(nct_interval(-c, c, df, SHIFTS)), near, rtol=0, atol=1e-5)


def test_density_agrees_with_mpmath() -> None:
    t, df, shift = mp.mpf("2.4"), mp.mpf(14), mp.mpf(-9)
    scale = 2 * (df / 2) ** (df / 2) / mp.gamma(df / 2)
    with mp.workdps(40):
        mass = mp.quad(
            lambda s: scale * s**df * mp.exp(-df * s * s / 2) * mp.npdf(t * s - shift), mp.linspace(0, 4, 41)
        )
    assert nct_logpdf(2.4, 14.0, np.array([-9.0]))[0] == pytest.approx(float(mp.log(mass)), abs=1e-9)


@pytest.mark.parametrize("df", [3.0, 16.0, 200.0])
def test_density_agrees_with_scipy_near_the_centre(df: float) -> None:
    shifts = np.linspace(-3, 4, 15)
    np.testing.assert_allclose(nct_logpdf(1.7, df, shifts), stats.nct.logpdf(1.7, df, shifts), atol=1e-8)


@pytest.mark.parametrize("df", [1.0, 2.0, 5.0, 24.0, 300.0])
def test_weights_of_s_sum_to_one_with_unit_second_moment(df: float) -> None:
    s, log_weight = chi_nodes(df, 5.0, 20.0)
    assert np.exp(log_weight).sum() == pytest.approx(1, abs=1e-9)
    assert (np.exp(log_weight) * s**2).sum() == pytest.approx(1, abs=1e-9)


def test_density_integrates_to_one_over_the_observation() -> None:
    d = np.linspace(-30, 30, 6001)
    mass = sum(np.exp(effect_logpdf(x, 0.3, 9.0, np.array([0.8]))[0]) for x in d) * (d[1] - d[0])
    assert mass == pytest.approx(1, abs=1e-6)


def test_intervals_partition() -> None:
    args = (0.25, 12.0, GRID)
    total = (
        effect_interval(-np.inf, -0.9, *args)
        + effect_interval(-0.9, 0.9, *args)
        + effect_interval(0.9, np.inf, *args)
    )
    np.testing.assert_allclose(total, 1, atol=1e-9)


def test_interval_probabilities_rise_with_the_effect() -> None:
    log_p = np.log(effect_interval(0.9, np.inf, 0.25, 12.0, GRID))
    assert np.all(np.diff(log_p) > -1e-10)


def test_density_mirrors() -> None:
    forward, backward = effect_logpdf(0.7, 0.2, 15.0, GRID), effect_logpdf(-0.7, 0.2, 15.0, -GRID)
    np.testing.assert_allclose(forward, backward, atol=1e-12)


def test_known_sd_is_the_normal_limit() -> None:
    expected = stats.norm.logpdf(0.7, GRID, 0.5)
    np.testing.assert_allclose(effect_logpdf(0.7, 0.25, np.inf, GRID), expected, atol=1e-12)
    np.testing.assert_allclose(effect_logpdf(0.7, 0.25, 1e7, GRID[100:140]), expected[100:140], atol=1e-4)


@pytest.mark.parametrize("df", [6.0, 24.0])
def test_joint_density_agrees_with_direct_quadrature(df: float) -> None:
    d, covariance = np.array([1.6, -0.2]), np.array([[0.25, 0.12], [0.12, 0.28]])
    grid = JointMeans((0.0,), d[None], covariance, df).on_grid()
    normal = stats.multivariate_normal(np.zeros(2), covariance)
    for i, j in [(120, 120), (136, 118), (160, 100), (80, 140), (200, 200), (60, 120), (240, 0)]:
        delta = np.array([GRID[i], GRID[j]])
        s = np.geomspace(1e-4, 12, 40001)
        log_f = stats.chi.logpdf(s * np.sqrt(df), df) + 0.5 * np.log(df) + 2 * np.log(s)
        log_f += normal.logpdf(s[:, None] * d - delta)
        top = log_f.max()
        expected = top + np.log(integrate.simpson(np.exp(log_f - top), x=s))
        assert grid[i, j] == pytest.approx(expected, abs=1e-6)


def test_joint_density_has_the_single_one_as_its_marginal() -> None:
    covariance = np.array([[0.25, 0.12], [0.12, 0.28]])
    second = np.linspace(-12, 12, 301)
    i, j = (int(np.argmin(np.abs(GRID - true))) for true in (0.5, 1.0))
    joint = [
        np.exp(JointMeans((0.0,), np.array([[0.9, y]]), covariance, 10.0).on_grid()[i, j]) for y in second
    ]
    mass = np.sum(joint) * (second[1] - second[0])
    assert np.log(mass) == pytest.approx(effect_logpdf(0.9, 0.25, 10.0, np.array([0.5]))[0], abs=1e-6)


def test_p_gives_the_t_it_came_from() -> None:
    assert 2 * stats.t.sf(t_of_p(0.013, 15), 15) == pytest.approx(0.013, rel=1e-10)


def test_floor_holds() -> None:
    assert floored(np.array([-np.inf, -1e5, -3.0])).tolist() == [LOG_FLOOR, LOG_FLOOR, -3.0]
