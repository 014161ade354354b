"""Settings: by which sampler, how long and how finely a fit samples."""

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from gaddum.sampling.estimate import Evidence

SAMPLERS = {
    "tempering": "gaddum.sampling.posterior",
}
"""Samplers by name, and the module that holds each as `sample_posterior`. All take and give what that of
`gaddum.sampling.posterior` does; `checkpoint`, `start` and `ascent` are means that one may leave unused."""


class Settings(NamedTuple):
    """How to sample, how long and how finely; the defaults suit 5 to 100 dimensions."""

    sampler: str = "tempering"
    """One of `SAMPLERS`."""
    populations: int = 4
    """Independent populations, two or more: the bridge fits on the others and estimates on each (1)."""
    particles: int = 500
    """Particles in each population (1)."""
    lanes: int = 250
    """Particles evaluated together; fixes the order of arithmetic, so it is part of the settings (1)."""
    directions: int = 128
    """Most directions in which moves follow the posterior and not the prior; an array's size, so that a case compiles
    once (1)."""
    ess_fraction: float = 0.4
    """Effective fraction of the particles after each temperature step (1)."""
    leapfrog: int = 8
    """Most leapfrog steps in one trajectory (1)."""
    stages: int = 200
    """Most temperature steps (1)."""
    warm_up: int = 4
    """Sweeps at beta = 1 in which step and proposal still adapt; only the bridge's proposals use their draws (1)."""
    sweeps: int = 48
    """Most sweeps at beta = 1, warm-up included (1)."""
    r_hat: float = 1.01
    """Largest split R-hat between populations (1)."""
    ess_per_dimension: float = 20.0
    """Smallest bulk effective sample size, per active dimension (1)."""
    largest_mcse: float = 0.1
    """Largest Monte-Carlo error of an established log marginal likelihood (nats)."""


def sampler_of(settings: Settings) -> Callable[..., Evidence]:
    """The function `sample_posterior` of the sampler that settings name."""
    if settings.sampler not in SAMPLERS:
        raise ValueError(f"A sampler must be one of {', '.join(SAMPLERS)}; got {settings.sampler!r}.")
    return import_module(SAMPLERS[settings.sampler]).sample_posterior
