"""Claims: every statement under dispute is answered by computation on posterior, outcomes, library or ledger.

Each ask of a claim (`records.claim`) becomes an answer with a verdict, a probability and what drives it; a claim is as
sure as the least sure of its answers. What is counted rather than weighed (ledger, declarations, whether a question is
settled) has probability 1 or 0 and says so in `basis`. A claim that asks nothing, or whose asks find nothing to go by,
is not testable.
"""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from gaddum.parameters import log_nodes
from gaddum.records.claim import (
    Accounts,
    AllOf,
    Claim,
    Declaration,
    Filter,
    LedgerCount,
    LibraryRatio,
    RelativeEffect,
    Unsettled,
)
from gaddum.records.drug import Drug
from gaddum.records.ledger import Ledger
from gaddum.response import response
from gaddum.results import SURE, Basis, ClaimAnswer, ClaimRow, PropositionRow, Word, word_of
from gaddum.verdict.averaging import averaged, judged_accounts
from gaddum.verdict.drug_effects import Features, compare_drugs
from gaddum.weigh.fitted import FORMS, SUMMARY_DRAWS, UNDECLARED, CaseFits, HypothesisFit
from gaddum.weigh.predictive import CENTRAL

_parameter_values = jax.jit(response.values)


def answer_claims(
    fitted: CaseFits,
    propositions: Sequence[PropositionRow],
    conjunctions: Sequence[PropositionRow],
    features: Features,
    ledger: Ledger,
) -> list[ClaimRow]:
    """Answer all claims of a case, from propositions and conjunctions of them, engagement and the studies taken in."""
    found = []
    for claim in fitted.loaded.case.claims:
        answers = []
        if claim.proposition is not None:
            answers.append(from_propositions(claim, claim.proposition, propositions, expects=claim.expects))
        for one in claim.asks:
            match one:
                case Accounts():
                    answers.append(_accounts(fitted, one))
                case AllOf():
                    answers.append(from_propositions(claim, one.name, conjunctions, expects=claim.expects))
                case Unsettled():
                    answers.append(_unsettled(fitted))
                case LibraryRatio():
                    answers.append(_library_ratio(fitted, one))
                case RelativeEffect():
                    answers.append(_relative_effect(fitted, one, features))
                case LedgerCount():
                    answers.append(count_ledger(one, ledger))
                case Declaration():
                    answers.append(declared(one, ledger))
        found.append(answer_claim(claim, [answer for answer in answers if answer is not None]))
    return found


def answer_claim(claim: Claim, answers: Sequence[ClaimAnswer]) -> ClaimRow:
    """Answer a claim from the answers to all that it asks."""
    words = [answer.verdict for answer in answers]
    word: Word
    if not words:
        word = "not testable"
    elif "contradicted" in words:
        word = "contradicted"
    elif set(words) == {"supported"} and len(words) >= len(claim.asks) + (claim.proposition is not None):
        word = "supported"
    else:
        word = "undecided"
    chances = [answer.probability for answer in answers if answer.probability is not None]
    driving = list(dict.fromkeys(name for answer in answers for name in answer.driving))
    return ClaimRow(
        id=claim.id,
        text=claim.text,
        verdict=word,
        probability=min(chances) if chances else None,
        studies=claim.studies or tuple(driving),
        driving=tuple(driving),
        would_test=claim.would_test or _would_test(claim, word),
        note=claim.note,
        answers=tuple(answers),
    )


def from_propositions(
    claim: Claim, name: str, propositions: Sequence[PropositionRow], *, expects: bool
) -> ClaimAnswer | None:
    """Answer from a proposition in every stratum and phase that the claim speaks of: the weakest of them."""
    matching = [
        p
        for p in propositions
        if p.name == name and claim.stratum in (None, p.stratum) and claim.phase in (None, p.phase)
    ]
    if not matching:
        return None
    holds, fails = ("supported", "contradicted") if expects else ("contradicted", "supported")
    chances = [p.probability if expects else 1 - p.probability for p in matching]
    words = [p.verdict for p in matching]
    word: Word = "supported" if all(w == holds for w in words) else "undecided"
    if any(w == fails for w in words):
        word = "contradicted"
    weakest = matching[int(np.argmin(chances))]
    where = f"{weakest.stratum}, {weakest.phase}" if weakest.stratum != "all" else "everywhere"
    if len(matching) > 1:
        where = f"asked of {len(matching)} strata and phases, weakest in {where}"
    text = f"{'' if expects else 'not: '}{name} ({where})"
    driving = sorted({s for p in matching for s in p.driving})
    return _answer(text, "posterior", (word, float(min(chances))), driving)


