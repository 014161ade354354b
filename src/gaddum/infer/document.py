"""Document: fits of a case -> the labelled result that report, terminal and JSON share."""

import hashlib
import platform
from typing import Any

import jax
import numpy as np

from gaddum import parallel
from gaddum._version import __version__
from gaddum.infer import compare, verdict
from gaddum.infer.fitted import FORMS, SUMMARY_DRAWS, Fit, Fitted, importance
from gaddum.infer.posterior import Settings
from gaddum.infer.predictive import Predictor, engagement, forest, in_double_precision
from gaddum.infer.verdict import Question
from gaddum.simulate.parameters import DEFAULT_GSD
from gaddum.simulate.response import account

MIXED_DRAWS = 2000
"""Draws of the posterior over all hypotheses that predictive summaries use."""


def write_document(
    fitted: Fitted, *, until: int | None, settings: Settings, workers: int = 1
) -> dict[str, Any]:
    """Summarise fits as one JSON-ready document.

    Parameters
    ----------
    fitted : Fitted
        All fits of the case.
    until : int
        Last year taken in, if limited.
    settings : Settings
        Of the sampler, for the manifest.
    workers : int
        Threads.
    """
    case, problem = fitted.loaded.case, fitted.problem
    rivals = _rivals(fitted)
    predictor = fitted.predictor
    live = problem.scored and fitted.weights.max(initial=0.0) > 0
    propositions, rows = parallel.map_tasks(
        in_double_precision,
        [
            lambda: _propositions(fitted, predictor),
            lambda: _predictive(fitted, predictor, rivals) if live else {"forest": [], "engagement": []},
        ],
        workers=workers,
    )
    return {
        "case": case.name,
        "title": case.title,
        "question": case.question,
        "effect": case.effect,
        "seed": fitted.seed,
        "until": until,
        "parameterisation": FORMS[0],
        "verdict": verdict.paragraph(case, propositions, rivals, not live),
        "propositions": propositions,
        "claims": [verdict.answer_claim(claim, propositions) for claim in case.claims],
        "hypotheses": rivals,
        "yardstick": {
            "log_ml": float(fitted.weights @ problem.log_saturated) if live else 0.0,
            "note": "saturated cell means: every contrast free; no prior mass",
        },
        "equivalence": [[fitted.names[i] for i in group] for group in fitted.groups if len(group) > 1],
        "sensitivity": _sensitivity(fitted),
        "studies": _studies(fitted, until),
        **rows,
        "priors": _priors(fitted),
        "assumptions": _assumptions(fitted),
        "sampled_dimension": max((f.evidence.dimension for f in fitted.fits.values()), default=0),
        "missing": _missing(fitted),
        "manifest": _manifest(fitted, settings, until),
    }


def _rivals(fitted: Fitted) -> list[dict[str, Any]]:
    """Hypotheses with evidence, errors, Bayes factors against the first named, in both parameterisations."""
    case = fitted.loaded.case
    weighed = {form: fitted.weighed(form) for form in FORMS}
    masses = compare.prior_masses(np.array([h.mass for h in case.hypotheses]), fitted.groups)
    reference = fitted.names[0]
    rows = []
    for hypothesis, prior in zip(case.hypotheses, masses, strict=True):
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
            "prior": float(prior),
            "established": not broken,
            "note": broken[0].evidence.note if broken else worst.evidence.note,
            "dimension": max(fit.evidence.dimension for fit in mine),
            "r_hat": max(fit.evidence.r_hat for fit in mine),
            "ess": min(fit.evidence.ess for fit in mine),
            "smc_log_ml": float(
                compare.combine(np.array([f.evidence.smc_log_ml for f in mine]), np.zeros(len(mine)))[0]
            ),
            "evaluations": sum(fit.evidence.evaluations for fit in mine),
        }
        for form in FORMS:
            one, zero = weighed[form][name], weighed[form][reference]
            error = 0.0 if name == reference else float(np.hypot(one.log_ml_mcse, zero.log_ml_mcse))
            numbers = {
                "log_ml": one.log_ml,
                "log_ml_mcse": one.log_ml_mcse,
                "log_bf": one.log_ml - zero.log_ml,
                "log_bf_mcse": error,
                "probability": one.probability,
            }
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


