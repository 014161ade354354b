"""Reduce: a published outcome becomes one table of log density over its one or two true contrasts.

Contrasts are differences of arm means in within-group SD, positive where the first arm is better. All that
the report leaves open (group sizes, SD or SEM, decision rule, correction for multiple tests, response to
placebo) are mixed here, in probability, before the log; the sampler only reads `tables`. Conventions:

- T tests: df = n_1 + n_2 - 2 of the two arms unless given; verdicts: one pooled SD over all arms.
- Paired data (crossovers): correlation 0.5 between sessions: the SD of a difference is the within-group SD.
- Arm noise adds to the variance of every arm mean, beside 1/n, and is not seen by the test's own SD.
- Unknown group sizes are equal over the arms that lack them; a given df of a two-arm test fixes them.
- A difference keeps the standard error of its own CI, which a model may have made smaller than the plain t test would;
  its df come from n where that is known, and else its SD counts as known.
- The density of a statistic is per SD of the observed effect.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import ndtri
from scipy.stats import t as student_t

from gaddum.infer.densities import (
    GRID,
    effect_interval,
    effect_logpdf,
    effects_logpdf,
    floored,
    mixed,
    t_of_p,
)
from gaddum.infer.events import (
    ARMS,
    EVENTS,
    PAIRS,
    Groups,
    joint_log_probability,
    pair_probability,
    without_agonist_effect,
)
from gaddum.infer.responders import Counts, responders_log_probability, retest_log_probability
from gaddum.infer.sizes import Scenario, fixed_value, group_sizes, required_prior, weights_of
from gaddum.records.experiment import Experiment
from gaddum.records.outcome import (
    Difference,
    Interaction,
    Means,
    Narrative,
    Outcome,
    PThreshold,
    PValue,
    Responders,
    Test,
    Verdict,
)
from gaddum.records.prior import Distribution

Contrast = tuple[tuple[str, float], ...]
Priors = dict[str, Distribution]

_PAIRED_SD_OF_DIFFERENCE = 1.0
"""SD of within-subject differences in within-group SD: sqrt(2 (1 - r)) at the assumed r = 0.5."""


class Reduced(NamedTuple):
    """One outcome as a table over its contrasts."""

    contrasts: tuple[Contrast, ...]
    """One or two contrasts, each of (arm, coefficient)."""
    absolute: bool
    """Whether a contrast is the arm's effect over its (implied) vehicle, as for responders."""
    grid_log_density: np.ndarray
    """Log density on `GRID`, one axis per contrast."""
    log_saturated: float
    """Log of the integral of the density over independent normal priors on the contrasts."""
    label: str
    observed: dict[str, float] | None
    """Effect, lower, upper in SD; None where nothing is reported but a verdict or a count."""
    components: dict[str, float]
    """Weights of the mixture's parts, for display."""


class _Table(NamedTuple):
    contrasts: tuple[Contrast, ...]
    log_density: np.ndarray
    observed: dict[str, float] | None = None
    components: dict[str, float] = {}
    absolute: bool = False


def reduce_outcome(experiment: Experiment, outcome: Outcome, priors: Priors) -> Reduced | None:
    """Table of one outcome.

    Parameters
    ----------
    experiment
        The experiment that it belongs to: arms and their sizes, direction of improvement.
    outcome
        What was reported.
    priors
        Distributions by name; uses `arm_noise`, `n_unknown`, `rule`, `correction`, `placebo_response`,
        `retest_correlation` and `standardised_effect`.

    Returns
    -------
    Reduced or None
        None for a narrative, which is not scored.
    """
    _check_arms(experiment, outcome)
    match outcome:
        case Narrative():
            return None
        case Means():
            table = _means(experiment, outcome, priors)
        case Difference():
            table = _difference(experiment, outcome, priors)
        case Responders():
            table = _responders(experiment, outcome, priors)
        case Test() | PValue() | PThreshold():
            table = _test(experiment, outcome, priors)
        case Interaction():
            table = _interaction(experiment, outcome, priors)
        case Verdict():
            table = _verdict(experiment, outcome, priors)
    log_density = floored(table.log_density)
    return Reduced(
        contrasts=table.contrasts,
        absolute=table.absolute,
        grid_log_density=log_density,
        log_saturated=log_saturated(log_density, fixed_value(priors, "standardised_effect")),
        label=_label(experiment, outcome),
        observed=table.observed,
        components=table.components,
    )


