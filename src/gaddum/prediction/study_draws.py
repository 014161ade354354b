"""Study draws: what every account of a run, draw by draw, says of a study that may be new to the case.

The study is laid out alone, beside the reference protocols of its populations, so that its chain compiles in a second
or two. Parameters that the run has come from its draws, by name; all others (another drug's constants, a population
without a record) from their priors. Nothing is fitted.
"""

import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float, Int

from gaddum.numerics.variates import even_variates
from gaddum.outcomes.group_sizes import fixed_value
from gaddum.parallel import map_tasks
from gaddum.prediction.stored_run import StoredFit, StoredRun
from gaddum.records.case import Anchor
from gaddum.records.experiment import Experiment, Study
from gaddum.records.finding import RecordError
from gaddum.records.ledger import Ledger, LoadedCase
from gaddum.records.study_check import check_study
from gaddum.response.assemble import ArmReading, assemble
from gaddum.response.response import account, respond
from gaddum.results import EngagementRow
from gaddum.weigh.likelihood import (
    Problem,
    ScoredOutcome,
    Setting,
    build_problem,
    cohort_spread,
    setting,
)
from gaddum.weigh.predictive import (
    BLOCK,
    FOR_FEW_DRAWS,
    Outline,
    engagement,
    in_blocks,
    in_chunks,
    in_double_precision,
)
from gaddum.weigh.reweighing import Reader, reading_of

DRAWS = 400
"""Draws of each account and phase, by default; a chance then errs by 0.02 at most within one, by less on average."""
_FOR_OCCUPANCY = 5 * BLOCK
_ANCHORED = "reference protocol of "


class StudyDraws(NamedTuple):
    """A study by every account; account first, draw last. Draws of one account have equal weights."""

    study: Study
    accounts: tuple[str, ...]
    """Account and phase, ``NAME`` or ``NAME@phase``; those of one name are variants of one hypothesis."""
    probability: Float[np.ndarray, " accounts"]
    """Posterior probability (1) by the run; sums to 1."""
    prior: Float[np.ndarray, " accounts"]
    """Prior probability (1); sums to 1."""
    readings: tuple[ArmReading, ...]
    """Every arm at every endpoint, experiment by experiment."""
    effects: Float[np.ndarray, "accounts readings draws"]
    """True effect of each arm in this study above no drug at all (within-group SD; more is better). The deviation of a
    new cohort is drawn and is in it, the same for all arms; that a study may have failed is not. Of an endpoint whose
    time is one of several, draws take these in turn, the same for all arms."""
    spread: Float[np.ndarray, "accounts draws"]
    """SD of the log deviation of cohorts (1)."""
    failure: float
    """Chance (1) that a study has failed, so that its contrasts are unrelated to any account."""
    failed_sd: float
    """SD of the contrasts of a failed study, independent and about 0 (within-group SD)."""
    scored: tuple[ScoredOutcome, ...]
    """Outcomes that are filled in and scored."""
    log_likelihood: Float[np.ndarray, "accounts draws"] | None
    """Of all that is filled in (nats), as a run weighs it: deviation integrated, failure mixed in, slices by the case's
    link. None where nothing is."""
    log_likelihood_of_outcome: Float[np.ndarray, "outcomes accounts draws"] | None
    """The same of each of `scored` alone, behaviour and slices alike."""
    occupancy: tuple[EngagementRow, ...]
    """Level of each feature by arm, when the drug acts and at the test (1): median, central 95 %, over accounts."""

    def of(self, experiment: str, endpoint: str, arm: str) -> Float[np.ndarray, "accounts draws"]:
        """Effects of one arm at one endpoint (SD)."""
        places = {(r.experiment, r.endpoint, r.arm): at for at, r in enumerate(self.readings)}
        return self.effects[:, places[experiment, endpoint, arm]]

    def averaged(self, values: Float[np.ndarray, "accounts draws"]) -> float:
        """Mean of a quantity over draws and, by their probabilities, over accounts."""
        return float(self.probability @ values.mean(axis=-1))


