"""Verdict: propositions computed on draws, and the rule that turns their probabilities into words.

A proposition is a what-if question asked of the reference protocol of a stratum and phase:

- "... needed": with the target fully blocked, less than half of the effect is left;
- "... sufficient": with every other target held as without drug, more than half of the effect is left;
- "a target other than the named ones": the account invokes a target that nobody has named.

A proposition is supported (contradicted) only if its probability stays above 0.95 (below 0.05) over the declared prior
set, both parameterisations and with any one cohort removed; otherwise it is undecided, with a leaning if it stays on
one side of one half wherever it is known.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from gaddum.records.case import Case
from gaddum.records.gate import parse_gate
from gaddum.records.hypothesis import Hypothesis
from gaddum.records.library import Library
from gaddum.records.vocabulary import at_rest, disabled
from gaddum.results import HALF, SURE, Chance, HypothesisRow, PropositionRow, leaning_of, word_of

LEAN = 3.0
"""Change of a proposition's odds by the record that counts as one."""
UNNAMED = "a target other than the named ones"


class Question(NamedTuple):
    """A proposition as features to hold, and which way the answer goes."""

    name: str
    text: str
    hold: dict[str, float]
    sufficient: bool


def questions(features: tuple[str, ...], library: Library, effect: str) -> list[Question]:
    """Propositions that can be asked of gates over these features."""
    found: list[Question] = []
    opioid = [f for f in features if (t := library.targets.get(f.split(".")[0])) is not None and t.opioid]
    named = [f for f in features if f.split(".")[0] in library.targets]
    if opioid:
        found.append(
            Question(
                "opioid signalling needed",
                f"With all opioid receptors blocked, less than half of the {effect} is left.",
                {f: disabled(f) for f in opioid},
                False,
            )
        )
    for feature in named:
        target, kind = feature.split(".")
        if kind not in ("block", "agonism"):
            continue
        noun = f"{target} {kind}"
        found.append(
            Question(
                f"{noun} needed",
                f"Without {noun}, less than half of the {effect} is left.",
                {feature: disabled(feature)},
                False,
            )
        )
        others = {f: at_rest(f) for f in features if f.split(".")[0] != target}
        tones = {f: disabled(f) for f in others if f.endswith(".tone")}
        found.append(
            Question(
                f"{noun} sufficient",
                f"{noun} alone, with every other target silent, gives more than half of the {effect}.",
                others | tones,
                True,
            )
        )
    return found


