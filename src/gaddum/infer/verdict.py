"""Verdict: propositions computed on draws, the rule that turns their probabilities into words, and the claims.

A proposition is a what-if question asked of the reference protocol of a stratum and phase:

- "... needed": with the target fully blocked, less than half of the effect is left;
- "... sufficient": with every other target held as without drug, more than half of the effect is left;
- "a target other than the named ones": the account invokes a target that nobody has named.

A proposition is supported (contradicted) only if its probability stays above 0.95 (below 0.05) over the declared prior
set, both parameterisations and with any one cohort removed; otherwise it is undecided, with a leaning if the record
changed its odds at least threefold.
"""

from typing import Any, NamedTuple

import numpy as np

from gaddum.records.case import Case, Claim
from gaddum.records.gate import parse_gate
from gaddum.records.hypothesis import Hypothesis
from gaddum.records.library import Library
from gaddum.simulate.assemble import VEHICLE

HALF = 0.5
SURE = 0.95
BLOCKED = {"block": 0.0, "agonism": 0.0, "tone": 0.0, "reserve": 1.0, "engagement": 0.0}
"""Level of each feature when its target can do nothing for the drug."""
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
                {f: BLOCKED[f.split(".")[1]] for f in opioid},
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
                {feature: BLOCKED[kind]},
                False,
            )
        )
        others = {f: VEHICLE[f.split(".")[1]] for f in features if f.split(".")[0] != target}
        tones = {f: BLOCKED["tone"] for f in others if f.endswith(".tone")}
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


def invokes_unnamed(hypothesis: Hypothesis, case: Case) -> bool:
    """Whether the account rests on a target that nobody has named."""
    names = {unnamed.name for unnamed in case.unnamed_targets}
    return any(name.split(".")[0] in names for name in parse_gate(hypothesis.gate).inputs)


def judge(probability: float, lower: float, upper: float, prior: float) -> dict[str, Any]:
    """Word for a proposition from its probability, its range over the prior set, and its prior.

    Examples
    --------
    >>> judge(0.99, 0.97, 0.995, 0.5)["verdict"], judge(0.99, 0.60, 0.995, 0.5)["verdict"]
    ('supported', 'undecided')
    """
    if lower > SURE:
        return {"verdict": "supported", "leaning": None}
    if upper < 1 - SURE:
        return {"verdict": "contradicted", "leaning": None}
    tiny = 1e-12
    change = (probability + tiny) * (1 - prior + tiny) / ((1 - probability + tiny) * (prior + tiny))
    leaning = "for" if change >= 3 else "against" if change <= 1 / 3 else None
    return {"verdict": "undecided", "leaning": leaning}


def answer_claim(claim: Claim, propositions: list[dict[str, Any]]) -> dict[str, Any]:
    """Answer one claim from the propositions it rests on."""
    row: dict[str, Any] = {"id": claim.id, "text": claim.text, "studies": list(claim.studies), "note": claim.note}
    if claim.proposition is None:
        return row | {"verdict": "not testable", "probability": None}
    matching = [
        p
        for p in propositions
        if p["name"] == claim.proposition
        and claim.stratum in (None, p["stratum"])
        and claim.phase in (None, p["phase"])
    ]
    if not matching:
        return row | {"verdict": "not testable", "probability": None}
    holds, fails = ("supported", "contradicted") if claim.expects else ("contradicted", "supported")
    chances = [p["probability"] if claim.expects else 1 - p["probability"] for p in matching]
    words = [p["verdict"] for p in matching]
    verdict = "supported" if all(w == holds for w in words) else "undecided"
    if any(w == fails for w in words):
        verdict = "contradicted"
    driving = list(claim.studies) or sorted({s for p in matching for s in p.get("driving", [])})
    return row | {"verdict": verdict, "probability": min(chances), "studies": driving}


def paragraph(case: Case, propositions: list[dict[str, Any]], rivals: list[dict[str, Any]], prior_only: bool) -> str:
    """The verdict in a paragraph that can be quoted."""
    if prior_only:
        return (
            f"No scored outcome bears on the question \u201c{case.question}\u201d; every probability below is prior. "
            "The record does not decide."
        )
    order = sorted(rivals, key=lambda h: -h["probability"])
    best, second = order[0], order[1] if len(order) > 1 else None
    settled = [p for p in propositions if p["verdict"] != "undecided"]
    parts = []
    if second is not None and best["probability"] <= SURE:
        parts.append(
            f"The record does not decide between \u201c{best['title']}\u201d (probability {best['probability']:.2f}) and "
            f"\u201c{second['title']}\u201d ({second['probability']:.2f})."
        )
    else:
        parts.append(f"The record favours \u201c{best['title']}\u201d (probability {best['probability']:.2f}).")
    if settled:
        parts.append(
            "Settled over the declared prior set and with any one cohort removed: "
            + "; ".join(f"{p['name']} ({p['stratum']}, {p['phase']}): {p['verdict']}" for p in settled)
            + "."
        )
    else:
        parts.append("No proposition is settled over the declared prior set and with any one cohort removed.")
    leaning = [p for p in propositions if p["leaning"]]
    if leaning:
        parts.append(
            "Leanings (odds changed at least threefold): "
            + "; ".join(
                f"{p['name']} ({p['stratum']}, {p['phase']}): {p['leaning']}, {p['probability']:.2f}" for p in leaning
            )
            + "."
        )
    reserve = [h for h in rivals if h.get("absolute") and _differ(h)]
    if reserve:
        names = ", ".join(h["name"] for h in reserve)
        parts.append(
            f"For {names} the two parameterisations differ by more than a factor 3, so that part of the verdict rests "
            "on receptor reserve."
        )
    return " ".join(parts)


def _differ(row: dict[str, Any]) -> bool:
    """Whether the Bayes factor moves more than threefold between parameterisations."""
    return abs(row["log_bf"] - row["absolute"]["log_bf"]) > np.log(3)