def count_ledger(ask: LedgerCount, ledger: Ledger) -> ClaimAnswer | None:
    """Answer by counting outcomes; None where there is none to count among."""
    among = [one for one in ledger.outcomes() if ask.among.admits(*one)]
    if not among:
        return None
    having = [one for one in among if ask.has.admits(*one)]
    holds = {"none": not having, "some": bool(having), "all": len(having) == len(among)}[ask.holds_for]
    text = (
        f"{ask.holds_for} of the outcomes with {_conditions(ask.among)} has {_conditions(ask.has)}: "
        f"{len(having)} of {len(among)}"
    )
    shown = having or among
    driving = tuple(dict.fromkeys(study.id for study, _, _ in shown))
    rows = tuple(
        {
            "study": study.id,
            "experiment": experiment.id,
            "endpoint": experiment.protocol.endpoints[outcome.endpoint].name,
            "hours": experiment.protocol.endpoints[outcome.endpoint].test_time_h,
            "reported": getattr(outcome, "verdict", outcome.form),
        }
        for study, experiment, outcome in having
    )
    return _answer(text, "ledger", _counted(holds), driving, rows)


def declared(ask: Declaration, ledger: Ledger) -> ClaimAnswer | None:
    """Answer from the studies of a laboratory; None where the ledger has none."""
    mine = [study for study in ledger.studies if study.lab == ask.lab]
    if not mine:
        return None
    recorded = [study for study in mine if study.competing_interests not in UNDECLARED]
    text = f"competing interests of laboratory {ask.lab}: recorded in {len(recorded)} of {len(mine)} studies"
    rows = [{"study": study.id, "declared": study.competing_interests} for study in mine]
    return _answer(text, "ledger", _counted(bool(recorded)), [s.id for s in recorded or mine], rows)


def _answer(
    text: str,
    basis: Basis,
    said: tuple[Word, float],
    driving: Sequence[str] = (),
    rows: Sequence[dict[str, Any]] = (),
) -> ClaimAnswer:
    """An answer from its word and probability."""
    word, chance = said
    return ClaimAnswer(
        text=text,
        basis=basis,
        verdict=word,
        probability=chance,
        driving=tuple(driving),
        rows=tuple(rows),
    )


def _counted(holds: bool) -> tuple[Word, float]:
    return ("supported", 1.0) if holds else ("contradicted", 0.0)


def _accounts(fitted: CaseFits, ask: Accounts) -> ClaimAnswer | None:
    """Probability that one of certain accounts is right; None where the case has none of them."""
    mine = [name for name in fitted.names if name in ask.names]
    if not mine:
        return None
    row = judged_accounts(fitted, mine)
    text = f"the right account is {' or '.join(mine)}"
    return _answer(text, "posterior", (row.verdict, row.probability))


def _unsettled(fitted: CaseFits) -> ClaimAnswer:
    """Whether no class of accounts stays above the threshold in every setting."""
    places = [[fitted.names[i] for i in group] for group in fitted.groups]
    chances = np.array(
        [
            [sum(weighed[name].probability for name in names) for names in places]
            for weighed in fitted.over_set()
        ]
    )
    main, least, known = chances[0], chances[fitted.known].min(axis=0), sum(fitted.known)
    best = int(np.argmax(main))
    settled = chances.min(axis=0).max() > SURE
    text = (
        f"most probable account {' = '.join(places[best])}, probability {main[best]:.2f}, at least "
        f"{least[best]:.2f} in the {known} of {len(chances)} declared settings with enough draws; settled would be "
        f"above {SURE:g} throughout"
    )
    return _answer(text, "comparison", _counted(not settled))


def _library_ratio(fitted: CaseFits, ask: LibraryRatio) -> ClaimAnswer | None:
    """Answer from the two dissociation constants as the fits have them, or as the library alone does."""
    names = [f"K_i of {drug} at {ask.target}" for drug in (ask.drug, ask.over)]
    index = fitted.problem.assembly.index
    prior_z = np.random.default_rng(fitted.seed).standard_normal((len(index), SUMMARY_DRAWS))
    if not set(names) <= index.keys():
        return _ratio_of_library(fitted, ask)
    places = np.array([index[name] for name in names])

    def logs(fit: HypothesisFit, z: np.ndarray) -> np.ndarray:
        theta = np.asarray(_parameter_values(np.asarray(fit.setting.table)[places], z[places]))
        return theta[0] - theta[1]

    after = {key: logs(fit, fit.sample) for key, fit in fitted.fits.items()}
    before = {i: logs(fitted.fits[FORMS[0], i], prior_z) for i in range(len(fitted.variants))}
    limit = np.log(ask.above)
    average = averaged(
        fitted,
        {key: (x > limit).astype(float) for key, x in after.items()},
        {key: (x > limit).astype(float) for key, x in before.items()},
    )
    row = average.judged(())
    band, prior = _mixed_band(fitted, after), np.exp(np.quantile(before[0], CENTRAL))
    text = (
        f"K_i at {ask.target}, {ask.drug} over {ask.over}, above {ask.above:g}: posterior {_band(band)}, "
        f"library alone {_band(prior)}"
    )
    return _answer(text, "library", (row.verdict, row.probability), row.driving)


