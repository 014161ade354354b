"""A difference with its interval, which keeps the standard error of that interval."""

import numpy as np
from scipy.special import ndtri
from scipy.stats import t as student_t

from gaddum.outcomes.design import degrees_of_freedom, is_paired
from gaddum.outcomes.group_sizes import fixed_value, group_sizes
from gaddum.outcomes.noncentral_t import GRID, effect_logpdf
from gaddum.outcomes.statistic import observed_effect, probability_beyond, probability_significant
from gaddum.outcomes.table import Priors, Table, difference_of
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.difference import Difference


def difference_table(experiment: Experiment, outcome: Difference, priors: Priors) -> Table:
    """A difference with its interval, which keeps the standard error of that interval."""
    noise = fixed_value(priors, "arm_noise") ** 2
    first, second = outcome.contrast
    effect, low, high = (end / (outcome.sd or 1.0) for end in (outcome.value, *outcome.ci))
    tail = 0.5 + 0.5 * outcome.ci_level
    if None in [experiment.protocol.arms[name].n for name in outcome.contrast]:
        error, df = (high - low) / (2 * ndtri(tail)), np.inf
        observed = ({"effect": effect, "lower": low, "upper": high},)
    else:
        scenario = group_sizes(experiment, outcome.contrast, priors)[0]
        df = degrees_of_freedom(scenario.n, outcome.contrast, is_paired(experiment))
        error = float((high - low) / (2 * student_t.ppf(tail, df)))
        observed = (observed_effect(effect, error, df),)
    variance = error**2 + 2 * noise
    return Table(
        (difference_of(first, second),),
        effect_logpdf(effect, variance, df, GRID),
        observed,
        above=probability_beyond(effect, variance, df)[None],
        significant=probability_significant(error, variance, df),
    )
