"""Leave-one-out PIT: how well each outcome is foretold by the rest of the record.

Each cohort is left out in turn by importance weights; bounded, since study failure bounds a cohort's likelihood from
below. An outcome's PIT is the probability, foretold by all accounts with the odds that they have without its cohort,
of less than was reported. For what is discrete it is an interval from less to no more, and a point drawn from it [1].
If the accounts foretell the record as it fell, PITs are uniform; heaps at the ends say that outcomes surprise.

==================  ==========================================================================================
reported            what "less" is
==================  ==========================================================================================
statistic           a smaller t of the (first) contrast
verdict             of the two events "as reported" and "not": for effective, not abolished, enhanced, mimics and
                    occludes the report is the larger one; for the others the smaller one
p threshold         significant for the first arm is the larger event, all else the smaller one
responders          fewer responders in the arm retested, or in the first arm, the other counts being given
==================  ==========================================================================================

References
----------
.. [1] Czado C, Gneiting T, Held L (2009). Predictive model assessment for count data.
   doi:10.1111/j.1541-0420.2009.01191.x
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.ndimage import map_coordinates

from gaddum.outcomes.group_sizes import fixed_value
from gaddum.outcomes.noncentral_t import GRID
from gaddum.outcomes.reduce import reduce_outcome
from gaddum.records.outcome.p_threshold import PThreshold
from gaddum.records.outcome.responders import Responders
from gaddum.records.outcome.verdict import Verdict
from gaddum.results import HeldOutRow
from gaddum.weigh.fitted import FORMS, CaseFits
from gaddum.weigh.likelihood import ScoredOutcome
from gaddum.weigh.predictive import OutcomePredictions

LARGER = ("effective", "not abolished", "enhanced", "mimics", "occludes")
"""Verdicts that say that there is more of the effect than their complement says."""


class PitBounds(NamedTuple):
    """Probabilities of less, and of no more, than was reported, on the outcome's grid (one axis a contrast)."""

    less: Float[np.ndarray, "..."]
    no_more: Float[np.ndarray, "..."]


def held_out(fitted: CaseFits, predicted: dict[int, OutcomePredictions], *, seed: int) -> list[HeldOutRow]:
    """PIT of every scored outcome, its cohort left out, by what each variant predicts in the main parameterisation."""
    problem = fitted.problem
    priors = fitted.priors
    sd = fixed_value(priors, "standardised_effect")
    points = np.random.default_rng(seed).uniform(size=len(problem.scored))
    rows = []
    for cohort, name in enumerate(problem.cohorts):
        if fitted.weights[cohort] == 0:
            continue
        mass = fitted.draw_weights(FORMS[0], fitted.without([cohort]))
        effective = 1 / sum(np.sum(w**2) for w in mass.values())
        for place, s in enumerate(problem.scored):
            if s.cohort != cohort:
                continue
            ends = ends_of(s, priors)
            low, high = (
                float(_mixed(table, place, s, predicted, mass, problem.failure, sd)) for table in ends
            )
            rows.append(
                HeldOutRow(
                    **s.named,
                    cohort=name,
                    lower=low,
                    upper=high,
                    pit=low + float(points[place]) * (high - low),
                    effective_draws=float(effective),
                )
            )
    return rows


def ends_of(s: ScoredOutcome, priors: dict[str, Any]) -> PitBounds:
    """Probabilities of less and of no more than was reported, as functions of the true contrasts."""
    one = s.reduced
    if isinstance(s.outcome, Responders):
        return _counts(s, s.outcome, priors)
    if one.above is not None:
        less = np.clip(1 - one.above[0], 0.0, 1.0)
        if one.grid_log_density.ndim == 2:
            less = np.broadcast_to(less[:, None], one.grid_log_density.shape)
        return PitBounds(less, less)
    chance = np.exp(np.minimum(one.grid_log_density, 0.0))
    larger = (isinstance(s.outcome, Verdict) and s.outcome.verdict in LARGER) or (
        isinstance(s.outcome, PThreshold) and s.outcome.significant and s.outcome.better != "second"
    )
    return PitBounds(1 - chance, np.ones_like(chance)) if larger else PitBounds(np.zeros_like(chance), chance)


def _mixed(
    table: np.ndarray,
    place: int,
    s: ScoredOutcome,
    predicted: dict[int, OutcomePredictions],
    mass: dict[int, Float[np.ndarray, " draws"]],
    failure: float,
    sd: float,
) -> float:
    """Mean of a table over the predicted contrasts, with the chance that the study failed."""
    total = 0.0
    for i, weights in mass.items():
        at = (predicted[i].effects[: table.ndim, place] - GRID[0]) / (GRID[1] - GRID[0])
        # Linearly: nodes lie a tenth of an SD apart.
        total += float(weights @ map_coordinates(table, at, order=1, mode="nearest"))
    prior = np.exp(-0.5 * (GRID / sd) ** 2)
    prior = prior / prior.sum()
    failed = float(prior @ table if table.ndim == 1 else prior @ table @ prior)
    return min(1.0, max(0.0, (1 - failure) * total + failure * failed))


def _counts(s: ScoredOutcome, outcome: Responders, priors: dict[str, Any]) -> PitBounds:
    """Probabilities of fewer responders, and of no more, the other counts given.

    The counts of the other arms alone have the probability that all counts of this one add up to.
    """

    def table(changed: dict[str, Any]) -> np.ndarray:
        reduced = reduce_outcome(s.experiment, outcome.model_copy(update=changed), priors)
        assert reduced is not None
        return np.exp(reduced.grid_log_density)

    retest, arm = outcome.retest, s.reduced.contrasts[0][0][0]
    if retest is not None:
        seen, size = retest.responders, retest.n
        others = table(
            {"retest": None, "counts": {k: v for k, v in outcome.counts.items() if k != retest.arm}}
        )
        total = others[:, None]

        def changed(count: int) -> dict[str, Any]:
            return {"retest": retest.model_copy(update={"responders": count})}
    else:
        seen, size = outcome.counts[arm].responders, outcome.counts[arm].n

        def changed(count: int) -> dict[str, Any]:
            counted = outcome.counts[arm].model_copy(update={"responders": count})
            return {"counts": outcome.counts | {arm: counted}}

        if s.reduced.grid_log_density.ndim == 2:
            total = table({"counts": {k: v for k, v in outcome.counts.items() if k != arm}})[None, :]
        else:
            total = np.sum([table(changed(count)) for count in range(size + 1)], axis=0)
    mine = np.exp(s.reduced.grid_log_density)
    less = np.sum([table(changed(count)) for count in range(seen)], axis=0) + np.zeros_like(mine)
    return PitBounds(np.clip(less / total, 0, 1), np.clip((less + mine) / total, 0, 1))
