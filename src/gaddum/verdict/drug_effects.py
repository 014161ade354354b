"""Drug effects: the effect of each drug by its own outcomes, whatever any account says of it (saturated cell means).

One effect a drug, against vehicle or an inert control, with the yardstick's normal prior. A verdict on three arms
counts with the contrast that is not asked for averaged over the same prior. Beside it stands what the chain predicts
of the receptor: how far each drug blocks it in its own trial, against the reference drug in its trial.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

import numpy as np
from jaxtyping import Float

from gaddum.outcomes.group_sizes import fixed_value
from gaddum.outcomes.noncentral_t import GRID
from gaddum.records.claim import RelativeEffect
from gaddum.records.library import Library
from gaddum.records.prior import Distribution
from gaddum.records.species import Species
from gaddum.records.vocabulary import at_rest
from gaddum.response.assemble import ArmReading
from gaddum.results import Chance
from gaddum.verdict.averaging import driving
from gaddum.verdict.verdict import judge
from gaddum.weigh.likelihood import ScoredOutcome
from gaddum.weigh.predictive import CENTRAL, interval

Features = dict[str, Float[np.ndarray, "rows nodes draws"]]
SPREADS = (1.0, 0.5, 2.0)
"""Multiples of the prior's SD that make the prior set; the first is the main one."""


class DrugEffect(NamedTuple):
    """One contrast of one drug with nothing."""

    drug: str
    scored: ScoredOutcome
    arm: str
    which: int
    """Place of the contrast among the outcome's."""

    def log_density(self, sd: float) -> Float[np.ndarray, " grid"]:
        """Weighted log density over the contrast, others averaged over priors N(0, sd^2)."""
        table, joint = self.scored.reduced.grid_log_density, self.scored.reduced.joint
        if joint is not None:
            table = joint.log_marginal(self.which, sd)
        elif table.ndim == 2:
            table = np.logaddexp.reduce(np.moveaxis(table, self.which, 0) + _log_prior(sd), axis=1)
        return self.scored.weight * table


class DrugComparison(NamedTuple):
    """What came of a comparison of drugs."""

    judged: Chance
    """Driven by studies."""
    rows: list[dict[str, Any]]
    """One a drug, the reference first."""


def compare_drugs(
    ask: RelativeEffect,
    scored: Sequence[ScoredOutcome],
    library: Library,
    priors: dict[str, Distribution],
    features: Features,
    readings: Sequence[ArmReading] = (),
) -> DrugComparison | None:
    """Compare drugs with a reference by their outcomes, and by how far they block the target where `features` say.

    None where either has no outcomes. `priors` are the case's, of which `standardised_effect` is used; `readings` say
    which row of `features` each arm of each outcome is.
    """
    cells = _cells(ask, scored, library)
    others = sorted({cell.drug for cell in cells} - {ask.reference})
    if not others or not any(cell.drug == ask.reference for cell in cells):
        return None
    sd = fixed_value(priors, "standardised_effect")
    tables = {factor: [cell.log_density(factor * sd) for cell in cells] for factor in SPREADS}

    def chance(without: str | None = None, factor: float = 1.0, *, prior: bool = False) -> float:
        kept = [not prior and cell.scored.study.id != without for cell in cells]
        means = {
            drug: _posterior(drug, cells, tables[factor], kept, factor * sd)
            for drug in (ask.reference, *others)
        }
        below = _none_reaches(means, ask)
        return below if ask.reached_by == "none" else 1 - below

    studies = sorted({cell.scored.study.id for cell in cells})
    main = chance()
    without = {name: chance(name) for name in studies}
    values = [main, *(chance(factor=factor) for factor in SPREADS[1:]), *without.values()]
    means = {d: _posterior(d, cells, tables[1.0], [True] * len(cells), sd) for d in (ask.reference, *others)}
    rows = [_row(drug, cells, ask, means) for drug in means]
    beside = _block(ask, cells, features, readings)
    return DrugComparison(
        judge(values, chance(prior=True), driving(main, without)),
        [row | beside.get(row["drug"], {}) for row in rows],
    )


def _cells(ask: RelativeEffect, scored: Sequence[ScoredOutcome], library: Library) -> list[DrugEffect]:
    """Contrasts of the drugs asked for with an inert arm, in the subjects and phase asked for."""
    wanted = {ask.reference, *(ask.drugs or _binders(ask, library))}
    found = []
    for s in scored:
        subject, endpoint = s.experiment.protocol.subject, s.experiment.protocol.endpoints[s.outcome.endpoint]
        if subject.preparation != "behaving" or (ask.species and subject.species not in ask.species):
            continue
        phases = {one.phase for one in endpoint.assessments}
        if ask.stress not in (None, subject.stress) or (ask.phase and phases != {ask.phase}):
            continue
        for which, contrast in enumerate(s.reduced.contrasts):
            drugs = [_active(s, arm, library) for arm, _ in contrast]
            inert = len(contrast) == 1 or (len(contrast) == 2 and drugs[1] == set())
            if inert and drugs[0] is not None and len(drugs[0]) == 1 and drugs[0] <= wanted:
                found.append(DrugEffect(next(iter(drugs[0])), s, contrast[0][0], which))
    if not ask.together:
        return found
    given: dict[tuple[str, str], set[str]] = {}
    for cell in found:
        given.setdefault((cell.scored.study.id, cell.scored.experiment.id), set()).add(cell.drug)
    both = {place for place, names in given.items() if ask.reference in names and len(names) > 1}
    return [cell for cell in found if (cell.scored.study.id, cell.scored.experiment.id) in both]


