"""Document: fits of a case -> the labelled result that report, terminal and JSON share."""

import platform
from typing import Any, NamedTuple

import jax
import numpy as np

from gaddum import parallel
from gaddum._version import __version__
from gaddum.parameters import DEFAULT_GSD
from gaddum.records.claim import AllOf
from gaddum.sampling.settings import Settings
from gaddum.verdict import verdict
from gaddum.verdict.claims import answer_claims
from gaddum.verdict.contributions import bayes_factor_parts
from gaddum.verdict.loo_pit import held_out, histogram
from gaddum.verdict.missing import missing
from gaddum.verdict.propositions import ask, conjunctions, propositions
from gaddum.verdict.timeline import timeline
from gaddum.weigh.comparator import TimelessHypothesis, reweigh, without_kinetics
from gaddum.weigh.fitted import FORMS, SELECTION, SUMMARY_DRAWS, CaseFits, effective_draws
from gaddum.weigh.predictive import engagement, forest, in_double_precision, together
from gaddum.weigh.reweighing import selected, with_selection

IN_PLAY = 0.05
"""Probability from which an account's draws must carry a setting."""
ENGAGED_DRAWS = 200
"""Draws for which the whole course of every feature is kept, which takes a megabyte each on a large record."""
MIXED_DRAWS = 2000
"""Draws of the posterior over all hypotheses that predictive summaries use."""


def write_document(
    fitted: CaseFits,
    *,
    until: int | None,
    settings: Settings,
    workers: int = 1,
    timeless: dict[int, TimelessHypothesis] | None = None,
) -> dict[str, Any]:
    """Summarise fits as one JSON-ready document; variants without time course are reweighed where not refitted."""
    case, problem = fitted.loaded.case, fitted.problem
    live = bool(problem.scored) and fitted.weights.max(initial=0.0) > 0
    if live:
        fitted = with_selection(fitted)
    rivals = _rivals(fitted)
    (asked, joined), seen, years = parallel.map_tasks(
        in_double_precision,
        [
            lambda: _asked(fitted),
            lambda: _seen(fitted, rivals, timeless) if live else PredictiveSummary([], [], [], {}, {}, {}),
            lambda: timeline(fitted) if live else [],
        ],
        workers=workers,
    )
    for row in rivals:
        row["parts"] = seen.parts.get(row["name"])
        row["without_kinetics"] = seen.slow.get(row["name"])
    ledger = fitted.loaded.ledger if until is None else fitted.loaded.ledger.until(until)
    claims = answer_claims(fitted, asked, joined, seen.features, ledger)
    return {
        "case": case.name,
        "title": case.title,
        "question": case.question,
        "effect": case.effect,
        "seed": fitted.seed,
        "until": until,
        "parameterisation": FORMS[0],
        "verdict": verdict.paragraph(case, asked, rivals, not live),
        "propositions": asked,
        "claims": claims,
        "hypotheses": rivals,
        "yardstick": {
            "log_ml": float(fitted.weights @ problem.log_saturated) if live else 0.0,
            "note": "saturated cell means: every contrast free; no prior mass",
        },
        "equivalence": [[fitted.names[i] for i in group] for group in fitted.groups if len(group) > 1],
        "sensitivity": _sensitivity(fitted),
        "timeline": years,
        "studies": _studies(fitted, until),
        "forest": seen.forest,
        "engagement": seen.engagement,
        "held_out": {
            "outcomes": seen.held_out,
            "histogram": histogram(seen.held_out) if seen.held_out else [],
        },
        "selection": _selection(fitted) if live else {"flagged": 0, "scored": 0, "settings": []},
        "priors": _priors(fitted),
        "assumptions": _assumptions(fitted),
        "sampled_dimension": max((f.evidence.dimension for f in fitted.fits.values()), default=0),
        "missing": missing(fitted.loaded, problem.scored, claims),
        "manifest": _manifest(fitted, settings, until),
    }


