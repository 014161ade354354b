"""The drug x antagonist interaction of a 2 x 2 design."""

from gaddum.outcomes.form import ArmComparison, Contrast, Priors, Table
from gaddum.outcomes.statistic import absolute_t, judged, statistic_table, two_sided_p
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.interaction import Interaction


def table(experiment: Experiment, outcome: Interaction, priors: Priors) -> Table:
    """Density of the statistic over (K - V) - (KA - A)."""
    sign = 1.0 if outcome.positive else -1.0
    contrast: Contrast = tuple(zip(outcome.arms, (1.0, -1.0, -1.0, 1.0), strict=True))
    return statistic_table(
        experiment,
        contrast,
        priors,
        lambda error, df: sign * absolute_t(outcome.statistic, outcome.value, error, df),
        df=outcome.df,
        paired=experiment.protocol.is_paired(),
    )


def compared(experiment: Experiment, outcome: Interaction, first: str, second: str) -> ArmComparison | None:
    """Whether the effect in K exceeds that in KA, each beside its own control."""
    drug, _, blocked, _ = outcome.arms
    if (first, second) not in ((drug, blocked), (blocked, drug)):
        return None
    paired = experiment.protocol.is_paired()
    p = two_sided_p(experiment, outcome.arms, outcome.statistic, outcome.value, df=outcome.df, paired=paired)
    return judged(p, outcome.positive == (first == drug), "interaction ")
