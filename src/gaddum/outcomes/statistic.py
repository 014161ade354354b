"""Statistic: what the forms that report a number share: tails, significance, observed effects."""

import numpy as np

from gaddum.outcomes.noncentral_t import GRID, effect_interval, t_of_p
from gaddum.records.experiment import Experiment


def probability_beyond(effect: float, variance: float, df: float) -> np.ndarray:
    """Probability of an observed effect at least this large, on `GRID`."""
    return effect_interval(effect, np.inf, variance, df, GRID)


def probability_significant(error: float, variance: float, df: float) -> np.ndarray:
    """Probability of p < 0.05, either way, on `GRID`."""
    critical = t_of_p(0.05, df) * error
    return probability_beyond(critical, variance, df) + effect_interval(
        -np.inf, -critical, variance, df, GRID
    )


def observed_effect(effect: float, error: float, df: float) -> dict[str, float]:
    """An observed effect with its 95 % interval (SD)."""
    half = float(t_of_p(0.05, df)) * error
    return {"effect": float(effect), "lower": float(effect - half), "upper": float(effect + half)}


def vehicle_or_none(experiment: Experiment, arms: tuple[str, ...]) -> str | None:
    """The arm that got nothing; by its doses, or by its name."""
    protocol = experiment.protocol
    bare = [name for name in arms if not protocol.arms[name].doses and not protocol.arms[name].manipulations]
    return bare[0] if bare else "V" if "V" in arms else None


def vehicle(experiment: Experiment, arms: tuple[str, ...]) -> str:
    """The arm that got nothing, or else the last."""
    return vehicle_or_none(experiment, arms) or arms[-1]
