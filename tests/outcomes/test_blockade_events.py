"""Chances of blockade events against simulated experiments, subject by subject, and the laws of probability."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gaddum.outcomes.blockade_events import EventChances, event_chances, event_of
from gaddum.outcomes.power import contrast_power, t_test_power

DRAWS = 1_000_000
EFFECTS = [(1.6, 0.0), (1.6, 0.8), (1.2, 1.4), (0.2, 0.1), (2.5, -0.6)]


class Simulated(NamedTuple):
    """A million experiments without any effect: deviation of each arm's mean, and the SD that the test estimates."""

    means: dict[str, np.ndarray]
    sd: np.ndarray
    df: float


PARALLEL: dict[str, dict[str, int]] = {
    "three arms": {"K": 8, "V": 8, "KA": 8},
    "three unequal arms": {"K": 4, "V": 9, "KA": 6},
    "2 x 2": {"K": 7, "V": 7, "KA": 7, "A": 7},
    "2 x 2 of unequal arms": {"K": 3, "V": 3, "KA": 12, "A": 12},
    "three arms beside another": {"K": 6, "V": 6, "KA": 6, "R": 6},
}
CROSSOVER: dict[str, dict[str, int]] = {
    "crossover": {"K": 8, "V": 8, "KA": 8},
    "crossover 2 x 2": {"K": 6, "V": 6, "KA": 6, "A": 6},
}


@cache
def simulated(design: str) -> Simulated:
    """Subject by subject; a crossover's residual is that of sessions within subjects, which correlate by 0.7."""
    rng = np.random.default_rng(11)
    sizes = PARALLEL.get(design) or CROSSOVER[design]
    paired, parts = design in CROSSOVER, 20
    means, sds, df = [], [], 0.0
    for _ in range(parts):
        count = DRAWS // parts
        shared = np.sqrt(0.7) * rng.normal(size=(count, min(sizes.values()))) if paired else 0.0
        own = np.sqrt(0.3) if paired else 1.0
        scores = [shared + own * rng.normal(size=(count, n)) for n in sizes.values()]
        of_arm = np.array([score.mean(axis=1) for score in scores])
        if paired:
            table = np.array(scores)
            left = table - table.mean(axis=0) - of_arm[:, :, None] + table.mean(axis=(0, 2))[None, :, None]
            square, df = (left**2).sum(axis=(0, 2)), (len(sizes) - 1) * (table.shape[2] - 1)
        else:
            square = sum(((x - x.mean(axis=1)[:, None]) ** 2).sum(axis=1) for x in scores)
            df = sum(sizes.values()) - len(sizes)
        means.append(of_arm)
        sds.append(np.sqrt(square / df))
    return Simulated(dict(zip(sizes, np.hstack(means), strict=True)), np.hstack(sds), df)


def critical(correction: str, df: float, groups: int) -> float:
    match correction:
        case "Tukey":
            return float(stats.studentized_range.ppf(0.95, groups, df) / np.sqrt(2))
        case "Bonferroni":
            return float(stats.t.isf(0.025 / (groups * (groups - 1) / 2), df))
        case _:
            return float(stats.t.isf(0.025, df))


def counted(design: str, effect: float, residual: float, correction: str, noise: float = 0.0) -> EventChances:
    """Share of the simulated experiments in which the tests gave each event."""
    sizes, drawn = PARALLEL.get(design) or CROSSOVER[design], simulated(design)
    rng = np.random.default_rng(3)
    true = {"K": effect, "V": 0.0, "KA": residual, "A": 0.0}
    mean = {name: drawn.means[name] + true[name] for name in true if name in sizes}
    if noise:
        mean = {name: values + noise * rng.normal(size=DRAWS) for name, values in mean.items()}
    pairwise, single = (critical(rule, drawn.df, len(sizes)) for rule in (correction, "none"))

    def over(limit: float, **weights: float) -> np.ndarray:
        error = np.sqrt(sum(1 / sizes[name] for name in weights))
        return sum(sign * mean[name] for name, sign in weights.items()) > limit * error * drawn.sd

    found = over(pairwise, K=1, V=-1)
    if "A" in sizes:
        block, left = over(single, K=1, V=-1, KA=-1, A=1), over(pairwise, KA=1, A=-1)
    else:
        block, left = over(pairwise, K=1, KA=-1), over(pairwise, KA=1, V=-1)
    return EventChances(
        *(share.mean() for share in (found & block & ~left, found & block & left, found & ~block, ~found))
    )


