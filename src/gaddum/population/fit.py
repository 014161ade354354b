"""Fit: the posterior of a drug's kinetics over studies, and what it says of a new study."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from gaddum.numerics.variates import even_draws
from gaddum.population.hierarchy import Hierarchy, Levels, log_likelihood, of_studies, read
from gaddum.population.printed_constants import log_constants
from gaddum.population.readings import PopulationData
from gaddum.population.study_curves import log_predicted, logs_of
from gaddum.sampling.posterior import sample_posterior
from gaddum.sampling.settings import Settings

SAMPLER = Settings(
    particles=64,
    lanes=64,
    ess_fraction=0.3,
    leapfrog=20,
    warm_up=6,
    sweeps=150,
    r_hat=1.03,
    ess_per_dimension=3.0,
)
"""Sweeps are cheap and the posterior bends: many of them, each far."""
NEW_STUDIES = 20_000
"""Draws from which a new study's joint normal is computed."""
LEAST_ESS = 600.0
"""Least effective sample size: particles that never moved would count for their number, 256."""


class JointNormal(NamedTuple):
    """Log constants of a new study, jointly normal."""

    constants: tuple[int, ...]
    """Places among the parameters of the hierarchy."""
    mean: Float[np.ndarray, " constants"]
    covariance: Float[np.ndarray, "constants constants"]
    typical: Float[np.ndarray, "constants constants"]
    """Part of the covariance that says how well the typical study is known."""


class PopulationFit(NamedTuple):
    """A posterior over studies."""

    hierarchy: Hierarchy
    levels: Levels
    """Draws last."""
    sample: Float[np.ndarray, "dimension draws"]
    """Draws in coordinates."""
    r_hat: float
    ess: float
    established: bool
    note: str

    @property
    def new_study(self) -> JointNormal:
        """Log constants of a new study."""
        touched = np.flatnonzero(self.hierarchy.curves.touched.any(axis=0))
        new = self.draws(NEW_STUDIES)[touched]
        typical = np.cov(logs_of(np.asarray(self.levels.mu), self.hierarchy.fractions)[touched])
        constants = tuple(touched.tolist())
        return JointNormal(constants, new.mean(axis=1), np.atleast_2d(np.cov(new)), np.atleast_2d(typical))

    def draws(self, count: int, seed: int = 0) -> Float[np.ndarray, "constants draws"]:
        """Log constants of new studies, from the posterior as it is and not its normal approximation."""
        random = np.random.default_rng(seed)
        mu = np.asarray(self.levels.mu)
        which = random.integers(mu.shape[1], size=count)
        own = _own_spread(self.hierarchy, self.levels)[:, which] * random.standard_normal((len(mu), count))
        together = np.asarray(self.levels.common)[which] * random.standard_normal(count)
        theta = mu[:, which] + own + self.hierarchy.sized[:, None] * together
        return logs_of(theta, self.hierarchy.fractions)

    def of_studies(
        self, hierarchy: Hierarchy, sample: Float[np.ndarray, "dimension draws"]
    ) -> Float[np.ndarray, "curves times draws"]:
        """Log of what every curve of a hierarchy over the same constants reads, each study with its own."""
        theta: Any = of_studies(hierarchy, read(hierarchy, sample), sample)
        return np.asarray(log_predicted(hierarchy.curves, theta))

    def sigmas(self, count: int, seed: int = 0) -> Float[np.ndarray, " draws"]:
        """Residual standard deviations that belong to `draws` of the same count and seed."""
        which = np.random.default_rng(seed).integers(np.asarray(self.levels.mu).shape[1], size=count)
        return np.asarray(self.levels.sigma)[which]


def fit_population(
    data: PopulationData,
    *,
    without: str | None = None,
    seed: int = 0,
    settings: Settings = SAMPLER,
    progress: Callable[[str, float], None] | None = None,
    checkpoint: Path | None = None,
    likelihood: Callable | None = None,
) -> PopulationFit:
    """Fit the hierarchy of a drug's kinetics.

    Parameters
    ----------
    data : PopulationData
        Curves laid out.
    without : str
        A paper to leave out.
    seed : int
        Seed of the sampling.
    settings : Settings
        Lengths of the sampler.
    progress : callable
        Told a sentence and the fraction done.
    checkpoint : Path
        Where the fit's state is kept, from which it goes on.
    likelihood : callable
        `hierarchy.log_likelihood(data.hierarchy)` where several fits share it, so that it is compiled once.
    """
    import jax

    hierarchy = data.hierarchy
    studies: Bool[np.ndarray, " studies"] = np.array([paper != without for paper in data.papers])
    settings = lengths(settings, hierarchy.mask(studies))
    with jax.enable_x64(True):
        evidence = sample_posterior(
            likelihood or log_likelihood(hierarchy),
            hierarchy.data(studies),
            hierarchy.mask(studies),
            seed=seed,
            settings=settings,
            progress=progress,
            checkpoint=checkpoint,
        )
        levels = Levels(*map(np.asarray, read(hierarchy, evidence.draws.T)))
    wanted = settings.ess_per_dimension * evidence.dimension
    failures = []
    if not evidence.r_hat < settings.r_hat:
        failures.append(f"split R-hat {evidence.r_hat:.3f} is not below {settings.r_hat}")
    if not evidence.ess > wanted:
        failures.append(f"effective sample size {evidence.ess:.0f} is not above {wanted:.0f}")
    note = f"Not converged: {'; '.join(failures)}." if failures else "All diagnostics passed."
    return PopulationFit(
        hierarchy, levels, evidence.draws.T, evidence.r_hat, evidence.ess, not failures, note
    )


def lengths(settings: Settings, mask: Bool[np.ndarray, " dimension"]) -> Settings:
    """Settings for a fit of so many coordinates."""
    least = max(settings.ess_per_dimension, LEAST_ESS / mask.sum())
    return settings._replace(directions=min(settings.directions, mask.size), ess_per_dimension=least)


def library_draws(
    data: PopulationData, paper: str, count: int, seed: int = 0
) -> Float[np.ndarray, "constants draws"]:
    """Log constants as the drug's file reports them without a paper, drawn one by one."""
    names = [one.name for one in data.hierarchy.parameters]
    return even_draws(names, data.library[data.papers.index(paper)], count, seed)


def predict_logs(
    hierarchy: Hierarchy, theta: Float[np.ndarray, "constants draws"]
) -> Float[np.ndarray, "curves times draws"]:
    """Log of what every curve reads where its study has these constants."""
    return np.asarray(log_predicted(hierarchy.curves, np.tile(theta, (hierarchy.studies, 1))))


def predict_constants(
    hierarchy: Hierarchy, theta: Float[np.ndarray, "constants draws"]
) -> Float[np.ndarray, "printed draws"]:
    """Log of every printed constant where its study has these constants."""
    curves = hierarchy.curves
    if not curves.printed:
        return np.zeros((0, theta.shape[1]))
    return np.asarray(log_constants(curves.printed, np.tile(theta, (hierarchy.studies, 1)), len(theta)))


def _own_spread(hierarchy: Hierarchy, levels: Levels) -> Float[np.ndarray, "constants draws"]:
    """Standard deviation between studies of every constant; 0 of those that do not vary."""
    omega = np.asarray(levels.omega)
    found = np.zeros((len(hierarchy.parameters), omega.shape[1]))
    for place, kind in hierarchy.kinds.items():
        found[place] = omega[hierarchy.spreads.index(kind)]
    return found
