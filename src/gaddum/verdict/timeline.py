"""Timeline: what the record said of the rival hypotheses after each year's publications.

A fit climbs from the prior through the years, so its ladder has draws from near every year's posterior. Importance
weights take those of the last rung before a year to it, for the account that climbed and for those that descend from
it. A cohort counts from its first report.
"""

import numpy as np
from jaxtyping import Float, Int
from scipy.special import logsumexp

from gaddum.results import YearRow
from gaddum.sampling.tempering import Ascent
from gaddum.weigh import compare
from gaddum.weigh.fitted import FORMS, CaseFits, HypothesisFit
from gaddum.weigh.likelihood import Problem, Setting
from gaddum.weigh.predictive import Predictor


def years_of(problem: Problem, weights: Float[np.ndarray, " cohorts"]) -> Int[np.ndarray, " years"]:
    """Years in which a cohort that counts was first reported."""
    return np.unique(problem.years[weights > 0]).astype(int)


def year_by_year(predictor: Predictor, given: Setting) -> Ascent | None:
    """The way of a fit through the years of its record; None where nothing counts."""
    problem, weights = predictor.problem, given.weights
    years = years_of(problem, weights)
    if not years.size:
        return None
    place = np.searchsorted(years, problem.years).clip(max=years.size - 1)
    of_year = (place == np.arange(years.size)[:, None]) * weights

    def parts(z: np.ndarray) -> np.ndarray:
        return of_year @ predictor.outline(z, given).cohort_logs

    return Ascent(parts, lambda shares: given._replace(weights=weights * shares[place]))


def timeline(fitted: CaseFits) -> list[YearRow]:
    """Probability of each hypothesis after each year, in the main form."""
    years = years_of(fitted.problem, fitted.weights)
    found = np.array([_estimate(fitted, fitted.fits[FORMS[0], i]) for i in range(len(fitted.variants))])
    rows = []
    for place, year in enumerate(years):
        log_ml, errors = ([found[fitted.places(name), of, place] for name in fitted.names] for of in (0, 1))
        weighed = compare.weigh(fitted.names, fitted.declared_masses, fitted.groups, log_ml, errors)
        reference = weighed[fitted.names[0]]
        rows.append(
            YearRow(
                year=int(year),
                studies=tuple(
                    cohort
                    for cohort, first, weight in zip(
                        fitted.problem.cohorts, fitted.problem.years, fitted.weights, strict=True
                    )
                    if first == year and weight > 0
                ),
                hypotheses={name: one.against(reference) for name, one in weighed.items()},
            )
        )
    return rows


def _estimate(fitted: CaseFits, fit: HypothesisFit) -> Float[np.ndarray, "2 years"]:
    """Log marginal likelihood of one account after each year and its error (nats).

    After the last year its bridge is better than any weights.
    """
    ascent = year_by_year(fitted.predictor, fit.setting)
    assert ascent is not None
    years = years_of(fitted.problem, fitted.weights).size
    own = fit.evidence.rungs is fit.rungs
    log_ml, mcse = np.zeros(years), np.zeros(years)
    if not fit.rungs:  # nothing was sampled: one draw says it all
        log_ml = np.cumsum(ascent.parts(np.zeros((fit.sample.shape[0], 1)))[:, 0])
    log_ml[-1], mcse[-1] = fit.evidence.log_ml, fit.evidence.log_ml_mcse
    for place, rung in enumerate(fit.rungs):
        later = fit.rungs[place + 1 : place + 2]
        mine = [y for y in range(1, years) if rung.position <= y and all(y < r.position for r in later)]
        if not mine:
            continue
        parts = rung.parts if own else ascent.parts(rung.z)
        taken = np.clip(rung.position - np.arange(years), 0.0, 1.0) @ rung.parts
        for year in mine:
            gain = (parts[:year].sum(axis=0) - taken).reshape(rung.log_ml.size, -1)
            each = rung.log_ml + logsumexp(gain, axis=1) - np.log(gain.shape[1])
            log_ml[year - 1] = logsumexp(each) - np.log(each.size)
            spread = np.exp(each - each.max())
            mcse[year - 1] = np.std(spread, ddof=1) / np.mean(spread) / np.sqrt(each.size)
    return np.array([log_ml, mcse])
