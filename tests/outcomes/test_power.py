"""Power of t-tests through the likelihood's noncentral t."""

import math

import numpy as np
import pytest
from scipy import stats

from gaddum.outcomes.power import contrast_power, detectable_contrast, detectable_effect, t_test_power


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


@pytest.mark.parametrize(("n", "n2", "paired"), [(3, None, False), (10, 14, False), (12, None, True)])
def test_detectable_effect_is_the_inverse_of_power(n: int, n2: int | None, paired: bool) -> None:
    effect = detectable_effect(n, n2=n2, paired=paired)
    assert t_test_power(n, effect, n2=n2, paired=paired) == pytest.approx(0.8, abs=1e-8)


def test_detectable_effect_of_large_groups_is_2_8_standard_errors() -> None:
    normal = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    assert normal == pytest.approx(2.8016, abs=1e-4)
    assert detectable_effect(5000) == pytest.approx(normal * (2 / 5000) ** 0.5, rel=1e-3)


def test_power_below_the_level_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="between the level"):
        detectable_effect(10, power=0.04)


def test_interaction_contrast_agrees_with_scipy() -> None:
    sizes = (8, 9, 10, 7)
    shift, df = 2.0 / sum(1 / n for n in sizes) ** 0.5, sum(sizes) - 4
    limit = stats.t.isf(0.025, df)
    expected = stats.nct.sf(limit, df, shift) + stats.nct.cdf(-limit, df, shift)
    assert contrast_power(sizes, (1, -1, -1, 1), 2.0) == pytest.approx(float(expected), abs=1e-9)


def test_detectable_contrast_is_the_inverse_of_its_power() -> None:
    sizes, weights = (8, 9, 10, 7), (1, -1, -1, 1)
    effect = detectable_contrast(sizes, weights)
    assert contrast_power(sizes, weights, effect) == pytest.approx(0.8, abs=1e-8)


def test_contrast_needs_a_weight_for_each_group() -> None:
    with pytest.raises(ValueError, match="one weight per group"):
        contrast_power((5, 5), (1,), 1.0)


@pytest.mark.parametrize("n", [10**6, 10**9, 10**15])
def test_power_of_vast_groups_is_that_of_a_known_sd(n):
    effect = 2.0 / np.sqrt(n / 2)
    known = stats.norm.sf(stats.norm.isf(0.025) - 2.0) + stats.norm.cdf(-stats.norm.isf(0.025) - 2.0)
    assert t_test_power(n, effect) == pytest.approx(known, abs=1e-6)
    assert t_test_power(n, 1.0) == 1.0


@pytest.mark.parametrize(
    "asked",
    [{"alpha": 1.5}, {"alpha": 0.0}, {"alpha": -1.0}, {"d": math.inf}, {"d": math.nan}],
)
def test_a_level_or_an_effect_that_cannot_be_is_refused(asked):
    with pytest.raises(ValueError, match="between 0 and 1 and of a finite effect"):
        t_test_power(7, **({"d": 1.0} | asked))


@pytest.mark.parametrize("d", [50.0, 1e9, -1e300])
def test_power_never_exceeds_one(d):
    assert t_test_power(7, d) == 1.0
