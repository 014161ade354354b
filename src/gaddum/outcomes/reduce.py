"""Reduce: a published outcome becomes one table of log density over its true contrasts.

Contrasts are differences of arm means in within-group SD, positive where the first arm is better. All that
the report leaves open (group sizes, SD or SEM, decision rule, correction for multiple tests, response to
placebo) are mixed here, in probability, before the log; the sampler only reads `density_tables`. Conventions:

- T tests: df of the two arms unless given; verdicts: one pooled SD over all arms. Standard errors, degrees of freedom
  and sizes come from `design`: arms of a crossover share their subjects unless a test says that it was not paired.
- Arm noise adds to the variance of every arm mean, beside 1/n, and is not seen by the test's own SD.
- Unknown group sizes are equal over the arms that lack them; a given df fixes them, over all groups of the protocol.
- A difference keeps the standard error of its own CI, which a model may have made smaller than the plain t test would;
  its df come from n where that is known, and else its SD counts as known.
- The density of a statistic is per SD of the observed effect.
"""

from typing import NamedTuple

import numpy as np

from gaddum.outcomes.form import Priors, Table, likelihood_of
from gaddum.outcomes.group_sizes import fixed_value
from gaddum.outcomes.noncentral_t import GRID, floored
from gaddum.records.experiment import Experiment, Study
from gaddum.records.ledger import LoadedCase
from gaddum.records.outcome import Outcome, arms_of, is_scored


class Report(NamedTuple):
    """A scored outcome where it was reported, and its table; None where it says nothing of effects."""

    study: Study
    experiment: Experiment
    outcome: Outcome
    reduced: Table | None


def reduce_outcome(experiment: Experiment, outcome: Outcome, priors: Priors) -> Table | None:
    """Table of one outcome.

    Parameters
    ----------
    experiment
        The experiment that it belongs to: arms and their sizes, direction of improvement.
    outcome
        What was reported.
    priors
        Distributions by name; uses `arm_noise`, `n_unknown`, `rule`, `correction`, `placebo_response`,
        `retest_correlation` and `standardised_effect`.

    Returns
    -------
    Table or None
        None for a narrative, which is not scored.
    """
    missing = [name for name in arms_of(outcome) if name not in experiment.protocol.arms]
    if missing:
        raise ValueError(
            f"An outcome must name arms of its experiment; got {', '.join(missing)} in {experiment.id!r}, "
            f"arms are {', '.join(experiment.protocol.arms)}. Correct the name or add the arm."
        )
    if not outcome.can_be_scored:
        return None
    found = likelihood_of(outcome).table(experiment, outcome, priors)
    log_density, sd = floored(found.grid_log_density), fixed_value(priors, "standardised_effect")
    return found._replace(
        grid_log_density=log_density,
        log_saturated=found.joint.log_saturated(sd) if found.joint else log_saturated(log_density, sd),
        label=f"{experiment.id}: {outcome.endpoint}, {outcome.headline}",
    )


def reduce_record(loaded: LoadedCase, *, until: int | None = None) -> tuple[Report, ...]:
    """Reduce every scored outcome of a case.

    Parameters
    ----------
    loaded : LoadedCase
        The case.
    until : int
        Last year taken in. Later reports of a cohort that began before are left out; cohorts that begin later stay,
        to be predicted, and are for `Setting.weights` to leave out.
    """
    priors = {prior.name: prior.distribution for prior in loaded.case.priors}
    began = {study.cohort for study in loaded.ledger.studies if until is not None and study.year <= until}
    return tuple(
        Report(study, experiment, outcome, reduce_outcome(experiment, outcome, priors))
        for study, experiment, outcome in loaded.ledger.outcomes()
        if is_scored(outcome) and not (study.cohort in began and study.year > (until or study.year))
    )


def log_saturated(log_density: np.ndarray, sd: float) -> float:
    """Log of the integral of a table over independent N(0, sd^2) priors on its contrasts."""
    log_prior = -0.5 * (GRID / sd) ** 2
    log_prior = log_prior - np.logaddexp.reduce(log_prior)
    if log_density.ndim == 1:
        return float(np.logaddexp.reduce(log_density + log_prior))
    return float(np.logaddexp.reduce(log_density + log_prior[:, None] + log_prior[None, :], axis=None))
