"""Statistic: what the forms that report a number of a test share.

Each is a t statistic, exact or known to lie in an interval. Beside the density of what was reported stand the
probability of at least as much, by which predictions are checked, and that of significance, by which publication may
have selected. The conventions are told in `reduce`.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import stdtr

from gaddum.outcomes.design import cell_inflation, contrast_error, degrees_of_freedom
from gaddum.outcomes.form import LEVEL, ArmComparison, Contrast, Priors, Table
from gaddum.outcomes.group_sizes import fixed_value, group_sizes
from gaddum.outcomes.noncentral_t import GRID, effect_interval, effect_logpdf, mixed, t_of_p
from gaddum.records.experiment import Experiment


def statistic_table(
    experiment: Experiment,
    contrast: Contrast,
    priors: Priors,
    signed_t: Callable[[float, float], float],
    *,
    df: float | None = None,
    paired: bool,
) -> Table:
    """Table of an exact statistic of a contrast whose coefficients are 1 and -1.

    Parameters
    ----------
    experiment : Experiment
        Its arms and their sizes.
    contrast : Contrast
        Arms and coefficients.
    priors : Priors
        `arm_noise` and `n_unknown`.
    signed_t : callable
        The t, positive where the contrast is, from the standard error (SD) and the degrees of freedom of a size.
    df : float, optional
        Residual degrees of freedom, where reported.
    paired : bool
        Whether the arms share their subjects.
    """
    arms = tuple(name for name, _ in contrast)
    noise = fixed_value(priors, "arm_noise") ** 2
    parts, observed, most = [], (), 0.0
    above, significant = np.zeros((1, len(GRID))), np.zeros(len(GRID))
    for scenario in group_sizes(experiment, arms, priors, df=df, paired=paired):
        error = contrast_error(scenario.n, arms, paired, experiment.protocol.session_correlation)
        freedom = df or degrees_of_freedom(scenario.n, arms, paired)
        variance = cell_inflation(experiment.protocol) * error**2 + len(arms) * noise
        d = signed_t(error, freedom) * error
        parts.append(np.log(scenario.weight) + effect_logpdf(d, variance, freedom, GRID))
        above += scenario.weight * probability_beyond(d, variance, freedom)
        significant += scenario.weight * probability_significant(error, variance, freedom)
        if scenario.weight > most:
            observed, most = (observed_effect(d, error, freedom),), scenario.weight
    return Table((contrast,), mixed(parts), observed, above=above, significant=significant)


def absolute_t(statistic: str, value: float, error: float, df: float) -> float:
    """Absolute t of a t, an F, a standardised effect (d) or a two-sided p."""
    match statistic:
        case "p":
            return t_of_p(value, df)
        case "F":
            return float(np.sqrt(value))
        case "d":
            return abs(value) / error
        case _:
            return abs(value)


def two_sided_p(
    experiment: Experiment,
    arms: tuple[str, ...],
    statistic: str,
    value: float,
    *,
    df: float | None = None,
    paired: bool,
) -> float | None:
    """Two-sided p of a statistic; None where neither df nor the sizes that it needs are known."""
    sizes = {name: float(experiment.protocol.arms[name].n or 0) for name in arms}
    known = min(sizes.values()) >= 2
    df = df or (degrees_of_freedom(sizes, arms, paired) if known else None)
    if statistic == "p":
        return value
    if df is None or (statistic == "d" and not known):
        return None
    error = contrast_error(sizes, arms, paired, experiment.protocol.session_correlation) if known else 1.0
    return float(2 * stdtr(df, -absolute_t(statistic, value, error, df)))


def judged(p: float | None, higher: bool, prefix: str = "") -> ArmComparison | None:
    """Comparison by a two-sided p, where the first arm's mean is better or not."""
    return None if p is None else ArmComparison(p < LEVEL and higher, f"{prefix}p = {p:.2g}")


def is_pair(contrast: tuple[str, str], first: str, second: str) -> bool:
    """Whether a contrast is of these two arms, in either order."""
    return set(contrast) == {first, second}


def better_arm(contrast: tuple[str, str], better: str | None) -> str | None:
    """The arm that did better, where that was said."""
    return None if better is None else contrast[better == "second"]


def probability_beyond(effect: float, variance: float, df: float) -> np.ndarray:
    """Probability of an observed effect at least this large, on `GRID`."""
    return effect_interval(effect, np.inf, variance, df, GRID)


def probability_significant(error: float, variance: float, df: float) -> np.ndarray:
    """Probability of p < 0.05, either way, on `GRID`."""
    critical = t_of_p(LEVEL, df) * error
    return probability_beyond(critical, variance, df) + effect_interval(
        -np.inf, -critical, variance, df, GRID
    )


def observed_effect(effect: float, error: float, df: float) -> dict[str, float]:
    """An observed effect with its 95 % interval (SD)."""
    half = float(t_of_p(0.05, df)) * error
    return {"effect": float(effect), "lower": float(effect - half), "upper": float(effect + half)}
