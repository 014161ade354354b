"""JZS Bayes factors against their definition and published values."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from gaddum.outcomes.bayes_factor import SCALE, jzs_log_bf10, t_of_log_bf10

SIZES = st.integers(2, 400)
SCALES = st.floats(0.05, 5.0)


@pytest.mark.parametrize(
    ("t", "size", "df", "scale"),
    [(0.0, 7, 6, SCALE), (2.0, 7, 6, 1.0), (4.1, 7, 6, SCALE), (1.3, 5, 18, 0.5)],
)
def test_bayes_factor_is_the_mean_likelihood_over_a_cauchy_prior(
    t: float, size: float, df: float, scale: float
):
    def weighed(effect: float) -> float:
        return float(stats.nct.pdf(t, df, effect * size**0.5) * stats.cauchy.pdf(effect, scale=scale))

    mean = integrate.quad(weighed, -np.inf, np.inf, epsabs=1e-12, limit=300)[0]
    expected = np.log(mean / stats.t.pdf(t, df))
    assert jzs_log_bf10(np.array(t), size, df, scale) == pytest.approx(expected, abs=1e-8)


def test_seven_pairs_need_a_t_of_4_15_and_never_show_more_than_2_83_for_none():
    assert t_of_log_bf10(np.log(10), 7, 6) == pytest.approx(4.15, abs=0.005)
    assert np.exp(-jzs_log_bf10(np.array(0.0), 7, 6)) == pytest.approx(2.83, abs=0.005)


@pytest.mark.parametrize(("t", "pairs"), [(0.69, 80), (3.20, 100)])
def test_bayes_factor_is_the_integral_over_g_of_equation_1_of_rouder(t: float, pairs: int):
    df = pairs - 1

    def integrand(g: float) -> float:
        prior = (2 * np.pi) ** -0.5 * g**-1.5 * np.exp(-1 / (2 * g))
        return float((1 + pairs * g) ** -0.5 * (1 + t**2 / ((1 + pairs * g) * df)) ** (-pairs / 2) * prior)

    mean = sum(integrate.quad(integrand, *part, epsabs=1e-14)[0] for part in ((0, 1), (1, np.inf)))
    expected = (1 + t**2 / df) ** (-pairs / 2) / mean
    found = np.exp(-jzs_log_bf10(np.array(t), pairs, df, 1.0))
    assert found == pytest.approx(expected, rel=1e-7)


@settings(deadline=None, max_examples=40)
@given(SIZES, SCALES, st.floats(0, 30), st.floats(0.01, 10))
def test_bayes_factor_grows_with_the_size_of_t_whatever_its_sign(n: int, scale: float, t: float, more: float):
    low, high, other = jzs_log_bf10(np.array([t, t + more, -t]), n, n - 1, scale)
    assert low < high
    assert low == other


@settings(deadline=None, max_examples=40)
@given(SIZES, SCALES, st.floats(0.01, 5))
def test_threshold_is_the_inverse_of_the_bayes_factor(n: int, scale: float, above: float):
    wanted = float(jzs_log_bf10(np.array(above), n, n - 1, scale))
    assert t_of_log_bf10(wanted, n, n - 1, scale) == pytest.approx(above, rel=1e-6, abs=1e-6)


def test_what_is_never_less_needs_no_t_and_what_no_t_reaches_an_infinite_one():
    assert t_of_log_bf10(-50.0, 7, 6) == 0
    assert t_of_log_bf10(1e4, 2, 1) == np.inf


def test_bayes_factor_of_no_data_to_speak_of_is_one():
    assert jzs_log_bf10(np.array(0.5), 1e-9, 10) == pytest.approx(0.0, abs=1e-3)
