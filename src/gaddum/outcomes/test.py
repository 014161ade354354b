"""A t, F, standardised effect, p or threshold of one contrast."""

import numpy as np

from gaddum.outcomes.design import contrast_error, degrees_of_freedom, is_paired
from gaddum.outcomes.group_sizes import fixed_value, group_sizes
from gaddum.outcomes.noncentral_t import GRID, effect_interval, effect_logpdf, mixed, t_of_p
from gaddum.outcomes.statistic import observed_effect, probability_beyond, probability_significant
from gaddum.outcomes.table import Priors, Table, difference_of, log_of
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.p_threshold import PThreshold
from gaddum.records.outcome.p_value import PValue
from gaddum.records.outcome.test import Test


def test_table(experiment: Experiment, outcome: Test | PValue | PThreshold, priors: Priors) -> Table:
    """A t, F, standardised effect, p or threshold of one contrast."""
    noise = fixed_value(priors, "arm_noise") ** 2
    sign = -1.0 if outcome.better == "second" else 1.0
    given_df = outcome.df if isinstance(outcome, Test) else None
    parts, observed, most = [], (), 0.0
    above, significant = np.zeros((1, len(GRID))), np.zeros(len(GRID))
    paired = is_paired(experiment, outcome.paired)
    for scenario in group_sizes(experiment, outcome.contrast, priors, df=given_df, paired=paired):
        error = contrast_error(scenario.n, outcome.contrast, paired)
        df = given_df or degrees_of_freedom(scenario.n, outcome.contrast, paired)
        variance = error**2 + 2 * noise
        significant += scenario.weight * probability_significant(error, variance, df)
        if isinstance(outcome, PThreshold):
            c = t_of_p(outcome.threshold, df) * error
            lower, upper = (c, np.inf) if outcome.significant else (0.0 if outcome.better else -c, c)
            probability = effect_interval(lower, upper, variance, df, sign * GRID)
            if outcome.significant and outcome.better is None:
                probability = probability + effect_interval(-np.inf, -c, variance, df, GRID)
            density = log_of(probability)
        else:
            d = sign * _t_statistic(outcome, error, df) * error
            density = effect_logpdf(d, variance, df, GRID)
            above += scenario.weight * probability_beyond(d, variance, df)
            if scenario.weight > most:
                observed, most = (observed_effect(d, error, df),), scenario.weight
        parts.append(np.log(scenario.weight) + density)
    numbers = None if isinstance(outcome, PThreshold) else above
    contrasts = (difference_of(*outcome.contrast),)
    return Table(contrasts, mixed(parts), observed, above=numbers, significant=significant)


def _t_statistic(outcome: Test | PValue, error: float, df: float) -> float:
    """Absolute t."""
    if isinstance(outcome, PValue):
        return t_of_p(outcome.p, df)
    match outcome.statistic:
        case "t":
            return abs(outcome.value)
        case "F":
            return float(np.sqrt(outcome.value))
        case "d":
            return abs(outcome.value) / error
