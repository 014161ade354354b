"""Power of t-tests through the likelihood's noncentral t."""

import pytest
from scipy import stats

from gaddum.infer.power import t_test_power


def test_two_sample_power_of_seven_per_group() -> None:
    assert t_test_power(7, 1.0) == pytest.approx(0.4058069, abs=1e-7)


@pytest.mark.parametrize(("n", "n2", "d"), [(5, 12, 0.7), (20, 20, 0.3), (3, 3, 2.5)])
def test_power_agrees_with_scipy_where_scipy_works(n: int, n2: int, d: float) -> None:
    df, shift = n + n2 - 2, d * (n * n2 / (n + n2)) ** 0.5
    limit = stats.t.isf(0.025, df)
    expected = stats.nct.sf(limit, df, shift) + stats.nct.cdf(-limit, df, shift)
    assert t_test_power(n, d, n2=n2) == pytest.approx(float(expected), abs=1e-9)


def test_power_without_an_effect_is_the_level() -> None:
    assert t_test_power(9, 0.0, alpha=0.01) == pytest.approx(0.01, abs=1e-10)


def test_paired_power_is_that_of_a_one_sample_test() -> None:
    limit = stats.t.isf(0.025, 9)
    expected = stats.nct.sf(limit, 9, 0.8 * 10**0.5) + stats.nct.cdf(-limit, 9, 0.8 * 10**0.5)
    assert t_test_power(10, 0.8, paired=True) == pytest.approx(float(expected), abs=1e-9)


def test_power_needs_two_subjects() -> None:
    with pytest.raises(ValueError, match="at least 2 subjects"):
        t_test_power(1, 1.0)
