"""Counts of responders, by arm or also in a retest."""

from gaddum.outcomes.group_sizes import required_prior
from gaddum.outcomes.responder_counts import Counts, responders_log_probability, retest_log_probability
from gaddum.outcomes.statistic import vehicle_or_none
from gaddum.outcomes.table import Priors, Table
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.responders import Responders


def responders_table(experiment: Experiment, outcome: Responders, priors: Priors) -> Table:
    """Counts over the arms' effects, the response to placebo averaged out."""
    counts = {name: Counts(count.responders, count.n) for name, count in outcome.counts.items()}
    base = vehicle_or_none(experiment, tuple(counts))
    vehicle = counts.pop(base) if base is not None else None
    placebo = required_prior(priors, "placebo_response")
    if outcome.retest is not None:
        retest = outcome.retest
        counts.pop(retest.arm, None)
        if set(counts) != {retest.among_responders_of}:
            raise ValueError(
                f"A retest must name the one other arm with counts; got "
                f"{retest.among_responders_of!r}, counts are of {', '.join(counts) or 'none'}. "
                "Move further arms to an outcome of their own."
            )
        log_density = retest_log_probability(
            counts[retest.among_responders_of],
            Counts(retest.responders, retest.n),
            placebo,
            required_prior(priors, "retest_correlation"),
            vehicle,
        )
        arms = (retest.among_responders_of, retest.arm)
    elif 1 <= len(counts) <= 2:
        arms = tuple(counts)
        log_density = responders_log_probability(tuple(counts.values()), placebo, vehicle)
    else:
        raise ValueError(
            f"Responders are scored for one or two arms beside vehicle; got {len(counts)} "
            f"({', '.join(counts) or 'vehicle alone'}). Split into outcomes of one or two arms."
        )
    return Table(tuple(((name, 1.0),) for name in arms), log_density, absolute=True)
