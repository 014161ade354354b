"""Reference studies: beside each proposition that something is needed, what a study of it would show.

The study: the reference protocol of a population, its control, and the same with what is asked about disabled by an
ideal and silent antagonist, ten a group. A proposition is about the truth; a study of that size may miss it.
"""

import dataclasses
from functools import partial
from pathlib import Path

import numpy as np

from gaddum._version import __version__
from gaddum.numerics.variates import even_variates
from gaddum.outcomes.group_sizes import fixed_value
from gaddum.prediction.blockade_chances import chances_with_failure
from gaddum.prediction.predict import event_probabilities, interval_of
from gaddum.prediction.predicted_study import ReferenceForecast, ReferenceStudy
from gaddum.prediction.stored_run import StoredRun, read_run
from gaddum.prediction.study_draws import followed
from gaddum.records.ledger import Ledger, LoadedCase, load_case
from gaddum.response.assemble import assemble
from gaddum.verdict.verdict import questions
from gaddum.weigh.likelihood import build_problem
from gaddum.weigh.predictive import BLOCK, in_double_precision

GROUP = 10
"""Subjects a group."""
DRAWS = 3 * BLOCK
"""Draws of each account and phase."""
_NOTHING = 1e-12
"""State below which an account has no effect, of which nothing can be left (1)."""


def predict_references(
    case: str | Path | LoadedCase, *, run: str | Path | StoredRun | None = None, seed: int = 0
) -> ReferenceForecast:
    """Predict a study of `GROUP` a group for every proposition that something is needed, in every population and phase.

    Parameters
    ----------
    case, run, seed
        As in `predict`.
    """
    loaded = case if isinstance(case, LoadedCase) else load_case(case)
    stored = run if isinstance(run, StoredRun) else read_run(run or Path("runs") / loaded.case.name, loaded)
    return in_double_precision(partial(_forecast, stored, seed))


def _forecast(run: StoredRun, seed: int) -> ReferenceForecast:
    loaded = run.loaded
    bare = (
        study.model_copy(
            update={"experiments": tuple(e.model_copy(update={"outcomes": ()}) for e in study.experiments)}
        )
        for study in loaded.ledger.studies
    )
    alone = dataclasses.replace(loaded, ledger=Ledger(tuple(bare)))
    assembly = assemble(alone)
    # Being able to tell what one got is not what is asked about: drug and control share it here.
    silent = assembly.rows._replace(expectancy=np.zeros_like(assembly.rows.expectancy))
    problem = build_problem(alone, assembly._replace(rows=silent))
    asked = [
        one for one in questions(assembly.features, loaded.library, loaded.case.effect) if not one.sufficient
    ]
    unknown = even_variates([one.name for one in assembly.parameters], DRAWS, seed)
    found = followed(run, problem, unknown, ({}, *(one.hold for one in asked)))
    scale = np.exp(found.spread * even_variates(["deviation of a new cohort"], DRAWS, seed)[0])
    probability = np.array([fit.probability for fit in run.fits])
    priors = {prior.name: prior.distribution for prior in loaded.case.priors}
    failure = (problem.failure, fixed_value(priors, "standardised_effect"))
    chances = {(row.name, row.stratum, row.phase): row.probability for row in run.result.propositions}
    sizes: dict[str, float] = dict.fromkeys(("K", "V", "KA"), GROUP)
    rows = []
    for question, held in zip(asked, found.state[1:], strict=True):
        for (stratum, phase), row in assembly.anchors.items():
            effect, state = found.effect[0][:, row] * scale, found.state[0][:, row]
            present = np.abs(state) > _NOTHING
            residual = effect * np.where(present, held[:, row] / np.where(present, state, 1.0), 0.0)
            events = chances_with_failure(effect, residual, sizes, priors, failure)
            by_account = np.array([chance.mean(axis=1) for chance in events])
            variance = np.array([chance.var(axis=1) for chance in events]) / DRAWS
            rows.append(
                ReferenceStudy(
                    name=question.name,
                    text=question.text,
                    stratum=stratum,
                    phase=phase,
                    probability=chances.get((question.name, stratum, phase)),
                    effect=interval_of(effect, probability),
                    residual=interval_of(residual, probability),
                    verdicts=event_probabilities(by_account @ probability),
                    error=float(np.sqrt((variance @ probability**2).max())),
                )
            )
    return ReferenceForecast(
        case=loaded.case.name,
        n=GROUP,
        rows=tuple(rows),
        draws=DRAWS,
        seed=seed,
        run=run.folder,
        manifest={"version": __version__, "run": run.result.manifest.model_dump()},
    )
