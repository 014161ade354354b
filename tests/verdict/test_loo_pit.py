"""Held out: the ends of each outcome's interval are probabilities of less and of no more than was reported."""

import numpy as np
import pytest
from scipy import stats

from gaddum.outcomes.noncentral_t import GRID
from gaddum.outcomes.reduce import reduce_outcome
from gaddum.records.ledger import load_case
from gaddum.records.outcome.p_threshold import PThreshold
from gaddum.records.outcome.p_value import PValue
from gaddum.records.outcome.responders import Responders
from gaddum.records.outcome.verdict import Verdict
from gaddum.records.source import Source
from gaddum.verdict.loo_pit import ends_of
from gaddum.weigh.likelihood import ScoredOutcome

HERE = Source(how="assumption", reason="made up for a test")


@pytest.fixture(scope="module")
def ketamine():
    return load_case("ketamine")


@pytest.fixture(scope="module")
def priors(ketamine):
    return {prior.name: prior.distribution for prior in ketamine.case.priors}


def reported(ketamine, priors, study, endpoint, make, n=10, **given):
    found = ketamine.ledger.study(study)
    experiment = found.experiments[0]
    arms = {name: arm.model_copy(update={"n": n}) for name, arm in experiment.protocol.arms.items()}
    protocol = experiment.protocol.model_copy(update={"arms": arms})
    experiment = experiment.model_copy(update={"protocol": protocol})
    outcome = make(endpoint=endpoint, source=HERE, **given)
    reduced = reduce_outcome(experiment, outcome, priors)
    assert reduced is not None
    return ScoredOutcome(found, experiment, outcome, reduced, 0, 1.0)


def test_statistic_has_the_tail_of_its_noncentral_t(ketamine, priors):
    s = reported(
        ketamine, priors, "zhang2014", "tail", PValue, form="p-value", p=0.03, contrast=("X_R", "V"), better="first"
    )  # fmt: skip
    ends = ends_of(s, priors)
    assert (ends.less == ends.no_more).all()
    error, sd = np.sqrt(2 / 10), np.sqrt(2 / 10 + 2 * 0.15**2)
    t = stats.t.isf(0.015, 18)
    inside = np.abs(GRID) < 3
    expected = stats.nct.cdf(t * error / sd, 18, GRID[inside] / sd)
    np.testing.assert_allclose(ends.less[inside], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("word", "larger"), [("effective", True), ("not effective", False), ("no difference", False)]
)
def test_verdict_takes_the_upper_or_the_lower_part(ketamine, priors, word, larger):
    s = reported(
        ketamine, priors, "zhang2014", "tail", Verdict, form="verdict", verdict=word, roles={"K": "X_R", "V": "V"}
    )  # fmt: skip
    chance, ends = np.exp(s.reduced.grid_log_density), ends_of(s, priors)
    np.testing.assert_allclose(ends.no_more - ends.less, chance, atol=1e-12)
    assert (ends.no_more == 1).all() if larger else (ends.less == 0).all()


def test_blockade_has_an_interval_over_both_contrasts(ketamine, priors):
    s = reported(
        ketamine,
        priors,
        "zhang_hashimoto2019",
        "hours_3",
        Verdict,
        form="verdict",
        verdict="abolished",
        roles={"K": "K", "V": "V", "KA": "KA"},
        agonist_effect_present=True,
    )
    ends = ends_of(s, priors)
    assert ends.no_more.shape == (len(GRID), len(GRID))
    assert (ends.less == 0).all() and ends.no_more.max() <= 1


def test_threshold_that_was_met_by_the_first_arm_is_the_larger_event(ketamine, priors):
    s = reported(
        ketamine,
        priors,
        "zhang2014",
        "tail",
        PThreshold,
        form="p-threshold",
        significant=True,
        contrast=("X_R", "V"),
        better="first",
    )
    assert (ends_of(s, priors).no_more == 1).all()


def test_counts_have_intervals_that_tile_the_whole(ketamine, priors):
    every = [
        ends_of(
            reported(
                ketamine,
                priors,
                "murrough2013",
                "day_1",
                Responders,
                form="responders",
                criterion="half",
                counts={"K": {"responders": k, "n": 4}},
            ),
            priors,
        )
        for k in range(5)
    ]
    np.testing.assert_allclose(every[0].less, 0.0)
    np.testing.assert_allclose(every[-1].no_more, 1.0)
    for one, following in zip(every, every[1:], strict=False):
        np.testing.assert_allclose(one.no_more, following.less, atol=1e-12)


@pytest.mark.slow
def test_retest_counts_have_intervals_that_tile_the_whole(ketamine, priors):
    def ends(again):
        retest = {"arm": "KA", "among_responders_of": "K", "responders": again, "n": 1}
        given = {"criterion": "half", "counts": {"K": {"responders": 1, "n": 2}}, "retest": retest}
        s = reported(ketamine, priors, "williams2018", "day_1", Responders, form="responders", **given)
        return ends_of(s, priors)

    none, one = ends(0), ends(1)
    np.testing.assert_allclose(none.less, 0.0)
    inside = np.ix_(np.abs(GRID) < 4, np.abs(GRID) < 4)  # far out the sum over response to placebo is coarse
    np.testing.assert_allclose(none.no_more[inside], one.less[inside], atol=1e-6)
    np.testing.assert_allclose(one.no_more[inside], 1.0, atol=1e-6)
