"""Stage: what does not change during a fit, and the move that every stage of it makes."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float

from gaddum.sampling.checkpoint import State
from gaddum.sampling.hmc import ACCEPTANCE, TRAJECTORY, Cloud, LogLikelihood, Tuning, move
from gaddum.sampling.proposal import Proposal, fit_proposal
from gaddum.sampling.settings import Settings

Progress = Callable[[str, float], None]


def batch_shape(settings: Settings) -> dict[str, int]:
    """How a fit lays its particles out, for whoever wants to share its compiled likelihood."""
    lanes = max(n for n in range(1, settings.lanes + 1) if settings.particles % n == 0)
    return {"populations": settings.populations, "lanes": lanes, "directions": settings.directions}


class Run(NamedTuple):
    """What does not change during a fit."""

    log_likelihood: LogLikelihood
    data: Any
    mask: np.ndarray
    flags: Array
    seed: int
    settings: Settings
    progress: Progress

    def shape(self) -> dict[str, int]:
        """How its particles are laid out."""
        return batch_shape(self.settings)


def advance(run: Run, state: State, beta: float) -> State:
    """Move once, adapt the step, count the evaluations."""
    leapfrog = int(np.clip(round(TRAJECTORY / state.step), 1, run.settings.leapfrog))
    shape = run.shape()
    moved = move(
        run.log_likelihood,
        run.data,
        run.flags,
        state.cloud,
        Tuning(state.proposal, state.step, leapfrog),
        beta=beta,
        key=jax.random.key(run.seed),
        stage=state.stage + 1 + len(state.kept),
        populations=shape["populations"],
        lanes=shape["lanes"],
    )
    step = float(np.clip(state.step * math.exp(float(moved.acceptance) - ACCEPTANCE), 1e-4, 1.5))
    cloud = jax.block_until_ready(moved.cloud)
    return state._replace(cloud=cloud, step=step, evaluations=state.evaluations + leapfrog * cloud.z.shape[1])


def proposals(
    run: Run,
    z: Float[np.ndarray, "active populations n"],
    gradient: Float[np.ndarray, "active populations n"],
) -> Proposal:
    """Proposal of each population, fitted to the draws of the others and their gradients.

    A population moved by its own draws would confirm its own sampling error, stage after stage.
    """
    most = min(run.settings.directions, run.mask.size)
    found = []
    for number in range(z.shape[1]):
        there, slopes = (np.delete(of, number, axis=1).reshape(len(of), -1) for of in (z, gradient))
        found.append(fit_proposal(there, slopes, most).within(run.mask, most))
    return Proposal(*map(np.stack, zip(*found, strict=True)))


def proposals_at(run: Run, cloud: Cloud, beta: float = 1.0) -> Proposal:
    """Proposal of each population from where a cloud is, at an inverse temperature."""
    z, gradient = (
        np.asarray(of)[run.mask].reshape(-1, run.settings.populations, run.settings.particles)
        for of in (cloud.z, cloud.gradient)
    )
    return proposals(run, z, beta * gradient)
