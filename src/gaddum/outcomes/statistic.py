"""Statistic: outcomes reported by numbers or by a test, as densities over their true contrasts.

Group means, a difference with its interval, t, F or p, a threshold, an interaction: each is a t statistic, exact or
known to lie in an interval. Beside the density of what was reported stand the probability of at least as much, by
which predictions are checked, and that of significance, by which publication may have selected. `reduce` joins these
forms with verdicts and responders; the conventions are told there.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import t as student_t

from gaddum.outcomes.design import contrast_error, degrees_of_freedom, effective_sizes, is_paired, pooled_df
from gaddum.outcomes.group_sizes import fixed_value, group_sizes
from gaddum.outcomes.joint_means import JointMeans
from gaddum.outcomes.noncentral_t import GRID, effect_interval, effect_logpdf, effects_logpdf, mixed, t_of_p
from gaddum.records.experiment import Experiment
from gaddum.records.outcome.difference import Difference
from gaddum.records.outcome.interaction import Interaction
from gaddum.records.outcome.means import Means
from gaddum.records.outcome.p_threshold import PThreshold
from gaddum.records.outcome.p_value import PValue
from gaddum.records.outcome.test import Test
from gaddum.records.prior import Distribution

Contrast = tuple[tuple[str, float], ...]
Priors = dict[str, Distribution]


class Table(NamedTuple):
    """One outcome over its contrasts; the fields are those of `reduce.ReducedOutcome`."""

    contrasts: tuple[Contrast, ...]
    log_density: np.ndarray
    observed: tuple[dict[str, float], ...] = ()
    components: dict[str, float] = {}
    absolute: bool = False
    above: np.ndarray | None = None
    significant: np.ndarray | None = None
    joint: JointMeans | None = None


def means_table(experiment: Experiment, outcome: Means, priors: Priors) -> Table:
    """Means of two or more arms; standard errors or deviations as stated, or either where unclear."""
    noise = fixed_value(priors, "arm_noise") ** 2
    sign = 1.0 if experiment.protocol.endpoints[outcome.endpoint].improvement == "increase" else -1.0
    base = vehicle(experiment, tuple(outcome.arms))
    others = [name for name in outcome.arms if name != base]
    n = {name: arm.n for name, arm in outcome.arms.items()}
    paired, every = is_paired(experiment), tuple(n)
    freedom, df = sum(n.values()) - len(n), pooled_df(n, every, paired)
    if freedom < 1:
        raise ValueError(
            f"Means need more subjects than arms; got {n}. Correct `n`, or use `form: narrative`."
        )
    kinds = {arm.spread_kind for arm in outcome.arms.values()}
    readings = [("SD", 1.0)] if kinds == {"SD"} else [("SEM", 1.0)] if kinds == {"SEM"} else None
    readings = readings or ([("SD", 0.5), ("SEM", 0.5)] if "unclear" in kinds else [("as stated", 1.0)])
    size = effective_sizes(n, every, paired)
    covariance = np.diag([1 / size[name] + noise for name in others]) + 1 / size[base] + noise
    log_weights, effects, scale_0 = [], [], None
    errors = [contrast_error(n, (name, base), paired) for name in others]
    above, significant = np.zeros((len(others), len(GRID))), np.zeros(len(GRID))
    for reading, weight in readings:
        sds = {
            name: arm.spread * (np.sqrt(arm.n) if (arm.spread_kind, reading) in _AS_SEM else 1.0)
            for name, arm in outcome.arms.items()
        }
        pooled = np.sqrt(sum((n[name] - 1) * sds[name] ** 2 for name in n) / freedom)
        scale_0 = scale_0 or pooled
        d = np.array([sign * (outcome.arms[name].mean - outcome.arms[base].mean) / pooled for name in others])
        # density per unit of the first reading's SD, so that readings compare
        shared = np.log(weight) - len(d) * np.log(pooled / scale_0)
        log_weights.append(float(shared))
        effects.append(d)
        variances = np.diag(covariance)
        above += weight * np.array([_beyond(x, v, df) for x, v in zip(d, variances, strict=True)])
        significant += weight * _significant(errors[0], float(variances[0]), df)
    joint = JointMeans(tuple(log_weights), np.array(effects), covariance, df)
    observed = tuple(_observed(float(x), error, df) for x, error in zip(effects[0], errors, strict=True))
    if len(others) > 2:
        log_density = joint.table()
    else:
        parts = zip(log_weights, effects, strict=True)
        log_density = mixed(
            [
                weight
                + (
                    effect_logpdf(float(d[0]), float(covariance[0, 0]), df, GRID)
                    if len(d) == 1
                    else effects_logpdf(d, covariance, df, GRID, GRID)
                )
                for weight, d in parts
            ]
        )
    contrasts = tuple(difference_of(name, base) for name in others)
    components = dict(readings) if len(readings) > 1 else {}
    several = joint if len(others) > 2 else None
    return Table(
        contrasts, log_density, observed, components, above=above, significant=significant, joint=several
    )


_AS_SEM = {("SEM", "SEM"), ("SEM", "SD"), ("SEM", "as stated"), ("unclear", "SEM")}


def difference_table(experiment: Experiment, outcome: Difference, priors: Priors) -> Table:
    """A difference with its interval, which keeps the standard error of that interval."""
    noise = fixed_value(priors, "arm_noise") ** 2
    first, second = outcome.contrast
    effect, low, high = (end / (outcome.sd or 1.0) for end in (outcome.value, *outcome.ci))
    tail = 0.5 + 0.5 * outcome.ci_level
    if None in [experiment.protocol.arms[name].n for name in outcome.contrast]:
        error, df = (high - low) / (2 * ndtri(tail)), np.inf
        observed = ({"effect": effect, "lower": low, "upper": high},)
    else:
        scenario = group_sizes(experiment, outcome.contrast, priors)[0]
        df = degrees_of_freedom(scenario.n, outcome.contrast, is_paired(experiment))
        error = float((high - low) / (2 * student_t.ppf(tail, df)))
        observed = (_observed(effect, error, df),)
    variance = error**2 + 2 * noise
    return Table(
        (difference_of(first, second),),
        effect_logpdf(effect, variance, df, GRID),
        observed,
        above=_beyond(effect, variance, df)[None],
        significant=_significant(error, variance, df),
    )


def test_table(experiment: Experiment, outcome: Test | PValue | PThreshold, priors: Priors) -> Table:
    """A t, F, standardised effect, p or threshold of one contrast."""
    noise = fixed_value(priors, "arm_noise") ** 2
    sign = -1.0 if outcome.better == "second" else 1.0
    given_df = outcome.df if isinstance(outcome, Test) else None
    parts, observed, most = [], (), 0.0
    above, significant = np.zeros((1, len(GRID))), np.zeros(len(GRID))
    paired = is_paired(experiment, outcome.paired)
    for scenario in group_sizes(experiment, outcome.contrast, priors, df=given_df, paired=paired):
        error = contrast_error(scenario.n, outcome.contrast, paired)
        df = given_df or degrees_of_freedom(scenario.n, outcome.contrast, paired)
        variance = error**2 + 2 * noise
        significant += scenario.weight * _significant(error, variance, df)
        if isinstance(outcome, PThreshold):
            c = t_of_p(outcome.threshold, df) * error
            lower, upper = (c, np.inf) if outcome.significant else (0.0 if outcome.better else -c, c)
            probability = effect_interval(lower, upper, variance, df, sign * GRID)
            if outcome.significant and outcome.better is None:
                probability = probability + effect_interval(-np.inf, -c, variance, df, GRID)
            density = log_of(probability)
        else:
            d = sign * _t_statistic(outcome, error, df) * error
            density = effect_logpdf(d, variance, df, GRID)
            above += scenario.weight * _beyond(d, variance, df)
            if scenario.weight > most:
                observed, most = (_observed(d, error, df),), scenario.weight
        parts.append(np.log(scenario.weight) + density)
    numbers = None if isinstance(outcome, PThreshold) else above
    contrasts = (difference_of(*outcome.contrast),)
    return Table(contrasts, mixed(parts), observed, above=numbers, significant=significant)


def _t_statistic(outcome: Test | PValue, error: float, df: float) -> float:
    """Absolute t."""
    if isinstance(outcome, PValue):
        return t_of_p(outcome.p, df)
    match outcome.statistic:
        case "t":
            return abs(outcome.value)
        case "F":
            return float(np.sqrt(outcome.value))
        case "d":
            return abs(outcome.value) / error


def interaction_table(experiment: Experiment, outcome: Interaction, priors: Priors) -> Table:
    """The drug x antagonist interaction of a 2 x 2 design."""
    noise = fixed_value(priors, "arm_noise") ** 2
    sign = 1.0 if outcome.positive else -1.0
    parts, observed, most = [], (), 0.0
    above, significant = np.zeros((1, len(GRID))), np.zeros(len(GRID))
    paired = is_paired(experiment)
    for scenario in group_sizes(experiment, outcome.arms, priors, df=outcome.df, paired=paired):
        df = outcome.df or degrees_of_freedom(scenario.n, outcome.arms, paired)
        error = contrast_error(scenario.n, outcome.arms, paired)
        match outcome.statistic:
            case "p":
                t = t_of_p(outcome.value, df)
            case "F":
                t = float(np.sqrt(outcome.value))
            case "t":
                t = abs(outcome.value)
        variance = error**2 + 4 * noise
        parts.append(np.log(scenario.weight) + effect_logpdf(sign * t * error, variance, df, GRID))
        above += scenario.weight * _beyond(sign * t * error, variance, df)
        significant += scenario.weight * _significant(error, variance, df)
        if scenario.weight > most:
            observed, most = (_observed(sign * t * error, error, df),), scenario.weight
    contrast = tuple(zip(outcome.arms, (1.0, -1.0, -1.0, 1.0), strict=True))
    return Table((contrast,), mixed(parts), observed, above=above, significant=significant)


def _beyond(effect: float, variance: float, df: float) -> np.ndarray:
    """Probability of an observed effect at least this large, on `GRID`."""
    return effect_interval(effect, np.inf, variance, df, GRID)


def _significant(error: float, variance: float, df: float) -> np.ndarray:
    """Probability of p < 0.05, either way, on `GRID`."""
    critical = t_of_p(0.05, df) * error
    return _beyond(critical, variance, df) + effect_interval(-np.inf, -critical, variance, df, GRID)


def _observed(effect: float, error: float, df: float) -> dict[str, float]:
    half = float(t_of_p(0.05, df)) * error
    return {"effect": float(effect), "lower": float(effect - half), "upper": float(effect + half)}


def difference_of(first: str, second: str) -> Contrast:
    """Contrast of one arm with another."""
    return ((first, 1.0), (second, -1.0))


def log_of(probability: np.ndarray) -> np.ndarray:
    """Logarithm, -inf at 0."""
    with np.errstate(divide="ignore"):
        return np.log(probability)


def vehicle_or_none(experiment: Experiment, arms: tuple[str, ...]) -> str | None:
    """The arm that got nothing; by its doses, or by its name."""
    protocol = experiment.protocol
    bare = [name for name in arms if not protocol.arms[name].doses and not protocol.arms[name].manipulations]
    return bare[0] if bare else "V" if "V" in arms else None


def vehicle(experiment: Experiment, arms: tuple[str, ...]) -> str:
    """The arm that got nothing, or else the last."""
    return vehicle_or_none(experiment, arms) or arms[-1]