def _ratio_of_library(fitted: CaseFits, ask: LibraryRatio) -> ClaimAnswer | None:
    """The ratio where no scored outcome touches it: what the library reports."""
    found = []
    for name in (ask.drug, ask.over):
        drug = fitted.loaded.library.drug(name)
        affinities = drug.affinities if isinstance(drug, Drug) else ()
        constants = [one.k_i for one in affinities if one.target == ask.target and one.k_i]
        found += [log_nodes(k_i, drug.molar_mass.value) for k_i in constants[:1]]  # pyright: ignore[reportAttributeAccessIssue]: only drugs have affinities
    if len(found) < 2:
        return None
    z = np.random.default_rng(fitted.seed).standard_normal((2, SUMMARY_DRAWS))
    theta = np.asarray(_parameter_values(np.array(found), z))
    logs = theta[0] - theta[1]
    chance = float(np.mean(logs > np.log(ask.above)))
    text = (
        f"K_i at {ask.target}, {ask.drug} over {ask.over}, above {ask.above:g}: library "
        f"{_band(np.exp(np.quantile(logs, CENTRAL)))}; no scored outcome bears on it"
    )
    return _answer(text, "library", (word_of(chance, chance), chance))


def _mixed_band(fitted: CaseFits, logs: dict[tuple[str, int], np.ndarray]) -> Float[np.ndarray, " 3"]:
    """Median and central interval of a quantity over all accounts, from its logs."""
    mass = fitted.draw_weights(FORMS[0])
    every, weight = np.concatenate([logs[FORMS[0], i] for i in mass]), np.concatenate(list(mass.values()))
    order = np.argsort(every)
    total = np.cumsum(weight[order])
    return np.exp(np.interp(CENTRAL, total / total[-1], every[order]))


def _band(values: Float[np.ndarray, " 3"]) -> str:
    return f"{values[1]:.2g} ({values[0]:.2g} to {values[2]:.2g})"


def _relative_effect(fitted: CaseFits, ask: RelativeEffect, features: Features) -> ClaimAnswer | None:
    problem = fitted.problem
    found = compare_drugs(
        ask,
        [s for s in problem.scored if fitted.weights[s.cohort] > 0],
        fitted.loaded.library,
        fitted.priors,
        features,
        problem.assembly.readings,
    )
    if found is None:
        return None
    others = [row["drug"] for row in found.rows[1:]]
    who = others[0] if len(others) == 1 else f"{ask.reached_by} of {', '.join(others)}"
    verb = "does not reach" if len(others) == 1 and ask.reached_by == "none" else "reaches"
    amount = "the effect" if ask.share == 1 else f"{ask.share:g} times the effect"
    where = ", ".join([*ask.species, *(x for x in (ask.stress, ask.phase) if x is not None)]) or "everywhere"
    text = (
        f"{who} {verb} {amount} of {ask.reference} ({where}), one effect a drug; "
        f"{found.judged.lower:.2f} to {found.judged.upper:.2f} with half and double the prior SD and without any "
        "one study"
    )
    said = found.judged.verdict, found.judged.probability
    return _answer(text, "outcomes", said, found.judged.driving, found.rows)


def _conditions(one: Filter) -> str:
    """A filter in words."""
    given = one.model_dump(exclude_defaults=True)
    words = []
    for key, value in given.items():
        if isinstance(value, tuple | list):
            joiner = " to " if key == "tested" else " or "
            words.append(f"{key} {joiner.join(str(one) for one in value)}")
        elif isinstance(value, bool):
            words.append(key if value else f"no {key}")
        else:
            words.append(f"{key} {value}")
    return ", ".join(words) or "any property"


def _would_test(claim: Claim, word: str) -> str:
    """What would test a claim, where the case does not say."""
    where = f" in {claim.stratum}" if claim.stratum else ""
    phase = f", read in the {claim.phase} phase" if claim.phase else ""
    if word in ("supported", "contradicted"):
        return f"An independent replication{where}{phase}, with sizes, means and spreads reported."
    return (
        f"An experiment{where}{phase} with vehicle, the drug, what is to block it alone and both, whose positive "
        "control has power of at least 0.9, reported with sizes, means and spreads."
    )
