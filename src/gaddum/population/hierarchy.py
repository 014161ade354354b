"""Hierarchy: constants of a drug over studies, as a posterior over standard normal coordinates.

    log y = log f(t; theta_study) + eps           eps ~ N(0, sigma^2 + printed error of the mean^2)
    log theta_study = mu + omega * eta + s * c    eta, c ~ N(0, 1), one c a study, on what grows with the body

Of a fraction it is the logit that varies, since its log would be cut at 0.

References
----------
Beal & Sheiner (1982) Crit Rev Biomed Eng 8, 195. Davidian & Giltinan (2003), doi:10.1198/1085711032697
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from gaddum.numerics.array_library import AnyArray, Numbers, array_library
from gaddum.numerics.spline import lookup
from gaddum.parameters import Parameter, distribution_nodes
from gaddum.population.printed_constants import log_constants
from gaddum.population.study_curves import BETWEEN, SIZED, Kind, StudyCurves, log_predicted, logs_of
from gaddum.population.study_modes import Deviations, StudyModes, deviations
from gaddum.records.prior import HalfNormal

COMMON = 0.2
"""The same of what moves all volumes, clearances and flows of a study."""
RESIDUAL = 0.2
"""The same of what a reading deviates from its study's own curve."""


ASSAY = 0.03
"""Standard deviation of the log by which any reading may be off, however smooth its curve."""


class Hierarchy(NamedTuple):
    """A posterior to be sampled; coordinates are standard normal a priori."""

    parameters: tuple[Parameter, ...]
    """Constants of the drug, in the order of the register."""
    centre: Float[np.ndarray, "constants grid"]
    """Quantiles of the prior of mu: logs, of fractions logits."""
    kinds: dict[int, Kind]
    """Constants that vary between studies; those of a kind by as much."""
    curves: StudyCurves
    modes: StudyModes
    """About which the deviations of studies are sampled."""

    @property
    def varies(self) -> Int[np.ndarray, " varying"]:
        """Places of the constants that vary."""
        return np.array(sorted(self.kinds))

    @property
    def spreads(self) -> tuple[Kind, ...]:
        """Kinds there are."""
        return tuple(dict.fromkeys(self.kinds[place] for place in self.varies))

    @property
    def sized(self) -> Bool[np.ndarray, " constants"]:
        """Which constants grow with the body."""
        return np.array([self.kinds.get(place) in SIZED for place in range(len(self.parameters))])

    @property
    def fractions(self) -> Bool[np.ndarray, " constants"]:
        """Which constants are given by their logits."""
        return np.array([self.kinds.get(place) == "fraction" for place in range(len(self.parameters))])

    @property
    def studies(self) -> int:
        """Number of studies."""
        return len(self.curves.touched)

    @property
    def parts(self) -> dict[str, slice]:
        """Where each kind of coordinate stands."""
        sizes = {
            "mu": len(self.parameters),
            "omega": len(self.spreads),
            "common": 1,
            "sigma": 1,
            "eta": len(self.varies) * self.studies,
            "c": self.studies,
        }
        ends = np.cumsum(list(sizes.values())).tolist()
        return {name: slice(end - size, end) for (name, size), end in zip(sizes.items(), ends, strict=True)}

    def data(self, studies: Bool[np.ndarray, " studies"]) -> "StudyData":
        """Its own data, of some studies."""
        printed = np.array([one.log_value for one in self.curves.printed], float)
        return StudyData(studies.astype(float), self.curves.log_values, printed, self.modes)

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return self.parts["c"].stop

    def mask(self, studies: Bool[np.ndarray, " studies"]) -> Bool[np.ndarray, " dimension"]:
        """Which coordinates matter where only some studies are taken in."""
        found = np.ones(self.dimension, bool)
        found[self.parts["mu"]] = self.curves.touched.any(axis=0)
        varying = self.curves.touched[:, self.varies] & studies[:, None]
        found[self.parts["eta"]] = varying.ravel()
        found[self.parts["c"]] = studies & self.curves.touched[:, self.sized].any(axis=1)
        return found


class Levels(NamedTuple):
    """Coordinates read: logs of constants, logits of fractions, and their standard deviations between studies."""

    mu: Float[Numbers, "constants batch"]
    omega: Float[Numbers, "kinds batch"]
    common: Float[Numbers, " batch"]
    sigma: Float[Numbers, " batch"]


def read(hierarchy: Hierarchy, z: Float[AnyArray, "dimension batch"]) -> Levels:
    """Turn coordinates into the typical constants and the standard deviations."""
    parts = hierarchy.parts
    between, common, residual = (
        np.array([distribution_nodes(HalfNormal(family="half-normal", sd=sd))])
        for sd in (BETWEEN, COMMON, RESIDUAL)
    )
    xp = array_library(z)
    omega = xp.exp(lookup(np.repeat(between, len(hierarchy.spreads), axis=0), z[parts["omega"]]))
    return Levels(
        lookup(hierarchy.centre, z[parts["mu"]]),
        omega,
        xp.exp(lookup(common, z[parts["common"]]))[0],
        xp.exp(lookup(residual, z[parts["sigma"]]))[0],
    )