def log_saturated(log_density: np.ndarray, sd: float) -> float:
    """Log of the integral of a table over independent N(0, sd^2) priors on its contrasts."""
    log_prior = -0.5 * (GRID / sd) ** 2
    log_prior = log_prior - np.logaddexp.reduce(log_prior)
    if log_density.ndim == 1:
        return float(np.logaddexp.reduce(log_density + log_prior))
    return float(np.logaddexp.reduce(log_density + log_prior[:, None] + log_prior[None, :], axis=None))


def _means(experiment: Experiment, outcome: Means, priors: Priors) -> _Table:
    if len(outcome.arms) > 3:
        raise ValueError(
            f"Means are scored for two or three arms at a time; got {len(outcome.arms)} arms "
            f"({', '.join(outcome.arms)}). Split into outcomes of two or three arms with one `same_subjects`."
        )
    noise = fixed_value(priors, "arm_noise") ** 2
    sign = 1.0 if experiment.protocol.endpoints[outcome.endpoint].improvement == "increase" else -1.0
    base = _vehicle(experiment, tuple(outcome.arms))
    others = [name for name in outcome.arms if name != base]
    n = {name: arm.n for name, arm in outcome.arms.items()}
    df = sum(n.values()) - len(n)
    if df < 1:
        raise ValueError(
            f"Means need more subjects than arms; got {n}. Correct `n`, or use `form: narrative`."
        )
    kinds = {arm.spread_kind for arm in outcome.arms.values()}
    readings = [("SD", 1.0)] if kinds == {"SD"} else [("SEM", 1.0)] if kinds == {"SEM"} else None
    readings = readings or ([("SD", 0.5), ("SEM", 0.5)] if "unclear" in kinds else [("as stated", 1.0)])
    parts, observed, scale_0 = [], None, None
    for reading, weight in readings:
        sds = {
            name: arm.spread * (np.sqrt(arm.n) if (arm.spread_kind, reading) in _AS_SEM else 1.0)
            for name, arm in outcome.arms.items()
        }
        pooled = np.sqrt(sum((n[name] - 1) * sds[name] ** 2 for name in n) / df)
        scale_0 = scale_0 or pooled
        d = np.array([sign * (outcome.arms[name].mean - outcome.arms[base].mean) / pooled for name in others])
        # density per unit of the first reading's SD, so that readings compare
        shared = np.log(weight) - len(d) * np.log(pooled / scale_0)
        covariance = np.diag([1 / n[name] + noise for name in others]) + 1 / n[base] + noise
        if len(d) == 1:
            parts.append(shared + effect_logpdf(float(d[0]), float(covariance[0, 0]), df, GRID))
        else:
            parts.append(shared + effects_logpdf(d, covariance, df, GRID, GRID))
        if observed is None:
            observed = _observed(float(d[0]), float(np.sqrt(1 / n[others[0]] + 1 / n[base])), df)
    contrasts = tuple(_difference_of(name, base) for name in others)
    return _Table(contrasts, mixed(parts), observed, dict(readings) if len(readings) > 1 else {})


_AS_SEM = {("SEM", "SEM"), ("SEM", "SD"), ("SEM", "as stated"), ("unclear", "SEM")}


def _difference(experiment: Experiment, outcome: Difference, priors: Priors) -> _Table:
    noise = fixed_value(priors, "arm_noise") ** 2
    first, second = outcome.contrast
    effect, low, high = (end / (outcome.sd or 1.0) for end in (outcome.value, *outcome.ci))
    tail = 0.5 + 0.5 * outcome.ci_level
    contrasts = (_difference_of(first, second),)
    if None in [experiment.protocol.arms[name].n for name in outcome.contrast]:
        error = (high - low) / (2 * ndtri(tail))
        density = effect_logpdf(effect, error**2 + 2 * noise, np.inf, GRID)
        return _Table(contrasts, density, {"effect": effect, "lower": low, "upper": high})
    scenario = group_sizes(experiment, outcome.contrast, priors)[0]
    _, df = _error_and_df(scenario, outcome.contrast, experiment.protocol.design == "crossover")
    error = float((high - low) / (2 * student_t.ppf(tail, df)))
    density = effect_logpdf(effect, error**2 + 2 * noise, df, GRID)
    return _Table(contrasts, density, _observed(effect, error, df))


