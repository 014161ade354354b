"""Design: the same data have the same standard error in whatever form they are reported."""

from typing import Any

import numpy as np
import pytest
from tests.outcomes.examples import PRIORS, experiment, outcome, reduced

from gaddum.outcomes.design import contrast_error
from gaddum.outcomes.noncentral_t import GRID
from gaddum.outcomes.power import t_test_power
from gaddum.outcomes.reduce import reduce_outcome

TWO = {"V": 7, "K": 7}
MEANS = {
    "form": "means",
    "arms": {
        "V": {"mean": 0.0, "spread": 1.0, "spread_kind": "SD", "n": 7},
        "K": {"mean": 1.0, "spread": 1.0, "spread_kind": "SD", "n": 7},
    },
}
KV: dict[str, Any] = {"contrast": ["K", "V"], "better": "first"}


def spread_of(table: Any) -> float:
    """SD of the true effect under a flat prior."""

    density = np.exp(table.grid_log_density)
    mean = np.average(GRID, weights=density)
    return float(np.sqrt(np.average((GRID - mean) ** 2, weights=density)))


def test_the_error_of_means_in_a_crossover_is_that_of_simulated_differences() -> None:
    rng = np.random.default_rng(3)
    subject = rng.normal(0, np.sqrt(0.5), (100_000, 7, 1))
    session = subject + rng.normal(0, np.sqrt(0.5), (100_000, 7, 2))
    simulated = np.diff(session.mean(axis=1), axis=1).std()
    found = reduced(TWO, design="crossover", **MEANS).observed[0]

    assert contrast_error({"V": 7, "K": 7}, ("V", "K"), True) == pytest.approx(simulated, rel=0.01)
    assert found["effect"] == pytest.approx(1.0)


def test_means_in_a_crossover_say_more_than_in_parallel_groups() -> None:
    crossover, parallel = (reduced(TWO, design=one, **MEANS) for one in ("crossover", "parallel"))
    assert spread_of(crossover) < 0.85 * spread_of(parallel)


def test_a_t_of_a_crossover_is_paired_unless_the_record_says_otherwise() -> None:
    t = {"form": "test", "statistic": "t", "value": 2.65, **KV}
    assert reduced(TWO, design="crossover", **t).observed[0]["effect"] == pytest.approx(1.0, abs=0.01)
    apart = reduced(TWO, design="crossover", paired=False, **t).observed[0]["effect"]
    assert apart == pytest.approx(1.41, abs=0.01)
    assert reduced(TWO, **t).observed[0]["effect"] == pytest.approx(1.41, abs=0.01)


def test_residual_df_of_four_groups_give_the_size_of_each() -> None:
    arms = {name: {} for name in ("V", "K", "KA", "A")}
    found = reduced(arms, form="test", statistic="t", value=3.0, df=36, **KV).observed[0]
    assert found["effect"] == pytest.approx(3 * np.sqrt(2 / 10))


def test_a_word_in_a_crossover_is_one_of_differences_within_subjects() -> None:
    """At a true effect of 1 SD the paired test finds more than that of parallel groups."""
    word = {"form": "verdict", "verdict": "effective", "roles": {"K": "K", "V": "V"}}

    priors = PRIORS | {"arm_noise": PRIORS["arm_noise"].model_copy(update={"value": 0.0})}
    table = reduce_outcome(experiment(TWO, design="crossover"), outcome(**word), priors)
    assert table is not None
    chance = float(np.exp(table.grid_log_density[np.searchsorted(GRID, 1.0)]))
    assert chance == pytest.approx(t_test_power(7, 1.0, paired=True), abs=1e-3)