def study_draws(run: StoredRun, study: Study, *, seed: int = 0, draws: int = DRAWS) -> StudyDraws:
    """Follow a study through every account of a run.

    Parameters
    ----------
    run : StoredRun
        As `read_run` gives it.
    study : Study
        With or without outcomes, of the case or new to it, as `load_study` reads it. Its drugs and targets must be in
        the case's library, its populations among those for which the case has a reference protocol.
    seed : int
        Of what the run has no draws of: other parameters, and the deviation of the new cohort.
    draws : int
        Draws of each account and phase (1), at most as many as the run holds, in whole blocks of 40.

    Raises
    ------
    ValueError
        If the study has errors, asks of a population without a reference protocol, or doses nothing of which an account
        speaks; says what must hold.
    """
    count = max(min(draws, run.draws) // BLOCK, 1) * BLOCK
    return in_double_precision(partial(_study_draws, run, study, seed, count))


def _study_draws(run: StoredRun, study: Study, seed: int, draws: int) -> StudyDraws:
    alone = _alone(run.loaded, study)
    assembly = assemble(alone, whole=(study.id,))
    problem = build_problem(alone, assembly)
    readings = tuple(r for r in assembly.readings if r.study == study.id)
    _spoken_of(alone, study, readings, problem)
    names = [one.name for one in assembly.parameters]
    unknown = even_variates(names, draws, seed)
    found, occupancy = map_tasks(  # the one compiles while the other does
        in_double_precision,
        [
            lambda: followed(run, problem, unknown),
            lambda: _occupancy(run, problem, readings, names, unknown),
        ],
        workers=2,
    )
    effect, spread, rows = found.effect[0], found.spread, _rows(readings, draws)
    of_arms = np.where(rows >= 0, np.take_along_axis(effect, np.maximum(rows, 0)[None], axis=1), 0.0)
    deviate = even_variates([f"deviation of {study.cohort}"], draws, seed)[0]
    scale = np.exp(spread * deviate)
    whole, single = _log_likelihoods(problem, effect, spread) if problem.scored else (None, None)
    return StudyDraws(
        study=study,
        accounts=tuple(fit.variant.label for fit in run.fits),
        probability=np.array([fit.probability for fit in run.fits]),
        prior=np.array([fit.prior for fit in run.fits]),
        readings=tuple({(r.experiment, r.endpoint, r.arm): r for r in readings}.values()),
        effects=of_arms * scale[:, None],
        spread=spread,
        failure=problem.failure,
        failed_sd=fixed_value(_priors(alone), "standardised_effect"),
        scored=problem.scored,
        log_likelihood=whole,
        log_likelihood_of_outcome=single,
        occupancy=occupancy,
    )


def _alone(loaded: LoadedCase, study: Study) -> LoadedCase:
    """A case of this study and the reference protocols of its populations, whose outcomes are left out."""
    faults = [one for one in check_study(loaded, study) if one.level == "error"]
    if faults:
        raise RecordError(faults)
    asked = {
        (experiment.protocol.subject.stratum, phase): (experiment.id, name)
        for experiment in study.experiments
        for name, endpoint in experiment.protocol.endpoints.items()
        for phase in ("acute", "sustained")
        if endpoint.phase in (phase, "unknown")
    }
    anchors = {(one.stratum, one.phase): one for one in loaded.case.anchors}
    for (stratum, phase), (experiment, endpoint) in asked.items():
        if (stratum, phase) not in anchors:
            has = "; ".join(f"{where} ({when})" for where, when in sorted(anchors))
            raise ValueError(
                f"An endpoint must be of a population and phase for which the case has a reference protocol; got "
                f"{stratum} ({phase}) at {endpoint!r} of {experiment!r}. The case has: {has or 'none'}. Correct "
                "`subject` or `phase`, or add an anchor to case.yaml and run the case again."
            )
    kept = tuple(anchors[key] for key in asked)
    references: dict[str, dict[str, Experiment]] = {}
    for one in kept:
        mine = next(e for e in loaded.ledger.study(one.study).experiments if e.id == one.experiment)
        references.setdefault(one.study, {})[mine.id] = mine.model_copy(update={"outcomes": ()})
    beside = tuple(
        loaded.ledger.study(name).model_copy(
            update={"id": _ANCHORED + name, "experiments": tuple(experiments.values())}
        )
        for name, experiments in references.items()
    )
    moved = tuple(_renamed(one) for one in kept)
    case = loaded.case.model_copy(update={"anchors": moved, "claims": ()})
    return dataclasses.replace(loaded, case=case, ledger=Ledger((study, *beside)), documents={})


def _renamed(anchor: Anchor) -> Anchor:
    """An anchor in the copy of its study, which may be the very study that is asked of."""
    return anchor.model_copy(update={"study": _ANCHORED + anchor.study})


def _spoken_of(loaded: LoadedCase, study: Study, readings: tuple[ArmReading, ...], problem: Problem) -> None:
    """Refuse a study none of whose arms an account has anything to say of."""
    assembly = problem.assembly
    reached = [r for r in readings if r.row >= 0 and assembly.ligand_names[r.row]]
    removed = [
        one
        for experiment in study.experiments
        for arm in experiment.protocol.arms.values()
        for one in arm.manipulations
        if one.target in {name.partition(".")[0] for name in assembly.features}
    ]
    if not (reached or removed):
        doses = {d.drug for e in study.experiments for arm in e.protocol.arms.values() for d in arm.doses}
        raise ValueError(
            f"A study must dose a drug, or change a target, of which an account speaks; {study.id} doses "
            f"{', '.join(sorted(doses)) or 'nothing'}, and the accounts of {loaded.case.name} speak of "
            f"{', '.join(assembly.features)}. Give the drug an affinity at one of these, or add an account."
        )


def _rows(readings: tuple[ArmReading, ...], draws: int) -> Int[np.ndarray, "readings draws"]:
    """Row of each arm at each endpoint, draw by draw: where a test may have been at several times, at these in turn."""
    times: dict[tuple[str, str, str], list[int]] = {}
    for r in readings:
        times.setdefault((r.experiment, r.endpoint, r.arm), []).append(r.row)
    return np.array([np.resize(rows, draws) for rows in times.values()])


class Followed(NamedTuple):
    """Distinct readings of a problem by every account, anew for each set of features held."""

    effect: Float[np.ndarray, "holds accounts rows draws"]
    """Effect over no drug (SD); relative to the reference protocol, at which what is held is held too."""
    state: Float[np.ndarray, "holds accounts rows draws"]
    """State above rest, before scaling (1)."""
    spread: Float[np.ndarray, "accounts draws"]
    """SD of the log deviation of cohorts (1)."""


def followed(
    run: StoredRun,
    problem: Problem,
    unknown: Float[np.ndarray, "parameters draws"],
    holds: Sequence[dict[str, float]] = ({},),
) -> Followed:
    """Follow the distinct readings of a problem through every account.

    Parameters
    ----------
    run : StoredRun
        Whose draws are taken, by name.
    problem : Problem
        What is followed.
    unknown : array
        Scores (1) of its parameters, in their order, for those that the run does not have.
    holds : sequence of dict
        Levels at which features are held (1), by name; one at least.
    """

    def outline(z: Array, given: Setting) -> tuple[Array, Array, Array]:
        found = respond(problem.assembly, z, given.account, given.table)
        return found.effect, found.state, cohort_spread(problem, z, given)

    function = jax.jit(in_blocks(outline), compiler_options=FOR_FEW_DRAWS)
    names = [one.name for one in problem.assembly.parameters]
    drawn = [_scores(fit, names, unknown) for fit in run.fits]
    found = [
        [
            in_chunks(partial(_at, function, _setting(fit, problem, hold)), z)
            for fit, z in zip(run.fits, drawn, strict=True)
        ]
        for hold in holds
    ]
    effect, state, spread = (
        np.array([[of_fit[which] for of_fit in of_hold] for of_hold in found]) for which in range(3)
    )
    return Followed(effect, state, spread[0])


def _at(function: Callable[..., Any], given: Setting, part: np.ndarray) -> Any:
    return function(part, given)


def _log_likelihoods(
    problem: Problem,
    effect: Float[np.ndarray, "accounts rows draws"],
    spread: Float[np.ndarray, "accounts draws"],
) -> tuple[Float[np.ndarray, "accounts draws"], Float[np.ndarray, "outcomes accounts draws"]]:
    """Log likelihoods of all that is filled in, and of each outcome."""
    flat, nothing = np.concatenate(list(effect), axis=-1), np.zeros((0, spread.size))
    outline = Outline(nothing, flat, spread.ravel(), nothing)
    reader = Reader(problem)
    whole = problem.link @ reader.cohort_logs(outline, reading_of(problem))
    # one outcome at a time, which then counts fully
    kept = np.diag([1 / s.weight for s in problem.scored])
    single = [
        reader.cohort_logs(outline, reading_of(problem, one))[s.cohort]
        for s, one in zip(problem.scored, kept, strict=True)
    ]
    return whole.reshape(spread.shape), np.array(single).reshape(-1, *spread.shape)


def _setting(fit: StoredFit, problem: Problem, hold: dict[str, float] | None = None) -> Setting:
    phase = fit.variant.phase or "both"
    return setting(problem, account(fit.variant.hypothesis, problem.assembly, phase=phase, hold=hold))


def _scores(
    fit: StoredFit, names: list[str], unknown: Float[np.ndarray, "parameters draws"]
) -> Float[np.ndarray, "parameters draws"]:
    """Scores of the study's parameters: the run's where it has them."""
    z = unknown.copy()
    for place, name in enumerate(names):
        if (drawn := fit.scores.get(name)) is not None:
            z[place] = drawn[np.linspace(0, drawn.size - 1, z.shape[1]).astype(int)]
    return z


def _occupancy(
    run: StoredRun,
    problem: Problem,
    readings: tuple[ArmReading, ...],
    names: list[str],
    unknown: Float[np.ndarray, "parameters draws"],
) -> tuple[EngagementRow, ...]:
    """Levels of features by draws of all accounts, each with as many as its probability gives it."""
    mass = np.cumsum([fit.probability for fit in run.fits])
    which = np.searchsorted(mass / mass[-1], (np.arange(_FOR_OCCUPANCY) + 0.5) / _FOR_OCCUPANCY)
    column = np.arange(_FOR_OCCUPANCY) * unknown.shape[1] // _FOR_OCCUPANCY
    z = np.empty((len(names), _FOR_OCCUPANCY))
    for place in np.unique(which):
        mine = which == place
        z[:, mine] = _scores(run.fits[place], names, unknown)[:, column[mine]]
    lead = _setting(run.fits[0], problem)  # levels are the same by any account
    function = jax.jit(
        in_blocks(lambda z, s: respond(problem.assembly, z, s.account, s.table).features),
        compiler_options=FOR_FEW_DRAWS,
    )
    features = in_chunks(lambda part: function(part, lead), z)
    endpoints: dict[tuple[str, str], list[ArmReading]] = {}  # of which two may have arms of the same content
    for r in readings:
        endpoints.setdefault((r.experiment, r.endpoint), []).append(r)
    of_endpoint = (problem.assembly._replace(readings=tuple(mine)) for mine in endpoints.values())
    return tuple(row for one in of_endpoint for row in engagement(problem._replace(assembly=one), features))


def _priors(loaded: LoadedCase) -> dict[str, Any]:
    return {prior.name: prior.distribution for prior in loaded.case.priors}