def _test(experiment: Experiment, outcome: Test | PValue | PThreshold, priors: Priors) -> _Table:
    noise = fixed_value(priors, "arm_noise") ** 2
    sign = -1.0 if outcome.better == "second" else 1.0
    given_df = outcome.df if isinstance(outcome, Test) else None
    parts, observed, most = [], None, 0.0
    for scenario in group_sizes(experiment, outcome.contrast, priors, df=given_df, paired=outcome.paired):
        error, df = _error_and_df(scenario, outcome.contrast, outcome.paired)
        df = given_df or df
        variance = error**2 + 2 * noise
        if isinstance(outcome, PThreshold):
            c = t_of_p(outcome.threshold, df) * error
            lower, upper = (c, np.inf) if outcome.significant else (0.0 if outcome.better else -c, c)
            probability = effect_interval(lower, upper, variance, df, sign * GRID)
            if outcome.significant and outcome.better is None:
                probability = probability + effect_interval(-np.inf, -c, variance, df, GRID)
            density = _log(probability)
        else:
            d = sign * _t_statistic(outcome, error, df) * error
            density = effect_logpdf(d, variance, df, GRID)
            if scenario.weight > most:
                observed, most = _observed(d, error, df), scenario.weight
        parts.append(np.log(scenario.weight) + density)
    return _Table((_difference_of(*outcome.contrast),), mixed(parts), observed)


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


def _interaction(experiment: Experiment, outcome: Interaction, priors: Priors) -> _Table:
    noise = fixed_value(priors, "arm_noise") ** 2
    sign = 1.0 if outcome.positive else -1.0
    parts, observed, most = [], None, 0.0
    for scenario in group_sizes(experiment, outcome.arms, priors, df=outcome.df):
        sizes = [scenario.n[name] for name in outcome.arms]
        df = outcome.df or sum(sizes) - 4
        error = float(np.sqrt(sum(1 / n for n in sizes)))
        match outcome.statistic:
            case "p":
                t = t_of_p(outcome.value, df)
            case "F":
                t = float(np.sqrt(outcome.value))
            case "t":
                t = abs(outcome.value)
        parts.append(
            np.log(scenario.weight) + effect_logpdf(sign * t * error, error**2 + 4 * noise, df, GRID)
        )
        if scenario.weight > most:
            observed, most = _observed(sign * t * error, error, df), scenario.weight
    contrast = tuple(zip(outcome.arms, (1.0, -1.0, -1.0, 1.0), strict=True))
    return _Table((contrast,), mixed(parts), observed)


def _verdict(experiment: Experiment, outcome: Verdict, priors: Priors) -> _Table:
    noise = fixed_value(priors, "arm_noise") ** 2
    corrections = weights_of(priors, "correction", outcome.correction)
    every = tuple(name for name, arm in experiment.protocol.arms.items() if arm.subset_of is None)
    named = tuple(outcome.roles.values())
    tested = tuple(dict.fromkeys((*named, *every)))
    joint = outcome.verdict in EVENTS
    arm_of: dict[str, str] = dict(outcome.roles)  # pyright: ignore[reportAssignmentType] (keys are Literals)
    arms = tuple(arm_of[role] for role in ARMS.get(outcome.verdict, ("K", "V")))
    rules = weights_of(priors, "rule", outcome.rule)
    events = EVENTS.get(outcome.verdict, {})
    if len(events) == 1:
        rules = dict.fromkeys(events, 1.0)
    parts = []
    for scenario in group_sizes(experiment, tested, priors):
        sizes = tuple(scenario.n[name] for name in (*arms, arms[-1])[:3])
        groups = Groups(
            n=sizes,
            variance=tuple(1 / n + noise for n in sizes),
            df=sum(scenario.n[name] for name in tested) - len(tested),
            k=len(tested),
        )
        if not joint:
            probability = pair_probability(PAIRS[outcome.verdict], groups, corrections)
            parts.append(np.log(scenario.weight) + _log(probability))
            continue
        for rule, weight in rules.items():
            if weight == 0:
                continue
            event = events[rule]
            if outcome.agonist_effect_present is False:
                event = without_agonist_effect(outcome.verdict, event)
            parts.append(np.log(scenario.weight * weight) + joint_log_probability(event, groups, corrections))
    contrasts = tuple(_difference_of(name, arms[1]) for name in (arms[0], *arms[2:]))
    mixture = {**(rules if len(events) > 1 else {}), **(corrections if len(tested) > 2 else {})}
    components = {name: weight for name, weight in mixture.items() if 0 < weight < 1}
    return _Table(contrasts, np.minimum(mixed(parts), 0.0), None, components)


