"""Quantity: the geometric standard deviation that a published spread amounts to."""

import numpy as np
import pytest
from scipy import stats

from gaddum.records.quantity import Quantity

LIKELY = stats.lognorm(np.log(1.7), scale=30.0)
"""A constant of 30 nM with a geometric standard deviation of 1.7."""


def gsd(value, kind, spread):
    fields = {"value": value, "unit": "nM", "source": {"how": "assumption", "reason": "made up for a test"}}
    return Quantity.model_validate(fields | {"spread": {"kind": kind, "value": spread}}).gsd


@pytest.mark.parametrize(("kind", "level"), [("CI95", 0.95), ("CI90", 0.9), ("CI80", 0.8), ("IQR", 0.5)])
def test_an_interval_of_a_lognormal_gives_its_gsd(kind, level):
    assert gsd(30.0, kind, tuple(map(float, LIKELY.interval(level)))) == pytest.approx(1.7, rel=1e-5)


@pytest.mark.parametrize("kind", ["SD", "SEM"])
def test_a_mean_with_its_sd_gives_the_gsd_of_the_lognormal_that_has_both(kind):
    assert gsd(float(LIKELY.mean()), kind, float(LIKELY.std())) == pytest.approx(1.7, rel=1e-12)


def test_an_interval_that_holds_zero_is_read_by_its_width_over_the_value():
    assert gsd(10.0, "CI95", (-1.0, 5.0)) == pytest.approx(np.exp(6 / 3.919928 / 10))
