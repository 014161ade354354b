"""Statistics: densities, tails and intervals of what a test reported."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import simpson
from tests.outcomes.examples import FORMS, KVA, reduced

from gaddum.outcomes.noncentral_t import GRID, effect_logpdf, t_of_p


def test_t_f_p_and_d_say_the_same() -> None:
    arms: dict[str, Any] = {"contrast": ["K", "V"], "better": "first"}
    t = 2.4
    same = [
        reduced(KVA, form="test", statistic="t", value=t, **arms),
        reduced(KVA, form="test", statistic="F", value=t**2, **arms),
        reduced(KVA, form="test", statistic="d", value=t * np.sqrt(1 / 9 + 1 / 8), **arms),
        reduced(KVA, form="p-value", p=float(2 * stats.t.sf(t, 15)), **arms),
    ]
    for table in same[1:]:
        np.testing.assert_allclose(table.grid_log_density, same[0].grid_log_density, rtol=0, atol=1e-8)


def test_the_better_arm_sets_the_direction() -> None:
    first = reduced(KVA, **FORMS["p"])
    second = reduced(KVA, **(FORMS["p"] | {"better": "second"}))
    np.testing.assert_allclose(first.grid_log_density, second.grid_log_density[::-1], atol=1e-9)


def test_interaction_is_a_contrast_of_four_arms() -> None:
    four = {"K": 8, "V": 8, "KA": 8, "A": 8}
    table = reduced(four, form="interaction", statistic="F", value=6.5, arms=["K", "V", "KA", "A"])
    expected = effect_logpdf(np.sqrt(6.5) * np.sqrt(0.5), 0.5 + 0.04, 28, GRID)
    np.testing.assert_allclose(table.grid_log_density, expected, atol=1e-9)
    assert table.contrasts == ((("K", 1.0), ("V", -1.0), ("KA", -1.0), ("A", 1.0)),)
    p = float(2 * stats.t.sf(np.sqrt(6.5), 28))
    same = reduced(four, form="interaction", statistic="p", value=p, arms=["K", "V", "KA", "A"])
    np.testing.assert_allclose(same.grid_log_density, expected, rtol=0, atol=1e-8)


def test_df_of_a_test_fixes_unknown_sizes() -> None:
    test = FORMS["t"] | {"df": 16}
    unknown, known = reduced({"K": {}, "V": {}}, **test), reduced({"K": 9, "V": 9}, **test)
    np.testing.assert_allclose(unknown.grid_log_density, known.grid_log_density, atol=1e-12)


def test_observed_effect_and_its_interval_come_from_the_t_test() -> None:
    observed = reduced(KVA, **FORMS["t"]).observed
    assert observed
    error = np.sqrt(1 / 9 + 1 / 8)
    assert observed[0]["effect"] == pytest.approx(2.4 * error)
    assert observed[0]["upper"] - observed[0]["effect"] == pytest.approx(t_of_p(0.05, 15) * error)
    assert reduced(KVA, **FORMS["abolished"]).observed == ()


STATISTICS: dict[str, dict[str, Any]] = {
    "p-value": {"form": "p-value", "p": 0.02, "contrast": ["K", "V"], "better": "first"},
    "means": FORMS["means"],
}


@pytest.mark.parametrize("form", STATISTICS)
def test_tail_of_a_statistic_is_that_of_the_noncentral_t(form):
    found = reduced({"K": 9, "V": 8}, **STATISTICS[form])
    assert found.above is not None and found.observed
    # arm noise adds to the variance of the difference and is not seen by the test
    sd, plain = np.sqrt(1 / 9 + 1 / 8 + 2 * 0.1**2), np.sqrt(1 / 9 + 1 / 8)
    middle = 0.5 * (found.observed[0]["lower"] + found.observed[0]["upper"])
    inside = np.abs(GRID) < 3
    expected = stats.nct.sf(middle / sd, 15, GRID[inside] / sd)
    np.testing.assert_allclose(found.above[0][inside], expected, atol=1e-6)
    critical = stats.t.isf(0.025, 15) * plain / sd
    twice = stats.nct.sf(critical, 15, GRID[inside] / sd) + stats.nct.cdf(-critical, 15, GRID[inside] / sd)
    assert found.significant is not None
    np.testing.assert_allclose(found.significant[inside], twice, atol=1e-6)


def test_density_of_a_statistic_integrates_to_its_tail():
    """From the p of one report to that of another, the density adds up to what lies between their tails."""
    sizes, place = {"K": 9, "V": 8}, int(np.searchsorted(GRID, 0.8))
    error = np.sqrt(1 / 9 + 1 / 8)
    effects = np.linspace(0.5, 1.0, 41)
    tables = [
        reduced(
            sizes, form="p-value", p=float(2 * stats.t.sf(d / error, 15)), contrast=["K", "V"], better="first"
        )
        for d in effects
    ]
    densities = [np.exp(one.grid_log_density[place]) for one in tables]
    tails = [one.above[0][place] for one in (tables[0], tables[-1]) if one.above is not None]
    assert simpson(densities, x=effects) == pytest.approx(tails[0] - tails[1], abs=1e-5)


def test_verdicts_and_counts_have_no_tail():
    assert reduced(KVA, form="verdict", verdict="effective", roles={"K": "K", "V": "V"}).above is None
    assert (
        reduced(KVA, form="p-threshold", significant=True, contrast=["K", "V"], better="first").above is None
    )
