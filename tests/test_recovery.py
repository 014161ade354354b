"""The study of recovery draws reports as `reduce` scores them, and tells a calibrated posterior from others."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from benchmarks.recovery import draw
from benchmarks.recovery.calibration import pooled, recovery
from benchmarks.recovery.verdicts import possible_reports

from gaddum.outcomes.noncentral_t import GRID
from gaddum.outcomes.reduce import reduce_outcome
from gaddum.records.outcome import Outcome, is_scored
from gaddum.records.outcome.responders import Count, Responders
from gaddum.records.outcome.test import Test as StatisticRecord
from gaddum.records.outcome.verdict import Verdict
from gaddum.weigh.likelihood import ScoredOutcome
from letter import load_letter

LETTER = load_letter()
PRIORS = {prior.name: prior.distribution for prior in LETTER.case.priors}
DRAWS = 4000


@cache
def scored(outcome: Outcome | None = None) -> list[ScoredOutcome]:
    """Scored outcomes of the letter; or one more of its mouse experiment, in groups of 12."""
    if outcome is None:
        found = [row for row in LETTER.ledger.outcomes() if is_scored(row[2])]
    else:
        study = LETTER.ledger.study("zhang_hashimoto2019")
        protocol = study.experiments[0].protocol
        arms = {name: arm.model_copy(update={"n": 12}) for name, arm in protocol.arms.items()}
        sized = protocol.model_copy(update={"arms": arms})
        found = [(study, study.experiments[0].model_copy(update={"protocol": sized}), outcome)]
    rows = [
        (study, experiment, one, reduce_outcome(experiment, one, PRIORS)) for study, experiment, one in found
    ]
    return [ScoredOutcome(*row[:3], row[3], 0, 1.0) for row in rows if row[3] is not None]


VERDICTS = sorted(
    {one.verdict for *_, one in LETTER.ledger.outcomes() if isinstance(one, Verdict) and is_scored(one)}
)


@pytest.mark.slow
@pytest.mark.parametrize("verdict", VERDICTS)
def test_possible_verdicts_are_exclusive_and_exhaustive(verdict: str) -> None:
    s = next(s for s in scored() if isinstance(s.outcome, Verdict) and s.outcome.verdict == verdict)
    reports = possible_reports(s, PRIORS)
    # Sums in another order, by where the memory lies, differ in their last digits.
    np.testing.assert_allclose(reports[verdict].grid_log_density, s.reduced.grid_log_density, rtol=1e-12)
    total = sum(np.exp(report.grid_log_density) for report in reports.values())
    np.testing.assert_allclose(total, 1, atol=1e-6)
    assert sum(np.exp(report.log_saturated) for report in reports.values()) == pytest.approx(1, abs=1e-6)


def frequencies(
    s: ScoredOutcome, contrasts: list[float], monkeypatch: pytest.MonkeyPatch
) -> dict[str, float]:
    """How often what is reported, tables aside."""
    monkeypatch.setattr(draw, "_reduced", lambda scored, outcome, priors: scored.reduced)
    one, rng = draw.drawer(s, PRIORS), np.random.default_rng(3)
    told = Counter(one(np.array(contrasts), rng)[0] for _ in range(DRAWS))
    return {words: count / DRAWS for words, count in told.items()}


def agrees(frequency: float, probability: float) -> bool:
    return abs(frequency - probability) < 4 * np.sqrt(probability * (1 - probability) / DRAWS)


@pytest.mark.slow
def test_counts_are_drawn_as_often_as_their_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    (s,) = (s for s in scored() if s.study.id == "yoon2019")
    assert isinstance(s.outcome, Responders)
    found = frequencies(s, [0.7], monkeypatch)
    for responders in range(6):
        counts = {"KA": Count(responders=responders, n=5)}
        table = reduce_outcome(s.experiment, s.outcome.model_copy(update={"counts": counts}), PRIORS)
        assert table is not None
        chance = float(np.exp(table.grid_log_density[np.searchsorted(GRID, 0.7)]))
        assert agrees(found.get(f"{responders}/5", 0.0), chance)


@pytest.mark.slow
def test_retests_are_drawn_as_often_as_their_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    (s,) = (s for s in scored() if s.study.id == "williams2018")
    found = frequencies(s, [0.9, -0.5], monkeypatch)
    row, column = np.searchsorted(GRID, [0.9, -0.5])
    assert agrees(found.get("7/12, 0/7 again", 0.0), float(np.exp(s.reduced.grid_log_density[row, column])))


STATISTIC = StatisticRecord.model_validate(
    {
        "form": "test",
        "endpoint": "hours_3",
        "source": {"how": "assumption", "reason": "made up for a test"},
        "statistic": "t",
        "value": 2.0,
        "contrast": ["K", "V"],
        "better": "first",
    }
)


def test_statistics_are_drawn_as_often_as_their_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    (s,) = scored(STATISTIC)
    found = frequencies(s, [0.8], monkeypatch)
    beyond = sum(share for words, share in found.items() if float(words.removeprefix("t = ")) >= 2.0)
    assert s.reduced.above is not None
    assert agrees(beyond, float(s.reduced.above[0, np.searchsorted(GRID, 0.8)]))


def test_a_statistic_without_chance_is_its_contrast_over_its_standard_error() -> None:
    (s,) = scored(STATISTIC)
    told, reduced = draw.drawer(s, PRIORS)(np.array([-0.9]), draw.Unvaried())
    t = 0.9 / np.sqrt(2 / 12)
    update = {"value": t, "better": "second"}
    known = reduce_outcome(s.experiment, STATISTIC.model_copy(update=update), PRIORS)
    assert told == f"t = {-t:.2f}"
    np.testing.assert_allclose(reduced.grid_log_density, known.grid_log_density, rtol=1e-12)


def test_calibration_accepts_a_posterior_and_not_one_that_is_too_sure() -> None:
    truth = np.repeat([0, 1, 2], 400)
    y = np.random.default_rng(0).standard_normal(truth.size) + truth
    log_density = -0.5 * (y[:, None] - np.arange(3)) ** 2

    def masses(power: float) -> np.ndarray:
        p = np.exp(power * log_density)
        return p / p.sum(axis=1, keepdims=True)

    assert all(abs(one.deviation) < 3 for one in (*recovery(truth, masses(1.0)), pooled(truth, masses(1.0))))
    assert pooled(truth, masses(3.0)).deviation < -5
    assert pooled(truth, masses(0.3)).deviation > 5
