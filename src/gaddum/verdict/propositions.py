"""Propositions: what-if questions answered draw by draw, per stratum and phase, and several of them at once."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from gaddum.records.claim import AllOf
from gaddum.response.response import account
from gaddum.results import PropositionRow
from gaddum.verdict import verdict
from gaddum.verdict.averaging import PriorSetAverage, Truth, averaged, judged_accounts, prior_average
from gaddum.verdict.reference_protocols import References
from gaddum.verdict.verdict import Question
from gaddum.weigh.fitted import FORMS, SUMMARY_DRAWS, CaseFits, HypothesisFit


class PropositionDraws(NamedTuple):
    """Truth of every question at every reference protocol, [questions, places, draws] each."""

    asked: list[Question]
    places: list[tuple[str, str]]
    """Stratum and phase."""
    after: Truth
    before: dict[int, Float[np.ndarray, "questions places draws"]]

    @property
    def named(self) -> list[tuple[str, str, str]]:
        """Name, stratum and phase of every proposition, in the order of questions and places."""
        return [(question.name, *place) for question in self.asked for place in self.places]

    def held(self) -> dict[tuple[str, int], Float[np.ndarray, "propositions draws"]]:
        """Truth of every proposition in each draw of each fit."""
        return {key: truth.reshape(len(self.named), -1) for key, truth in self.after.items()}


def ask(fitted: CaseFits, references: References) -> PropositionDraws:
    """Ask every question of every fit."""
    case, assembly = fitted.loaded.case, fitted.problem.assembly
    asked = verdict.questions(assembly.features, fitted.loaded.library, case.effect)
    anchors = list(assembly.anchors.items())
    if not anchors:
        return _ask_gates(fitted, asked)
    prior_z = np.random.default_rng(fitted.seed).standard_normal((assembly.dimension, SUMMARY_DRAWS))
    return PropositionDraws(
        asked,
        [place for place, _ in anchors],
        {key: _answers(fitted, references, fit, asked, fit.sample) for key, fit in fitted.fits.items()},
        {
            i: _answers(fitted, references, fitted.fits[FORMS[0], i], asked, prior_z)
            for i in range(len(fitted.variants))
        },
    )


def propositions(fitted: CaseFits, answers: PropositionDraws) -> list[PropositionRow]:
    """Every proposition per stratum and phase, with its range over the prior set."""
    case = fitted.loaded.case
    found = _judged(fitted, answers, [(q.name, q.text) for q in answers.asked])
    if case.unnamed_targets and fitted.problem.assembly.anchors:
        found.append(_unnamed(fitted))
    return found


def conjunctions(fitted: CaseFits, answers: PropositionDraws, wanted: list[AllOf]) -> list[PropositionRow]:
    """Conjunctions of propositions per stratum and phase, true where all of it holds in one draw.

    One that names a question which the case does not ask is left out.
    """
    names = [question.name for question in answers.asked]
    kept = [one for one in dict.fromkeys(wanted) if {*one.holds, *one.fails} <= set(names)]
    if not kept:
        return []

    def joined(truth: Float[np.ndarray, "questions places draws"]) -> np.ndarray:
        return np.array(
            [
                np.prod(
                    [truth[names.index(name)] for name in one.holds]
                    + [1 - truth[names.index(name)] for name in one.fails],
                    axis=0,
                )
                for one in kept
            ]
        )

    after = {key: joined(truth) for key, truth in answers.after.items()}
    before = {key: joined(truth) for key, truth in answers.before.items()}
    return _judged(
        fitted, answers._replace(after=after, before=before), [(one.name, one.name) for one in kept]
    )


def _judged(
    fitted: CaseFits, answers: PropositionDraws, named: list[tuple[str, str]]
) -> list[PropositionRow]:
    if fitted.problem.assembly.anchors:
        average, undecided = averaged(fitted, answers.after, answers.before), {}
    else:  # no reference protocol: prior masses of the gates, no range, nothing decided
        chances = np.clip(prior_average(fitted, answers.before), 0.0, 1.0)
        average = PriorSetAverage({"prior": chances}, chances, [True])
        undecided = {
            "verdict": "undecided",
            "leaning": None,
            "moved": False,
            "lower": np.nan,
            "upper": np.nan,
        }
    return [
        PropositionRow(
            name=name,
            text=text,
            stratum=stratum,
            phase=phase,
            **(dict(average.judged((place, which))) | undecided),
        )
        for place, (name, text) in enumerate(named)
        for which, (stratum, phase) in enumerate(answers.places)
    ]


def _ask_gates(fitted: CaseFits, asked: list[Question]) -> PropositionDraws:
    """Ask the gates alone, one draw each."""
    case, features = fitted.loaded.case, fitted.problem.assembly.features
    places = dict.fromkeys((anchor.stratum, anchor.phase) for anchor in case.anchors) or {("all", "all"): 0}
    before = {}
    for i, variant in enumerate(fitted.variants):
        true = [verdict.answer_by_gate(question, variant.hypothesis, features) for question in asked]
        before[i] = np.tile(np.array(true, float).reshape(-1, 1, 1), (1, len(places), 1))
    return PropositionDraws(asked, list(places), {}, before)


def _answers(
    fitted: CaseFits,
    references: References,
    fit: HypothesisFit,
    asked: list[Question],
    z: Float[np.ndarray, "dimension draws"],
) -> Float[np.ndarray, "questions places draws"]:
    """Truth of each question per anchor and draw."""
    hypothesis, phase = fit.variant.hypothesis, fit.variant.phase or "both"
    assembly, table = fitted.problem.assembly, fit.setting.table
    reference = references.states(z, fit.setting.account, table)
    out: list[Bool[np.ndarray, "places draws"]] = []
    for question in asked:
        held = account(hypothesis, assembly, phase=phase, absolute=fit.form == FORMS[1], hold=question.hold)
        out.append(verdict.answer(question, references.states(z, held, table), reference))
    return np.array(out, float).reshape(len(asked), len(assembly.anchors), -1)


def _unnamed(fitted: CaseFits) -> PropositionRow:
    """Whether the effect runs through a target that nobody named: a property of accounts, not of draws."""
    case = fitted.loaded.case
    names = [h.name for h in case.hypotheses if verdict.invokes_unnamed(h, case)]
    return PropositionRow(
        name=verdict.UNNAMED,
        text=f"The {case.effect} runs through a target that none of the named accounts invokes.",
        stratum="all",
        phase="all",
        **dict(judged_accounts(fitted, names)),
    )
