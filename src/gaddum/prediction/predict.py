"""Predict: a study that may be new -> the effect of each arm, what its tests will find, and how well that was foretold.

Draws of all accounts become medians, intervals and chances, account by account and averaged by their probabilities.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from gaddum._version import __version__
from gaddum.outcomes.blockade_events import BlockadeEvent, event_of
from gaddum.outcomes.form import Priors, compared
from gaddum.prediction.blockade_chances import (
    BlockadeTest,
    blockade_tests,
    chances_at_draws,
    contrasts,
    in_words,
)
from gaddum.prediction.predicted_study import (
    AccountPrediction,
    ArmPrediction,
    EventProbabilities,
    OutcomeScore,
    PredictedOutcome,
    StudyPrediction,
)
from gaddum.prediction.stored_run import StoredRun, read_run
from gaddum.prediction.study_draws import StudyDraws, study_draws
from gaddum.records.experiment import Experiment, Study
from gaddum.records.ledger import LoadedCase, load_case, load_study
from gaddum.records.outcome import arms_of
from gaddum.results import Interval
from gaddum.weigh.predictive import CENTRAL

LEAST_EFFECT = 0.2
"""Effect (SD) below which a share of it is not asked for."""
_LEAST_MASS = 1e-3
"""Probability of draws below which nothing is said of them (1)."""


def predict(
    case: str | Path | LoadedCase,
    study: str | Path | Study,
    *,
    run: str | Path | StoredRun | None = None,
    seed: int = 0,
) -> StudyPrediction:
    """Predict what a study will show, by a stored run of a case.

    Parameters
    ----------
    case : str, Path or LoadedCase
        Name of a bundled case, or the folder of one.
    study : str, Path or Study
        File of a study, with outcomes or without; or the id of a study in the case.
    run : str, Path or StoredRun
        Folder that ``gaddum adjudicate CASE --out`` wrote; ``runs/CASE`` by default.
    seed : int
        Seed of what the run has no draws of.

    Returns
    -------
    StudyPrediction
        Chances of what the tests will find, effects, occupancy and, where outcomes are filled in, log scores.

    Raises
    ------
    ValueError
        Where the study, or the run, is not usable; says what must hold.
    """
    loaded = case if isinstance(case, LoadedCase) else load_case(case)
    stored = run if isinstance(run, StoredRun) else read_run(run or Path("runs") / loaded.case.name, loaded)
    asked = study if isinstance(study, Study) else load_study(study, loaded)
    drawn = study_draws(stored, asked, seed=seed)
    priors = {prior.name: prior.distribution for prior in loaded.case.priors}
    tests = blockade_tests(loaded, asked, priors)
    outcomes = [_predicted(one, drawn, priors) for one in tests]
    blocked = {(one.experiment, one.endpoint) for one in outcomes}
    for experiment in asked.experiments:
        for endpoint in experiment.protocol.endpoints:
            if (experiment.id, endpoint) not in blocked:
                outcomes.append(_without_blockade(experiment, endpoint, drawn))
    return StudyPrediction(
        case=loaded.case.name,
        study=asked.id,
        outcomes=tuple(outcomes),
        arms=tuple(_arms(drawn)),
        engagement=drawn.occupancy,
        scores=tuple(
            OutcomeScore(
                experiment=s.experiment.id,
                endpoint=s.outcome.endpoint,
                label=s.reduced.label,
                log_score=log_mean(drawn.probability, logs),
                yardstick=s.reduced.log_saturated,
            )
            for s, logs in zip(drawn.scored, _each(drawn), strict=True)
        ),
        log_score=None if drawn.log_likelihood is None else log_mean(drawn.probability, drawn.log_likelihood),
        notes=tuple(_notes(stored, drawn, outcomes)),
        draws=drawn.effects.shape[-1],
        seed=seed,
        run=stored.folder,
        manifest={"version": __version__, "run": stored.result.manifest.model_dump()},
    )


def log_mean(probability: Float[np.ndarray, " accounts"], logs: Float[np.ndarray, "accounts draws"]) -> float:
    """Log of the mean over accounts and draws."""
    by_account = np.logaddexp.reduce(logs, axis=-1) - np.log(logs.shape[-1])
    return float(np.logaddexp.reduce(by_account + np.log(np.maximum(probability, 1e-300))))


def _predicted(test: BlockadeTest, drawn: StudyDraws, priors: Priors) -> PredictedOutcome:
    experiment, endpoint = test.experiment, test.endpoint
    effect, residual = contrasts(test, drawn)
    chances = chances_at_draws(test, drawn, priors)
    by_account = np.array([chance.mean(axis=1) for chance in chances])
    variance = np.array([chance.var(axis=1) for chance in chances]) / effect.shape[1]
    mean = by_account @ drawn.probability
    logs = _logs_here(experiment, endpoint, tuple(test.roles.values()), drawn)
    accounts = []
    for name, mine in _hypotheses(drawn).items():
        share = _share(drawn, mine)
        accounts.append(
            AccountPrediction(
                account=name,
                probability=float(drawn.probability[mine].sum()),
                effect=interval_of(effect[mine], share),
                residual=interval_of(residual[mine], share),
                verdicts=event_probabilities(by_account[:, mine] @ share),
                log_score=None if logs is None else log_mean(share, logs[mine]),
            )
        )
    large = np.abs(effect) >= LEAST_EFFECT
    return PredictedOutcome(
        experiment=experiment.id,
        endpoint=endpoint,
        phase=experiment.protocol.endpoints[endpoint].phase,
        stratum=experiment.protocol.subject.stratum,
        arms=test.roles,
        test=in_words(test),
        effect=interval_of(effect, drawn.probability),
        residual=interval_of(residual, drawn.probability),
        kept=interval_of(residual / np.where(large, effect, 1.0), drawn.probability, large),
        verdicts=event_probabilities(mean),
        error=float(np.sqrt((variance @ drawn.probability**2).max())),
        power=float(1 - mean[3]),
        observed=_observed(experiment, endpoint, test.roles),
        log_score=None if logs is None else log_mean(drawn.probability, logs),
        accounts=tuple(sorted(accounts, key=lambda one: -one.probability)),
    )


def _without_blockade(experiment: Experiment, endpoint: str, drawn: StudyDraws) -> PredictedOutcome:
    arms = tuple(experiment.protocol.arms)
    logs = _logs_here(experiment, endpoint, arms, drawn)
    accounts = [
        AccountPrediction(
            account=name,
            probability=float(drawn.probability[mine].sum()),
            effect=None,
            residual=None,
            verdicts=None,
            log_score=None if logs is None else log_mean(_share(drawn, mine), logs[mine]),
        )
        for name, mine in _hypotheses(drawn).items()
    ]
    return PredictedOutcome(
        experiment=experiment.id,
        endpoint=endpoint,
        phase=experiment.protocol.endpoints[endpoint].phase,
        stratum=experiment.protocol.subject.stratum,
        arms={name: name for name in arms},
        test="",
        effect=None,
        residual=None,
        kept=None,
        verdicts=None,
        error=None,
        power=None,
        observed=None,
        log_score=None if logs is None else log_mean(drawn.probability, logs),
        accounts=tuple(sorted(accounts, key=lambda one: -one.probability)),
    )


def _arms(drawn: StudyDraws) -> list[ArmPrediction]:
    protocols = {one.id: one.protocol for one in drawn.study.experiments}
    return [
        ArmPrediction(
            experiment=r.experiment,
            endpoint=r.endpoint,
            arm=r.arm,
            n=protocols[r.experiment].arms[r.arm].n,
            **dict(found),
        )
        for place, r in enumerate(drawn.readings)
        if (found := interval_of(drawn.effects[:, place], drawn.probability)) is not None
    ]


def _each(drawn: StudyDraws) -> Float[np.ndarray, "outcomes accounts draws"]:
    empty = np.zeros((0, *drawn.spread.shape))
    return empty if drawn.log_likelihood_of_outcome is None else drawn.log_likelihood_of_outcome


def _logs_here(
    experiment: Experiment, endpoint: str, arms: tuple[str, ...], drawn: StudyDraws
) -> Float[np.ndarray, "accounts draws"] | None:
    """Log likelihood of the filled-in outcomes at an endpoint that speak of these arms only."""
    mine = [
        logs
        for s, logs in zip(drawn.scored, _each(drawn), strict=True)
        if (s.experiment.id, s.outcome.endpoint) == (experiment.id, endpoint)
        and set(arms_of(s.outcome)) <= set(arms)
    ]
    return np.sum(mine, axis=0) if mine else None


def _observed(experiment: Experiment, endpoint: str, roles: Mapping[str, str]) -> BlockadeEvent | None:
    """Event of the filled-in outcomes; None where they do not answer a question of the rule.

    With an antagonist-alone arm the block is the interaction, which means and single tests do not give.
    """
    here = [one for one in experiment.outcomes if one.endpoint == endpoint and one.primary]

    def better(first: str, second: str, forms: tuple[str, ...] = ()) -> bool | None:
        found = (
            compared(experiment, one, roles[first], roles[second])
            for one in here
            if not forms or one.form in forms
        )
        return next((one.better for one in found if one is not None), None)

    worked = better("K", "V")
    words = [one for one in here if one.form == "verdict" and one.arm_roles.get("KA") == roles["KA"]]
    if worked is None and words:
        worked = getattr(words[0], "agonist_effect_present", None)
    if worked is False:
        return "nothing_to_block"
    said = {"abolished": "abolished", "partial": "partial", "not abolished": "not_abolished"}
    if worked and words and words[0].headline in said:
        return event_of(True, words[0].headline != "not abolished", words[0].headline != "abolished")
    block = better("K", "KA", ("interaction",) if "A" in roles else ())
    if worked is None or block is None:
        return None
    left = better("KA", "A" if "A" in roles else "V")
    return event_of(worked, block, bool(left)) if left is not None or not block else None


def _hypotheses(drawn: StudyDraws) -> dict[str, list[int]]:
    """Places of each account's phases."""
    found: dict[str, list[int]] = {}
    for place, label in enumerate(drawn.accounts):
        found.setdefault(label.partition("@")[0], []).append(place)
    return found