def _propositions(fitted: Fitted, predictor: Predictor) -> list[dict[str, Any]]:
    """Propositions per stratum and phase, with their range over the prior set."""
    case, assembly = fitted.loaded.case, fitted.problem.assembly
    asked = verdict.questions(assembly.features, fitted.loaded.library, case.effect)
    anchors = list(assembly.anchors.items())
    if not anchors:
        return _propositions_of_gates(fitted, asked)
    rows = np.array([row for _, row in anchors])
    prior_z = np.random.default_rng(fitted.seed).standard_normal((assembly.dimension, SUMMARY_DRAWS))
    truth = {key: _answers(fit, asked, predictor, fit.sample, rows) for key, fit in fitted.fits.items()}
    before = {
        i: _answers(fitted.fits[FORMS[0], i], asked, predictor, prior_z, rows).mean(axis=-1)
        for i in range(len(fitted.variants))
    }
    unnamed = {h.name: float(verdict.invokes_unnamed(h, case)) for h in case.hypotheses}
    masses = compare.prior_masses(np.array([h.mass for h in case.hypotheses]), fitted.groups)
    over_set = {
        name: _average(fitted, truth, form, shift) for name, (form, shift) in fitted.settings().items()
    }
    prior = sum(
        mass
        * np.mean([before[i] for i, v in enumerate(fitted.variants) if v.hypothesis.name == name], axis=0)
        for name, mass in zip(fitted.names, masses, strict=True)
    )
    main = over_set[f"parameterisation {FORMS[0]}"]
    driving = _driving(over_set, main)
    found = []
    for place, question in enumerate(asked):
        for which, ((stratum, phase), _) in enumerate(anchors):
            values = [table[place, which] for table in over_set.values()]
            found.append(
                {"name": question.name, "text": question.text, "stratum": stratum, "phase": phase}
                | _judged(main[place, which], values, float(np.asarray(prior)[place, which]))
                | {"driving": driving[place][which]}
            )
    if case.unnamed_targets:
        values = [
            sum(w.probability * unnamed[name] for name, w in fitted.weighed(form, shift).items())
            for form, shift in fitted.settings().values()
        ]
        before_unnamed = float(sum(m * unnamed[n] for n, m in zip(fitted.names, masses, strict=True)))
        found.append(
            {
                "name": verdict.UNNAMED,
                "text": f"The {case.effect} runs through a target that none of the named accounts invokes.",
                "stratum": "all",
                "phase": "all",
            }
            | _judged(values[0], values, before_unnamed)
            | {"driving": []}
        )
    return found


def _propositions_of_gates(fitted: Fitted, asked: list[Question]) -> list[dict[str, Any]]:
    """Propositions where the record holds no reference protocol: prior masses of the gates, nothing decided."""
    case, features = fitted.loaded.case, fitted.problem.assembly.features
    masses = compare.prior_masses(np.array([h.mass for h in case.hypotheses]), fitted.groups)
    places = dict.fromkeys((anchor.stratum, anchor.phase) for anchor in case.anchors) or {
        ("all", "all"): None
    }
    found = []
    for question in asked:
        true = [verdict.answer_by_gate(question, h, features) for h in case.hypotheses]
        chance = float(np.clip(np.dot(masses, true), 0.0, 1.0))
        for stratum, phase in places:
            row = {"name": question.name, "text": question.text, "stratum": stratum, "phase": phase}
            row |= {"probability": chance, "lower": chance, "upper": chance, "prior": chance}
            found.append(row | {"verdict": "undecided", "leaning": None, "moved": False, "driving": []})
    return found