def _active(s: ScoredOutcome, name: str, library: Library) -> set[str] | None:
    """Drugs of an arm that bind any target; None where something else was done to it."""
    arm = s.experiment.protocol.arms[name]
    if arm.manipulations:
        return None
    return {dose.drug for dose in arm.doses if any(part.affinities for part, _ in library.species(dose.drug))}


def _binders(ask: RelativeEffect, library: Library) -> set[str]:
    """Drugs that bind the target, but the reference, its parts and its metabolites."""
    own = {ask.reference}.union(*(library.family(ask.reference, one) for one in get_args(Species)))
    return {
        name
        for name in library.drugs
        if name not in own
        and any(a.target == ask.target for part, _ in library.species(name) for a in part.affinities)
    }


def _log_prior(sd: float) -> Float[np.ndarray, " grid"]:
    log_prior = -0.5 * (GRID / sd) ** 2
    return log_prior - np.logaddexp.reduce(log_prior)


def _posterior(
    drug: str, cells: list[DrugEffect], tables: list[np.ndarray], kept: list[bool], sd: float
) -> Float[np.ndarray, " grid"]:
    """Probabilities on `GRID` of a drug's one effect, given its outcomes that are kept."""
    total = _log_prior(sd)
    for cell, table, keep in zip(cells, tables, kept, strict=True):
        if keep and cell.drug == drug:
            total = total + table
    return np.exp(total - np.logaddexp.reduce(total))


def _none_reaches(means: dict[str, np.ndarray], ask: RelativeEffect) -> float:
    """Probability that every other drug stays below the share of the reference's effect."""
    below = np.ones_like(GRID)
    for drug, mass in means.items():
        if drug != ask.reference:
            below = below * np.interp(ask.share * GRID, GRID, np.cumsum(mass) - 0.5 * mass)
    return float(means[ask.reference] @ below)


def _row(
    drug: str, cells: list[DrugEffect], ask: RelativeEffect, means: dict[str, np.ndarray]
) -> dict[str, Any]:
    """A drug's effect, and the probability that it reaches the share asked for."""
    mine = [cell for cell in cells if cell.drug == drug]
    mass = means[drug]
    lower, median, upper = np.interp(CENTRAL, np.cumsum(mass) - 0.5 * mass, GRID)
    reached = 1 - _none_reaches({ask.reference: means[ask.reference], drug: mass}, ask)
    return {
        "drug": drug,
        "outcomes": len(mine),
        "studies": sorted({cell.scored.study.id for cell in mine}),
        "effect": {"median": float(median), "lower": float(lower), "upper": float(upper)},
        "reaches": None if drug == ask.reference else reached,
    }


def _block(
    ask: RelativeEffect, cells: list[DrugEffect], features: Features, readings: Sequence[ArmReading]
) -> dict[str, dict[str, Any]]:
    """Block of the target by each drug, when it is largest and at the test, and over the reference's.

    Of the reference drug the mean over its trials counts, of every other drug the trial that blocked most.
    """
    level = features.get(f"{ask.target}.block")
    if level is None:
        return {}
    rows_of: dict[tuple[str, ...], list[int]] = {}
    for r in readings:
        rows_of.setdefault((r.study, r.experiment, r.endpoint, r.arm), []).append(r.row)
    away = np.abs(level - at_rest("block"))
    peaks: dict[str, list[np.ndarray]] = {}
    tests: dict[str, list[np.ndarray]] = {}
    for cell in cells:
        s = cell.scored
        read = away[rows_of[s.study.id, s.experiment.id, s.outcome.endpoint, cell.arm]]
        peaks.setdefault(cell.drug, []).append(read.max(axis=1).mean(axis=0))
        tests.setdefault(cell.drug, []).append(read[:, -1].mean(axis=0))
    if ask.reference not in peaks:
        return {}
    reference = np.mean(peaks[ask.reference], axis=0)
    found = {}
    for drug, mine in peaks.items():
        over_trials = np.mean if drug == ask.reference else np.max
        peak, test = over_trials(mine, axis=0), over_trials(tests[drug], axis=0)
        found[drug] = {
            "block": dict(interval(peak)),
            "block_at_test": dict(interval(test)),
            "block_over_reference": dict(interval(peak / np.maximum(reference, 1e-12))),
        }
    return found
