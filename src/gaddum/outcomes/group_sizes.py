"""Group sizes that a report leaves open, as a short mixture; and priors that reduction reads as numbers."""

from itertools import product
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from gaddum.outcomes.design import size_of_df
from gaddum.records.experiment import Experiment
from gaddum.records.finding import MissingPrior
from gaddum.records.prior import Distribution, Fixed, HalfNormal, LogNormal, Normal, Weights

_QUANTILES = (np.arange(7) + 0.5) / 7
_LEAST = 3


class Scenario(NamedTuple):
    """One possibility for the sizes of the arms."""

    n: dict[str, float]
    """Subjects by arm (1); not an integer where only a total is known."""
    weight: float
    """Its probability (1)."""


def group_sizes(
    experiment: Experiment,
    arms: tuple[str, ...],
    priors: dict[str, Distribution],
    *,
    df: float | None = None,
    paired: bool = False,
) -> list[Scenario]:
    """Sizes of the arms: known, over a reported range, implied by df, or from the prior `n_unknown`.

    Arms that lack a size share one; arms that report the same range share a draw from it.
    """
    records = experiment.protocol.arms
    known: dict[str, float] = {}
    open_arms: dict[tuple[int, int] | None, list[str]] = {}
    for name in arms:
        arm = records[name]
        if arm.n is not None:
            known[name] = float(arm.n)
        else:
            open_arms.setdefault(arm.n_range, []).append(name)
    unknown = open_arms.get(None, [])
    if unknown and df is not None and len(unknown) == len(arms):
        del open_arms[None]
        known |= dict.fromkeys(unknown, size_of_df(experiment, df, len(arms), paired))
    choices = []
    for bounds in open_arms:
        if bounds is None:
            choices.append(unknown_sizes(required_prior(priors, "n_unknown")))
        else:
            sizes = np.unique(np.round(np.linspace(bounds[0], bounds[1], 7)).astype(int))
            choices.append({int(n): 1 / len(sizes) for n in sizes})
    scenarios = []
    for combination in product(*(choice.items() for choice in choices)):
        n = dict(known)
        for (value, _), names in zip(combination, open_arms.values(), strict=True):
            n |= dict.fromkeys(names, float(value))
        scenarios.append(Scenario(n, float(np.prod([weight for _, weight in combination]))))
    for name, size in scenarios[0].n.items():
        if size < 2:
            raise ValueError(
                f"A tested arm must have at least 2 subjects; got {size:g} in arm {name!r} of "
                f"{experiment.id!r}. Correct `n`, or use `form: narrative`."
            )
    return scenarios


def unknown_sizes(prior: Distribution) -> dict[int, float]:
    """Up to seven group sizes of equal prior weight (merged where they round to the same).

    Examples
    --------
    >>> list(unknown_sizes(LogNormal(family="lognormal", median=9, gsd=1.3)))
    [6, 7, 8, 9, 10, 11, 13]
    """
    match prior:
        case LogNormal(median=median, gsd=gsd):
            values = median * gsd ** ndtri(_QUANTILES)
        case Fixed(value=value):
            values = np.array([value])
        case _:
            raise ValueError(
                f"`n_unknown` must be a lognormal or fixed prior; got {prior.family!r}. "
                "Change the case's priors."
            )
    sizes, counts = np.unique(np.maximum(np.round(values).astype(int), _LEAST), return_counts=True)
    return {int(n): float(count / len(values)) for n, count in zip(sizes, counts, strict=True)}


def fixed_value(priors: dict[str, Distribution], name: str) -> float:
    """A prior that reduction uses as a number: a fixed value, or the SD of a centred normal."""
    match required_prior(priors, name):
        case Fixed(value=value):
            return value
        case Normal(sd=sd) | HalfNormal(sd=sd):
            return sd
        case other:
            raise ValueError(
                f"Prior {name!r} must be fixed, normal or half-normal; got {other.family!r}. "
                "Change the case's priors."
            )


def weights_of(priors: dict[str, Distribution], name: str, stated: str) -> dict[str, float]:
    """Weights of named alternatives: 1 on what the report states, the prior's if it states "unknown"."""
    if stated != "unknown":
        return {stated: 1.0}
    prior = required_prior(priors, name)
    if not isinstance(prior, Weights):
        raise ValueError(f"Prior {name!r} must be weights; got {prior.family!r}. Change the case's priors.")
    return dict(prior.of)


def required_prior(priors: dict[str, Distribution], name: str) -> Distribution:
    """The named prior; an error says which names there are."""
    if name not in priors:
        raise MissingPrior(name, priors)
    return priors[name]
