"""Parameters: every uncertain number of a case as a monotone map from a standard normal variate.

A parameter is tabulated at the points `Z_GRID` of that variate, on a scale where it is smooth (its logarithm, logit or
itself). A lognormal is then a straight line; an equal mixture of conflicting facts is a monotone curve that passes
through both. Sampling takes place in one space, the standard normal, whatever the parameter.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum import units
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.numerics.spline import lookup
from gaddum.numerics.variates import even_draws, even_variates
from gaddum.records.prior import Beta, Distribution, Fixed, HalfNormal, LogitNormal, LogNormal, Normal, Prior
from gaddum.records.quantity import Quantity
from gaddum.records.source import Source

DEFAULT_GSD = 1.5
"""Spread of a published number whose source gives none: an assumption, listed in every report."""

NULL_SD = 0.01
"""Standard deviation of a fraction reported as 0 without a spread: an assumption."""

_KINDS: tuple[units.Kind, ...] = (
    "time",
    "concentration",
    "volume",
    "clearance",
    "rate",
    "association rate",
    "number",
)


class Parameter(NamedTuple):
    """One sampled dimension."""

    name: str
    nodes: Float[np.ndarray, " grid"]
    """Value on the parameter's smooth scale at `Z_GRID`."""
    unit: str
    distribution: str
    reason: str
    source: str
    scale: Literal["log", "logit", "itself"] = "log"
    """The smooth scale, on which it is tabulated."""
    along: tuple[tuple[str, float], ...] = ()
    """Parameters whose standard normal scores move it too, and how far on its smooth scale (1)."""

    def in_unit(self, smooth: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
        """Values in its unit from values on its smooth scale."""
        if self.scale == "itself":
            return smooth
        return np.exp(smooth) if self.scale == "log" else 1 / (1 + np.exp(-smooth))


def loadings(parameters: Sequence[Parameter]) -> Float[np.ndarray, "parameters parameters"] | None:
    """How far the score of each parameter moves each other one, on smooth scales; None where none does."""
    if not any(one.along for one in parameters):
        return None
    place = {one.name: number for number, one in enumerate(parameters)}
    found = np.zeros((len(place), len(place)))
    for number, one in enumerate(parameters):
        for name, by in one.along:
            found[number, place[name]] = by
    return found


def smooth_values(
    parameters: Sequence[Parameter], z: Float[np.ndarray, "parameters draws"]
) -> Float[np.ndarray, "parameters draws"]:
    """Parameters on their smooth scales at standard normal scores."""
    table = np.array([one.nodes for one in parameters]).reshape(-1, Z_GRID.size)
    found, joint = np.asarray(lookup(table, z)), loadings(parameters)
    return found if joint is None else found + joint @ z


def prior_draws(
    parameters: Sequence[Parameter], draws: int, seed: int
) -> Float[np.ndarray, "parameters draws"]:
    """Draws of parameters from their priors, on their smooth scales, evenly spread."""
    names = [one.name for one in parameters]
    table = np.array([one.nodes for one in parameters]).reshape(-1, Z_GRID.size)
    found, joint = even_draws(names, table, draws, seed), loadings(parameters)
    return found if joint is None else found + joint @ even_variates(names, draws, seed)


def canonical(quantity: Quantity, molar_mass: float | None = None) -> float:
    """Value of a quantity in the canonical unit of its kind; mass concentrations become nM by the molar mass."""
    text = f"{quantity.value} {quantity.unit}"
    for kind in _KINDS:
        try:
            value = units.magnitude(text, kind)
        except ValueError:
            continue
        if kind == "concentration" and units.canonical_unit(text, kind) == "ng/mL":
            if molar_mass is None:
                raise ValueError(
                    f"A mass concentration needs a molar mass to become nM; got {text!r} without one."
                )
            return value / molar_mass * 1e3
        return value
    raise ValueError(
        f"A quantity must have a unit of time, concentration, volume, clearance or rate; got {text!r}."
    )


def canonical_unit(quantity: Quantity) -> str:
    """Unit of what `canonical` gives."""
    text = f"{quantity.value} {quantity.unit}"
    for kind in _KINDS:
        try:
            found = units.canonical_unit(text, kind)
        except ValueError:
            continue
        return "nM" if found == "ng/mL" else found or "1"
    return quantity.unit


def log_spread(quantity: Quantity) -> float:
    """Standard deviation of the logarithm, from the spread or the declared default."""
    return float(np.log(quantity.gsd or DEFAULT_GSD))


def log_nodes(reported: tuple[Quantity, ...], molar_mass: float | None = None) -> Float[np.ndarray, " grid"]:
    """Log quantiles at `Z_GRID` of the equal mixture of lognormals that the reports amount to."""
    medians = np.array([np.log(canonical(quantity, molar_mass)) for quantity in reported])
    return log_quantiles(medians, np.array([log_spread(quantity) for quantity in reported]))


def fraction_nodes(reported: tuple[Quantity, ...]) -> Float[np.ndarray, " grid"]:
    """Log quantiles at `Z_GRID` of a fraction that is left, which its readers cap at all.

    What removes everything (a null allele) is reported as 0, which no lognormal can be: the fraction is then the
    absolute value of a normal variate with the reported SD, or `NULL_SD` where none is.
    """
    sd = _null_sd(reported)
    if sd is None:
        return log_nodes(reported)
    return distribution_nodes(HalfNormal(family="half-normal", sd=sd))


def describe_fraction(reported: tuple[Quantity, ...]) -> str:
    """Write what was reported of a fraction that is left."""
    sd = _null_sd(reported)
    return describe_reported(reported) if sd is None else f"half-normal(sd {sd:g})"


def _null_sd(reported: tuple[Quantity, ...]) -> float | None:
    """SD of a fraction reported as 0; None of one above it."""
    if all(one.value > 0 for one in reported):
        return None
    none, spread = reported[0], reported[0].spread
    said = ", ".join(f"{one.value:g} {one.unit}" for one in reported)
    if len(reported) > 1 or none.value < 0:
        raise ValueError(
            f"A fraction left must be above 0, or a single report of 0; got {said}. Keep the one that holds."
        )
    if spread is None:
        return NULL_SD
    if spread.kind not in ("SD", "SEM") or not isinstance(spread.value, float) or not spread.value > 0:
        raise ValueError(
            f"A fraction of 0 must have an SD or SEM above 0, or no spread; got {spread.kind} {spread.value}. Give one."
        )
    return canonical(none.model_copy(update={"value": spread.value}))


def log_quantiles(
    medians: Float[np.ndarray, " reports"], spreads: Float[np.ndarray, " reports"]
) -> Float[np.ndarray, " grid"]:
    """Quantiles at `Z_GRID` of an equal mixture of normals, given by their medians and standard deviations."""
    return _quantiles(tuple(medians.tolist()), tuple(spreads.tolist()))


@lru_cache(maxsize=4096)
def _quantiles(centres: tuple[float, ...], widths: tuple[float, ...]) -> Float[np.ndarray, " grid"]:
    """Read-only, since every drug's constants are asked for once for each arm that gets it."""
    medians, spreads = np.array(centres), np.maximum(widths, 1e-9)
    found = medians[0] + spreads[0] * Z_GRID if len(medians) == 1 else _mixed(medians, spreads)
    found.flags.writeable = False
    return found


def _mixed(medians: Float[np.ndarray, " reports"], spreads: Float[np.ndarray, " reports"]) -> np.ndarray:
    # By bisection; each half against its own tail, which keeps its digits.
    side = np.where(Z_GRID > 0, -1.0, 1.0)
    wanted = _tail(side * Z_GRID)
    low, high = np.zeros_like(Z_GRID), np.zeros_like(Z_GRID)
    low += (medians - 9 * spreads).min()
    high += (medians + 9 * spreads).max()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        tail = _tail(side[:, None] * (middle[:, None] - medians) / spreads).mean(axis=1)
        below = (tail < wanted) == (side > 0)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2


_HALVINGS = 60
"""Steps of bisection: as far as double precision goes."""


def _tail(z: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Probability below z of a standard normal; without scipy, whose import would dominate a short command."""
    erfc = np.frompyfunc(math.erfc, 1, 1)
    return 0.5 * np.asarray(erfc(-z / math.sqrt(2)), float)


def distribution_nodes(distribution: Distribution) -> Float[np.ndarray, " grid"]:
    """Quantiles at `Z_GRID` on the smooth scale: log (lognormal, half-normal), logit (fractions) or the value."""
    from scipy import special

    match distribution:
        case LogNormal(median=median, gsd=gsd):
            return np.log(median) + np.log(gsd) * Z_GRID
        case HalfNormal(sd=sd):
            return np.log(sd * -special.ndtri(special.ndtr(-Z_GRID) / 2))
        case LogitNormal(median=median, sd=sd):
            return np.log(median / (1 - median)) + sd * Z_GRID
        case Beta(a=a, b=b):
            quantile = special.betainccinv(a, b, special.ndtr(-Z_GRID))
            return np.log(quantile) - np.log1p(-quantile)
        case Normal(mean=mean, sd=sd):
            return mean + sd * Z_GRID
        case Fixed(value=value):
            return np.full_like(Z_GRID, value)
    raise ValueError(f"A sampled parameter needs a continuous distribution; got {distribution.family!r}.")


def describe(distribution: Distribution) -> str:
    """Write a distribution in words for the prior table."""
    fields = distribution.model_dump(exclude={"family"})
    return f"{distribution.family}({', '.join(f'{key} {value}' for key, value in fields.items())})"


def cite(source: Source | None) -> str:
    """Write a source in one line."""
    if source is None:
        return "assumption"
    where = source.doi and f"doi:{source.doi}" or source.pmid and f"PMID {source.pmid}" or source.cites or ""
    return f"{source.how}: {where or source.reason}"


def describe_reported(reported: tuple[Quantity, ...]) -> str:
    """Write what was reported, conflicting numbers side by side."""
    return " or ".join(f"{q.value:g} {q.unit} (GSD {q.gsd or DEFAULT_GSD:.2g})" for q in reported)


def declared_parameter(prior: Prior, name: str | None = None) -> Parameter:
    """Parameter that a row of a case's prior table declares, under the row's name or one of its own."""
    return Parameter(
        name or prior.name,
        distribution_nodes(prior.distribution),
        prior.unit,
        describe(prior.distribution),
        prior.reason,
        cite(prior.source),
        _SCALES.get(prior.distribution.family, "log"),
    )


_SCALES: dict[str, Literal["logit", "itself"]] = {
    "logit-normal": "logit",
    "beta": "logit",
    "normal": "itself",
    "fixed": "itself",
}
"""Smooth scales of distributions, as `distribution_nodes` tabulates them, where they are not logarithms."""