def _share(drawn: StudyDraws, mine: list[int]) -> Float[np.ndarray, " phases"]:
    """Probability of each phase given the account; equal where the account has none left."""
    mass = drawn.probability[mine]
    return mass / mass.sum() if mass.sum() > 0 else np.full(len(mine), 1 / len(mine))


def event_probabilities(chances: Float[np.ndarray, "4"]) -> EventProbabilities:
    """Name the chances of the four events."""
    return EventProbabilities(**dict(zip(EventProbabilities.model_fields, map(float, chances), strict=True)))


def interval_of(
    values: Float[np.ndarray, "accounts draws"],
    weight: Float[np.ndarray, " accounts"],
    kept: Bool[np.ndarray, "accounts draws"] | None = None,
) -> Interval | None:
    """Median and central 95 % of weighted draws, or of those kept; None where next to nothing is kept."""
    mass = np.broadcast_to(weight[:, None] / values.shape[1], values.shape)
    flat, mass = (values.ravel(), mass.ravel()) if kept is None else (values[kept], mass[kept])
    if mass.sum() < _LEAST_MASS:
        return None
    order = np.argsort(flat)
    reached = np.cumsum(mass[order])
    lower, median, upper = np.interp(CENTRAL, reached / reached[-1], flat[order])
    return Interval(median=float(median), lower=float(lower), upper=float(upper))


def _notes(run: StoredRun, drawn: StudyDraws, outcomes: list[PredictedOutcome]) -> list[str]:
    notes = []
    cohorts = {name.partition(",")[0] for name in run.cohorts}
    if drawn.study.cohort in cohorts:
        notes.append(
            f"The run weighed {drawn.study.cohort} already: this is how it explains it, not a prediction."
        )
    if all(one.verdicts is None for one in outcomes):
        notes.append(
            "No arm is blocked beside the test drug and its control, so there is no blockade to foretell."
        )
    return notes
