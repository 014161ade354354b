"""Reweighing: the record read otherwise (publication selected, outcomes left out), as log ratios on draws of the fits.

Nothing is fitted or compiled anew: tables, memberships and the density of a failed cohort are data of one small
compiled function of the effects that each draw predicts.

Publication: a result that is not significant is published with chance omega, a significant one always [1]. Given a
cohort's true contrasts, what was published has density p(report) w / (P + omega (1 - P)), with P the probability of
significance and w = omega where the report is not significant. Only outcomes flagged `selected` are treated so. For
verdicts significance is the event itself where the authors claim an effect, and its complement where they claim none.

References
----------
.. [1] Hedges LV (1992). Modeling publication selection effects in meta-analysis. doi:10.1214/ss/1177011364
"""

import dataclasses
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float

from gaddum.outcomes.group_sizes import fixed_value
from gaddum.outcomes.noncentral_t import LOG_FLOOR
from gaddum.outcomes.reduce import log_saturated
from gaddum.records.outcome.p_threshold import PThreshold
from gaddum.records.outcome.verdict import Verdict
from gaddum.weigh.density_tables import Tables, stack_tables
from gaddum.weigh.fitted import FORMS, OMEGAS, CaseFits, HypothesisFit
from gaddum.weigh.likelihood import Problem, ScoredOutcome, cohort_log_likelihoods
from gaddum.weigh.predictive import Outline, in_blocks

NULL_VERDICTS = ("not effective", "no difference", "not abolished", "does not mimic")
"""Verdicts in which the authors claim no effect, or no blockade."""


class RecordReading(NamedTuple):
    """How the record is read: all that a cohort's likelihood takes but the predicted effects."""

    tables: Tables
    members_1d: Float[np.ndarray, "cohorts_and_times ones"]
    members_2d: Float[np.ndarray, "cohorts_and_times twos"]
    log_saturated: Float[np.ndarray, " cohorts"]


class Reader:
    """Cohort log likelihoods under any reading of one problem's record, compiled once."""

    def __init__(self, problem: Problem) -> None:
        rows = problem.assembly.rows.expectancy.size

        def logs(packed: Array, reading: RecordReading) -> Array:
            changed = problem._replace(**reading._asdict())
            return cohort_log_likelihoods(changed, packed[:rows], packed[rows])

        self._logs = jax.jit(in_blocks(logs))

    def cohort_logs(self, outline: Outline, reading: RecordReading) -> Float[np.ndarray, "cohorts draws"]:
        """Log likelihood of each cohort, from the effects and the cohorts' spread of a batch of draws."""
        packed = np.concatenate([np.asarray(outline.effect), np.asarray(outline.spread)[None]])
        return np.asarray(self._logs(packed, reading))


def reading_of(problem: Problem, kept: Bool[np.ndarray, " outcomes"] | None = None) -> RecordReading:
    """The record as it is, or with only some of its outcomes (in the order of `Problem.scored`)."""
    ones = problem.members_1d.shape[1]
    keep = np.ones(len(problem.scored)) if kept is None else kept.astype(float)
    saturated = np.zeros(len(problem.cohorts))
    for s, flag in zip(problem.scored, keep, strict=True):
        saturated[s.cohort] += flag * s.weight * s.reduced.log_saturated
    by_column = keep[problem.outcome_of]
    return RecordReading(
        problem.tables,
        problem.members_1d * by_column[:ones],
        problem.members_2d * by_column[ones:],
        saturated,
    )


def selected(problem: Problem) -> tuple[ScoredOutcome, ...]:
    """Scored outcomes on which publication may have depended, as far as their form has one significance."""
    return tuple(
        s
        for s in problem.scored
        if s.outcome.selected
        and s.reduced.joint is None
        and (s.reduced.significant is not None or isinstance(s.outcome, Verdict))
    )


def selective_reading(problem: Problem, omega: float, sd: float) -> RecordReading:
    """The record where a flagged result that is not significant was published with chance omega, in (0, 1].

    `sd` is that of the yardstick's prior on contrasts (within-group SD).
    """
    flagged = {id(s) for s in selected(problem)}
    reduced, saturated = [], np.zeros(len(problem.cohorts))
    for s in problem.scored:
        one = s.reduced
        if id(s) in flagged:
            table = one.grid_log_density + log_selection(s, omega)
            one = one._replace(
                grid_log_density=np.maximum(table, LOG_FLOOR), log_saturated=log_saturated(table, sd)
            )
        reduced.append(one)
        saturated[s.cohort] += s.weight * one.log_saturated
    tables = stack_tables([reduced[place] for place in problem.outcome_of])
    return RecordReading(tables, problem.members_1d, problem.members_2d, saturated)


def log_selection(s: ScoredOutcome, omega: float) -> Float[np.ndarray, "..."]:
    """What selection adds to an outcome's log density, on its grid: log w - log(P + omega (1 - P))."""
    table = s.reduced.grid_log_density
    if isinstance(s.outcome, Verdict):
        stated = np.exp(np.minimum(table, 0.0))
        null = s.outcome.verdict in NULL_VERDICTS
        significant = 1 - stated if null else stated
    else:
        assert s.reduced.significant is not None
        null = not _reported_significant(s)
        significant = s.reduced.significant
        significant = significant[:, None] if table.ndim == 2 else significant
    chance = significant + omega * (1 - significant)
    return np.broadcast_to((np.log(omega) if null else 0.0) - np.log(chance), table.shape)


def with_selection(fitted: CaseFits) -> CaseFits:
    """Add to every fit in the main form the log ratio of its draws under each omega, and under their average.

    Returns the fits as they are where no scored outcome is flagged.
    """
    problem = fitted.problem
    if not any(fitted.weights[s.cohort] > 0 for s in selected(problem)):
        return fitted
    sd = fixed_value(fitted.priors, "standardised_effect")
    reader = Reader(problem)
    readings = [selective_reading(problem, omega, sd) for omega in OMEGAS]

    def ratios(fit: HypothesisFit) -> np.ndarray:
        found = [
            fitted.weights @ (reader.cohort_logs(fit.outline, reading) - fit.cohort_logs)
            for reading in readings
        ]
        average = np.logaddexp.reduce([np.zeros_like(found[0]), *found], axis=0) - np.log(1 + len(found))
        return np.array([*found, average])

    changed = {
        (FORMS[0], place): fitted.fits[FORMS[0], place]._replace(ratios=found)
        for place, found in fitted.by_fit(ratios).items()
    }
    return dataclasses.replace(fitted, fits=fitted.fits | changed)


def _reported_significant(s: ScoredOutcome) -> bool:
    if isinstance(s.outcome, PThreshold):
        return s.outcome.significant
    return any(not one["lower"] <= 0 <= one["upper"] for one in s.reduced.observed[:1])
