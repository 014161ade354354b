"""Estimate: posterior draws and log marginal likelihood, with the diagnostics to trust them by."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float


class Rung(NamedTuple):
    """Where a ladder that takes in one part of the data after another stood before a step."""

    position: float
    """Number of parts taken in; a fraction of the next counts as a power of its likelihood."""
    z: Float[np.ndarray, "dimensions all_particles"]
    """Particles (1)."""
    parts: Float[np.ndarray, "parts all_particles"]
    """Log likelihood of each part at the particles (nats)."""
    log_ml: Float[np.ndarray, " populations"]
    """Log marginal likelihood of what has been taken in, by each population (nats)."""


@dataclass(frozen=True)
class Evidence:
    """Posterior draws and log marginal likelihood of one hypothesis, with what is needed to trust them."""

    chains: Float[np.ndarray, "populations draws dimensions"]
    """Draws at beta = 1 by population, in order of sweeps; inactive dimensions are 0 (1)."""
    log_likelihood: Float[np.ndarray, "populations draws"]
    """Log likelihood of each draw (nats)."""
    log_ml: float
    """Log marginal likelihood by bridge sampling (nats)."""
    log_ml_mcse: float
    """Its Monte-Carlo standard error (nats); of a difference, the root of the sum of squares."""
    smc_log_ml: float
    """Log marginal likelihood by the ladder's increments, a diagnostic; NaN without a ladder (nats)."""
    r_hat: float
    """Largest rank-normalised split R-hat between populations, over dimensions and the log likelihood (1)."""
    ess: float
    """Smallest effective sample size of the ranks, over the same (1)."""
    dimension: int
    """Active dimensions (1)."""
    stages: int
    """Temperature steps (1)."""
    evaluations: int
    """Evaluations of the likelihood's gradient, per particle and not per batch (1)."""
    rungs: tuple[Rung, ...]
    """The ladder, where it went by parts of the data."""
    step: float
    """Leapfrog step at the end, in whitened coordinates (1)."""
    established: bool
    """Whether every diagnostic passed."""
    note: str
    """One sentence: what failed, or that nothing did."""

    @property
    def draws(self) -> Float[np.ndarray, "n dimensions"]:
        """All draws, populations one after the other (1)."""
        return self.chains.reshape(-1, self.chains.shape[-1])
