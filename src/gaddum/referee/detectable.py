"""Detectable: what an experiment with so many subjects could have found, whatever it then reported.

Two-sided t-tests at 0.05 on the contrasts that a blockade rests on. Sizes that the report leaves open are averaged
over what it allows, or over the case's prior `n_unknown`; such rows say so.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gaddum.outcomes.group_sizes import Scenario, group_sizes
from gaddum.outcomes.power import contrast_power, detectable_contrast, detectable_effect, t_test_power
from gaddum.records.blockade import Blockade
from gaddum.records.experiment import Experiment
from gaddum.records.prior import Distribution, Fixed, HalfNormal, LogNormal, Normal
from gaddum.results import Interval

EFFECTS = (0.5, 0.8, 1.2)
"""True differences at which power is shown (within-group SD)."""
POWER = 0.8
"""Power at which an effect counts as detectable."""
_HALF_NORMAL_MEDIAN = 0.67449
_TEXT = {
    "vehicle": "test drug against vehicle",
    "blocked": "test drug against test drug + antagonist",
    "interaction": "interaction of test drug and antagonist (2 x 2)",
}


class Detectable(NamedTuple):
    """What one contrast could have shown."""

    contrast: str
    arms: tuple[str, ...]
    n: str
    stated: bool
    """Whether the report states the sizes."""
    paired: bool
    effect: Interval
    """Smallest true effect found with 80 % power (within-group SD; SD of differences if paired), with its extremes
    over the group sizes that are possible."""
    power: dict[str, float]
    """Power at true effects of 0.5, 0.8 and 1.2 SD."""
    power_of_abolition: float | None
    """Power if the antagonist removes all of an effect of the prior's median size; of the effect itself in the first
    contrast."""


def detectable(
    experiment: Experiment, blockade: Blockade, priors: dict[str, Distribution]
) -> tuple[Detectable, ...]:
    """Work out what the contrasts of one blocked arm could have shown.

    Parameters
    ----------
    experiment : Experiment
        Its arms.
    blockade : Blockade
        Which of them are compared.
    priors : dict
        Of the case; `n_unknown` and `e_max` are read where they are there.

    Returns
    -------
    tuple of Detectable
        Contrasts whose arms exist and have, or may have, at least two subjects.
    """
    pairs = {"vehicle": (blockade.drug, blockade.vehicle), "blocked": (blockade.drug, blockade.blocked)}
    paired = experiment.protocol.design == "crossover"
    found = [
        simple_contrast(experiment, (first, second), priors, _TEXT[kind], paired=paired)
        for kind, (first, second) in pairs.items()
        if first is not None and second is not None
    ]
    if blockade.drug and blockade.vehicle and blockade.alone and not paired:
        arms = (blockade.drug, blockade.vehicle, blockade.blocked, blockade.alone)
        found.append(_interaction(experiment, arms, priors))
    return tuple(one for one in found if one is not None)


def simple_contrast(
    experiment: Experiment,
    arms: tuple[str, str],
    priors: dict[str, Distribution],
    text: str = _TEXT["vehicle"],
    *,
    paired: bool = False,
) -> Detectable | None:
    """Work out what a t-test between two arms could have shown; None where no test is possible."""

    def power_at(n: tuple[int, ...], d: float) -> float:
        return t_test_power(n[0], d, n2=n[1], paired=paired)

    def effect_at(n: tuple[int, ...]) -> float:
        return detectable_effect(n[0], power=POWER, n2=n[1], paired=paired)

    return _over_sizes(experiment, arms, priors, text, paired, power_at, effect_at)


def effect_size(priors: dict[str, Distribution]) -> float | None:
    """Median size of the test drug's effect by the case's prior (SD); None where the case has none."""
    match priors.get("e_max"):
        case LogNormal(median=median):
            return median
        case Normal(mean=mean):
            return abs(mean) or None
        case HalfNormal(sd=sd):
            return _HALF_NORMAL_MEDIAN * sd
        case Fixed(value=value):
            return value
        case _:
            return None


def _interaction(
    experiment: Experiment, arms: tuple[str, ...], priors: dict[str, Distribution]
) -> Detectable | None:
    weights = (1.0, -1.0, -1.0, 1.0)

    def power_at(n: tuple[int, ...], d: float) -> float:
        return contrast_power(n, weights, d)

    def effect_at(n: tuple[int, ...]) -> float:
        return detectable_contrast(n, weights, power=POWER)

    return _over_sizes(experiment, arms, priors, _TEXT["interaction"], False, power_at, effect_at)


def _over_sizes(
    experiment: Experiment,
    arms: tuple[str, ...],
    priors: dict[str, Distribution],
    text: str,
    paired: bool,
    power_at: Callable[[tuple[int, ...], float], float],
    effect_at: Callable[[tuple[int, ...]], float],
) -> Detectable | None:
    try:
        scenarios = group_sizes(experiment, arms, priors, paired=paired)
    except ValueError:  # a single subject, or no prior on unknown sizes: no test to speak of
        return None
    sizes = [tuple(int(one.n[arm]) for arm in arms) for one in scenarios]
    effects = [effect_at(n) for n in sizes]
    weights = np.array([one.weight for one in scenarios])

    def averaged(d: float) -> float:
        return float(np.dot(weights, [power_at(n, d) for n in sizes]))

    size = effect_size(priors)
    median = effects[int(np.searchsorted(np.cumsum(weights), 0.5))] if len(effects) > 1 else effects[0]
    records = [experiment.protocol.arms[arm] for arm in arms]
    return Detectable(
        text,
        arms,
        _describe_sizes(arms, scenarios),
        all(arm.n is not None or arm.n_range is not None for arm in records),
        paired,
        Interval(median=median, lower=min(effects), upper=max(effects)),
        {f"{d:g}": averaged(d) for d in EFFECTS},
        None if size is None else averaged(size),
    )


def _describe_sizes(arms: tuple[str, ...], scenarios: list[Scenario]) -> str:
    spans = [
        (min(int(one.n[arm]) for one in scenarios), max(int(one.n[arm]) for one in scenarios)) for arm in arms
    ]
    texts = [str(low) if low == high else f"{low}\u2013{high}" for low, high in spans]
    return texts[0] if len(set(texts)) == 1 else " and ".join(texts)
