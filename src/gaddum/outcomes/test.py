"""A t, F, standardised effect or p of one contrast."""

from gaddum.outcomes.form import ArmComparison, Priors, Table, difference_of
from gaddum.outcomes.statistic import absolute_t, better_arm, is_pair, judged, statistic_table, two_sided_p
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.p_value import PValue
from gaddum.records.outcome.test import Test


def table(experiment: Experiment, outcome: Test | PValue, priors: Priors) -> Table:
    """Density of the statistic."""
    sign = -1.0 if outcome.better == "second" else 1.0
    return statistic_table(
        experiment,
        difference_of(*outcome.contrast),
        priors,
        lambda error, df: sign * absolute_t(outcome.statistic, outcome.value, error, df),
        df=outcome.df,
        paired=experiment.protocol.is_paired(outcome.paired),
    )


def compared(experiment: Experiment, outcome: Test | PValue, first: str, second: str) -> ArmComparison | None:
    """By the p of the statistic."""
    if not is_pair(outcome.contrast, first, second):
        return None
    paired = experiment.protocol.is_paired(outcome.paired)
    p = two_sided_p(
        experiment, outcome.contrast, outcome.statistic, outcome.value, df=outcome.df, paired=paired
    )
    return judged(p, better_arm(outcome.contrast, outcome.better) == first)