def _responders(experiment: Experiment, outcome: Responders, priors: Priors) -> _Table:
    counts = {name: Counts(count.responders, count.n) for name, count in outcome.counts.items()}
    base = _vehicle_or_none(experiment, tuple(counts))
    vehicle = counts.pop(base) if base is not None else None
    placebo = required_prior(priors, "placebo_response")
    if outcome.retest is not None:
        retest = outcome.retest
        counts.pop(retest.arm, None)
        if set(counts) != {retest.among_responders_of}:
            raise ValueError(
                f"A retest must name the one other arm with counts; got "
                f"{retest.among_responders_of!r}, counts are of {', '.join(counts) or 'none'}. "
                "Move further arms to an outcome of their own."
            )
        log_density = retest_log_probability(
            counts[retest.among_responders_of],
            Counts(retest.responders, retest.n),
            placebo,
            required_prior(priors, "retest_correlation"),
            vehicle,
        )
        arms = (retest.among_responders_of, retest.arm)
    elif 1 <= len(counts) <= 2:
        arms = tuple(counts)
        log_density = responders_log_probability(tuple(counts.values()), placebo, vehicle)
    else:
        raise ValueError(
            f"Responders are scored for one or two arms beside vehicle; got {len(counts)} "
            f"({', '.join(counts) or 'vehicle alone'}). Split into outcomes of one or two arms."
        )
    return _Table(tuple(((name, 1.0),) for name in arms), log_density, absolute=True)


def _error_and_df(scenario: Scenario, arms: tuple[str, str], paired: bool) -> tuple[float, float]:
    """Standard error of a difference in within-group SD, and its degrees of freedom."""
    n_1, n_2 = (scenario.n[name] for name in arms)
    if paired:
        n = min(n_1, n_2)
        return float(_PAIRED_SD_OF_DIFFERENCE / np.sqrt(n)), n - 1
    return float(np.sqrt(1 / n_1 + 1 / n_2)), n_1 + n_2 - 2


def _observed(effect: float, error: float, df: float) -> dict[str, float]:
    half = float(t_of_p(0.05, df)) * error
    return {"effect": float(effect), "lower": float(effect - half), "upper": float(effect + half)}


def _difference_of(first: str, second: str) -> Contrast:
    return ((first, 1.0), (second, -1.0))


def _log(probability: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        return np.log(probability)


def _vehicle_or_none(experiment: Experiment, arms: tuple[str, ...]) -> str | None:
    """The arm that got nothing; by its doses, or by its name."""
    protocol = experiment.protocol
    bare = [name for name in arms if not protocol.arms[name].doses and not protocol.arms[name].manipulations]
    return bare[0] if bare else "V" if "V" in arms else None


def _vehicle(experiment: Experiment, arms: tuple[str, ...]) -> str:
    return _vehicle_or_none(experiment, arms) or arms[-1]


def _label(experiment: Experiment, outcome: Outcome) -> str:
    what = outcome.verdict if isinstance(outcome, Verdict) else outcome.form
    return f"{experiment.id}: {outcome.endpoint}, {what}"


def _check_arms(experiment: Experiment, outcome: Outcome) -> None:
    match outcome:
        case Means():
            named = tuple(outcome.arms)
        case Responders():
            retest = (
                () if outcome.retest is None else (outcome.retest.arm, outcome.retest.among_responders_of)
            )
            named = (*outcome.counts, *retest)
        case Interaction():
            named = outcome.arms
        case Verdict():
            named = tuple(outcome.roles.values())
        case Narrative():
            named = ()
        case _:
            named = outcome.contrast
    missing = [name for name in named if name not in experiment.protocol.arms]
    if missing:
        raise ValueError(
            f"An outcome must name arms of its experiment; got {', '.join(missing)} in {experiment.id!r}, "
            f"arms are {', '.join(experiment.protocol.arms)}. Correct the name or add the arm."
        )
