"""Comparator: what each account is worth where effects have no time course, and whether the verdict rests on one.

Each account keeps its gate, its engagement and one free anchor a stratum and phase; its effect is in proportion to what
the gate has let through by the test. No delay, no build-up, no decay: the limit of slow rates, hence a prior table of
its own, which the compiled likelihood takes as data. A log Bayes factor that moves by more than a nat depends on the
mechanism.

`reweigh` reaches it by importance weights on draws of the fits, which costs next to nothing and often leaves too few
draws to say; `refit` samples anew, half as long again as the whole adjudication.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.results import TimelessOdds
from gaddum.sampling.posterior import sample_posterior
from gaddum.sampling.settings import Settings
from gaddum.weigh import compare
from gaddum.weigh.fitted import FORMS, CaseFits, HypothesisFit
from gaddum.weigh.likelihood import Problem

SLOW = 1e-5
"""Rate (1/h) that stands for none: over two months 2 % decays."""
RATES = ("effect_site", "plasticity.on", "plasticity.off")
"""Parameters of the time course."""
MECHANISM = 1.0
"""Change of a log Bayes factor (nats) from which it depends on the time course."""
FEWEST = 30.0
"""Effective draws below which importance weights say nothing."""


class TimelessHypothesis(NamedTuple):
    """An account without time course."""

    log_ml: float
    effective_draws: float
    established: bool


def reweigh(fitted: CaseFits) -> dict[int, TimelessHypothesis]:
    """Every variant without time course, by importance weights."""
    return fitted.by_fit(lambda fit: _reweighed(fitted, fit))


def refit(
    fitted: CaseFits,
    log_likelihood: Callable,
    settings: Settings,
    *,
    workers: int = 1,
    progress: Callable[[str, float], None] | None = None,
    checkpoints: Path | None = None,
) -> dict[int, TimelessHypothesis]:
    """Every variant without time course, sampled anew through the function with which the case was fitted.

    The same object, so that nothing is compiled, and the lengths of the fits.
    """
    done: list[int] = []
    total = len({id(fitted.fits[FORMS[0], i].sample) for i in range(len(fitted.variants))})

    def one(fit: HypothesisFit) -> TimelessHypothesis:
        given = fit.setting._replace(table=slow_table(fitted.problem, fit.setting.table))
        mask = fit.active.copy()
        mask[[fitted.problem.assembly.index[name] for name in RATES]] = False
        found = sample_posterior(
            log_likelihood,
            given,
            mask,
            seed=fitted.seed,
            settings=settings,
            checkpoint=checkpoints and checkpoints / f"timeless.{fitted.variants.index(fit.variant)}.npz",
        )
        done.append(1)
        if progress is not None:
            progress("refitting without time course", len(done) / total)
        return TimelessHypothesis(found.log_ml, found.ess, found.established)

    return fitted.by_fit(one, workers=workers)


def without_kinetics(fitted: CaseFits, timeless: dict[int, TimelessHypothesis]) -> dict[str, TimelessOdds]:
    """Log Bayes factor of each hypothesis where effects have no time course, and whether that matters."""
    log_ml, fewest, sound = {}, {}, {}
    for name in fitted.names:
        mine = [timeless[i] for i in fitted.places(name)]
        log_ml[name] = compare.combine(np.array([one.log_ml for one in mine]), np.zeros(len(mine)))[0]
        fewest[name] = min(one.effective_draws for one in mine)
        sound[name] = all(one.established for one in mine)
    weighed, reference = fitted.weighed(FORMS[0]), fitted.names[0]
    found = {}
    for name in fitted.names:
        log_bf = float(log_ml[name] - log_ml[reference])
        moved = abs(log_bf - (weighed[name].log_ml - weighed[reference].log_ml))
        found[name] = TimelessOdds(
            log_bf=log_bf,
            effective_draws=float(min(fewest[name], fewest[reference])),
            mechanism_dependent=bool(moved > MECHANISM) if sound[name] and sound[reference] else None,
        )
    return found


def slow_table(
    problem: Problem, table: Float[np.ndarray, "dimension grid"]
) -> Float[np.ndarray, "dimension grid"]:
    """Prior table in which effects have no time course."""
    changed = np.array(table)
    for name in RATES:
        changed[problem.assembly.index[name]] = np.log(SLOW)
    return changed


def _reweighed(fitted: CaseFits, fit: HypothesisFit) -> TimelessHypothesis:
    slow = fit.setting._replace(table=slow_table(fitted.problem, fit.setting.table))
    after = np.asarray(fitted.predictor.outline(fit.sample, slow).cohort_logs)
    logs = fitted.weights @ (after - fit.cohort_logs)
    log_ml, effective = compare.reweighted_log_ml(fit.evidence.log_ml, logs)
    return TimelessHypothesis(log_ml, effective, effective >= FEWEST)