def _rivals(fitted: CaseFits) -> list[dict[str, Any]]:
    """Hypotheses with evidence, errors, Bayes factors against the first named, in both parameterisations."""
    case = fitted.loaded.case
    weighed = {form: fitted.weighed(form) for form in FORMS}
    reference = fitted.names[0]
    rows = []
    for hypothesis in case.hypotheses:
        name = hypothesis.name
        mine = fitted.of(FORMS[0], name)
        worst = max(mine, key=lambda fit: fit.evidence.log_ml_mcse)
        broken = [fit for form in FORMS for fit in fitted.of(form, name) if not fit.evidence.established]
        row: dict[str, Any] = {
            "name": name,
            "title": hypothesis.title,
            "gate": hypothesis.gate,
            "says": hypothesis.says,
            "reference": name == reference,
            "prior": fitted.masses[name],
            "established": not broken,
            "note": broken[0].evidence.note if broken else worst.evidence.note,
            "dimension": max(fit.evidence.dimension for fit in mine),
            "r_hat": max(fit.evidence.r_hat for fit in mine),
            "ess": min(fit.evidence.ess for fit in mine),
            "evaluations": sum(fit.evidence.evaluations for fit in mine),
        }
        for form in FORMS:
            one, zero = weighed[form][name], weighed[form][reference]
            numbers = {"log_ml": one.log_ml, "log_ml_mcse": one.log_ml_mcse} | one.against(zero)
            row |= numbers if form == FORMS[0] else {form: numbers}
        row["variants"] = [
            {
                "phase": fit.variant.phase,
                "log_ml": fit.evidence.log_ml,
                "log_ml_mcse": fit.evidence.log_ml_mcse,
                "probability": share,
            }
            for fit, share in zip(mine, weighed[FORMS[0]][name].variant_probability, strict=True)
            if fit.variant.phase is not None
        ]
        rows.append(row)
    return rows


def _sensitivity(fitted: CaseFits) -> list[dict[str, Any]]:
    """Probability of each account in every setting, those that a verdict must survive first."""
    declared = fitted.settings()
    rows = []
    for name, (form, shift) in (declared | fitted.stresses()).items():
        weighed = fitted.weighed(form, shift)
        in_play = [
            fit for key, one in weighed.items() if one.probability > IN_PLAY for fit in fitted.of(form, key)
        ]
        few = min(effective_draws(fit, shift) for fit in in_play)
        rows.append(
            {
                "name": name,
                "setting": "refitted" if shift is None else f"importance weights, {few:.0f} effective draws",
                "effective_draws": None if shift is None else few,
                "decides": name in declared,
                "probabilities": {key: one.probability for key, one in weighed.items()},
            }
        )
    return rows


def _selection(fitted: CaseFits) -> dict[str, Any]:
    """How many outcomes may have been selected, and the settings that say what if."""
    taken = [s for s in fitted.problem.scored if fitted.weights[s.cohort] > 0]
    flagged = [s for s in selected(fitted.problem) if fitted.weights[s.cohort] > 0]
    return {
        "flagged": len(flagged),
        "scored": len(taken),
        "settings": list(SELECTION) if flagged else [],
    }


class PredictiveSummary(NamedTuple):
    """What the accounts, weighed by their probabilities, say of the record."""

    forest: list[dict[str, Any]]
    engagement: list[dict[str, Any]]
    held_out: list[dict[str, Any]]
    features: dict[str, np.ndarray]
    parts: dict[str, dict[str, Any]]
    slow: dict[str, dict[str, Any]]


