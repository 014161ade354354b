"""Study limits: why a study cannot tell more than it does, in sentences.

Not engaged at that hour, exposure unknown, too few subjects, a preparation that speaks weakly to behaviour, accounts
that foretell the same, other populations: whatever of these holds.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from gaddum.change_results import PropositionChange
from gaddum.change_words import listed
from gaddum.prediction.blockade_chances import BlockadeTest, chances_at_draws
from gaddum.prediction.importance import NewWeights
from gaddum.prediction.stored_run import StoredRun
from gaddum.prediction.study_draws import StudyDraws
from gaddum.records.vocabulary import at_rest
from gaddum.results import EngagementRow
from gaddum.weigh.fitted import IN_PLAY

ENGAGED = 0.1
"""Part of a receptor from which on an antagonist counts as engaging it (1)."""
UNKNOWN = 0.5
"""Width of the 95 % interval of an engagement from which on it counts as not known (1)."""
ALIKE = 1.5
"""Bayes factor within which accounts foretell alike (1)."""
FOUND = 0.5
"""Power below which a study is said to be small (1)."""


def study_limits(
    run: StoredRun,
    drawn: StudyDraws,
    tests: Sequence[BlockadeTest],
    weights: NewWeights | None,
    rows: Sequence[PropositionChange],
) -> Iterator[str]:
    """Say what keeps a study from moving more."""
    for test in tests:
        yield from _engagement(test, drawn.occupancy)
        yield from _size(run, test, drawn)
    preparations = {one.protocol.subject.preparation for one in drawn.study.experiments} - {"behaving"}
    if preparations and run.loaded.case.link < 1:
        what = " and ".join(sorted(preparations))
        yield f"What is read by {what} speaks to behaviour with a weight of {run.loaded.case.link:g} only."
    if weights is not None:
        yield from _alike(weights)
    strata = {one.protocol.subject.stratum for one in drawn.study.experiments}
    away = [one for one in rows if one.stratum not in (*strata, "all") and one.change is not None]
    if away and not any(one.moved for one in away):
        yield (
            f"Populations other than {listed(sorted(strata), '; ')} learn from it through what populations share "
            "alone; nothing moved there."
        )


def _engagement(test: BlockadeTest, occupancy: Sequence[EngagementRow]) -> Iterator[str]:
    """Whether the antagonist was there, when the drug acted and at every hour at which the test may have been."""
    here = [one for one in occupancy if (one.experiment, one.endpoint) == (test.experiment.id, test.endpoint)]
    drug, blocked = test.roles["K"], test.roles["KA"]
    where = f"{blocked} ({test.experiment.id}, {test.endpoint})"
    features = sorted({one.feature for one in here})
    hours = sorted({one.time_h for one in here if one.phase == "expression"})
    at = {(one.arm, one.feature, one.time_h if one.phase == "expression" else None): one for one in here}

    def taken(feature: str, hour: float | None) -> float:
        """By the antagonist at a test, or where there is no hour when the drug acted (1)."""
        found = [at.get((arm, feature, hour)) for arm in (drug, blocked)]
        levels = [at_rest(feature) if one is None else one.median for one in found]
        return abs(levels[1] - levels[0])

    first, *at_test = (max((taken(one, hour) for one in features), default=0.0) for hour in (None, *hours))
    least, most = min(at_test, default=0.0), max(at_test, default=0.0)
    if max(first, most) < ENGAGED:
        yield (
            f"In {where} the antagonist engaged nothing that an account speaks of: {max(first, most):.0%} at most, "
            "when the drug acted and at the test."
        )
        return
    if most < ENGAGED:
        yield (
            f"In {where} the antagonist had left at the test ({most:.0%} engaged, {first:.0%} when the drug acted): "
            "what is needed at the test only, this study cannot tell."
        )
    elif least < ENGAGED:
        yield (
            f"In {where} the antagonist may have left at the test, whose hour is not known: {most:.0%} engaged at "
            f"{hours[at_test.index(most)]:.3g} h, {least:.0%} at {hours[at_test.index(least)]:.3g} h."
        )
    for feature in features:
        known = [at[blocked, feature, hour] for hour in hours if (blocked, feature, hour) in at]
        vague = [
            one for one in known if taken(feature, one.time_h) >= ENGAGED and one.upper - one.lower > UNKNOWN
        ]
        if vague:
            one = max(vague, key=lambda one: one.upper - one.lower)
            low, high = sorted(abs(end - at_rest(feature)) for end in (one.lower, one.upper))
            yield (
                f"In {where} exposure is not known well enough: at the test {low:.0%} to {high:.0%} of what {feature} "
                "stands for was taken away."
            )


def _size(run: StoredRun, test: BlockadeTest, drawn: StudyDraws) -> Iterator[str]:
    """Whether groups are large enough for the drug's own effect, and whether they are stated."""
    priors = {prior.name: prior.distribution for prior in run.loaded.case.priors}
    found = 1 - drawn.averaged(chances_at_draws(test, drawn, priors).nothing_to_block)
    arms = [test.experiment.protocol.arms[name] for name in test.roles.values()]
    if found < FOUND:
        sizes = listed(
            [f"{name} n = {arm.n or '?'}" for name, arm in zip(test.roles.values(), arms, strict=True)]
        )
        yield (
            f"At {test.endpoint} of {test.experiment.id} the drug's own effect is found with a chance of {found:.2f} "
            f"only ({sizes}): without it nothing can be blocked."
        )
    if any(arm.n is None and arm.n_range is None for arm in arms):
        yield f"Group sizes of {test.experiment.id} are not stated, and averaged over."


def _alike(weights: NewWeights) -> Iterator[str]:
    """Whether accounts in play foretold it alike."""
    in_play = np.maximum(weights.before.sum(axis=1), weights.after.sum(axis=1)) >= IN_PLAY
    factor = float(np.exp(np.ptp(weights.log_evidence[in_play])))
    if factor < ALIKE and in_play.sum() > 1:
        yield (
            f"Accounts in play foretold it alike (Bayes factors within {factor:.2f}), so that it hardly tells them "
            "apart."
        )
