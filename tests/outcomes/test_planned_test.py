"""Tests before they are run: against simulation, enumeration and what must hold."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gaddum import power, t_test_power
from gaddum.outcomes.bayes_factor import jzs_log_bf10
from gaddum.outcomes.count_test import count_log_bf10
from gaddum.outcomes.planned_t_test import SIMULATED

DRAWS = 200_000


def simulated_t(n: int, effect: float, sd: float, n2: int | None = None, seed: int = 1) -> np.ndarray:
    """t of simulated studies, of pairs where there is no second group."""
    random = np.random.default_rng(seed)
    shift = effect + sd * random.standard_normal((DRAWS, 1))
    one = random.standard_normal((DRAWS, n)) + shift
    if n2 is None:
        return one.mean(1) / one.std(1, ddof=1) * n**0.5
    return np.asarray(stats.ttest_ind(one, random.standard_normal((DRAWS, n2)), axis=1)[0])


def close(p: float) -> float:
    return 4.5 * math.sqrt(max(p * (1 - p), 1e-5) / DRAWS)


@pytest.mark.parametrize(
    ("n", "n2", "effect", "sd"), [(7, None, 1.0, 0.0), (12, 12, 0.9, 0.4), (6, 15, -1.2, 0.0)]
)
def test_chances_of_a_t_test_are_those_of_simulated_studies(n: int, n2: int | None, effect: float, sd: float):
    found = power(
        n=n, n2=n2, paired=n2 is None, effect=effect, effect_sd=sd, threshold=3, threshold_against=2
    )
    t = simulated_t(n, effect, sd, n2)
    size, df = (n, n - 1) if n2 is None else (n * n2 / (n + n2), n + n2 - 2)
    bf = np.interp(np.abs(t), grid := np.linspace(0, 40, 2001), jzs_log_bf10(grid, size, df))
    limit = stats.t.isf(0.025, df)
    expected = {
        found.assurance: np.mean((t if effect > 0 else -t) > limit),
        found.effect.correct: np.mean(bf > math.log(3)),
        found.effect.misleading: np.mean(bf < -math.log(2)),
    }
    for chance, seen in expected.items():
        assert chance == pytest.approx(seen, abs=close(chance))


@pytest.mark.parametrize(("n", "n2", "paired"), [(7, None, True), (7, None, False), (9, 14, False)])
def test_power_of_a_t_test_is_that_of_the_noncentral_t(n: int, n2: int | None, paired: bool):
    assert power(n=n, n2=n2, paired=paired, effect=1.0).power == t_test_power(n, 1.0, n2=n2, paired=paired)


def test_seven_pairs_are_told_what_they_could_ever_show():
    found = power(n=7, paired=True, effect=1.0)
    assert found.t_for_bf10 == pytest.approx(4.154, abs=1e-3)
    assert found.bf01_max == pytest.approx(2.832, abs=1e-3)
    assert found.bf10_max is None
    assert found.no_effect.correct == 0


def test_a_surely_known_effect_needs_no_averaging():
    assert power(n=12, effect=0.9, effect_sd=0.0).assurance == pytest.approx(
        power(n=12, effect=0.9, effect_sd=1e-6).assurance, abs=1e-9
    )


@settings(deadline=None, max_examples=4)
@given(st.floats(0.3, 3), st.floats(0.06, 0.97), st.floats(0, 0.15), st.booleans())
def test_smallest_n_is_the_first_that_gives_the_assurance(
    effect: float, wanted: float, sd: float, paired: bool
):
    asked = {"effect": effect, "effect_sd": sd * effect, "paired": paired}
    n = power(assurance=wanted, **asked).smallest_n
    assert n is not None
    assert power(n=n, **asked).assurance >= wanted
    assert n == 2 or power(n=n - 1, **asked).assurance < wanted


def test_smallest_n_for_a_bayes_factor_is_the_first_that_gives_its_chance():
    n = power(effect=0.8, assurance=0.8).smallest_n_bf10
    assert n is not None
    assert power(n=n, effect=0.8).prob_bf10 >= 0.8 > power(n=n - 1, effect=0.8).prob_bf10


def test_eighty_per_cent_at_half_a_standard_deviation_takes_64_a_group():
    assert power(effect=0.5, assurance=0.8).smallest_n == 64  # Cohen 1988, table 2.4.1


@pytest.mark.parametrize(
    ("n", "n2", "p1", "p2"), [(12, None, 0.2, 0.8), (10, 17, 0.1, 0.6), (8, None, 0.5, 0.5)]
)
def test_power_of_counts_is_the_sum_over_tables_that_fishers_test_calls_significant(
    n: int, n2: int | None, p1: float, p2: float
):
    expected, other = 0.0, n2 or n
    for i in range(n + 1):
        for j in range(other + 1):
            if float(np.asarray(stats.fisher_exact([[i, n - i], [j, other - j]])[1])) < 0.05:
                expected += float(stats.binom.pmf(i, n, p1) * stats.binom.pmf(j, other, p2))
    found = power(n=n, n2=n2, p1=p1, p2=p2)
    assert found.power == pytest.approx(expected, abs=1e-12)
    assert found.test == "Fisher's exact test of two groups"


def test_power_of_responders_tested_again_is_the_sum_over_counts_in_the_binomial_tails():
    tails = [min(stats.binom.cdf(k, 12, 0.5), stats.binom.sf(k - 1, 12, 0.5)) for k in range(13)]
    expected = sum(stats.binom.pmf(k, 12, 0.15) for k in range(13) if tails[k] < 0.025)
    found = power(n=12, paired=True, p1=0.5, p2=0.15)
    assert found.power == pytest.approx(expected, abs=1e-12)
    assert found.test == "exact binomial test"


@pytest.mark.parametrize(
    ("p1", "p2", "wanted", "paired"),
    [
        (0.2, 0.7, 0.8, False),
        (0.1, 0.4, 0.6, False),
        (0.5, 0.95, 0.9, False),
        (0.01, 0.2, 0.8, True),
        (0.02, 0.3, 0.8, True),
        (0.5, 0.1, 0.8, True),
    ],
)
def test_smallest_n_of_counts_is_the_first_of_all_that_gives_the_power(
    p1: float, p2: float, wanted: float, paired: bool
):
    asked = {"p1": p1, "p2": p2, "paired": paired}
    first = next(n for n in range(2, 100) if power(n=n, **asked).power >= wanted)
    assert power(assurance=wanted, **asked).smallest_n == first


def test_a_response_that_is_known_to_be_next_to_impossible_shows_without_limit_once_it_comes():
    assert power(n=200, paired=True, p1=1e-6, p2=0.5).bf10_max is None


@pytest.mark.parametrize(
    "asked",
    [
        {"n": 9, "effect": 0.8},
        {"n": 15, "p1": 0.3, "p2": 0.8},
        {"n": 9, "p1": 0.5, "p2": 0.1, "paired": True},
    ],
)
def test_distribution_of_the_bayes_factor_passes_the_threshold_with_the_chance_that_is_said(asked: dict):
    found = power(threshold=10**0.5, **asked)
    at = next(row for row in found.distribution if row.bf10 == pytest.approx(10**0.5, rel=1e-9))
    assert 1 - at.effect == pytest.approx(found.effect.correct, abs=1e-9)
    assert 1 - at.no_effect == pytest.approx(found.no_effect.misleading, abs=1e-9)


@pytest.mark.parametrize("asked", [{"effect": 0.8, "paired": True}, {"effect": 0.8}, {"p1": 0.3, "p2": 0.8}])
def test_a_design_of_one_look_is_the_fixed_design(asked: dict):
    fixed = power(n=20, threshold=3, **asked)
    design = power(n=20, threshold=3, sequential=True, first=20, **asked).sequential
    assert design is not None and design.effect.expected_n == 20
    for one, other in ((design.effect, fixed.effect), (design.no_effect, fixed.no_effect)):
        assert one.correct == pytest.approx(other.correct, abs=4.5 * one.correct_mcse + 1e-9)
        assert one.misleading == pytest.approx(other.misleading, abs=4.5 * one.misleading_mcse + 1e-9)


def test_a_sequential_t_test_ends_as_studies_that_are_followed_subject_by_subject():
    design = power(
        n=16, effect=0.9, sequential=True, first=4, every=3, threshold=4, threshold_against=2
    ).sequential
    assert design is not None
    random, right, wrong, sizes = np.random.default_rng(5), 0, 0, []
    looks = [4, 7, 10, 13, 16]
    limits = {n: jzs_log_bf10(np.linspace(0, 40, 4001), n / 2, 2 * n - 2) for n in looks}
    one, other = random.standard_normal((2, SIMULATED, 16))
    going = np.ones(SIMULATED, bool)
    for n in looks:
        t = np.abs(np.asarray(stats.ttest_ind(one[:, :n] + 0.9, other[:, :n], axis=1)[0]))
        bf = np.interp(t, np.linspace(0, 40, 4001), limits[n])
        right += np.sum(going & (bf > math.log(4)))
        wrong += np.sum(going & (bf < -math.log(2)))
        over = going & ((bf > math.log(4)) | (bf < -math.log(2)) | (n == 16))
        sizes += [n] * int(over.sum())
        going &= ~over
    found = design.effect
    both = 4.5 * 2**0.5
    assert found.correct == pytest.approx(right / SIMULATED, abs=both * found.correct_mcse)
    assert found.misleading == pytest.approx(wrong / SIMULATED, abs=both * found.misleading_mcse)
    assert found.expected_n == pytest.approx(np.mean(sizes), abs=both * found.expected_n_mcse)


def test_counts_in_several_looks_end_as_simulated_ones():
    design = power(n=20, p1=0.2, p2=0.8, sequential=True, first=5, every=5, threshold=6).sequential
    assert design is not None and design.effect.correct_mcse == 0
    random, going, right, spent = np.random.default_rng(3), np.ones(DRAWS, bool), 0, 0.0
    counts = np.zeros((2, DRAWS), int)
    for n in (5, 10, 15, 20):
        spent += 5 * going.mean()
        counts += random.binomial(5, np.array([[0.2], [0.8]]), (2, DRAWS))
        bf = count_log_bf10((n, n))[counts[0], counts[1]]
        right += np.sum(going & (bf > math.log(6)))
        going &= np.abs(bf) <= math.log(6)
    assert design.effect.correct == pytest.approx(right / DRAWS, abs=close(right / DRAWS))
    assert design.effect.expected_n == pytest.approx(spent, abs=0.1)


@pytest.mark.parametrize("asked", [{"effect": 0.6}, {"p1": 0.3, "p2": 0.7}])
def test_stopping_early_never_takes_more_than_the_largest_n(asked: dict):
    design = power(n=30, sequential=True, **asked).sequential
    assert design is not None
    for one in (design.effect, design.no_effect):
        assert design.first <= one.expected_n <= 30
        assert one.correct + one.undecided + one.misleading == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"n": 1, "effect": 1.0}, "at least 2"),
        ({"n": 7, "n2": 1, "effect": 1.0}, "at least 2"),
        ({"n": 7}, "got none. Give --effect"),
        ({"effect": 1.0}, "Give --n, or a wanted --assurance"),
        ({"n": 7, "effect": 1.0, "p1": 0.2, "p2": 0.5}, "no effect in SD"),
        ({"n": 7, "p1": 0.2}, "Give both"),
        ({"n": 7, "p1": 0.2, "p2": 1.5}, "from 0 to 1"),
        ({"n": 7, "n2": 9, "paired": True, "effect": 1.0}, "Pairs have one size"),
        ({"n": 7, "n2": 9, "sequential": True, "effect": 1.0}, "one look"),
        ({"sequential": True, "effect": 1.0, "assurance": 0.8}, "largest n"),
        ({"n": 7, "effect": 1.0, "alpha": 0.0}, "between 0 and 1"),
        ({"n": 7, "effect": 1.0, "threshold": 0.5}, "above 1"),
        ({"n": 7, "effect": 1.0, "scale": 0.0}, "above 0"),
        ({"n": 7, "effect": math.inf}, "number of SD"),
        ({"n": 7, "effect": 1.0, "effect_sd": -1.0}, "0 or more"),
        ({"n": 7, "effect": 1.0, "sequential": True, "first": 1}, "begin at 2"),
        ({"effect": 1.0, "assurance": 1.0}, "between the level"),
        ({"effect": 0.0, "assurance": 0.8}, "No n gives an assurance of 0.8"),
        ({"effect": 0.2, "effect_sd": 0.5, "assurance": 0.8}, "chance of 0.655 only"),
        ({"effect": 0.001, "assurance": 0.8}, "No n up to 100000"),
        ({"p1": 0.5, "p2": 0.5, "assurance": 0.8}, "No n gives"),
        ({"p1": 0.5, "p2": 0.51, "assurance": 0.8}, "No n up to 500"),
        ({"n": 501, "p1": 0.5, "p2": 0.6}, "up to 500"),
    ],
)
def test_what_cannot_be_answered_is_refused_with_what_to_do(asked: dict, said: str):
    with pytest.raises(ValueError, match=said):
        power(**asked)
