"""Contributions: where each Bayes factor comes from, and whether it rests on the time course.

The log marginal likelihood is the expected log likelihood under the posterior less the divergence of the posterior
from the prior. So a log Bayes factor is a sum of two differences: in fit, and in the price paid for it. The difference
in fit is divided among kinds of outcomes: what a kind adds is the expected log likelihood of a cohort with it, less
that without it (the cohort's other outcomes kept). Kinds overlap, so each is reported on its own.

The comparator without kinetics has one free anchor a stratum and phase, as every account has, and an effect in
proportion to what the gate has let through by the test: no delay, no build-up, no decay. It is the limit of slow
rates, hence a prior table of its own, reached by importance weights.
"""

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from gaddum.infer import compare
from gaddum.infer.fitted import FORMS, SUMMARY_DRAWS, Fit, Fitted
from gaddum.infer.likelihood import Problem, Scored
from gaddum.infer.reweighing import Reader, reading_of
from gaddum.records.outcome import arms_of

SLOW = 1e-5
"""Rate (1/h) that stands for none: over two months 2 % decays."""
RATES = ("effect_site", "plasticity.on", "plasticity.off")
"""Parameters of the time course."""
MECHANISM = 1.0
"""Change of a log Bayes factor (nats) from which it depends on the time course."""
FEWEST = 30.0
"""Effective draws below which importance weights say nothing."""
BATCHES = 4
"""Batches of `SUMMARY_DRAWS` draws that the comparator's weights rest on."""


class Kind(NamedTuple):
    """A kind of outcome, and which of the scored ones are of it."""

    name: str
    mask: Bool[np.ndarray, " outcomes"]


def kinds(scored: tuple[Scored, ...]) -> list[Kind]:
    """Outcomes known by a verdict only, and those of groups of unknown size."""
    return [
        Kind("verdict_only", np.array([s.outcome.form == "verdict" for s in scored], bool)),
        Kind("unknown_n", np.array([of_unknown_size(s) for s in scored], bool)),
    ]


def of_unknown_size(s: Scored) -> bool:
    """Whether an arm that an outcome speaks of has no stated size, in the protocol or the outcome itself."""
    if s.outcome.form in ("means", "responders"):
        return False
    arms = s.experiment.protocol.arms
    return any(arms[name].n is None and arms[name].n_range is None for name in arms_of(s.outcome))


def bayes_factor_parts(fitted: Fitted) -> dict[str, dict[str, Any]]:
    """Parts of each hypothesis's log Bayes factor against the reference, in the main parameterisation (nats).

    Returns
    -------
    dict
        Hypothesis -> `fit` (all outcomes), `price` (the rest of the log Bayes factor), and for each kind of outcome its
        part of `fit` and its `..._share`: its size over that of itself and the others' part together, in [0, 1].
    """
    problem, weighed = fitted.problem, fitted.weighed(FORMS[0])
    reader, some = Reader(problem), kinds(problem.scored)
    readings = [reading_of(problem, ~kind.mask) for kind in some]
    sums: dict[str, np.ndarray] = {}
    known: dict[int, np.ndarray] = {}
    for name in fitted.names:
        total = np.zeros(1 + len(some))
        for fit, share in zip(fitted.of(FORMS[0], name), weighed[name].variant_probability, strict=True):
            if id(fit.sample) not in known:
                found = fitted.predictor.outline(fit.sample, fit.setting)
                effect, spread = np.asarray(found.effect), np.asarray(found.spread)
                without = [reader.cohort_logs(effect, spread, reading) for reading in readings]
                each = [fit.cohort_logs, *(fit.cohort_logs - logs for logs in without)]
                known[id(fit.sample)] = np.array([fitted.weights @ logs.mean(axis=1) for logs in each])
            total = total + share * known[id(fit.sample)]
        sums[name] = total
    reference = fitted.names[0]
    parts = {}
    for name in fitted.names:
        log_bf = weighed[name].log_ml - weighed[reference].log_ml
        difference = sums[name] - sums[reference]
        row: dict[str, Any] = {"fit": float(difference[0]), "price": float(log_bf - difference[0])}
        for place, kind in enumerate(some, start=1):
            mine, rest = float(difference[place]), float(difference[0] - difference[place])
            size = abs(mine) + abs(rest)
            row[kind.name] = mine
            row[f"{kind.name}_share"] = abs(mine) / size if size > 1e-6 else None
        parts[name] = row
    return parts


def without_kinetics(fitted: Fitted) -> dict[str, dict[str, Any]]:
    """Log Bayes factor of each hypothesis where effects have no time course, and whether that matters.

    Returns
    -------
    dict
        Hypothesis -> `log_bf` (nats, against the reference), `effective_draws` (the fewer of the two), and
        `mechanism_dependent`: True where it differs from the main one by more than a nat, None where too few draws say.
    """
    log_ml, effective = {}, {}
    known: dict[int, tuple[float, float]] = {}
    for name in fitted.names:
        values = []
        for fit in fitted.of(FORMS[0], name):
            if id(fit.sample) not in known:
                known[id(fit.sample)] = _slow(fitted, fit)
            values.append(known[id(fit.sample)])
        log_ml[name] = compare.combine(np.array([v for v, _ in values]), np.zeros(len(values)))[0]
        effective[name] = min(count for _, count in values)
    weighed, reference = fitted.weighed(FORMS[0]), fitted.names[0]
    found = {}
    for name in fitted.names:
        log_bf = float(log_ml[name] - log_ml[reference])
        before = weighed[name].log_ml - weighed[reference].log_ml
        few = min(effective[name], effective[reference])
        found[name] = {
            "log_bf": log_bf,
            "effective_draws": float(few),
            "mechanism_dependent": bool(abs(log_bf - before) > MECHANISM) if few >= FEWEST else None,
        }
    return found


def _slow(fitted: Fitted, fit: Fit) -> tuple[float, float]:
    """Log marginal likelihood and effective draws where rates are slow."""
    slow = fit.setting._replace(table=slow_table(fitted.problem, fit.setting.table))
    every = fit.evidence.draws
    count = min(len(every) // SUMMARY_DRAWS, BATCHES)
    chosen = every[np.linspace(0, len(every) - 1, count * SUMMARY_DRAWS).astype(int)].T
    logs = []
    for z in np.split(chosen, count, axis=1) if count else [fit.sample]:
        before, after = (np.asarray(fitted.predictor.outline(z, s).cohort_logs) for s in (fit.setting, slow))
        logs.append(fitted.weights @ (after - before))
    return compare.reweighted_log_ml(fit.evidence.log_ml, np.concatenate(logs))


def slow_table(
    problem: Problem, table: Float[np.ndarray, "dimension grid"]
) -> Float[np.ndarray, "dimension grid"]:
    """Prior table in which effects have no time course."""
    changed = np.array(table)
    for name in RATES:
        changed[problem.assembly.index[name]] = np.log(SLOW)
    return changed


__all__ = ["bayes_factor_parts", "kinds", "of_unknown_size", "slow_table", "without_kinetics"]
