"""The state of a fit between two stages, and its file.

A checkpoint is written beside its place and moved there, so that a kill leaves the old one or the new one. It
carries a fingerprint of seed, settings, mask and data; a fit refuses to resume from another fit's state. What is
saved while a fit goes on costs at most a twentieth of its time; a fit that is done leaves what it found.
"""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gaddum.sampling.estimate import Evidence, Rung
from gaddum.sampling.hmc import Cloud
from gaddum.sampling.proposal import Proposal

CHECKPOINT_FORMAT = 3
"""Raised when what a file holds changes, so that one of another kind is refused."""
SECONDS = 3.0
"""Shortest time between two saves of a fit that goes on (s)."""
APART = 20.0
"""The same, of the time that a save takes (1)."""


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


def saver(path: Path | None, identity: str) -> Callable[[State], None]:
    """Save the states of one fit, the first at once and others when enough time has gone by; without a path, none."""
    due = -np.inf

    def keep(state: State) -> None:
        nonlocal due
        begin = time.monotonic()
        if path is None or begin < due:
            return
        active = np.any(state.cloud.z, axis=1)
        _write(
            path,
            identity,
            active,
            state.rungs,
            log_likelihood=state.cloud.log_likelihood,
            z=state.cloud.z,
            gradient=state.cloud.gradient,
            **{f"proposal_{name}": part for name, part in state.proposal._asdict().items()},
            scalars=np.array([state.step, state.beta]),
            counts=np.array([state.stage, state.evaluations]),
            betas=np.array(state.betas),
            increments=np.array(state.increments),
            kept_z=np.array([z[active] for z, _, _ in state.kept]),
            kept_log_likelihood=np.array([value for _, value, _ in state.kept]),
            kept_gradient=np.array([gradient[active] for _, _, gradient in state.kept]),
        )
        end = time.monotonic()
        due = end + max(SECONDS, APART * (end - begin))

    return keep


def save_evidence(path: Path | None, identity: str, evidence: Evidence) -> None:
    """Write what a fit has found in place of its last state, which takes several times the room."""
    if path is None:
        return
    active = np.any(evidence.chains, axis=(0, 1))
    numbers = {name: getattr(evidence, name) for name in _NUMBERS}
    _write(
        path,
        identity,
        active,
        evidence.rungs,
        chains=evidence.chains[..., active],
        log_likelihood=evidence.log_likelihood,
        note=evidence.note,
        **numbers,
    )


def load(path: Path, identity: str) -> State | Evidence:
    """Read the checkpoint of the fit with this fingerprint: where it stood, or what it has found."""
    with np.load(path, allow_pickle=False) as file:
        if str(file["fingerprint"]) != identity:
            raise ValueError(
                f"A checkpoint must be of the same seed, settings, mask and data; {str(path)!r} does not. "
                "Delete it or name another file."
            )
        active = file["active"]

        def whole(found: np.ndarray, axis: int) -> np.ndarray:
            shape = list(found.shape)
            shape[axis] = active.size
            full = np.zeros(shape)
            full[(slice(None),) * axis + (active,)] = found
            return full

        rungs = tuple(
            Rung(float(position), whole(z, 0), parts, log_ml)
            for position, z, parts, log_ml in zip(
                *(file[f"rungs_{name}"] for name in Rung._fields), strict=True
            )
        )
        if "chains" in file:
            numbers = {name: file[name].item() for name in _NUMBERS}
            return Evidence(
                chains=whole(file["chains"], 2),
                log_likelihood=file["log_likelihood"],
                rungs=rungs,
                note=str(file["note"]),
                **numbers,
            )
        kept_z, kept_log_likelihood, kept_gradient = (
            file[f"kept_{name}"] for name in ("z", "log_likelihood", "gradient")
        )
        return State(
            cloud=Cloud(*(jnp.asarray(file[name]) for name in ("z", "log_likelihood", "gradient"))),
            proposal=Proposal(*(file[f"proposal_{name}"] for name in Proposal._fields)),
            step=float(file["scalars"][0]),
            beta=float(file["scalars"][1]),
            stage=int(file["counts"][0]),
            evaluations=int(file["counts"][1]),
            betas=tuple(file["betas"].tolist()),
            increments=tuple(file["increments"]),
            kept=tuple(
                (whole(z, 0), value, whole(gradient, 0))
                for z, value, gradient in zip(kept_z, kept_log_likelihood, kept_gradient, strict=True)
            ),
            rungs=rungs,
        )


_NUMBERS = (
    "log_ml",
    "log_ml_mcse",
    "smc_log_ml",
    "r_hat",
    "ess",
    "dimension",
    "stages",
    "evaluations",
    "step",
    "established",
)


def _write(path: Path, identity: str, active: np.ndarray, rungs: tuple[Rung, ...], **arrays: Any) -> None:
    """Write a file that is there whole or not at all, also after a power cut; idle dimensions left out."""
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        np.savez(
            file,
            fingerprint=identity,
            active=active,
            rungs_position=np.array([rung.position for rung in rungs]),
            rungs_z=np.array([rung.z[active] for rung in rungs]),
            rungs_parts=np.array([rung.parts for rung in rungs]),
            rungs_log_ml=np.array([rung.log_ml for rung in rungs]),
            **arrays,
        )
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
