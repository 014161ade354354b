"""Joint verdict events against Monte Carlo, direct quadrature in the tails, and the laws of probability."""

from functools import cache

import numpy as np
import pytest
from scipy import stats
from scipy.special import log_ndtr, logsumexp
from scipy.stats import studentized_range

from gaddum.outcomes.noncentral_t import GRID, effect_interval
from gaddum.outcomes.verdict_events import (
    EVENTS,
    Groups,
    VerdictEvent,
    critical_value,
    joint_log_probability,
    pair_probability,
    without_agonist_effect,
)

NOISE = 0.12**2
SIZES = (9, 7, 11)
GROUPS = Groups(n=SIZES, variance=tuple(1 / n + NOISE for n in SIZES), df=24.0, k=3)
LSD = {"none": 1.0}
MIXED = {"none": 0.5, "Tukey": 0.3, "Bonferroni": 0.2}
ALL = {f"{name} ({rule})": event for name, events in EVENTS.items() for rule, event in events.items()} | {
    f"{name} ({rule}) without an effect": without_agonist_effect(name, event)
    for name in ("abolished", "not abolished", "enhanced")
    for rule, event in EVENTS[name].items()
}


@cache
def table(event: VerdictEvent, corrections: tuple[tuple[str, float], ...] = tuple(LSD.items())) -> np.ndarray:
    return joint_log_probability(event, GROUPS, dict(corrections))


def holds(relation: str, leaf: np.ndarray, hub: np.ndarray, margin: np.ndarray) -> np.ndarray:
    difference = leaf - hub
    return {
        "above": difference > margin,
        "below": difference < -margin,
        "near": np.abs(difference) < margin,
        "not above": difference <= margin,
        "not below": difference >= -margin,
        "any": np.full(difference.shape, True),
    }[relation]


def happened(event: VerdictEvent, means: dict[str, np.ndarray], s: np.ndarray, c: float) -> np.ndarray:
    """Whether the event holds, written from the tests themselves."""
    n = dict(zip(("first", "base", "second"), SIZES, strict=True))
    outcome = np.full(s.shape, True)
    for arm in ("first", "base", "second"):
        if arm != event.hub:
            margin = c * s * np.sqrt(1 / n[arm] + 1 / n[event.hub])
            outcome &= holds(getattr(event, arm), means[arm], means[event.hub], margin)
    return outcome


@pytest.mark.parametrize("name", ALL)
def test_events_agree_with_simulated_experiments(name: str) -> None:
    rng = np.random.default_rng(7)
    draws = 40_000
    z = rng.normal(size=(3, draws)) * np.sqrt(np.array(GROUPS.variance))[:, None]
    s = np.sqrt(rng.chisquare(GROUPS.df, draws) / GROUPS.df)
    for i, j in [(120, 120), (132, 118), (138, 136), (128, 124)]:
        means = {"first": GRID[i] + z[0], "base": z[1], "second": GRID[j] + z[2]}
        expected = sum(
            weight * happened(ALL[name], means, s, critical_value(correction, GROUPS.df, 3)).mean()
            for correction, weight in MIXED.items()
        )
        p = np.exp(table(ALL[name], tuple(MIXED.items()))[i, j])
        assert abs(p - expected) < 4.5 * np.sqrt(p * (1 - p) / draws) + 1e-4


def direct(event: VerdictEvent, delta_1: float, delta_2: float, c: float) -> float:
    """Log probability by brute force over (S, hub mean) in logs, on grids that follow the integrand's peak."""
    n = dict(zip(("first", "base", "second"), SIZES, strict=True))
    sd = dict(zip(("first", "base", "second"), np.sqrt(GROUPS.variance), strict=True))
    mean = {"first": delta_1, "base": 0.0, "second": delta_2}

    def log_f(s: np.ndarray, x: np.ndarray) -> np.ndarray:
        total = stats.chi.logpdf(s * np.sqrt(GROUPS.df), GROUPS.df) + 0.5 * np.log(GROUPS.df)
        total = total + stats.norm.logpdf(x, mean[event.hub], sd[event.hub])
        for arm in ("first", "base", "second"):
            if arm == event.hub:
                continue
            m = c * s * np.sqrt(1 / n[arm] + 1 / n[event.hub])
            gap = x - mean[arm]
            match getattr(event, arm):
                case "below":
                    total = total + log_ndtr((gap - m) / sd[arm])
                case "above":
                    total = total + log_ndtr((-gap - m) / sd[arm])
                case "not above":
                    total = total + log_ndtr((gap + m) / sd[arm])
                case "not below":
                    total = total + log_ndtr((m - gap) / sd[arm])
                case "near":
                    upper = log_ndtr((m - np.abs(gap)) / sd[arm])
                    total = total + upper + np.log1p(-np.exp(log_ndtr((-m - np.abs(gap)) / sd[arm]) - upper))
        return total

    s, x = np.linspace(0.01, 7, 350), np.linspace(-16, 16, 400)
    rough = log_f(s[:, None], x[None, :])
    keep_s, keep_x = (np.nonzero(rough.max(axis=axis) > rough.max() - 40)[0] for axis in (1, 0))
    s = np.linspace(max(1e-4, s[keep_s[0]] - 0.03), s[keep_s[-1]] + 0.03, 500)
    x = np.linspace(x[keep_x[0]] - 0.1, x[keep_x[-1]] + 0.1, 500)
    return float(logsumexp(log_f(s[:, None], x[None, :])) + np.log((s[1] - s[0]) * (x[1] - x[0])))