def _answers(
    fit: Fit, asked: list[Question], predictor: Predictor, z: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Truth of each question per anchor and draw, [questions, anchors, draws]."""
    hypothesis, phase = fit.variant.hypothesis, fit.variant.phase or "both"
    assembly = predictor.problem.assembly
    reference = predictor.states(z, fit.setting)[rows]
    out = []
    for question in asked:
        held = account(hypothesis, assembly, phase=phase, absolute=fit.form == FORMS[1], hold=question.hold)
        out.append(
            verdict.answer(question, predictor.states(z, fit.setting._replace(account=held))[rows], reference)
        )
    return np.array(out, float)


def _average(
    fitted: Fitted, truth: dict[tuple[str, int], np.ndarray], form: str, shift: np.ndarray | None
) -> np.ndarray:
    """Probability of each question per anchor under one setting of the prior set."""
    weighed = fitted.weighed(form, shift)
    total = 0.0
    for name, one in weighed.items():
        places = [i for i, v in enumerate(fitted.variants) if v.hypothesis.name == name]
        for i, share in zip(places, one.variant_probability, strict=True):
            weights = importance(fitted.fits[form, i], shift)
            total = total + one.probability * share * (truth[form, i] @ weights)
    return np.asarray(total)


def _driving(over_set: dict[str, np.ndarray], main: np.ndarray) -> list[list[list[str]]]:
    """Cohorts whose removal moves a proposition most (by more than 0.02), at most three."""
    names = [name.removeprefix("without ") for name in over_set if name.startswith("without ")]
    moves = np.array([np.abs(over_set[f"without {name}"] - main) for name in names])
    found = []
    for question in range(main.shape[0]):
        row = []
        for anchor in range(main.shape[1]):
            order = sorted(range(len(names)), key=lambda i: -moves[i][question, anchor])
            row.append([names[i] for i in order[:3] if moves[i][question, anchor] > 0.02])
        found.append(row)
    return found


def _judged(probability: float, values: list[float], prior: float) -> dict[str, Any]:
    lower, upper = float(min(values)), float(max(values))
    return {
        "probability": float(probability),
        "lower": lower,
        "upper": upper,
        "prior": prior,
    } | verdict.judge(float(probability), lower, upper, prior)


def _sensitivity(fitted: Fitted) -> list[dict[str, Any]]:
    rows = []
    for name, (form, shift) in fitted.settings().items():
        weighed = fitted.weighed(form, shift)
        rows.append(
            {
                "name": name,
                "setting": "refitted" if shift is None else "importance weights",
                "probabilities": {key: one.probability for key, one in weighed.items()},
            }
        )
    return rows


def _predictive(fitted: Fitted, predictor: Predictor, rivals: list[dict[str, Any]]) -> dict[str, Any]:
    """Forest and engagement, posterior draws mixed over hypotheses by their probabilities."""
    problem, random = fitted.problem, np.random.default_rng(fitted.seed)
    posterior, prior, density = [], [], []
    weighed = fitted.weighed(FORMS[0])
    features = None
    before = random.standard_normal((problem.assembly.dimension, SUMMARY_DRAWS))
    for row in rivals:
        name = row["name"]
        fits = fitted.of(FORMS[0], name)
        for fit, share in zip(fits, weighed[name].variant_probability, strict=True):
            few = random.integers(SUMMARY_DRAWS, size=200)
            prior.append(predictor.contrasts(before, fit.setting, fitted.seed)[:, few])
            count = int(round(MIXED_DRAWS * row["probability"] * share))
            if count < 1:
                continue
            pick = random.integers(fit.sample.shape[1], size=count)
            posterior.append(predictor.contrasts(fit.sample, fit.setting, fitted.seed)[:, pick])
            density.append(predictor.report_density(fit.sample, fit.setting, fitted.seed)[:, pick])
    lead = max(rivals, key=lambda row: row["probability"])["name"]
    fit = fitted.of(FORMS[0], lead)[0]
    features = [np.asarray(f) for f in predictor.features(fit.sample, fit.setting)]
    return {
        "forest": forest(
            problem, np.concatenate(posterior, 1), np.concatenate(prior, 1), np.concatenate(density, 1)
        ),
        "engagement": engagement(problem, features),
    }


def _studies(fitted: Fitted, until: int | None) -> list[dict[str, Any]]:
    rows = []
    for study in fitted.loaded.ledger.studies:
        if until is not None and study.year > until:
            continue
        outcomes = [o for e in study.experiments for o in e.outcomes]
        scored = sum(s.study.id == study.id for s in fitted.problem.scored)
        rows.append(
            {
                "id": study.id,
                "year": study.year,
                "title": study.title,
                "cohort": study.cohort,
                "n_outcomes": len(outcomes),
                "scored": scored,
                "competing_interests": study.competing_interests,
            }
        )
    return rows


def _priors(fitted: Fitted) -> list[dict[str, Any]]:
    """Prior table as sampled, with the contraction under the most probable hypothesis that uses each parameter."""
    weighed = fitted.weighed(FORMS[0])
    order = sorted(fitted.names, key=lambda name: -weighed[name].probability)
    rows = []
    for place, parameter in enumerate(fitted.problem.assembly.parameters):
        contraction = None
        for name in order:
            fit = fitted.of(FORMS[0], name)[0]
            if fit.active[place]:
                contraction = float(max(0.0, 1 - np.var(fit.sample[place])))
                break
        rows.append(
            {
                "name": parameter.name,
                "distribution": parameter.distribution,
                "unit": parameter.unit,
                "reason": parameter.reason,
                "source": parameter.source,
                "contraction": contraction,
            }
        )
    return rows


def _assumptions(fitted: Fitted) -> list[dict[str, str]]:
    rows = [
        {"where": a.where, "what": a.what, "reason": a.reason} for a in fitted.problem.assembly.assumptions
    ]
    rows += [
        {"where": f"prior: {p.name}", "what": p.name, "reason": p.reason}
        for p in fitted.loaded.case.priors
        if p.source is None or p.source.how == "assumption"
    ]
    for parameter in fitted.problem.assembly.parameters:
        if "assumption:" in parameter.source:
            rows.append({"where": parameter.name, "what": parameter.distribution, "reason": parameter.source})
    rows.append(
        {
            "where": "numbers without a spread",
            "what": f"GSD {DEFAULT_GSD:g}",
            "reason": "the source gives a value only",
        }
    )
    rows.append(
        {
            "where": "absorption rates, lags and peripheral volumes",
            "what": "held at their medians",
            "reason": "their spread is small beside that of clearance and unbound fraction",
        }
    )
    return rows


def _missing(fitted: Fitted) -> list[str]:
    """What the record lacks, counted from it."""
    scored = fitted.problem.scored
    unknown = [
        s
        for s in scored
        if any(arm.n is None and not arm.n_range for arm in s.experiment.protocol.arms.values())
    ]
    verbal = [s for s in scored if s.outcome.form == "verdict"]
    narrative = sum(o.form == "narrative" for _, _, o in fitted.loaded.ledger.outcomes())
    blockade = [s for s in verbal if "KA" in getattr(s.outcome, "roles", {})]
    alone = [s for s in blockade if "A" not in s.experiment.protocol.arms]
    found = []
    if unknown:
        found.append(f"{len(unknown)} of {len(scored)} scored outcomes come without the number of subjects.")
    if verbal:
        found.append(f"{len(verbal)} of {len(scored)} scored outcomes are known only as a verdict.")
    if alone:
        found.append(
            f"{len(alone)} of {len(blockade)} blockade outcomes come without an antagonist-alone arm."
        )
    if narrative:
        found.append(f"{narrative} outcomes are narrative and not scored.")
    return found


def _manifest(fitted: Fitted, settings: Settings, until: int | None) -> dict[str, Any]:
    case = fitted.loaded.case
    texts = [case.model_dump_json(), *(s.model_dump_json() for s in fitted.loaded.ledger.studies)]
    library = [d.model_dump_json() for _, d in sorted(fitted.loaded.library.drugs.items())]
    command = f"gaddum adjudicate {case.name} --seed {fitted.seed}"
    if until is not None:
        command += f" --until {until}"
    return {
        "version": __version__,
        "python": platform.python_version(),
        "jax": jax.__version__,
        "numpy": np.__version__,
        "case_hash": hashlib.sha256("\n".join(texts).encode()).hexdigest(),
        "library_hash": hashlib.sha256("\n".join(library).encode()).hexdigest(),
        "settings": dict(settings._asdict()),
        "command": command,
        "note": "Bit-equal on one machine for any number of workers; within Monte-Carlo error across machines.",
    }
