"""Engagement of each row's antagonist at its receptor: the calculator's medians, without any outcome.

The receptor is the one that the antagonist binds best (`lead_target`). *Induction* is when the test drug, by itself,
occupies most of its own receptor; the *test* is when the endpoint is read. Means over the readings of a row; several
antagonists of one arm count by the one that occupies most.
"""

from functools import cache
from typing import NamedTuple

from benchmarks.prediction.rows import Row

from gaddum.records.blockade import blockades
from gaddum.records.ledger import LoadedCase
from gaddum.referee.antagonist_engagement import Runs, TargetEngagement, lead_target, presences

DRAWS = 256


class RowEngagement(NamedTuple):
    """Share of the antagonist's receptor that it occupies (1); None where the doses cannot be followed."""

    induction: float | None
    test: float | None


def row_engagements(loaded: LoadedCase, rows: tuple[Row, ...]) -> tuple[RowEngagement, ...]:
    """Engagement of every row."""
    runs = Runs(loaded, draws=DRAWS, seed=0)

    @cache
    def of_experiment(study: str, name: str) -> dict:
        experiment = next(one for one in loaded.ledger.study(study).experiments if one.id == name)
        blocked = blockades(loaded, experiment)
        found, _ = presences(experiment, blocked, runs)
        leads = {}
        for presence in found:
            blockers = dict.fromkeys(row.drug for row in presence.held if row.role != "test drug")
            leads[presence.arm] = [row for one in blockers if (row := lead_target(one, presence.held))]
        return leads

    found = []
    for row in rows:
        induction, test = [], []
        for reading in row.readings:
            leads = of_experiment(reading.study, reading.experiment).get(reading.arm)
            if leads:
                induction.append(max(one.induction.together.median for one in leads))
                test.append(max(_at_test(one, reading.endpoint) for one in leads))
        known = RowEngagement(sum(induction) / len(induction), sum(test) / len(test)) if induction else None
        found.append(known or RowEngagement(None, None))
    return tuple(found)


def _at_test(engagement: TargetEngagement, endpoint: str) -> float:
    """Median at the test; the mean over the hours at which it may have been, where these are several."""
    found = [
        moment.together.median
        for name, moment in engagement.expression.items()
        if name == endpoint or name.startswith(f"{endpoint}, if at ")
    ]
    return sum(found) / len(found)
