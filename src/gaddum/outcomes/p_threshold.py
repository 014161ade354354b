"""Only that p was below a threshold, or not below it."""

import numpy as np

from gaddum.outcomes.design import cell_inflation, contrast_error, degrees_of_freedom
from gaddum.outcomes.form import ArmComparison, Priors, Table, difference_of, log_of
from gaddum.outcomes.group_sizes import fixed_value, group_sizes
from gaddum.outcomes.noncentral_t import GRID, effect_interval, mixed, t_of_p
from gaddum.outcomes.statistic import better_arm, is_pair, probability_significant
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.p_threshold import PThreshold


def table(experiment: Experiment, outcome: PThreshold, priors: Priors) -> Table:
    """Probability that p falls on the side reported."""
    noise = fixed_value(priors, "arm_noise") ** 2
    sign = -1.0 if outcome.better == "second" else 1.0
    parts, significant = [], np.zeros(len(GRID))
    paired = experiment.protocol.is_paired(outcome.paired)
    for scenario in group_sizes(experiment, outcome.contrast, priors, paired=paired):
        error = contrast_error(scenario.n, outcome.contrast, paired, experiment.protocol.session_correlation)
        df = degrees_of_freedom(scenario.n, outcome.contrast, paired)
        variance = cell_inflation(experiment.protocol) * error**2 + 2 * noise
        significant += scenario.weight * probability_significant(error, variance, df)
        c = t_of_p(outcome.threshold, df) * error
        lower, upper = (c, np.inf) if outcome.significant else (0.0 if outcome.better else -c, c)
        probability = effect_interval(lower, upper, variance, df, sign * GRID)
        if outcome.significant and outcome.better is None:
            probability = probability + effect_interval(-np.inf, -c, variance, df, GRID)
        parts.append(np.log(scenario.weight) + log_of(probability))
    return Table((difference_of(*outcome.contrast),), mixed(parts), significant=significant)


def compared(experiment: Experiment, outcome: PThreshold, first: str, second: str) -> ArmComparison | None:
    """By whether p was below the threshold."""
    if not is_pair(outcome.contrast, first, second):
        return None
    better = outcome.significant and better_arm(outcome.contrast, outcome.better) == first
    return ArmComparison(better, f"p {'<' if outcome.significant else '≥'} {outcome.threshold:g}")
