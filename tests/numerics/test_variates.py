"""Variates: even, independent of each other, and a parameter's own whatever else is drawn."""

import numpy as np
from scipy.stats import norm

from gaddum.numerics.variates import even_variates

NAMES = [f"K_i of drug {place} at MOR" for place in range(40)]


def test_each_class_of_probability_holds_one_draw():
    classes = np.floor(norm.cdf(even_variates(NAMES, 500, 3)) * 500).astype(int)
    assert (np.sort(classes, axis=1) == np.arange(500)).all()


def test_parameters_are_drawn_independently():
    correlation = np.corrcoef(even_variates(NAMES, 4000, 0)) - np.eye(len(NAMES))
    # 780 pairs with a standard error of 1/sqrt(4000): the largest is beyond 5 of them once in 2,000 trials.
    assert np.abs(correlation).max() < 5 / np.sqrt(4000)


def test_a_parameter_has_its_draws_whatever_else_is_drawn():
    every = even_variates(NAMES, 100, 1)
    np.testing.assert_array_equal(even_variates(NAMES[7:9], 100, 1), every[7:9])
    assert not (even_variates(NAMES, 100, 2) == every).any()
