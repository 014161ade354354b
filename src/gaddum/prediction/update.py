"""Update: what a study does to every account and proposition of a stored run, by importance weights or by a refit."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from gaddum.change_results import AccountChange, PropositionChange, StudyUpdate
from gaddum.change_words import account_words, proposition_words
from gaddum.prediction.blockade_chances import BlockadeTest, blockade_tests, chances_at_draws
from gaddum.prediction.importance import MovedChances, NewWeights, moved_chances, new_weights
from gaddum.prediction.stored_run import StoredRun, read_run
from gaddum.prediction.study_draws import StudyDraws, study_draws
from gaddum.prediction.study_limits import study_limits
from gaddum.records.experiment import Study
from gaddum.records.ledger import Ledger, LoadedCase, load_case, load_study
from gaddum.response.run_draws import MAIN_FORM, SEPARATOR, opened
from gaddum.results import LEAST_DRAWS
from gaddum.run_comparison import compare
from gaddum.sampling.settings import Settings
from gaddum.verdict.verdict import UNNAMED, invokes_unnamed
from gaddum.weigh.fitted import IN_PLAY

SupposedEvent = Literal["abolished", "partial", "not_abolished"]


def update(
    case: str | Path | LoadedCase,
    study: str | Path | Study,
    *,
    run: str | Path | StoredRun | None = None,
    refit: bool = False,
    what_if: SupposedEvent | None = None,
    seed: int = 0,
    settings: Settings | None = None,
) -> StudyUpdate:
    """Say what a study does to the accounts and propositions of a run.

    Parameters
    ----------
    case : str, Path or LoadedCase
        Name of a bundled case, or the folder of one.
    study : str, Path or Study
        File of a study, new to the run.
    run : str, Path or StoredRun
        Folder that ``gaddum adjudicate CASE --out`` wrote; ``runs/CASE`` by default.
    refit : bool
        Whether to weigh the case with the study again, where fewer than 100 effective draws are left.
    what_if : {"abolished", "partial", "not_abolished"}
        What is supposed to come of its first blockade, in place of outcomes.
    seed : int
        Of what the run has no draws of, and of a refit.
    settings : Settings
        Of a refit's sampler.

    Returns
    -------
    StudyUpdate
        Every account and proposition before and after, with the error of its change; what moved and what could not, in
        sentences. No number where the draws do not carry it and nothing was refitted.

    Raises
    ------
    ValueError
        If the run weighed the study already, or it has neither outcomes nor `what_if`; says what must hold.
    """
    if refit and what_if is not None:
        raise ValueError(
            "What is only supposed cannot be refitted; got both. Leave out --refit or --what-if."
        )
    loaded = case if isinstance(case, LoadedCase) else load_case(case)
    stored = run if isinstance(run, StoredRun) else read_run(run or Path("runs") / loaded.case.name, loaded)
    asked = study if isinstance(study, Study) else load_study(study, loaded)
    _refuse_known(stored, asked)
    drawn = study_draws(stored, asked, seed=seed, draws=stored.draws)
    tests = blockade_tests(
        stored.loaded, asked, {prior.name: prior.distribution for prior in stored.loaded.case.priors}
    )
    logs, chance = _log_likelihood(stored, drawn, tests, what_if)
    weights = new_weights(
        drawn.probability,
        logs,
        np.array([fit.effective_draws for fit in stored.fits]),
        np.array([stored.result.account(fit.variant.hypothesis.name).log_ml_mcse for fit in stored.fits]),
    )
    effective = _fewest(weights)
    carried = effective >= LEAST_DRAWS
    accounts: Sequence[AccountChange] = ()
    propositions: Sequence[PropositionChange] = ()
    do = "Use --refit." if what_if is None else "Fill in outcomes as supposed, and use --refit."
    moved = [f"Needs a refit: {effective:.0f} effective draws are left, {LEAST_DRAWS} are the least. {do}"]
    if carried:
        accounts, propositions = list(_accounts(stored, weights)), list(_propositions(stored, weights))
        moved = [*account_words(accounts), *proposition_words(propositions)]
    elif refit:
        compared = compare(stored.result, _refitted(stored, asked, seed, settings))
        accounts, propositions = compared.accounts, compared.propositions
        moved = [*account_words(accounts), *proposition_words(propositions)]
    return StudyUpdate(
        case=loaded.case.name,
        study=asked.id,
        run=stored.folder,
        what_if=what_if,
        method="weights" if carried else "refit" if refit else "needs a refit",
        effective_draws=effective,
        event_chance=chance,
        accounts=tuple(accounts),
        propositions=tuple(propositions),
        moved=tuple(moved),
        unmoved=tuple(study_limits(stored, drawn, tests, weights if carried else None, propositions)),
        seed=seed,
    )


def _refuse_known(run: StoredRun, study: Study) -> None:
    if study.cohort in {name.partition(",")[0] for name in run.cohorts}:
        raise ValueError(
            f"A study must be new to the run that it updates; {study.id} is of cohort {study.cohort}, which was "
            f"weighed. What the run says without it stands under `sensitivity` as 'without {study.cohort}'."
        )


def _log_likelihood(
    run: StoredRun, drawn: StudyDraws, tests: Sequence[BlockadeTest], what_if: str | None
) -> tuple[Float[np.ndarray, "accounts draws"], float | None]:
    """Log likelihood of the outcomes (nats), or of what is supposed with its chance."""
    if what_if is None:
        if drawn.log_likelihood is None:
            raise ValueError(
                f"A study must have scored outcomes to update by; {drawn.study.id} has none. Fill them in, or suppose "
                "one with --what-if."
            )
        return drawn.log_likelihood, None
    if not tests:
        raise ValueError(
            f"What is supposed must be of a blockade; {drawn.study.id} has no arm with an antagonist beside the test "
            "drug and its control. Add the arms, or fill in outcomes."
        )
    priors = {prior.name: prior.distribution for prior in run.loaded.case.priors}
    chances = getattr(chances_at_draws(tests[0], drawn, priors), what_if)
    return np.log(np.maximum(chances, 1e-300)), drawn.averaged(chances)


def _fewest(weights: NewWeights) -> float:
    """Effective draws of the account that has fewest, among those in play before or after."""
    mass = np.maximum(weights.before.sum(axis=1), weights.after.sum(axis=1))
    return float(weights.effective[mass >= min(IN_PLAY, mass.max())].min())


def _accounts(run: StoredRun, weights: NewWeights) -> Iterator[AccountChange]:
    names = [row.name for row in run.result.hypotheses]
    of_fit = [fit.variant.hypothesis.name for fit in run.fits]
    truth = np.array([[one == name for name in names] for one in of_fit], float)[..., None]
    found = moved_chances(weights, truth)
    evidence, error = _evidence(weights, truth[..., 0])
    reference = names.index(run.result.reference.name)
    for place, row in enumerate(run.result.hypotheses):
        yield AccountChange(
            name=row.name,
            title=row.title,
            log_bf_before=row.log_bf,
            log_bf_after=row.log_bf + evidence[place] - evidence[reference],
            log_evidence=evidence[place],
            log_evidence_error=error[place],
            **_change(found, place),
        )


def _evidence(
    weights: NewWeights, member: Float[np.ndarray, "accounts things"]
) -> tuple[Float[np.ndarray, " things"], Float[np.ndarray, " things"]]:
    """Log mean likelihood of the study by each account, over its phases by their probabilities, and its error."""
    share = weights.before.sum(axis=1)[:, None] * member
    total = share.sum(axis=0)
    share = np.where(total > 0, share / np.where(total > 0, total, 1.0), member / member.sum(axis=0))
    top = weights.log_evidence.max()
    each = np.exp(weights.log_evidence - top)[:, None] * share
    mean = each.sum(axis=0)
    return np.log(mean) + top, np.sqrt(
        np.sum((each * weights.log_evidence_error[:, None]) ** 2, axis=0)
    ) / mean


def _propositions(run: StoredRun, weights: NewWeights) -> Iterator[PropositionChange]:
    names, truth = _held(run, weights.before.shape[1])
    found = moved_chances(weights, truth)
    by_key = {(one.name, one.stratum, one.phase): one for one in run.result.propositions}
    for place, key in enumerate(names):
        if key in by_key:
            name, stratum, phase = key
            yield PropositionChange(name=name, stratum=stratum, phase=phase, **_change(found, place))
    if (UNNAMED, "all", "all") in by_key:
        case = run.loaded.case
        unnamed = np.array([[invokes_unnamed(fit.variant.hypothesis, case)] for fit in run.fits], float)
        found = moved_chances(weights, unnamed[..., None])
        yield PropositionChange(name=UNNAMED, stratum="all", phase="all", **_change(found, 0))


def _held(
    run: StoredRun, draws: int
) -> tuple[list[tuple[str, str, str]], Float[np.ndarray, "accounts propositions draws"]]:
    """Propositions, and whether they hold in each draw, as the run stored them."""
    names: list[str] = []
    held = []
    with opened(run.folder) as file:
        for fit in run.fits:
            groups = file[MAIN_FORM][fit.variant.label].groups
            if "propositions" not in groups:
                raise ValueError(
                    f"A run must hold what is true in its draws; {run.folder!r} was written by an earlier gaddum. "
                    "Run the case again."
                )
            stored = groups["propositions"].variables
            names = stored["proposition"][...].tolist()
            every = np.asarray(stored["holds"][...]).reshape(-1, len(names)).T
            held.append(every[:, np.linspace(0, every.shape[1] - 1, draws).astype(int)])
    return [_parted(name) for name in names], np.array(held, float)


def _parted(name: str) -> tuple[str, str, str]:
    what, stratum, phase = name.split(SEPARATOR)
    return what, stratum, phase


def _change(found: MovedChances, place: int) -> dict[str, Any]:
    before, after, error = (float(one[place]) for one in found)
    return {"before": before, "after": after, "change": after - before, "error": error}


def _refitted(run: StoredRun, study: Study, seed: int, settings: Settings | None) -> Any:
    """Result of the case with the study, weighed anew."""
    from gaddum.verdict.adjudicate import adjudicate  # loads what takes a second, and weights need none of it

    until = run.result.until
    known = run.loaded.ledger.studies
    if (
        until is not None
    ):  # later reports say nothing, but their protocols may be the reference of a population
        known = tuple(one if one.year <= until else one.silent for one in known)
    wider = dataclasses.replace(run.loaded, ledger=Ledger((*known, study)))
    return adjudicate(wider, seed=seed, settings=settings).result
