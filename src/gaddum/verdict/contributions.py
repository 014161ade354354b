"""Contributions: where each Bayes factor comes from.

The log marginal likelihood is the expected log likelihood under the posterior less the divergence of the posterior
from the prior. So a log Bayes factor is a sum of two differences: in fit, and in the price paid for it. The difference
in fit is divided among kinds of outcomes: what a kind adds is the expected log likelihood of a cohort with it, less
that without it (the cohort's other outcomes kept). Kinds overlap, so each is reported on its own.
"""

import numpy as np

from gaddum.results import BayesFactorParts
from gaddum.weigh.fitted import FORMS, CaseFits, HypothesisFit
from gaddum.weigh.reweighing import Reader, reading_of


def bayes_factor_parts(fitted: CaseFits) -> dict[str, BayesFactorParts]:
    """Parts of each hypothesis's log Bayes factor against the reference, in the main parameterisation."""
    problem, weighed = fitted.problem, fitted.weighed(FORMS[0])
    reader, scored = Reader(problem), problem.scored
    by_verdict = np.array([s.outcome.form == "verdict" for s in scored], bool)
    unsized = np.array([s.experiment.lacks_sizes(s.outcome) for s in scored], bool)
    readings = [reading_of(problem, ~kind) for kind in (by_verdict, unsized)]

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
        fit, verdict_only, unknown_n = (sums[name] - sums[reference]).tolist()
        parts[name] = BayesFactorParts(
            fit=fit,
            price=float(log_bf - fit),
            verdict_only=verdict_only,
            verdict_only_share=_share(verdict_only, fit),
            unknown_n=unknown_n,
            unknown_n_share=_share(unknown_n, fit),
        )
    return parts


def _share(part: float, fit: float) -> float | None:
    """Size of a part over that of itself and of the rest; None where both are nothing."""
    size = abs(part) + abs(fit - part)
    return abs(part) / size if size > 1e-6 else None
