"""Draw what is reported of one outcome from the model by which `reduce` scores it, given its true contrasts.

Verdicts are drawn by their tables among all that may be said of their arms; unknown group sizes, rules and corrections
are mixed in these. Counts are drawn subject by subject, the response to placebo and the correlation of test and retest
from their priors; whoever responds to the first session is retested, and if nobody does there is no retest. Test
statistics are drawn as such, or put at their centres.
"""

from collections.abc import Callable
from functools import cache

import jax.numpy as jnp
import numpy as np
from benchmarks.recovery.verdicts import possible_reports
from scipy.special import expit, logit, ndtr, ndtri

from gaddum.outcomes.form import Priors, Table
from gaddum.outcomes.group_sizes import fixed_value, required_prior
from gaddum.outcomes.reduce import reduce_outcome
from gaddum.records.outcome.responders import Count, Responders
from gaddum.records.outcome.test import Test
from gaddum.records.outcome.verdict import Verdict
from gaddum.records.prior import Beta, Distribution, Fixed, LogitNormal
from gaddum.weigh.density_tables import evaluate_1d, evaluate_2d, stack_tables
from gaddum.weigh.likelihood import ScoredOutcome


class Unvaried:
    """A stream without chance: every draw is the centre of its distribution. Enough for test statistics only."""

    def standard_normal(self, size: int = 1) -> np.ndarray:
        """Its mean."""
        return np.zeros(size)

    def chisquare(self, df: float) -> float:
        """Its mean."""
        return df


Draw = Callable[[np.ndarray, np.random.Generator | Unvaried], tuple[str, Table]]
"""From true contrasts and a stream to what was reported, in words and as its table."""


def drawer(scored: ScoredOutcome, priors: Priors) -> Draw:
    """How the report of an outcome is drawn."""
    match scored.outcome:
        case Verdict():
            return _verdicts(scored, priors)
        case Responders(retest=None) as outcome if len(outcome.counts) == 1:
            return _responders(scored, outcome, priors)
        case Responders() as outcome if outcome.retest is not None and len(outcome.counts) == 1:
            return _retest(scored, outcome, priors)
        case Test(statistic="t", df=None) as outcome if not scored.experiment.protocol.is_paired(
            outcome.paired
        ):
            return _statistic(scored, outcome, priors)
    raise ValueError(f"No draw for {scored.reduced.label!r} ({scored.outcome.form}).")


def _verdicts(scored: ScoredOutcome, priors: Priors) -> Draw:
    reports = possible_reports(scored, priors)
    names, tables = list(reports), stack_tables(list(reports.values()))

    def draw(contrasts: np.ndarray, rng: np.random.Generator) -> tuple[str, Table]:
        places = jnp.tile(jnp.asarray(contrasts)[:, None, None], (1, len(names), 1))
        logs = evaluate_1d(tables, *places) if len(contrasts) == 1 else evaluate_2d(tables, *places)
        chance = np.exp(np.asarray(logs)[:, 0])
        name = names[rng.choice(len(names), p=chance / chance.sum())]
        return name, reports[name]

    return draw


def _responders(scored: ScoredOutcome, outcome: Responders, priors: Priors) -> Draw:
    ((arm, count),) = outcome.counts.items()

    @cache
    def reduced(responders: int) -> Table:
        counts = {arm: Count(responders=responders, n=count.n)}
        return _reduced(scored, outcome.model_copy(update={"counts": counts}), priors)

    def draw(contrasts: np.ndarray, rng: np.random.Generator) -> tuple[str, Table]:
        placebo = ndtri(_fraction(required_prior(priors, "placebo_response"), rng))
        responders = int(rng.binomial(count.n, ndtr(placebo + contrasts[0])))
        return f"{responders}/{count.n}", reduced(responders)

    return draw


def _retest(scored: ScoredOutcome, outcome: Responders, priors: Priors) -> Draw:
    ((arm, count),), retest = outcome.counts.items(), outcome.retest
    assert retest is not None

    @cache
    def reduced(first: int, again: int) -> Table:
        after = retest.model_copy(update={"responders": again, "n": first}) if first else None
        update = {"counts": {arm: Count(responders=first, n=count.n)}, "retest": after}
        found = _reduced(scored, outcome.model_copy(update=update), priors)
        if first:
            return found
        # Without a retest nothing depends on its arm.
        table = np.repeat(found.grid_log_density[:, None], len(found.grid_log_density), axis=1)
        return found._replace(contrasts=scored.reduced.contrasts, grid_log_density=table)

    def draw(contrasts: np.ndarray, rng: np.random.Generator) -> tuple[str, Table]:
        placebo = ndtri(_fraction(required_prior(priors, "placebo_response"), rng))
        lasting = _fraction(required_prior(priors, "retest_correlation"), rng)
        own = placebo + np.sqrt(lasting) * rng.standard_normal(count.n)
        session = np.sqrt(1 - lasting) * rng.standard_normal((2, count.n))
        responded = own + contrasts[0] + session[0] > 0
        again = responded & (own + contrasts[1] + session[1] > 0)
        a, b = int(responded.sum()), int(again.sum())
        return f"{a}/{count.n}, {b}/{a} again", reduced(a, b)

    return draw


def _statistic(scored: ScoredOutcome, outcome: Test, priors: Priors) -> Draw:
    sizes = [scored.experiment.protocol.arms[name].n for name in outcome.contrast]
    n = [size for size in sizes if size is not None]
    assert len(n) == 2, "exact statistics are drawn for groups of known size"
    df, variance = sum(n) - 2, 1 / n[0] + 1 / n[1]
    noise = 2 * fixed_value(priors, "arm_noise") ** 2

    def draw(contrasts: np.ndarray, rng: np.random.Generator | Unvaried) -> tuple[str, Table]:
        mean = contrasts[0] + np.sqrt(variance + noise) * rng.standard_normal()
        t = np.asarray(mean / np.sqrt(variance * rng.chisquare(df) / df)).item()
        better = "first" if t > 0 else "second"
        told = outcome.model_copy(update={"value": abs(t), "better": better})
        return f"t = {t:.2f}", _reduced(scored, told, priors)

    return draw


def _reduced(scored: ScoredOutcome, outcome: Responders | Test, priors: Priors) -> Table:
    found = reduce_outcome(scored.experiment, outcome, priors)
    assert found is not None
    return found


def _fraction(prior: Distribution, rng: np.random.Generator) -> float:
    """Draw from a prior of a fraction."""
    match prior:
        case Beta(a=a, b=b):
            return float(rng.beta(a, b))
        case LogitNormal(median=median, sd=sd):
            return float(expit(logit(median) + sd * rng.standard_normal()))
        case Fixed(value=value):
            return value
    raise ValueError(f"A fraction must be beta, logit-normal or fixed; got {prior.family!r}.")
