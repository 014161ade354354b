"""A difference with its interval, which keeps the standard error of that interval."""

import numpy as np
from scipy.special import ndtri, stdtrit

from gaddum.outcomes.design import cell_inflation, degrees_of_freedom
from gaddum.outcomes.form import ArmComparison, Priors, Table, difference_of
from gaddum.outcomes.group_sizes import fixed_value, group_sizes
from gaddum.outcomes.noncentral_t import GRID, effect_logpdf
from gaddum.outcomes.statistic import is_pair, observed_effect, probability_beyond, probability_significant
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.difference import Difference


def table(experiment: Experiment, outcome: Difference, priors: Priors) -> Table:
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
        df = degrees_of_freedom(scenario.n, outcome.contrast, experiment.protocol.is_paired())
        error = float((high - low) / (2 * stdtrit(df, tail)))
        observed = (observed_effect(effect, error, df),)
    variance = cell_inflation(experiment.protocol) * error**2 + 2 * noise
    return Table(
        (difference_of(first, second),),
        effect_logpdf(effect, variance, df, GRID),
        observed,
        above=probability_beyond(effect, variance, df)[None],
        significant=probability_significant(error, variance, df),
    )


def compared(experiment: Experiment, outcome: Difference, first: str, second: str) -> ArmComparison | None:
    """By whether the interval leaves out 0."""
    if not is_pair(outcome.contrast, first, second):
        return None
    sign = 1.0 if outcome.contrast[0] == first else -1.0
    low, high = sorted(sign * limit for limit in outcome.ci)
    unit = "SD" if outcome.sd is None else "points"
    return ArmComparison(low > 0, f"difference {sign * outcome.value:.2g} ({low:.2g} to {high:.2g}) {unit}")
