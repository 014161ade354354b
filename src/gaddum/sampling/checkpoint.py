"""The state of a fit between two stages, and its file.

A checkpoint is written beside its place and moved there, so that a kill leaves the old one or the new one. It
carries a fingerprint of seed, settings, mask and data; a fit refuses to resume from another fit's state.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gaddum.sampling.estimate import Rung
from gaddum.sampling.hmc import Cloud
from gaddum.sampling.proposal import Proposal

CHECKPOINT_FORMAT = 3
"""Raised when what a file holds changes, so that one of another kind is refused."""


class State(NamedTuple):
    """A fit between two stages."""

    cloud: Cloud
    proposal: Proposal
    step: float
    beta: float = 0.0
    stage: int = 0
    evaluations: int = 0
    betas: tuple[float, ...] = ()
    increments: tuple[np.ndarray, ...] = ()
    kept: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...] = ()
    """Positions, log likelihoods and their gradients after each sweep."""
    rungs: tuple[Rung, ...] = ()
    failure: str = ""


def fingerprint(data: Any, *description: Any) -> str:
    """Digest of the data's leaves and of the printed form of anything else that identifies a fit."""
    digest = hashlib.sha256(repr(description).encode())
    for leaf in jax.tree.leaves(data):
        array = np.asarray(leaf)
        digest.update(repr((array.shape, str(array.dtype))).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def save(path: Path, identity: str, state: State) -> None:
    """Write a checkpoint atomically."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                fingerprint=identity,
                z=state.cloud.z,
                log_likelihood=state.cloud.log_likelihood,
                gradient=state.cloud.gradient,
                **{f"proposal_{name}": part for name, part in state.proposal._asdict().items()},
                scalars=np.array([state.step, state.beta]),
                counts=np.array([state.stage, state.evaluations]),
                betas=np.array(state.betas),
                increments=np.array(state.increments),
                kept_z=np.array([z for z, _, _ in state.kept]),
                kept_log_likelihood=np.array([value for _, value, _ in state.kept]),
                kept_gradient=np.array([gradient for _, _, gradient in state.kept]),
                rungs_position=np.array([rung.position for rung in state.rungs]),
                rungs_z=np.array([rung.z for rung in state.rungs]),
                rungs_parts=np.array([rung.parts for rung in state.rungs]),
                rungs_log_ml=np.array([rung.log_ml for rung in state.rungs]),
            )
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def load(path: Path, identity: str) -> State:
    """Read the checkpoint of the fit with this fingerprint."""
    with np.load(path, allow_pickle=False) as file:
        if str(file["fingerprint"]) != identity:
            raise ValueError(
                f"A checkpoint must be of the same seed, settings, mask and data; {str(path)!r} does not. "
                "Delete it or name another file."
            )
        cloud = Cloud(*(jnp.asarray(file[name]) for name in ("z", "log_likelihood", "gradient")))
        return State(
            cloud=cloud,
            proposal=Proposal(*(file[f"proposal_{name}"] for name in Proposal._fields)),
            step=float(file["scalars"][0]),
            beta=float(file["scalars"][1]),
            stage=int(file["counts"][0]),
            evaluations=int(file["counts"][1]),
            betas=tuple(file["betas"].tolist()),
            increments=tuple(file["increments"]),
            kept=tuple(zip(file["kept_z"], file["kept_log_likelihood"], file["kept_gradient"], strict=True)),
            rungs=tuple(map(Rung, *(file[f"rungs_{name}"] for name in Rung._fields))),
        )