def of_studies(
    hierarchy: Hierarchy, levels: Levels, z: Float[Numbers, "dimension batch"]
) -> Float[Numbers, "studies_constants batch"]:
    """Log constants of every study, one register after another."""
    return of_deviations(hierarchy, levels, _deviations(hierarchy, levels, z, hierarchy.modes))


def of_deviations(
    hierarchy: Hierarchy, levels: Levels, moved: Deviations
) -> Float[Numbers, "studies_constants batch"]:
    """Log constants of every study by its deviations, one register after another."""
    xp = array_library(levels.mu)
    place = np.zeros((len(hierarchy.parameters), len(hierarchy.varies)))
    place[hierarchy.varies, np.arange(len(hierarchy.varies))] = 1.0
    own = xp.matmul(place, levels.omega[_kinds(hierarchy)] * moved.own)
    together = hierarchy.sized[:, None] * (levels.common * moved.common)[:, None]
    theta: Any = (levels.mu + own + together).reshape(-1, levels.sigma.size)
    return logs_of(theta, hierarchy.fractions)


def _deviations(
    hierarchy: Hierarchy, levels: Levels, z: Float[Numbers, "dimension batch"], modes: StudyModes
) -> Deviations:
    xp, parts = array_library(z), hierarchy.parts
    return deviations(
        modes,
        z[parts["eta"]].reshape(hierarchy.studies, len(hierarchy.varies), -1),
        z[parts["c"]],
        mu=levels.mu[hierarchy.varies],
        spread=levels.omega[_kinds(hierarchy)],
        size=hierarchy.sized[hierarchy.varies, None] * levels.common,
        scatter=xp.hypot(levels.sigma, ASSAY),
    )


def _kinds(hierarchy: Hierarchy) -> Int[np.ndarray, " varying"]:
    """Place of each varying constant's kind."""
    return np.array([hierarchy.spreads.index(hierarchy.kinds[one]) for one in hierarchy.varies], int)


class StudyData(NamedTuple):
    """Data of the log likelihood."""

    weights: Float[Numbers, " studies"]
    """1, or 0 for a study that is left out."""
    log_values: Float[Numbers, "curves times"]
    log_constants: Float[Numbers, " printed"]
    """What was printed of constants."""
    modes: StudyModes


def log_likelihood(hierarchy: Hierarchy) -> Callable[[Any, StudyData], Any]:
    """Log likelihood (nats) of coordinates, in JAX; other data of the same curves compile nothing."""
    import jax.numpy as jnp

    curves = hierarchy.curves

    def function(z: Any, data: StudyData) -> Any:
        levels = read(hierarchy, z)
        moved = _deviations(hierarchy, levels, z, data.modes)
        theta: Any = of_deviations(hierarchy, levels, moved)
        away = data.log_values[..., None] - log_predicted(curves, theta)
        of_curves = jnp.matmul(data.weights[curves.study], _of_curves(curves, away, levels.sigma))
        total = of_curves + jnp.matmul(data.weights, moved.log_ratio)
        if not curves.printed:
            return total
        error = np.array([one.error for one in curves.printed])[:, None]
        off = (
            data.log_constants[:, None] - log_constants(curves.printed, theta, len(hierarchy.parameters))
        ) / error
        of_constants = -0.5 * off**2 - np.log(error) - LOG_ROOT
        return total + jnp.matmul(data.weights[np.array([one.study for one in curves.printed])], of_constants)

    return function


LOG_ROOT = 0.5 * np.log(2 * np.pi)


def _of_curves(curves: StudyCurves, away: Any, sigma: Any) -> Any:
    """Log likelihood of every curve [curves, batch], by what its logs deviate."""
    import jax.numpy as jnp
    from jax.scipy.stats import norm

    sd = jnp.sqrt(sigma**2 + ASSAY**2 + curves.errors[..., None] ** 2)
    off = away / sd
    plain = jnp.where(curves.below[..., None], norm.logcdf(off), -0.5 * off**2 - jnp.log(sd) - LOG_ROOT)
    read_out = jnp.where((curves.read & ~curves.published[:, None])[..., None], plain, 0.0).sum(axis=1)
    if not curves.published.any():
        return read_out
    white = jnp.einsum("cij,cjb->cib", curves.whiten, away)
    sizes = np.log(np.maximum(np.diagonal(curves.whiten, axis1=1, axis2=2), TINIEST))
    modelled = (-0.5 * white**2 + np.where(curves.read, sizes - LOG_ROOT, 0.0)[..., None]).sum(axis=1)
    return read_out + jnp.where(curves.published[:, None], modelled, 0.0)


TINIEST = 1e-300
