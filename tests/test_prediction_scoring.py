"""Scores of the prediction test: closed forms, and simulated records whose truth is known."""

import numpy as np
import pytest
from benchmarks.prediction.forecasts import forecast_rows, forecasts_document, read_forecasts
from benchmarks.prediction.rows import BlockadeRecord
from benchmarks.prediction.scoring import (
    Rows,
    brier_scores,
    log_scores,
    mean_over_cohorts,
    reliability,
    reliability_slope,
)

from test_prediction_rivals import row


def simulated(cohorts: int, seed: int, each: int = 2) -> tuple[Rows, np.ndarray]:
    """Rows whose events have known chances, several a cohort; and these chances."""
    random = np.random.default_rng(seed)
    truth = random.dirichlet([0.8, 0.8, 0.8], size=cohorts * each)
    events = (truth.cumsum(axis=1) > random.uniform(size=(len(truth), 1))).argmax(axis=1)
    return Rows(np.eye(3)[events], np.full(len(truth), 1 / each), np.repeat(np.arange(cohorts), each)), truth


def powered(chances: np.ndarray, power: float) -> np.ndarray:
    return chances**power / np.sum(chances**power, axis=1, keepdims=True)


def test_scores_are_their_definitions():
    rows = Rows(np.array([[1.0, 0, 0], [0.5, 0.5, 0]]), np.ones(2), np.arange(2))
    chances = np.array([[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]])
    assert log_scores(rows, chances) == pytest.approx([np.log(0.5), 0.5 * np.log(0.6) + 0.5 * np.log(0.3)])
    first = 0.5**2 + 0.3**2 + 0.2**2
    second = 0.5 * (0.4**2 + 0.3**2 + 0.1**2) + 0.5 * (0.6**2 + 0.7**2 + 0.1**2)
    assert brier_scores(rows, chances) == pytest.approx([first, second])


def test_a_cohort_counts_once_however_many_rows_it_has():
    rows = Rows(np.eye(3)[[0, 0, 0, 1]], np.array([1 / 3, 1 / 3, 1 / 3, 1.0]), np.array([0, 0, 0, 1]))
    assert mean_over_cohorts(rows, np.array([3.0, 3.0, 3.0, 1.0])).value == pytest.approx(2.0)


def test_the_error_is_that_of_a_mean():
    rows, _ = simulated(200, 0, each=1)
    scores = np.random.default_rng(1).normal(size=200)
    assert mean_over_cohorts(rows, scores).error == pytest.approx(scores.std() / np.sqrt(200), rel=0.05)


@pytest.mark.parametrize("seed", range(3))
def test_who_knows_the_truth_wins(seed: int):
    rows, truth = simulated(150, seed)
    for other in (np.full_like(truth, 1 / 3), powered(truth, 2.0), powered(truth, 0.4), truth[:, ::-1]):
        gain = mean_over_cohorts(rows, log_scores(rows, truth) - log_scores(rows, other))
        assert gain.lower > 0
        assert mean_over_cohorts(rows, brier_scores(rows, truth) - brier_scores(rows, other)).value < 0


def test_the_interval_holds_the_true_difference_as_often_as_it_says():
    # Expected over events and over chances; the latter by one large sample.
    _, many = simulated(100_000, 99, each=1)
    other = powered(many, 0.5)
    expected = float(np.mean(np.sum(many * (np.log(many) - np.log(other)), axis=1)))
    held = 0
    for seed in range(300):
        rows, truth = simulated(40, seed)
        found = mean_over_cohorts(rows, log_scores(rows, truth) - log_scores(rows, powered(truth, 0.5)))
        held += found.lower <= expected <= found.upper
    # 40 cohorts: percentiles of a bootstrap hold a little less than 95 %; three binomial errors below that
    assert 0.89 <= held / 300 <= 0.98


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_slope_is_the_power_that_makes_a_forecaster_calibrated(power: float):
    rows, truth = simulated(200, 7)
    found = reliability_slope(rows, powered(truth, 1 / power))
    assert found is not None
    assert found.value == pytest.approx(power, abs=3 * found.error) and found.error < 0.3 * power


def test_slopes_of_calibrated_forecasters_lie_about_one_by_their_errors():
    found = [reliability_slope(*simulated(40, seed)) for seed in range(30)]
    deviations = [(one.value - 1) / one.error for one in found if one is not None]
    assert len(deviations) == 30
    assert abs(np.mean(deviations)) < 3 * np.std(deviations) / np.sqrt(30) + 0.15
    assert 0.7 < np.std(deviations) < 1.4


def test_forecasts_that_are_all_alike_have_no_slope():
    rows, truth = simulated(10, 0)
    assert reliability_slope(rows, np.full_like(truth, 1 / 3)) is None


def test_forecasts_that_part_the_events_altogether_have_no_slope():
    rows, _ = simulated(10, 0)
    assert reliability_slope(rows, 0.8 * rows.shares + 0.2 / 3) is None


def test_reliability_of_a_calibrated_forecaster_lies_on_the_diagonal():
    rows, truth = simulated(20_000, 3, each=1)
    bins = reliability(rows, truth)
    assert [one.share for one in bins] == pytest.approx([one.forecast for one in bins], abs=0.02)
    assert sum(one.weight for one in bins) == pytest.approx(3 * 20_000)


def test_a_year_is_forecast_from_the_years_before_and_a_laboratory_from_the_others():
    rows = (
        row("abolished", "a", year=2018, laboratory="Elm"),
        row("partial", "b", year=2020, laboratory="Ash"),
        row("partial", "c", year=2020, laboratory="Elm"),
        row("partial", "d", year=2021, laboratory="Oak"),
    )

    def telling(known: np.ndarray) -> np.ndarray:
        """Say which rows are known, in binary."""
        return np.full((4, 3), float(known @ [1, 2, 4, 8]))

    found = forecast_rows(rows, telling)
    assert found["by_year"][:, 0].tolist() == [0, 1, 1, 7]
    assert found["by_laboratory"][:, 0].tolist() == [10, 13, 10, 7]


def test_forecasts_come_back_from_their_document_with_differences_from_each_other():
    rows = (row("abolished", "a"), row("partial", "b", year=2021), row("partial", "c", year=2022))
    record = BlockadeRecord(rows, (), "digest")
    good, coin = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.7, 0.2]]), np.full((3, 3), 1 / 3)
    ways = {"coin": coin, "good": good}
    document = forecasts_document(
        record, {name: {"by_year": one, "by_laboratory": one} for name, one in ways.items()}
    )
    assert read_forecasts(document)["good"]["by_year"] == pytest.approx(good)
    over = document["forecasters"]["good"]["by_year"]["over"]["coin"]["value"]
    assert over == pytest.approx(np.log([2.4, 2.4, 2.1]).mean(), abs=1e-6)
    later = forecasts_document(record, {"model": {"by_year": good, "by_laboratory": good}}, document)
    assert list(later["forecasters"]["model"]["by_year"]["over"]) == ["coin", "good"]
