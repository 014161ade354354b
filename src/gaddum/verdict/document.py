"""Document: fits of a case -> the typed result that report, terminal and JSON share."""

import platform
from typing import NamedTuple

import jax
import numpy as np

from gaddum import parallel
from gaddum._version import __version__
from gaddum.parameter_registry import Assumption
from gaddum.parameters import DEFAULT_GSD
from gaddum.records.blockade import is_blockade
from gaddum.records.claim import AllOf
from gaddum.records.manifest import Manifest
from gaddum.results import (
    AdjudicationResult,
    BayesFactorParts,
    EngagementRow,
    ForestRow,
    HeldOutRow,
    HypothesisRow,
    Odds,
    PriorRow,
    PropositionRow,
    SettingRow,
    StudyRow,
    TimelessOdds,
    row_of,
)
from gaddum.sampling.settings import Settings
from gaddum.verdict import verdict
from gaddum.verdict.claims import answer_claims
from gaddum.verdict.contributions import bayes_factor_parts
from gaddum.verdict.loo_pit import held_out
from gaddum.verdict.missing import missing
from gaddum.verdict.propositions import PropositionDraws, ask, conjunctions, propositions
from gaddum.verdict.reference_protocols import References
from gaddum.verdict.timeline import timeline
from gaddum.weigh.comparator import TimelessHypothesis, reweigh, without_kinetics
from gaddum.weigh.compare import HypothesisWeight
from gaddum.weigh.fitted import FORMS, SUMMARY_DRAWS, CaseFits
from gaddum.weigh.predictive import engagement, forest, in_double_precision, together
from gaddum.weigh.reweighing import selected, with_selection

ENGAGED_DRAWS = 200
"""Draws for which the whole course of every feature is kept, which takes a megabyte each on a large record."""
MIXED_DRAWS = 2000
"""Draws of the posterior over all hypotheses that predictive summaries use."""


class Summary(NamedTuple):
    """The result, and the draws of its propositions."""

    result: AdjudicationResult
    asked: PropositionDraws


def write_result(
    fitted: CaseFits,
    references: References,
    *,
    until: int | None,
    settings: Settings,
    workers: int = 1,
    timeless: dict[int, TimelessHypothesis] | None = None,
) -> Summary:
    """Summarise fits; variants without time course are reweighed where not refitted."""
    case, problem = fitted.loaded.case, fitted.problem
    live = bool(problem.scored) and fitted.weights.max(initial=0.0) > 0
    if live:
        fitted = with_selection(fitted)
    lead = max(fitted.names, key=lambda name: fitted.weighed(FORMS[0])[name].probability)
    (asked, joined, answers), seen, years = parallel.map_tasks(
        in_double_precision,
        [
            lambda: _asked(fitted, references),
            lambda: _seen(fitted, lead, timeless) if live else PredictiveSummary([], [], [], {}, {}, {}),
            lambda: timeline(fitted) if live else [],
        ],
        workers=workers,
    )
    rivals = _rivals(fitted, seen)
    ledger = fitted.loaded.ledger if until is None else fitted.loaded.ledger.until(until)
    claims = answer_claims(fitted, asked, joined, seen.features, ledger)
    taken = [s for s in problem.scored if live and fitted.weights[s.cohort] > 0]
    flagged = [s for s in selected(problem) if live and fitted.weights[s.cohort] > 0]
    result = AdjudicationResult(
        case=case.name,
        title=case.title,
        question=case.question,
        effect=case.effect,
        seed=fitted.seed,
        until=until,
        parameterisation=FORMS[0],
        verdict=verdict.paragraph(case, asked, rivals, not live),
        propositions=tuple(asked),
        claims=tuple(claims),
        hypotheses=rivals,
        yardstick=float(fitted.weights @ problem.log_saturated) if live else 0.0,
        equivalence=tuple(tuple(fitted.names[i] for i in group) for group in fitted.groups if len(group) > 1),
        sensitivity=tuple(_sensitivity(fitted)),
        timeline=tuple(years),
        studies=tuple(_studies(fitted, until)),
        forest=tuple(seen.forest),
        engagement=tuple(seen.engagement),
        held_out=tuple(seen.held_out),
        scored=len(taken),
        flagged=len(flagged),
        priors=tuple(_priors(fitted)),
        assumptions=tuple(_assumptions(fitted)),
        sampled_dimension=max((f.evidence.dimension for f in fitted.fits.values()), default=0),
        missing=tuple(missing(fitted.loaded, problem.scored, claims)),
        manifest=_manifest(fitted, settings),
    )
    return Summary(result, answers)


