"""Stage: what does not change during a fit, and the move that every stage of it makes."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from gaddum.sampling.checkpoint import State
from gaddum.sampling.hmc import ACCEPTANCE, TRAJECTORY, LogLikelihood, Tuning, move, precondition
from gaddum.sampling.settings import Settings

Progress = Callable[[str, float], None]


def batch_shape(settings: Settings) -> dict[str, int]:
    """How a fit lays its particles out, for whoever wants to share its compiled likelihood."""
    lanes = max(n for n in range(1, settings.lanes + 1) if settings.particles % n == 0)
    return {"populations": settings.populations, "lanes": lanes}


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


def advance(run: Run, state: State, beta: float, delta: float) -> State:
    """Move once, adapt the step, count the evaluations."""
    leapfrog = int(np.clip(round(TRAJECTORY / state.step), 1, run.settings.leapfrog))
    moved = move(
        run.log_likelihood,
        run.data,
        run.flags,
        state.cloud,
        Tuning(jnp.asarray(state.factor), state.step, leapfrog),
        beta=beta,
        delta=delta,
        key=jax.random.key(run.seed),
        stage=state.stage + 1 + len(state.kept),
        **run.shape(),
    )
    step = float(np.clip(state.step * math.exp(float(moved.acceptance) - ACCEPTANCE), 1e-4, 1.5))
    cloud = jax.block_until_ready(moved.cloud)
    return state._replace(
        cloud=cloud,
        step=step,
        stage=state.stage + (beta < 1.0 or delta > 0.0),
        evaluations=state.evaluations + leapfrog * cloud.z.shape[1],
    )


def preconditioner(run: Run, cloud: np.ndarray | Array, log_weight: np.ndarray | None = None) -> np.ndarray:
    """Preconditioner from the positions of a cloud, or by the weights of a step away from it."""
    populations = run.settings.populations
    z = np.asarray(cloud).reshape(run.mask.size, populations, -1)
    weight = np.ones(z.shape[1:])
    if log_weight is not None and np.isfinite(top := log_weight.max()):
        weight = np.exp(log_weight - top).reshape(populations, -1)
    return precondition(z, weight, run.mask)
