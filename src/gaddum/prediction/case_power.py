"""Case power: what a blockade study could show between the accounts of a run, against its size.

What counts is the event that the study's tests find (`outcomes.blockade_events`): abolished, partial, not abolished or
nothing to block. Each account gives each event a chance, so that its Bayes factor over its rivals has four values whose
chances are sums: nothing is simulated, and the most that n could ever show is the largest of them.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from gaddum.outcomes.blockade_events import EventChances
from gaddum.outcomes.group_sizes import Scenario
from gaddum.power_results import AccountPower, AnswerChances, CasePower
from gaddum.prediction.blockade_chances import BlockadeTest, blockade_tests, chances_at_draws
from gaddum.prediction.stored_run import StoredRun, read_run
from gaddum.prediction.study_draws import StudyDraws, study_draws
from gaddum.records.experiment import Study
from gaddum.records.ledger import LoadedCase, load_case, load_study

SIZES = (6, 10, 20, 40, 80)
"""Subjects a group at which it is asked (1)."""
_ENOUGH = 0.8
"""Chance of a correct answer with which a study is large enough (1)."""
_IN_WORDS = 0.02
"""Probability from which an account is spoken of (1)."""


def case_power(
    case: str | Path | LoadedCase,
    study: str | Path | Study,
    *,
    run: str | Path | StoredRun | None = None,
    n: int | None = None,
    threshold: float = 10.0,
    seed: int = 0,
) -> CasePower:
    """Say what a blockade study could show between the accounts of a run.

    Parameters
    ----------
    case : str, Path or LoadedCase
        Name of a bundled case, or the folder of one.
    study : str, Path or Study
        File of a study with a blockade; its outcomes, if any, are left aside, and its first blockade counts.
    run : str, Path or StoredRun
        Folder that ``gaddum adjudicate CASE --out`` wrote; ``runs/CASE`` by default.
    n : int
        Subjects a group; several sizes where it is left out (1).
    threshold : float
        Bayes factor of an account over its rivals from which on it counts as shown (1).
    seed : int
        Of what the run has no draws of.
    """
    if n is not None and n < 2:
        raise ValueError(f"A study needs at least 2 subjects a group; got {n}. Raise --n.")
    if not 1 < threshold < np.inf:
        raise ValueError(
            f"A Bayes factor that shows something is above 1; got {threshold:g}. Use such as 10."
        )
    loaded = case if isinstance(case, LoadedCase) else load_case(case)
    stored = run if isinstance(run, StoredRun) else read_run(run or Path("runs") / loaded.case.name, loaded)
    asked = study if isinstance(study, Study) else load_study(study, loaded)
    priors = {prior.name: prior.distribution for prior in stored.loaded.case.priors}
    if len(stored.result.hypotheses) < 2:
        raise ValueError("Power in a case is between accounts; the run has one. Weigh more than one.")
    tests = blockade_tests(stored.loaded, asked, priors)
    if not tests:
        raise ValueError(
            f"Power in a case is that of a blockade; {asked.id} has no arm with an antagonist beside the test drug and "
            "its control. Add the arms."
        )
    drawn = study_draws(stored, asked, seed=seed)
    sizes = SIZES if n is None else (n,)
    rows, averaged = [], []
    for size in sizes:
        mine = _at_size(stored, drawn, _of_size(tests[0], size), priors, threshold, size)
        rows += mine
        weights = np.array([one.probability for one in mine])
        answers = np.array([[one.correct, one.undecided, one.misleading] for one in mine])
        averaged.append(_answers(*(weights @ answers / weights.sum())))
    return CasePower(
        case=loaded.case.name,
        study=asked.id,
        run=stored.folder,
        experiment=tests[0].experiment.id,
        endpoint=tests[0].endpoint,
        threshold=threshold,
        rows=tuple(rows),
        averaged=tuple(averaged),
        sizes=sizes,
        words=tuple(_words(sizes, rows, averaged, threshold)),
        seed=seed,
    )


def _of_size(test: BlockadeTest, size: int) -> BlockadeTest:
    arms = test.scenarios[0].n
    return test._replace(scenarios=(Scenario(dict.fromkeys(arms, float(size)), 1.0),))


def _at_size(
    run: StoredRun, drawn: StudyDraws, test: BlockadeTest, priors: dict, threshold: float, size: int
) -> list[AccountPower]:
    """Each account, were it true, at one size."""
    names = [row.name for row in run.result.hypotheses]
    member = np.array(
        [[label.partition("@")[0] == name for label in drawn.accounts] for name in names], float
    )
    mass = member * drawn.probability
    share = np.where(mass.sum(1, keepdims=True) > 0, mass, member)
    share /= share.sum(1, keepdims=True)
    chances = np.array([one.mean(axis=1) for one in chances_at_draws(test, drawn, priors)])
    by_account = share @ chances.T
    probability = mass.sum(axis=1)
    factors = _factors(by_account, probability)
    found = []
    for place, row in enumerate(run.result.hypotheses):
        events, bayes = by_account[place], factors[place]
        correct, wrong = (float(events[which].sum()) for which in (bayes > threshold, bayes < 1 / threshold))
        found.append(
            AccountPower(
                n=size,
                name=row.name,
                title=row.title,
                probability=float(probability[place]),
                events=dict(zip(EventChances._fields, events.tolist(), strict=True)),
                bayes_factors=dict(zip(EventChances._fields, bayes.tolist(), strict=True)),
                **dict(_answers(correct, 1 - correct - wrong, wrong)),
            )
        )
    return sorted(found, key=lambda one: -one.probability)


def _factors(
    chances: Float[np.ndarray, "accounts events"], probability: Float[np.ndarray, " accounts"]
) -> Float[np.ndarray, "accounts events"]:
    """Bayes factor of each account over its rivals by each event; rivals count by their probabilities."""
    others = probability[None, :] * (1 - np.eye(probability.size))
    total = others.sum(axis=1, keepdims=True)
    others = np.where(total > 0, others, 1 - np.eye(probability.size))
    rivals = others @ chances / others.sum(axis=1, keepdims=True)
    return chances / np.maximum(rivals, 1e-300)


def _answers(correct: float, undecided: float, misleading: float) -> AnswerChances:
    return AnswerChances(correct=correct, undecided=max(0.0, undecided), misleading=misleading)


def _words(
    sizes: Sequence[int], rows: Sequence[AccountPower], averaged: Sequence[AnswerChances], threshold: float
) -> Iterator[str]:
    enough = next((n for n, one in zip(sizes, averaged, strict=True) if one.correct >= _ENOUGH), None)
    yield (
        f"No size up to {sizes[-1]} a group shows the right account (Bayes factor above {threshold:g}) with a chance "
        f"of {_ENOUGH:g}; at {sizes[-1]} it is {averaged[-1].correct:.2f}."
        if enough is None
        else f"{enough} a group show the right account (Bayes factor above {threshold:g}) with a chance of {_ENOUGH:g}."
    )
    for row in (one for one in rows if one.n == sizes[-1] and one.probability >= _IN_WORDS):
        event = max(row.bayes_factors, key=lambda name: row.bayes_factors[name])
        yield (
            f"The most that {row.n} a group could ever show for \u201c{row.title}\u201d is a Bayes factor of "
            f"{row.bayes_factors[event]:.2g}, by \u201c{event.replace('_', ' ')}\u201d."
        )