def answer(question: Question, held: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Whether the proposition is true in each draw; an effect of nothing needs nothing and nothing suffices for it."""
    present = np.abs(reference) > 1e-12
    ratio = np.where(present, held / np.where(present, reference, 1.0), 0.0)
    return present & ((ratio > HALF) if question.sufficient else (ratio < HALF))


def answer_by_gate(question: Question, hypothesis: Hypothesis, features: tuple[str, ...]) -> bool:
    """Whether the proposition is true of the gate alone, every drug input fully on and every tone present."""
    gate = parse_gate(hypothesis.gate)
    corners = np.asarray(gate.corners_over(features), float)

    def state(hold: dict[str, float]) -> float:
        on = [hold.get(f, at_rest(f) if f.endswith((".tone", ".reserve")) else 1.0) for f in features]
        return float(corners[sum(int(level) << bit for bit, level in enumerate(on))])

    held, reference = np.array([state(question.hold)]), np.array([state({})])
    return bool(answer(question, held, reference)[0])


def invokes_unnamed(hypothesis: Hypothesis, case: Case) -> bool:
    """Whether the account rests on a target that nobody has named."""
    names = {unnamed.name for unnamed in case.unnamed_targets}
    return any(name.split(".")[0] in names for name in parse_gate(hypothesis.gate).inputs)


def judge(
    values: Sequence[float], prior: float, driving: Sequence[str] = (), known: Sequence[bool] | None = None
) -> Chance:
    """Word for a proposition from its probability in every setting, the main one first, and its prior.

    The range, and the leaning by it, are over the settings that are `known`; all are unless some have too few draws. A
    settled word holds in the others too, as far as these can tell. A settled proposition that did not move was settled
    by the prior.

    Examples
    --------
    >>> judge([0.99, 0.97, 0.995], 0.5).verdict, judge([0.99, 0.60, 0.995], 0.5).verdict
    ('supported', 'undecided')
    """
    tiny, probability = 1e-12, values[0]
    shown = values if known is None else [one for one, enough in zip(values, known, strict=True) if enough]
    lower, upper = min(shown), max(shown)
    word = word_of(min(values), max(values))
    untouched = math.isclose(probability, prior)
    leaning = leaning_of(lower, upper) if word == "undecided" and not untouched else None
    change = (probability + tiny) * (1 - prior + tiny) / ((1 - probability + tiny) * (prior + tiny))
    pushed = "for" if change >= LEAN else "against" if change <= 1 / LEAN else None
    expected = {"supported": "for", "contradicted": "against", "undecided": leaning}[word]
    return Chance(
        probability=probability,
        lower=lower,
        upper=upper,
        settings=len(shown),
        prior=prior,
        verdict=word,
        leaning=leaning,
        moved=pushed is not None and pushed == expected,
        driving=tuple(driving),
    )


def paragraph(
    case: Case, propositions: Sequence[PropositionRow], rivals: Sequence[HypothesisRow], prior_only: bool
) -> str:
    """The verdict in a paragraph that can be quoted."""
    if prior_only:
        return (
            f"No scored outcome bears on the question \u201c{case.question}\u201d; every probability below is prior. "
            "The record does not decide."
        )
    order = sorted(rivals, key=lambda h: -h.probability)
    best, second = order[0], order[1] if len(order) > 1 else None
    parts = []
    if second is not None and best.probability <= SURE:
        parts.append(
            f"The record does not decide between \u201c{best.title}\u201d (probability "
            f"{_chance(best.probability)}) and \u201c{second.title}\u201d ({_chance(second.probability)})."
        )
    else:
        parts.append(
            f"The record favours \u201c{best.title}\u201d (probability {_chance(best.probability)})."
        )
    settled = _grouped(propositions, lambda p: p.verdict if p.verdict != "undecided" and p.moved else None)
    if settled:
        parts.append(f"Settled over the declared prior set and with any one cohort removed: {settled}.")
    else:
        parts.append("No proposition is settled over the declared prior set and with any one cohort removed.")
    leaning = _grouped(propositions, lambda p: f"leaning {p.leaning}" if p.leaning and p.moved else None)
    if leaning:
        parts.append(f"Undecided, but the record changed the odds at least threefold: {leaning}.")
    reserve = [h for h in rivals if _differ(h)]
    if reserve:
        names = ", ".join(h.name for h in reserve)
        parts.append(
            f"For {names} the two parameterisations differ by more than a factor 3, so that part of the verdict rests "
            "on spare receptors."
        )
    return " ".join(parts)


def _grouped(propositions: Sequence[PropositionRow], word: Callable[[PropositionRow], str | None]) -> str:
    """Propositions that get a word, one phrase a name, with how many strata and phases it holds in."""
    phrases = []
    for name in dict.fromkeys(p.name for p in propositions):
        asked = [p for p in propositions if p.name == name]
        words: dict[str, list[PropositionRow]] = {}
        for p in asked:
            said = word(p)
            if said:
                words.setdefault(said, []).append(p)
        for said, those in words.items():
            low, high = min(p.probability for p in those), max(p.probability for p in those)
            span = _chance(low) if _chance(low) == _chance(high) else f"{_chance(low)} to {_chance(high)}"
            where = (
                "everywhere"
                if len(those) == len(asked)
                else f"in {len(those)} of {len(asked)} strata and phases"
            )
            phrases.append(f"{name}: {said} {where} ({span})")
    return "; ".join(phrases)


def _chance(probability: float) -> str:
    """Two digits, never 0 or 1."""
    if probability > 0.99:
        return "> 0.99"
    return "< 0.01" if probability < 0.01 else f"{probability:.2f}"


def _differ(row: HypothesisRow) -> bool:
    """Whether the Bayes factor of an account still in play moves more than threefold between parameterisations."""
    in_play = max(row.probability, row.absolute.probability) > 0.01
    return in_play and abs(row.log_bf - row.absolute.log_bf) > np.log(LEAN)
