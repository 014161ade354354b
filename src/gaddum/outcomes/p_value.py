"""An exact p of one contrast."""

from gaddum.outcomes.form import ArmComparison, Priors, Table, difference_of
from gaddum.outcomes.statistic import absolute_t, better_arm, is_pair, judged, statistic_table
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.p_value import PValue


def table(experiment: Experiment, outcome: PValue, priors: Priors) -> Table:
    """Density of the t that has this p."""
    sign = -1.0 if outcome.better == "second" else 1.0
    return statistic_table(
        experiment,
        difference_of(*outcome.contrast),
        priors,
        lambda error, df: sign * absolute_t("p", outcome.p, error, df),
        paired=experiment.protocol.is_paired(outcome.paired),
    )


def compared(experiment: Experiment, outcome: PValue, first: str, second: str) -> ArmComparison | None:
    """By the p."""
    if not is_pair(outcome.contrast, first, second):
        return None
    return judged(outcome.p, better_arm(outcome.contrast, outcome.better) == first)
