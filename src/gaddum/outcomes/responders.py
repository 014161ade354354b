"""Counts of responders, by arm or also in a retest."""

import numpy as np
from scipy import stats

from gaddum.outcomes.form import LEVEL, ArmComparison, Priors, Table
from gaddum.outcomes.group_sizes import required_prior
from gaddum.outcomes.responder_counts import responders_log_probability, retest_log_probability
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.responders import Responders


def table(experiment: Experiment, outcome: Responders, priors: Priors) -> Table:
    """Counts over the arms' effects, the response to placebo averaged out."""
    counts = dict(outcome.counts)
    if (message := outcome.unscorable(experiment.protocol)) is not None:
        raise ValueError(message)
    base = experiment.protocol.vehicle(counts)
    vehicle = counts.pop(base) if base is not None else None
    placebo = required_prior(priors, "placebo_response")
    if outcome.retest is not None:
        retest = outcome.retest
        counts.pop(retest.arm, None)
        log_density = retest_log_probability(
            counts[retest.among_responders_of],
            retest,
            placebo,
            required_prior(priors, "retest_correlation"),
            vehicle,
        )
        arms = (retest.among_responders_of, retest.arm)
    else:
        arms = tuple(counts)
        log_density = responders_log_probability(tuple(counts.values()), placebo, vehicle)
    return Table(tuple(((name, 1.0),) for name in arms), log_density, absolute=True)


def compared(experiment: Experiment, outcome: Responders, first: str, second: str) -> ArmComparison | None:
    """By Fisher's exact test of two counts, or by how many earlier responders of the first respond in the second."""
    again = outcome.retest
    if again is not None and (first, second) == (again.among_responders_of, again.arm):
        p = float(stats.binom.cdf(again.responders, again.n, 0.5))
        return ArmComparison(p < LEVEL / 2, f"{again.responders} of {again.n} earlier responders respond")
    if not {first, second} <= set(outcome.counts):
        return None
    one, other = outcome.counts[first], outcome.counts[second]
    p = float(np.asarray(stats.fisher_exact([[c.responders, c.n - c.responders] for c in (one, other)])[1]))
    text = f"{other.responders} of {other.n} against {one.responders} of {one.n} respond"
    return ArmComparison(p < LEVEL and one.responders / one.n > other.responders / other.n, text)