@pytest.mark.slow
@pytest.mark.parametrize("correction", ["none", "Tukey", "Bonferroni"])
@pytest.mark.parametrize("design", [*PARALLEL, *CROSSOVER])
def test_every_event_is_as_frequent_as_in_a_million_simulated_experiments(
    design: str, correction: str
) -> None:
    sizes = PARALLEL.get(design) or CROSSOVER[design]
    for effect, residual in EFFECTS:
        exact = event_chances(
            effect,
            residual,
            sizes,
            paired=design in CROSSOVER,
            correlation=0.7,
            corrections={correction: 1.0},
        )
        for chance, share in zip(exact, counted(design, effect, residual, correction), strict=True):
            assert abs(chance - share) < 4.5 * np.sqrt(chance * (1 - chance) / DRAWS) + 1e-6


@pytest.mark.slow
def test_what_shifts_a_whole_arm_widens_the_means_and_not_the_margins() -> None:
    exact = event_chances(1.6, 0.5, PARALLEL["three arms"], arm_noise=0.3)
    for chance, share in zip(exact, counted("three arms", 1.6, 0.5, "none", noise=0.3), strict=True):
        assert abs(chance - share) < 4.5 * np.sqrt(chance * (1 - chance) / DRAWS)


@given(
    st.floats(-3, 6),
    st.floats(-3, 6),
    st.integers(2, 60),
    st.integers(2, 60),
    st.booleans(),
    st.booleans(),
)
@settings(deadline=None, max_examples=60)
def test_the_four_chances_sum_to_one(
    effect: float, residual: float, n: int, other: int, crossed: bool, paired: bool
) -> None:
    sizes = {"K": n, "V": other, "KA": n} | ({"A": other} if crossed else {})
    chances = event_chances(effect, residual, sizes, paired=paired, corrections={"none": 0.5, "Tukey": 0.5})
    assert min(chances) >= 0
    assert abs(sum(chances) - 1) < 1e-9


def test_without_an_effect_the_test_drug_is_found_at_half_the_level() -> None:
    assert abs(event_chances(0.0, 0.0, {"K": 9, "V": 9, "KA": 9}).nothing_to_block - 0.975) < 1e-9


def test_with_an_effect_that_no_study_misses_the_chance_of_a_block_is_the_power_of_its_test() -> None:
    three = event_chances(40.0, 39.0, {"K": 300, "V": 300, "KA": 300})
    assert abs(three.abolished + three.partial - contrast_power((300,) * 3, (1, -1, 0), 1.0)) < 1e-9
    sizes = {"K": 40, "V": 40, "KA": 40, "A": 40}
    crossed = event_chances(40.0, 38.8, sizes)
    assert abs(crossed.abolished + crossed.partial - contrast_power((40,) * 4, (1, -1, -1, 1), 1.2)) < 1e-8


def test_a_crossover_of_two_hundred_is_as_powerful_as_its_paired_test() -> None:
    sizes = {"K": 200, "V": 200, "KA": 200}
    found = 1 - float(event_chances(0.15, 0.0, sizes, paired=True, correlation=0.5).nothing_to_block)
    assert (
        abs(found - t_test_power(200, 0.15, paired=True)) < 0.005
    )  # which pools the SD of two arms, not three


@pytest.mark.parametrize("design", ["three arms", "2 x 2"])
def test_effects_that_deviate_give_the_mean_of_the_chances_over_them(design: str) -> None:
    z = np.linspace(-6, 6, 97)
    weight = np.outer(density := np.exp(-z * z / 2), density) / density.sum() ** 2
    effect, residual = 0.8 + 1.5 * z[:, None], 0.3 + 1.5 * z[None, :]
    mixed = event_chances(0.8, 0.3, PARALLEL[design], deviation=1.5, arm_noise=0.1)
    for chance, each in zip(
        mixed, event_chances(effect, residual, PARALLEL[design], arm_noise=0.1), strict=True
    ):
        assert abs(chance - (weight * each).sum()) < 1e-6


def test_large_groups_leave_no_doubt() -> None:
    sizes = {"K": 4000, "V": 4000, "KA": 4000}
    assert event_chances(1.0, 0.5, sizes).partial > 0.9999
    assert event_chances(1.0, 1.5, sizes).not_abolished > 0.9999


def test_an_effect_raised_by_the_antagonist_is_not_abolished() -> None:
    assert event_of(effect=True, block=False, residual=True) == "not_abolished"


def test_a_study_whose_drug_did_nothing_says_nothing_of_a_blockade() -> None:
    assert {event_of(False, block, left) for block in (True, False) for left in (True, False)} == {
        "nothing_to_block"
    }


def test_what_is_left_tells_a_partial_blockade_from_a_whole_one() -> None:
    assert (event_of(True, True, True), event_of(True, True, False)) == ("partial", "abolished")


def test_a_blockade_needs_its_three_arms_and_two_subjects_in_each() -> None:
    with pytest.raises(ValueError, match="arms K, V and KA with at least 2 subjects"):
        event_chances(1.0, 0.0, {"K": 8, "V": 8})
    with pytest.raises(ValueError, match="at least 2 subjects each; got .*raise n"):
        event_chances(1.0, 0.0, {"K": 8, "V": 8, "KA": 1})
