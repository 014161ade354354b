"""Exact tests of counts against scipy, table by table."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from gaddum.outcomes.count_test import count_log_bf10, count_probability, significant_counts


@pytest.mark.parametrize("sizes", [(7, 7), (5, 12), (15, 15), (2, 9)])
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_two_groups_are_significant_where_fishers_test_says_so(sizes: tuple[int, int], alpha: float):
    expected = [
        [
            float(np.asarray(stats.fisher_exact([[i, sizes[0] - i], [j, sizes[1] - j]])[1])) < alpha
            for j in range(sizes[1] + 1)
        ]
        for i in range(sizes[0] + 1)
    ]
    assert significant_counts(sizes, alpha).tolist() == expected


@pytest.mark.parametrize(("n", "known"), [(9, 0.5), (12, 0.3), (20, 0.9)])
def test_one_group_is_significant_where_a_binomial_tail_is_below_half_the_level(n: int, known: float):
    tails = [min(stats.binom.cdf(k, n, known), stats.binom.sf(k - 1, n, known)) for k in range(n + 1)]
    assert significant_counts((n,), 0.05, known).tolist() == [bool(tail < 0.025) for tail in tails]


@pytest.mark.parametrize("chances", [(0.3, 0.7), (0.0, 1.0), (0.05, 0.5)])
def test_tables_have_the_product_of_binomial_probabilities(chances: tuple[float, float]):
    expected = np.outer(stats.binom.pmf(range(7), 6, chances[0]), stats.binom.pmf(range(10), 9, chances[1]))
    assert count_probability((6, 9), chances) == pytest.approx(expected, abs=1e-14)


def test_bayes_factor_of_two_groups_is_that_of_uniform_chances():
    k, n = (2, 6), (7, 8)
    one, other = (
        quad(lambda p, k=k, n=n: stats.binom.pmf(k, n, p), 0, 1)[0] for k, n in zip(k, n, strict=True)
    )
    same = quad(lambda p: stats.binom.pmf(k[0], n[0], p) * stats.binom.pmf(k[1], n[1], p), 0, 1)[0]
    assert count_log_bf10(n)[k] == pytest.approx(np.log(one * other / same), abs=1e-9)


def test_bayes_factor_of_one_group_is_that_of_a_uniform_chance_over_the_known_one():
    mean = quad(lambda p: stats.binom.pmf(2, 12, p), 0, 1)[0]
    expected = np.log(mean / stats.binom.pmf(2, 12, 0.4))
    assert count_log_bf10((12,), 0.4)[2] == pytest.approx(expected, abs=1e-9)
