"""Two humps are told from one wide band."""

import numpy as np
import pytest

from gaddum.engagement.humps import two_humps
from gaddum.numerics.variates import even_variates

DRAWS = 1000


def occupied(log_odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.atleast_2d(log_odds)))


@pytest.mark.parametrize("middle", [-2.0, 0.0, 3.0])
@pytest.mark.parametrize("width", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("seed", range(4))
def test_one_lognormal_constant_is_one_hump_however_wide(middle, width, seed):
    assert two_humps(occupied(middle + width * even_variates(["K"], DRAWS, seed)[0])) is None


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("seed", range(4))
def test_two_accounts_far_apart_are_two_humps_of_their_weights(share, seed):
    accounts = np.where(np.arange(DRAWS) < share * DRAWS, 2.5, -1.5)
    found = two_humps(occupied(accounts + 0.4 * even_variates(["K"], DRAWS, seed)[0]))
    assert found is not None
    assert found.upper.mean() == pytest.approx(share, abs=0.01)


def test_accounts_that_differ_where_all_is_occupied_are_one_band():
    accounts = np.where(np.arange(DRAWS) < 500, 12.0, 6.0)
    assert two_humps(occupied(accounts + 0.4 * even_variates(["K"], DRAWS, 0)[0])) is None


def test_what_is_not_absorbed_yet_in_some_draws_is_no_hump():
    begun = np.where(np.arange(DRAWS) < 700, -1.0, -np.inf) + even_variates(["K"], DRAWS, 0)[0]
    assert two_humps(occupied(np.array([np.full(DRAWS, -np.inf), begun]))) is None


def test_humps_are_told_apart_at_the_time_at_which_they_are_deepest():
    accounts = np.where(np.arange(DRAWS) < 500, 1.0, 0.0)
    noise = 0.3 * even_variates(["K"], DRAWS, 0)[0]
    found = two_humps(occupied(np.array([noise, 4 * accounts - 2 + noise, 0.2 * accounts + noise])))
    assert found is not None and found.at == 1