def _rivals(fitted: CaseFits, seen: "PredictiveSummary") -> tuple[HypothesisRow, ...]:
    """Hypotheses with evidence, errors, Bayes factors against the first named, in both parameterisations."""
    main, other = (fitted.weighed(form) for form in FORMS)
    reference = fitted.names[0]
    rows = []
    for hypothesis in fitted.loaded.case.hypotheses:
        name = hypothesis.name
        mine = fitted.of(FORMS[0], name)
        worst = max(mine, key=lambda fit: fit.evidence.log_ml_mcse)
        broken = [fit for form in FORMS for fit in fitted.of(form, name) if not fit.evidence.established]
        rows.append(
            row_of(
                HypothesisRow,
                hypothesis,
                reference=name == reference,
                prior=fitted.masses[name],
                established=not broken,
                note=broken[0].evidence.note if broken else worst.evidence.note,
                dimension=max(fit.evidence.dimension for fit in mine),
                r_hat=max(fit.evidence.r_hat for fit in mine),
                ess=min(fit.evidence.ess for fit in mine),
                evaluations=sum(fit.evidence.evaluations for fit in mine),
                absolute=other[name].against(other[reference]),
                variants=_variants(fitted, main[name], name, main[reference]),
                parts=seen.parts.get(name),
                without_kinetics=seen.slow.get(name),
                **dict(main[name].against(main[reference])),
            )
        )
    return tuple(rows)


def _variants(
    fitted: CaseFits, weighed: HypothesisWeight, name: str, reference: HypothesisWeight
) -> dict[str, Odds]:
    """Variants of a hypothesis by phase; they share its prior mass, so each has the probability given it."""
    found = {}
    for fit, share in zip(fitted.of(FORMS[0], name), weighed.variant_probability, strict=True):
        if fit.variant.phase is not None:
            one = HypothesisWeight(fit.evidence.log_ml, fit.evidence.log_ml_mcse, share, (1.0,))
            found[fit.variant.phase] = one.against(reference)
    return found


def _sensitivity(fitted: CaseFits) -> list[SettingRow]:
    """Probability of each account in every setting, those that a verdict must survive first."""
    declared = fitted.settings()
    rows = []
    for name, (form, shift) in (declared | fitted.stresses()).items():
        weighed = fitted.weighed(form, shift)
        few = fitted.fewest_draws(form, shift)
        rows.append(
            SettingRow(
                name=name,
                setting="refitted" if shift is None else f"importance weights, {few:.0f} effective draws",
                effective_draws=None if shift is None else few,
                decides=name in declared,
                probabilities={key: one.probability for key, one in weighed.items()},
            )
        )
    return rows


class PredictiveSummary(NamedTuple):
    """What the accounts, weighed by their probabilities, say of the record."""

    forest: list[ForestRow]
    engagement: list[EngagementRow]
    held_out: list[HeldOutRow]
    features: dict[str, np.ndarray]
    parts: dict[str, BayesFactorParts]
    slow: dict[str, TimelessOdds]


def _asked(
    fitted: CaseFits, references: References
) -> tuple[list[PropositionRow], list[PropositionRow], PropositionDraws]:
    """Propositions, conjunctions of them that claims ask, and what is true in each draw."""
    answers = ask(fitted, references)
    wanted = [one for claim in fitted.loaded.case.claims for one in claim.asks if isinstance(one, AllOf)]
    return propositions(fitted, answers), conjunctions(fitted, answers, wanted), answers


def _seen(fitted: CaseFits, lead: str, timeless: dict[int, TimelessHypothesis] | None) -> PredictiveSummary:
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


def _studies(fitted: CaseFits, until: int | None) -> list[StudyRow]:
    return [
        row_of(
            StudyRow,
            study,
            blockade=is_blockade(fitted.loaded, study),
            n_outcomes=sum(len(experiment.outcomes) for experiment in study.experiments),
            scored=sum(s.study.id == study.id for s in fitted.problem.scored),
        )
        for study in fitted.loaded.ledger.studies
        if until is None or study.year <= until
    ]


def _priors(fitted: CaseFits) -> list[PriorRow]:
    """Prior table as sampled, with the contraction under the most probable hypothesis that uses each parameter."""
    weighed = fitted.weighed(FORMS[0])
    order = sorted(fitted.names, key=lambda name: -weighed[name].probability)
    rows = []
    for place, parameter in enumerate(fitted.problem.assembly.parameters):
        users = (fit for fit in (fitted.of(FORMS[0], name)[0] for name in order) if fit.active[place])
        contraction = next((float(max(0.0, 1 - np.var(fit.sample[place]))) for fit in users), None)
        rows.append(row_of(PriorRow, parameter, contraction=contraction))
    return rows


def _assumptions(fitted: CaseFits) -> list[Assumption]:
    return [
        *fitted.problem.assembly.assumptions,
        *(
            Assumption(f"prior: {p.name}", p.name, p.reason)
            for p in fitted.loaded.case.priors
            if p.source is None or p.source.how == "assumption"
        ),
        *(
            Assumption(one.name, one.distribution, one.source)
            for one in fitted.problem.assembly.parameters
            if "assumption:" in one.source
        ),
        Assumption("numbers without a spread", f"GSD {DEFAULT_GSD:g}", "the source gives a value only"),
        Assumption(
            "absorption rates, lags and peripheral volumes",
            "held at their medians",
            "their spread is small beside that of clearance and unbound fraction",
        ),
    ]


def _manifest(fitted: CaseFits, settings: Settings) -> Manifest:
    return Manifest(
        version=__version__,
        python=platform.python_version(),
        jax=jax.__version__,
        numpy=np.__version__,
        **fitted.loaded.hashes,
        settings=dict(settings._asdict()),
        note="Bit-equal on one machine for any number of workers; within Monte-Carlo error across machines.",
    )
