"""The drug x antagonist interaction of a 2 x 2 design."""

import numpy as np

from gaddum.outcomes.design import contrast_error, degrees_of_freedom, is_paired
from gaddum.outcomes.group_sizes import fixed_value, group_sizes
from gaddum.outcomes.noncentral_t import GRID, effect_logpdf, mixed, t_of_p
from gaddum.outcomes.statistic import observed_effect, probability_beyond, probability_significant
from gaddum.outcomes.table import Priors, Table
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.interaction import Interaction


def interaction_table(experiment: Experiment, outcome: Interaction, priors: Priors) -> Table:
    """The drug x antagonist interaction of a 2 x 2 design."""
    noise = fixed_value(priors, "arm_noise") ** 2
    sign = 1.0 if outcome.positive else -1.0
    parts, observed, most = [], (), 0.0
    above, significant = np.zeros((1, len(GRID))), np.zeros(len(GRID))
    paired = is_paired(experiment)
    for scenario in group_sizes(experiment, outcome.arms, priors, df=outcome.df, paired=paired):
        df = outcome.df or degrees_of_freedom(scenario.n, outcome.arms, paired)
        error = contrast_error(scenario.n, outcome.arms, paired)
        match outcome.statistic:
            case "p":
                t = t_of_p(outcome.value, df)
            case "F":
                t = float(np.sqrt(outcome.value))
            case "t":
                t = abs(outcome.value)
        variance = error**2 + 4 * noise
        parts.append(np.log(scenario.weight) + effect_logpdf(sign * t * error, variance, df, GRID))
        above += scenario.weight * probability_beyond(sign * t * error, variance, df)
        significant += scenario.weight * probability_significant(error, variance, df)
        if scenario.weight > most:
            observed, most = (observed_effect(sign * t * error, error, df),), scenario.weight
    contrast = tuple(zip(outcome.arms, (1.0, -1.0, -1.0, 1.0), strict=True))
    return Table((contrast,), mixed(parts), observed, above=above, significant=significant)