@pytest.mark.parametrize("name", ALL)
def test_events_agree_with_direct_quadrature_in_the_tails(name: str) -> None:
    for i, j in [(135, 120), (104, 135), (150, 150), (160, 95), (90, 90), (120, 165)]:
        expected = direct(ALL[name], GRID[i], GRID[j], critical_value("none", GROUPS.df, 3))
        if expected > -200:
            assert table(ALL[name])[i, j] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("hub", ["first", "base", "second"])
def test_probabilities_of_exhaustive_events_sum_to_one(hub: str) -> None:
    leaves = [arm for arm in ("first", "base", "second") if arm != hub]
    total = sum(
        np.exp(table(VerdictEvent(hub=hub, **{hub: "any", leaves[0]: a, leaves[1]: b})))
        for a in ("above", "near", "below")
        for b in ("above", "near", "below")
    )
    np.testing.assert_allclose(total, 1, atol=2e-6)


def test_complement_of_an_effect() -> None:
    total = np.exp(table(VerdictEvent("base", "above", "any", "any"))) + np.exp(
        table(VerdictEvent("base", "not above", "any", "any"))
    )
    np.testing.assert_allclose(total, 1, atol=2e-6)


def test_a_joint_event_of_two_arms_is_the_pair_event() -> None:
    joint = table(VerdictEvent("base", "above", "any", "any"), tuple(MIXED.items()))
    pair = np.log(pair_probability("above", GROUPS, MIXED))
    seen = pair > -200
    np.testing.assert_allclose(joint[seen, 77], pair[seen], atol=1e-5)


def test_pair_event_is_the_noncentral_t() -> None:
    margin = critical_value("none", 24.0, 3) * np.sqrt(1 / 9 + 1 / 7)
    expected = effect_interval(margin, np.inf, 1 / 9 + 1 / 7 + 2 * NOISE, 24.0, GRID)
    np.testing.assert_allclose(pair_probability("above", GROUPS, LSD), expected, rtol=1e-10)


def test_exchange_of_equal_arms_is_a_reflection() -> None:
    equal = Groups((8, 8, 8), (0.14,) * 3, 21.0, 3)
    base = joint_log_probability(VerdictEvent("base", "above", "any", "near"), equal, LSD)
    swapped = joint_log_probability(VerdictEvent("base", "near", "any", "above"), equal, LSD)
    np.testing.assert_allclose(base, swapped.T, atol=1e-8)


def test_the_choice_of_hub_does_not_matter_where_both_can_be_used() -> None:
    # K > V alone, with the hub at K or at V
    at_first, at_base = (
        table(VerdictEvent("first", "any", "below", "any")),
        table(VerdictEvent("base", "above", "any", "any")),
    )
    seen = at_base > -200
    np.testing.assert_allclose(at_first[seen], at_base[seen], atol=1e-5)


def test_strict_abolition_grows_likelier_with_the_block() -> None:
    log_p = table(EVENTS["abolished"]["strict"])[140]
    assert np.all(np.diff(log_p[log_p > -200]) < 1e-6)


def test_large_groups_need_a_finer_hub() -> None:
    large = Groups((150, 150, 150), (1 / 150,) * 3, 447.0, 3)
    log_p = joint_log_probability(VerdictEvent("base", "above", "any", "any"), large, LSD)
    pair = np.log(pair_probability("above", large, LSD)[119:160])
    np.testing.assert_allclose(log_p[119:160, 50], pair, atol=1e-4)


def test_critical_values_are_those_of_the_named_tests() -> None:
    assert critical_value("none", 24.0, 3) == pytest.approx(stats.t.isf(0.025, 24))
    assert critical_value("Bonferroni", 24.0, 3) == pytest.approx(stats.t.isf(0.025 / 3, 24))
    assert critical_value("Tukey", 24.0, 3) == pytest.approx(
        stats.studentized_range.ppf(0.95, 3, 24) / 2**0.5
    )
    assert critical_value("Tukey", 12.0, 2) == pytest.approx(stats.t.isf(0.025, 12), rel=1e-6)


def test_a_verdict_that_implies_the_agonist_effect_cannot_lack_it() -> None:
    with pytest.raises(ValueError, match="agonist_effect_present"):
        without_agonist_effect("partial", EVENTS["partial"]["strict"])


@pytest.mark.parametrize(("k", "df"), [(3, 2.0), (3, 12.0), (4, 21.0), (6, 5.0), (10, 60.0)])
def test_tukeys_critical_value_is_that_of_the_studentized_range(k: int, df: float) -> None:
    expected = studentized_range.ppf(0.95, k, df) / np.sqrt(2)
    assert critical_value("Tukey", df, k) == pytest.approx(expected, abs=1e-6)
