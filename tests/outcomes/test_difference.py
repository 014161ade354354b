"""Differences: they keep the standard error of their own interval."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri
from tests.outcomes.examples import FORMS, KVA, reduced

from gaddum.outcomes.noncentral_t import GRID, LOG_FLOOR, effect_logpdf


def test_a_difference_whose_interval_is_that_of_the_t_test_is_the_t_test() -> None:
    error = np.sqrt(1 / 9 + 1 / 8)
    half = stats.t.isf(0.025, 15) * error
    expected = reduced(
        KVA, form="test", statistic="t", value=0.8 / error, contrast=["K", "V"], better="first"
    )
    table = reduced(KVA, form="difference", contrast=["K", "V"], value=0.8, ci=[0.8 - half, 0.8 + half])
    np.testing.assert_allclose(table.grid_log_density, expected.grid_log_density, rtol=0, atol=1e-8)


def test_a_difference_keeps_its_own_standard_error() -> None:
    error = 0.6 * np.sqrt(1 / 9 + 1 / 8)  # adjusted for the baseline, say
    half = stats.t.isf(0.025, 15) * error
    table = reduced(KVA, form="difference", contrast=["K", "V"], value=0.8, ci=[0.8 - half, 0.8 + half])
    expected = effect_logpdf(0.8, error**2 + 2 * 0.1**2, 15, GRID)
    np.testing.assert_allclose(table.grid_log_density, np.maximum(expected, LOG_FLOOR), atol=1e-9)
    assert table.observed
    assert table.observed[0]["effect"] == pytest.approx(0.8)
    assert table.observed[0]["lower"] == pytest.approx(0.8 - half)


@pytest.mark.parametrize("sizes", [KVA, {"K": {}, "V": {}}])
def test_a_difference_in_points_is_that_in_sd(sizes: dict[str, Any]) -> None:
    arms: dict[str, Any] = {"form": "difference", "contrast": ["K", "V"]}
    in_points = reduced(sizes, value=6.0, ci=[0.75, 11.25], sd=7.5, **arms)
    in_sd = reduced(sizes, value=0.8, ci=[0.1, 1.5], **arms)
    np.testing.assert_allclose(in_points.grid_log_density, in_sd.grid_log_density, atol=1e-9)


def test_a_difference_of_unknown_n_is_normal_in_sd() -> None:
    table = reduced({"K": {}, "V": {}}, **FORMS["difference"])
    expected = stats.norm.logpdf(GRID, 0.8, np.sqrt((1.4 / (2 * ndtri(0.975))) ** 2 + 0.02))
    np.testing.assert_allclose(table.grid_log_density, np.maximum(expected, LOG_FLOOR), atol=1e-9)
