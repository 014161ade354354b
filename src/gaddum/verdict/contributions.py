"""Contributions: where each Bayes factor comes from.

The log marginal likelihood is the expected log likelihood under the posterior less the divergence of the posterior
from the prior. So a log Bayes factor is a sum of two differences: in fit, and in the price paid for it. The difference
in fit is divided among kinds of outcomes: what a kind adds is the expected log likelihood of a cohort with it, less
that without it (the cohort's other outcomes kept). Kinds overlap, so each is reported on its own.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from gaddum.results import BayesFactorParts
from gaddum.weigh.fitted import FORMS, CaseFits, HypothesisFit
from gaddum.weigh.likelihood import ScoredOutcome
from gaddum.weigh.reweighing import Reader, reading_of


class Kind(NamedTuple):
    """A kind of outcome, and which of the scored ones are of it."""

    name: str
    mask: Bool[np.ndarray, " outcomes"]


def kinds(scored: tuple[ScoredOutcome, ...]) -> list[Kind]:
    """Outcomes known by a verdict only, and those of groups of unknown size."""
    return [
        Kind("verdict_only", np.array([s.outcome.form == "verdict" for s in scored], bool)),
        Kind("unknown_n", np.array([s.experiment.lacks_sizes(s.outcome) for s in scored], bool)),
    ]


def bayes_factor_parts(fitted: CaseFits) -> dict[str, BayesFactorParts]:
    """Parts of each hypothesis's log Bayes factor against the reference, in the main parameterisation."""
    problem, weighed = fitted.problem, fitted.weighed(FORMS[0])
    reader, some = Reader(problem), kinds(problem.scored)
    readings = [reading_of(problem, ~kind.mask) for kind in some]

    def expected(fit: HypothesisFit) -> np.ndarray:
        without = [reader.cohort_logs(fit.outline, reading) for reading in readings]
        each = [fit.cohort_logs, *(fit.cohort_logs - logs for logs in without)]
        return np.array([fitted.weights @ logs.mean(axis=1) for logs in each])

    known = fitted.by_fit(expected)
    sums = {
        name: np.array(one.variant_probability) @ np.array([known[i] for i in fitted.places(name)])
        for name, one in weighed.items()
    }
    reference = fitted.names[0]
    parts = {}
    for name in fitted.names:
        log_bf = weighed[name].log_ml - weighed[reference].log_ml
        difference = sums[name] - sums[reference]
        of_kinds: dict[str, float | None] = {}
        for place, kind in enumerate(some, start=1):
            mine, rest = float(difference[place]), float(difference[0] - difference[place])
            size = abs(mine) + abs(rest)
            of_kinds[kind.name] = mine
            of_kinds[f"{kind.name}_share"] = abs(mine) / size if size > 1e-6 else None
        fit = float(difference[0])
        parts[name] = BayesFactorParts.model_validate({"fit": fit, "price": log_bf - fit} | of_kinds)
    return parts
