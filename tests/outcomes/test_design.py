"""Design: the same data have the same standard error in whatever form they are reported."""

from typing import Any

import numpy as np
import pytest
from scipy import stats
from tests.outcomes.examples import FORMS, KVA, PRIORS, SOURCE, experiment, outcome, reduced

from gaddum.outcomes.design import CELL_CORRELATION, contrast_error
from gaddum.outcomes.noncentral_t import GRID
from gaddum.outcomes.power import t_test_power
from gaddum.outcomes.reduce import reduce_outcome
from gaddum.records.experiment import Experiment
from gaddum.records.protocol import Protocol

TWO = {"V": 7, "K": 7}
MEANS = {
    "form": "means",
    "arms": {
        "V": {"mean": 0.0, "spread": 1.0, "spread_kind": "SD", "n": 7},
        "K": {"mean": 1.0, "spread": 1.0, "spread_kind": "SD", "n": 7},
    },
}
KV: dict[str, Any] = {"contrast": ["K", "V"], "better": "first"}


def with_protocol(sizes: dict[str, Any], design: str = "parallel", **said: Any) -> Experiment:
    plain = experiment(sizes, design=design)
    protocol = Protocol.model_validate(plain.protocol.model_dump(exclude_defaults=True) | said)
    return plain.model_copy(update={"protocol": protocol})


def cells(per_animal: float) -> dict[str, Any]:
    return {"cells_per_animal": {"value": per_animal, "unit": "1", "spread": None, "source": SOURCE}}


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


def test_means_of_sessions_that_correlate_more_say_more() -> None:
    """At r = .8 a contrast of 7 pairs has the error sqrt(2 (1 - .8) / 7)."""
    alike = with_protocol(TWO, "crossover", session_correlation=0.8)
    found = reduce_outcome(alike, outcome(**MEANS), PRIORS)
    assert found is not None
    low, high = found.observed[0]["lower"], found.observed[0]["upper"]
    half = np.sqrt(2 * 0.2 / 7) * stats.t.ppf(0.975, 12 / (1 + 0.8**2))
    assert (high - low) / 2 == pytest.approx(half)
    assert spread_of(found) < 0.85 * spread_of(reduced(TWO, design="crossover", **MEANS))  # arm noise stays


def test_the_variance_of_means_of_cells_is_that_of_simulated_animals() -> None:
    rng, animals, per_animal = np.random.default_rng(5), 4, 3
    animal = rng.normal(0, np.sqrt(CELL_CORRELATION), (50_000, 2, animals, 1))
    cell = animal + rng.normal(0, np.sqrt(1 - CELL_CORRELATION), (50_000, 2, animals, per_animal))
    simulated = np.diff(cell.mean(axis=(2, 3)), axis=1).std()

    priors = PRIORS | {"arm_noise": PRIORS["arm_noise"].model_copy(update={"value": 0.0})}
    known = {"form": "difference", "contrast": ["K", "V"], "value": 0.0, "ci": [-1.0, 1.0]}
    n = {name: {} for name in TWO}  # sizes unknown: a normal of the interval's own error
    alone, nested = (
        reduce_outcome(with_protocol(n, **cells(m)), outcome(**known), priors) for m in (1, per_animal)
    )
    error = np.sqrt(2 / (animals * per_animal))
    assert alone is not None and nested is not None
    assert spread_of(nested) / spread_of(alone) == pytest.approx(simulated / error, rel=0.01)


@pytest.mark.parametrize("form", [name for name, one in FORMS.items() if one["form"] != "responders"])
def test_one_cell_an_animal_is_an_animal_and_ten_are_less_than_ten(form: str) -> None:
    sizes, said = KVA | {"A": 8}, outcome(**FORMS[form])
    animals, one, ten = (
        reduce_outcome(with_protocol(sizes, **more), said, PRIORS) for more in ({}, cells(1), cells(10))
    )
    assert animals is not None and one is not None and ten is not None
    np.testing.assert_array_equal(one.grid_log_density, animals.grid_log_density)
    assert not np.allclose(ten.grid_log_density, animals.grid_log_density, atol=1e-2)
