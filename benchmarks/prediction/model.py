"""The model's forecasts: each year by what was known before, each laboratory by all others.

Later cohorts, or a laboratory, are taken out of the run of the whole record by importance weights, smoothed as Pareto
tails [1]. The case is run again without them where k-hat exceeds .7, or fewer than 100 effective draws are left, in an
account in play before or after; and where a cohort was reported before and after a year.

The chance of an event is that of the tests that the design implies (`gaddum.prediction.blockade_chances`), given that
there is something to block, mean over the readings of a row. Where no control was run the antagonist alone is one, or
else an arm of the size of the test drug's. Outcomes of the study that is forecast are left out before it is followed.

References
----------
.. [1] Vehtari A, Simpson D, Gelman A, Yao Y, Gabry J (2024). Pareto smoothed importance sampling. arXiv:1507.02646
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from benchmarks.prediction.forecasts import Chances
from benchmarks.prediction.rows import EVENTS, BlockadeRecord, Reading, Row, blocked_arms
from benchmarks.prediction.runs import TrainedRun, Training, laboratory_cohorts, later_cohorts
from jaxtyping import Float
from scipy.special import logsumexp

from gaddum.outcomes.form import Priors
from gaddum.outcomes.group_sizes import group_sizes
from gaddum.prediction.blockade_chances import BlockadeTest, chances_at_draws
from gaddum.prediction.stored_run import StoredRun
from gaddum.prediction.study_draws import StudyDraws, study_draws
from gaddum.records.blockade import Blockade
from gaddum.records.experiment import Study
from gaddum.records.ledger import LoadedCase
from gaddum.records.protocol import Arm
from gaddum.results import LEAST_DRAWS
from gaddum.weigh.fitted import IN_PLAY

MOST_K_HAT = 0.7
"""Pareto k-hat beyond which weights are not trusted [1]."""
CONTROL = "control, not run"
"""Name of the arm that a forecast adds where a study had no control."""


class LeftOut(NamedTuple):
    """A run without some cohorts, by weights."""

    run: StoredRun
    k_hat: float
    """Largest among accounts in play."""
    draws: float
    """Fewest effective draws among them (1)."""

    @property
    def trusted(self) -> bool:
        """Whether the weights will do."""
        return self.k_hat <= MOST_K_HAT and self.draws >= LEAST_DRAWS


def model_forecasts(
    loaded: LoadedCase,
    record: BlockadeRecord,
    run_of: Callable[[Training], TrainedRun],
    *,
    seed: int = 0,
    told: Callable[[str], None] = lambda sentence: None,
) -> dict[str, Chances]:
    """Forecast every scored row by the years before its own, and by all laboratories but its own.

    Parameters
    ----------
    loaded : LoadedCase
        The case, with its whole record.
    record : BlockadeRecord
        Its rows.
    run_of : callable
        Gives the run that knows part of the record, as `TrainedRuns.of` does.
    seed : int
        Of what a run has no draws of.
    told : callable
        Hears by what each year and laboratory was forecast.
    """
    rows = record.scored
    found = {way: np.zeros((len(rows), len(EVENTS))) for way in ("by_year", "by_laboratory")}

    def fill(way: str, places: list[int], run: StoredRun) -> None:
        chances = row_chances(loaded, run, tuple(rows[place] for place in places), seed=seed)
        found[way][places] = chances

    whole = run_of(Training())

    def run_for(training: Training, cohorts: frozenset[str] | None) -> StoredRun:
        if cohorts is None:
            told(f"{training}: run again, since a cohort was reported before and after")
            return run_of(training).run
        left = leave_out(whole, cohorts, seed=seed)
        how = "by weights" if left.trusted else "run again"
        told(f"{training}: {how}; k-hat {left.k_hat:.2f}, {left.draws:.0f} effective draws")
        return left.run if left.trusted else run_of(training).run

    for year in sorted({row.year for row in rows}):
        places = [place for place, row in enumerate(rows) if row.year == year]
        fill("by_year", places, run_for(Training(until=year - 1), later_cohorts(loaded, year)))
    for laboratory in sorted({row.laboratory for row in rows}):
        places = [place for place, row in enumerate(rows) if row.laboratory == laboratory]
        cohorts = laboratory_cohorts(loaded, laboratory)
        fill("by_laboratory", places, run_for(Training(without=laboratory), cohorts))
    return found


def row_chances(loaded: LoadedCase, run: StoredRun, rows: tuple[Row, ...], *, seed: int = 0) -> Chances:
    """Chances of the three events in rows, by one run."""
    priors = {prior.name: prior.distribution for prior in loaded.case.priors}
    blockades = {(study.id, one.id, arm.blocked): arm for study, one, arm in blocked_arms(loaded)}
    every = [reading for row in rows for reading in row.readings]
    drawn: dict[str, StudyDraws] = {}
    found = []
    for row in rows:
        total = np.zeros(len(EVENTS))
        for reading in row.readings:
            if reading.study not in drawn:
                study = to_forecast(loaded.ledger.study(reading.study), every, blockades)
                drawn[reading.study] = study_draws(run, study, seed=seed)
            of_study = drawn[reading.study]
            blockade = blockades[reading.study, reading.experiment, reading.arm]
            test = _test(of_study.study, reading.experiment, reading.endpoint, blockade, priors)
            chances = chances_at_draws(test, of_study, priors)
            total += [of_study.averaged(getattr(chances, event)) for event in EVENTS]
        found.append(total / total.sum())
    return np.array(found)


def leave_out(trained: TrainedRun, cohorts: frozenset[str], *, seed: int = 0) -> LeftOut:
    """Take cohorts out of a run: probabilities by the mean of the weights, draws drawn again by the smoothed ones."""
    from arviz_stats.base.array import array_stats

    run = trained.run
    taken = [place for place, name in enumerate(run.cohorts) if name.partition(",")[0] in cohorts]
    log_ratio = [-logs[taken].sum(axis=0) for logs in trained.cohort_logs]
    log_mean = np.array([logsumexp(one) - np.log(one.size) for one in log_ratio])
    before = np.array([fit.probability for fit in run.fits])
    after = before * np.exp(log_mean - log_mean.max())
    after /= after.sum()
    names = [fit.variant.hypothesis.name for fit in run.fits]
    chance = np.maximum(
        *(np.array([one[[n == name for n in names]].sum() for name in names]) for one in (before, after))
    )
    in_play = chance >= min(IN_PLAY, chance.max())
    random = np.random.default_rng(seed)
    fits, k_hats, effective = [], [-np.inf], [np.inf]
    for fit, logs, now, counts in zip(run.fits, log_ratio, after, in_play, strict=True):
        # it takes log likelihoods of what is left out
        smoothed, k_hat = array_stats.psislw(-logs) if np.ptp(logs) > 0 else (logs, -np.inf)
        weights = np.exp(smoothed - logsumexp(smoothed))
        if counts and np.ptp(logs) > 0:
            k_hats.append(float(k_hat))
            effective.append(float(1 / np.sum(weights**2)))
        draws = next(iter(fit.scores.values())).size
        kept = _systematic(weights, random.uniform()) * (draws // logs.size)
        scores = {name: drawn[kept] for name, drawn in fit.scores.items()}
        fits.append(fit._replace(probability=float(now), scores=scores))
    return LeftOut(run._replace(fits=tuple(fits)), max(k_hats), min(effective))


def to_forecast(
    study: Study, readings: list[Reading], blockades: dict[tuple[str, str, str], Blockade]
) -> Study:
    """The study as it was planned: no outcomes, what the readings ask of, and a control where none was run."""
    experiments = []
    for one in study.silent.experiments:
        asked = [r for r in readings if (r.study, r.experiment) == (study.id, one.id)]
        if not asked:
            continue
        roles = [_roles(blockades[r.study, r.experiment, r.arm]) for r in asked]
        arms, endpoints = one.protocol.arms, {r.endpoint: one.protocol.endpoints[r.endpoint] for r in asked}
        drug = next((arms[role["K"]] for role in roles if role["V"] == CONTROL), None)
        if drug is not None:
            arms = arms | {CONTROL: Arm(n=drug.n, n_range=drug.n_range)}
        protocol = one.protocol.model_copy(update={"arms": arms, "endpoints": endpoints})
        experiments.append(one.model_copy(update={"protocol": protocol}))
    return study.model_copy(update={"experiments": tuple(experiments)})


def _roles(blockade: Blockade) -> dict[str, str]:
    """Arm by role; where no control was run the antagonist alone is one, or else an arm is added."""
    drug, vehicle, alone = str(blockade.drug), blockade.vehicle, blockade.alone
    found = {"K": drug, "V": vehicle or alone or CONTROL, "KA": blockade.blocked}
    return found | ({"A": alone} if vehicle and alone else {})


def _test(study: Study, experiment: str, endpoint: str, blockade: Blockade, priors: Priors) -> BlockadeTest:
    """Roles and sizes of a blockade at one endpoint."""
    one = next(e for e in study.experiments if e.id == experiment)
    roles = _roles(blockade)
    pooled = (name for name, arm in one.protocol.arms.items() if arm.subset_of is None)
    sizes = group_sizes(one, tuple(dict.fromkeys((*roles.values(), *pooled))), priors)
    return BlockadeTest(one, endpoint, roles, tuple(sizes))


def _systematic(weights: Float[np.ndarray, " draws"], offset: float) -> np.ndarray:
    """Places drawn again by their weights, as evenly as can be."""
    at = (np.arange(weights.size) + offset) / weights.size
    return np.minimum(np.searchsorted(np.cumsum(weights), at), weights.size - 1)