def _asked(fitted: CaseFits) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Propositions, and conjunctions of them that claims ask."""
    answers = ask(fitted)
    wanted = [one for claim in fitted.loaded.case.claims for one in claim.asks if isinstance(one, AllOf)]
    return propositions(fitted, answers), conjunctions(fitted, answers, wanted)


def _seen(
    fitted: CaseFits, rivals: list[dict[str, Any]], timeless: dict[int, TimelessHypothesis] | None
) -> PredictiveSummary:
    """Forest, engagement and held-out outcomes, posterior draws mixed over hypotheses by their probabilities."""
    problem, random, predictor = fitted.problem, np.random.default_rng(fitted.seed), fitted.predictor
    after, before, every = [], [], {}
    shares = fitted.shares(FORMS[0])
    prior_z = random.standard_normal((problem.assembly.dimension, SUMMARY_DRAWS))
    for place, share in shares.items():
        fit = fitted.fits[FORMS[0], place]
        few = random.integers(SUMMARY_DRAWS, size=200)
        before.append(predictor.predict(predictor.outline(prior_z[:, few], fit.setting), fitted.seed))
        every[place] = predictor.predict(fit.outline, fitted.seed)
        count = int(round(MIXED_DRAWS * share))
        if count:
            after.append(every[place].take(random.integers(fit.sample.shape[1], size=count)))
    lead = max(rivals, key=lambda row: row["probability"])["name"]
    fit = fitted.of(FORMS[0], lead)[0]
    features = predictor.features(fit.sample[:, :: SUMMARY_DRAWS // ENGAGED_DRAWS], fit.setting)
    return PredictiveSummary(
        forest(problem, together(after), together(before)),
        engagement(problem, features),
        held_out(fitted, every, seed=fitted.seed),
        dict(zip(problem.assembly.features, features, strict=True)),
        bayes_factor_parts(fitted),
        without_kinetics(fitted, timeless or reweigh(fitted)),
    )


def _studies(fitted: CaseFits, until: int | None) -> list[dict[str, Any]]:
    rows = []
    for study in fitted.loaded.ledger.studies:
        if until is not None and study.year > until:
            continue
        row = {key: getattr(study, key) for key in ("id", "year", "title", "cohort", "competing_interests")}
        row["n_outcomes"] = sum(len(experiment.outcomes) for experiment in study.experiments)
        row["scored"] = sum(s.study.id == study.id for s in fitted.problem.scored)
        rows.append(row)
    return rows


def _priors(fitted: CaseFits) -> list[dict[str, Any]]:
    """Prior table as sampled, with the contraction under the most probable hypothesis that uses each parameter."""
    weighed = fitted.weighed(FORMS[0])
    order = sorted(fitted.names, key=lambda name: -weighed[name].probability)
    rows = []
    for place, parameter in enumerate(fitted.problem.assembly.parameters):
        row = {key: getattr(parameter, key) for key in ("name", "distribution", "unit", "reason", "source")}
        users = (fit for fit in (fitted.of(FORMS[0], name)[0] for name in order) if fit.active[place])
        row["contraction"] = next((float(max(0.0, 1 - np.var(fit.sample[place]))) for fit in users), None)
        rows.append(row)
    return rows


def _assumptions(fitted: CaseFits) -> list[dict[str, str]]:
    rows = [one._asdict() for one in fitted.problem.assembly.assumptions]
    rows += [
        {"where": f"prior: {p.name}", "what": p.name, "reason": p.reason}
        for p in fitted.loaded.case.priors
        if p.source is None or p.source.how == "assumption"
    ]
    rows += [
        {"where": one.name, "what": one.distribution, "reason": one.source}
        for one in fitted.problem.assembly.parameters
        if "assumption:" in one.source
    ]
    return [
        *rows,
        {
            "where": "numbers without a spread",
            "what": f"GSD {DEFAULT_GSD:g}",
            "reason": "the source gives a value only",
        },
        {
            "where": "absorption rates, lags and peripheral volumes",
            "what": "held at their medians",
            "reason": "their spread is small beside that of clearance and unbound fraction",
        },
    ]


def _manifest(fitted: CaseFits, settings: Settings, until: int | None) -> dict[str, Any]:
    case = fitted.loaded.case
    command = f"gaddum adjudicate {case.name} --seed {fitted.seed}"
    if until is not None:
        command += f" --until {until}"
    return {
        "version": __version__,
        "python": platform.python_version(),
        "jax": jax.__version__,
        "numpy": np.__version__,
        **fitted.loaded.hashes,
        "settings": dict(settings._asdict()),
        "command": command,
        "note": "Bit-equal on one machine for any number of workers; within Monte-Carlo error across machines.",
    }
