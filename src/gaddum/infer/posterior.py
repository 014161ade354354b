"""Posterior draws and the log marginal likelihood of one hypothesis.

Adaptive tempered sequential Monte Carlo from exact prior draws, with one ladder for four populations; then
Hamiltonian sweeps at beta = 1 until the populations agree (split R-hat) and the effective sample size suffices;
then bridge sampling between halves of the populations. The bridge gives `log_ml`; the increments of the ladder
give `smc_log_ml`, a diagnostic only. Without the final sweeps a bridge is biased and its error does not show it.

The loop over temperatures runs on the host over one compiled move (`gaddum.infer.kernel`), so it reports
progress, stops on Ctrl-C between moves and resumes exactly from a checkpoint. For the independent check of the
answer by another sampler see `gaddum.infer.bridge.nuts_evidence`.
"""

import hashlib
import math
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float
from scipy.special import logsumexp, ndtri
from scipy.stats import rankdata

from gaddum.infer.bridge import autocorrelation_time, bridge, fit_proposal, standard_normal_logpdf
from gaddum.infer.kernel import (
    ACCEPTANCE,
    TRAJECTORY,
    Cloud,
    LogLikelihood,
    Tuning,
    call_move,
    draw_prior,
    evaluate,
    precondition,
)

Progress = Callable[[str, float], None]


class Settings(NamedTuple):
    """How long and how finely to sample; the defaults suit 5 to 100 dimensions."""

    populations: int = 4
    """Independent populations; even, because the bridge fits on one half and estimates on the other (1)."""
    particles: int = 500
    """Particles in each population (1)."""
    lanes: int = 250
    """Particles evaluated together; fixes the order of arithmetic, so it is part of the settings (1)."""
    ess_fraction: float = 0.5
    """Effective fraction of the particles after each temperature step (1)."""
    leapfrog: int = 8
    """Most leapfrog steps in one trajectory (1)."""
    stages: int = 200
    """Most temperature steps (1)."""
    warm_up: int = 2
    """Sweeps at beta = 1 in which step and preconditioner still adapt (1)."""
    sweeps: int = 48
    """Most sweeps at beta = 1, warm-up included (1)."""
    r_hat: float = 1.01
    """Largest split R-hat between populations (1)."""
    ess_per_dimension: float = 20.0
    """Smallest bulk effective sample size, per active dimension (1)."""
    largest_mcse: float = 0.1
    """Largest Monte-Carlo error of an established log marginal likelihood (nats)."""


@dataclass(frozen=True)
class Evidence:
    """Posterior draws and log marginal likelihood of one hypothesis, with what is needed to trust them."""

    chains: Float[np.ndarray, "populations draws dimensions"]
    """Draws at beta = 1 by population, in order of sweeps; inactive dimensions are 0 (1)."""
    log_ml: float
    """Log marginal likelihood by bridge sampling (nats)."""
    log_ml_mcse: float
    """Its Monte-Carlo standard error (nats); see `bridge.log_evidence_difference_mcse` for differences."""
    smc_log_ml: float
    """Log marginal likelihood by the ladder's increments, a diagnostic (nats)."""
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
    established: bool
    """Whether every diagnostic passed."""
    note: str
    """One sentence: what failed, or that nothing did."""

    @property
    def draws(self) -> Float[np.ndarray, "n dimensions"]:
        """All draws, populations one after the other (1)."""
        return self.chains.reshape(-1, self.chains.shape[-1])


def sample_posterior(
    log_likelihood: LogLikelihood,
    data: Any,
    mask: Bool[np.ndarray, "dimensions"],
    *,
    seed: int,
    settings: Settings | None = None,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
) -> Evidence:
    """Sample a posterior over independent standard normal coordinates and estimate its marginal likelihood.

    Parameters
    ----------
    log_likelihood
        Function of positions (dimensions, batch) and data to log likelihoods (batch), in nats, written in JAX.
        NaN counts as -inf. Pass the same function object for every hypothesis of a case: it is compiled once
        per object and shapes.
    data
        Any pytree of arrays.
    mask
        Active dimensions; the others stay 0 and contribute nothing.
    seed
        Seed of the fit. Keys derive from (seed, population, stage, particle) and nothing else.
    settings
        Lengths and targets; by default `Settings()`.
    progress
        Called after every stage with a sentence and the fraction done, which never decreases.
    checkpoint
        File written (atomically) after every stage. If it exists the fit resumes from it and ends bit-equal.

    Returns
    -------
    Evidence
        Draws, log marginal likelihood, error and diagnostics. Failure is `established=False` with a sentence.

    Examples
    --------
    >>> import jax, jax.numpy as jnp, numpy as np
    >>> jax.config.update("jax_enable_x64", True)
    >>> def log_likelihood(z, y):
    ...     return -0.5 * jnp.sum((y[:, None] - z) ** 2, axis=0)
    >>> evidence = sample_posterior(log_likelihood, jnp.ones(2), np.ones(2, bool), seed=1)
    >>> bool(abs(evidence.log_ml - (-0.5 - np.log(2.0))) < 0.02)
    True
    """
    settings = settings or Settings()
    mask = np.asarray(mask, dtype=bool)
    _check(mask, settings)
    run = _Run(log_likelihood, jax.tree.map(jnp.asarray, data), mask, seed, settings, progress or _silent)
    if not mask.any():
        return _without_dimensions(run)
    fingerprint = _fingerprint(run)
    state = _load(checkpoint, fingerprint) if checkpoint is not None and checkpoint.exists() else _start(run)
    while state.beta < 1.0 and state.stage < settings.stages and state.failure == "":
        state = _temper(run, state)
        _save(checkpoint, fingerprint, state)
        run.progress(f"temperature {state.beta:.3g}, stage {state.stage}", _fraction(state, settings))
    if state.beta < 1.0:
        return _unfinished(run, state)
    while not state.kept or not _settled(run, state):
        state = _sweep(run, state)
        _save(checkpoint, fingerprint, state)
        run.progress(f"sweep {len(state.kept)} at temperature 1", _fraction(state, settings))
    evidence = _conclude(run, state)
    run.progress("bridge", 1.0)
    return evidence


class _Run(NamedTuple):
    """What does not change during a fit."""

    log_likelihood: LogLikelihood
    data: Any
    mask: np.ndarray
    seed: int
    settings: Settings
    progress: Progress

    def shape(self) -> dict[str, int]:
        particles = self.settings.particles
        lanes = max(n for n in range(1, self.settings.lanes + 1) if particles % n == 0)
        return {"populations": self.settings.populations, "lanes": lanes}


class _State(NamedTuple):
    """What a checkpoint holds."""

    cloud: Cloud
    factor: np.ndarray
    step: float
    beta: float
    stage: int
    evaluations: int
    betas: tuple[float, ...]
    increments: tuple[np.ndarray, ...]
    kept: tuple[tuple[np.ndarray, np.ndarray], ...]
    failure: str


class _Diagnostics(NamedTuple):
    r_hat: float
    ess: float


def _silent(_text: str, _fraction: float) -> None:
    """Report nothing."""


def _check(mask: np.ndarray, settings: Settings) -> None:
    if not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
        raise ValueError(
            "Sampling needs double precision; got JAX in single precision. "
            'Call jax.config.update("jax_enable_x64", True) first.'
        )
    if mask.ndim != 1:
        raise ValueError(
            f"mask must have one dimension; got shape {mask.shape}. Pass one flag per parameter."
        )
    if settings.populations < 2 or settings.populations % 2:
        raise ValueError(
            f"populations must be even and at least 2; got {settings.populations}. "
            "The bridge fits on one half and estimates on the other: use 4."
        )
    if not 0.0 < settings.ess_fraction < 1.0:
        raise ValueError(f"ess_fraction must be inside (0, 1); got {settings.ess_fraction}. Use 0.5.")
    if settings.sweeps < settings.warm_up + 4:
        raise ValueError(
            f"sweeps must be at least warm_up + 4; got {settings.sweeps} with warm_up {settings.warm_up}. "
            "Raise sweeps."
        )


def _start(run: _Run) -> _State:
    settings = run.settings
    key = jax.random.key(run.seed)
    z = draw_prior(key, run.mask, populations=settings.populations, particles=settings.particles)
    cloud = evaluate(run.log_likelihood, run.data, run.mask, z, **run.shape())
    step = min(1.0, 1.2 * run.mask.sum() ** -0.25)  # keeps a Gaussian's acceptance about constant in D
    failure = ""
    if not np.isfinite(cloud.log_likelihood).any():
        failure = "the likelihood is zero or undefined at every prior draw"
    return _State(cloud, np.eye(run.mask.size)[None], float(step), 0.0, 0, z.shape[1], (), (), (), failure)


def _temper(run: _Run, state: _State) -> _State:
    log_likelihood = np.asarray(state.cloud.log_likelihood)
    delta = _temperature_step(log_likelihood, 1.0 - state.beta, run.settings.ess_fraction)
    beta = 1.0 if delta >= 1.0 - state.beta else state.beta + delta
    state = state._replace(factor=_factor(run, state.cloud, delta))
    groups = (delta * log_likelihood).reshape(run.settings.populations, -1)
    increment = logsumexp(groups, axis=1) - math.log(groups.shape[1])
    state = _advance(run, state, beta, delta)
    return state._replace(
        beta=beta, betas=(*state.betas, beta), increments=(*state.increments, np.asarray(increment))
    )


def _sweep(run: _Run, state: _State) -> _State:
    adapting = len(state.kept) < run.settings.warm_up
    if adapting:
        state = state._replace(factor=_factor(run, state.cloud, 0.0))
    moved = _advance(run, state, 1.0, 0.0)
    draw = (np.asarray(moved.cloud.z), np.asarray(moved.cloud.log_likelihood))
    return moved._replace(kept=(*state.kept, draw), step=moved.step if adapting else state.step)


def _advance(run: _Run, state: _State, beta: float, delta: float) -> _State:
    """Move once, adapt the step, count the evaluations."""
    leapfrog = int(np.clip(round(TRAJECTORY / state.step), 1, run.settings.leapfrog))
    moved = call_move(
        run.log_likelihood,
        run.data,
        run.mask,
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


def _factor(run: _Run, cloud: Cloud, delta: float) -> np.ndarray:
    populations = run.settings.populations
    return np.asarray(precondition(cloud, jnp.asarray(delta, float), run.mask, populations=populations))


def _temperature_step(log_likelihood: np.ndarray, room: float, fraction: float) -> float:
    """Largest step that keeps the effective fraction of the particles with a likelihood, by bisection."""
    finite = log_likelihood[np.isfinite(log_likelihood)]
    centred = finite - finite.max()

    def effective_fraction(delta: float) -> float:
        weight = np.exp(delta * centred)
        return float(weight.sum() ** 2 / (weight**2).sum() / weight.size)

    if effective_fraction(room) >= fraction:
        return room
    low, high = -60.0, math.log(room)  # log of the step: the first may be tiny
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective_fraction(math.exp(middle)) >= fraction else (low, middle)
    return math.exp(low)


def _chains(run: _Run, state: _State) -> np.ndarray:
    """Kept draws and log likelihood: (active + 1, populations, particles, sweeps); the first third is dropped."""
    kept = state.kept[_dropped(state) :]
    z = np.stack([z[run.mask] for z, _ in kept], axis=-1)
    log_likelihood = np.stack([value for _, value in kept], axis=-1)[None]
    return np.concatenate([z, log_likelihood]).reshape(
        z.shape[0] + 1, run.settings.populations, run.settings.particles, -1
    )


def _dropped(state: _State) -> int:
    return len(state.kept) // 3


def _settled(run: _Run, state: _State) -> bool:
    """Whether to stop sweeping; looked at after sweep 6 and then at intervals of a third."""
    done, settings = len(state.kept), run.settings
    if done >= settings.sweeps:
        return True
    due, look = settings.warm_up + 4, settings.warm_up + 4
    while look < done:
        look += max(2, look // 3)
        due = look
    if done != due:
        return False
    found = _diagnose(_chains(run, state))
    return found.r_hat < settings.r_hat and found.ess > settings.ess_per_dimension * run.mask.sum()


def _diagnose(chains: np.ndarray) -> _Diagnostics:
    """Rank-normalised split R-hat between populations [Vehtari et al. 2021, doi:10.1214/20-BA1221] and ESS."""
    r_hat, ess = 1.0, math.inf
    for x in chains:
        if np.ptp(x) == 0.0:
            continue
        ranks = _normal_scores(x)
        folded = _normal_scores(np.abs(x - np.median(x)))
        r_hat = max(r_hat, _split_r_hat(ranks), _split_r_hat(folded))
        flat = ranks.reshape(-1, ranks.shape[-1])
        ess = min(ess, flat.size / autocorrelation_time(flat))
    return _Diagnostics(r_hat, min(ess, float(chains[0].size)))


def _normal_scores(x: np.ndarray) -> np.ndarray:
    ranks = rankdata(x.reshape(-1)).reshape(x.shape)
    return ndtri((ranks - 0.375) / (x.size + 0.25))


def _split_r_hat(x: np.ndarray) -> float:
    """R-hat between half-populations, split into early and late sweeps."""
    half = x.shape[-1] // 2
    parts = np.concatenate([x[..., :half], x[..., -half:]]).reshape(2 * x.shape[0], -1)
    n = parts.shape[1]
    within = parts.var(axis=1, ddof=1).mean()
    between = parts.mean(axis=1).var(ddof=1)
    return float(np.sqrt((n - 1) / n + between / within)) if within > 0 else math.inf


def _conclude(run: _Run, state: _State) -> Evidence:
    """Bridge the two halves of the populations and judge every diagnostic."""
    settings, active = run.settings, int(run.mask.sum())
    chains = _chains(run, state)
    found = _diagnose(chains)
    half = settings.populations // 2
    # Each bridge draws as many proposals as it has posterior draws in two sweeps of all populations.
    first, second = (_bridge_half(run, chains, side, half) for side in (0, 1))
    log_ml = 0.5 * (first.log_ml + second.log_ml)
    mcse = 0.5 * math.hypot(first.mcse, second.mcse)
    gap = abs(first.log_ml - second.log_ml)
    failures = []
    if state.failure:
        failures.append(state.failure)
    if not found.r_hat < settings.r_hat:
        failures.append(f"split R-hat {found.r_hat:.3f} is not below {settings.r_hat}")
    if not found.ess > settings.ess_per_dimension * active:
        failures.append(
            f"effective sample size {found.ess:.0f} is not above {settings.ess_per_dimension * active:.0f}"
        )
    if not mcse <= settings.largest_mcse:
        failures.append(f"error of log_ml {mcse:.2g} exceeds {settings.largest_mcse}")
    if gap > 4.0 * math.hypot(first.mcse, second.mcse) + 1e-6:
        failures.append(f"the two halves of the populations differ by {gap:.2g} nats")
    kept = state.kept[_dropped(state) :]
    draws = np.stack([z for z, _ in kept])  # (sweeps, dimensions, all particles)
    draws = draws.reshape(len(kept), run.mask.size, settings.populations, settings.particles)
    increments = np.sum(np.stack(state.increments), axis=0)
    return Evidence(
        chains=draws.transpose(2, 0, 3, 1).reshape(settings.populations, -1, run.mask.size),
        log_ml=log_ml,
        log_ml_mcse=mcse,
        smc_log_ml=float(logsumexp(increments) - math.log(increments.size)),
        r_hat=found.r_hat,
        ess=found.ess,
        dimension=active,
        stages=state.stage,
        evaluations=state.evaluations + 2 * 2 * settings.populations * settings.particles,
        established=not failures,
        note="Not established: " + "; ".join(failures) + "." if failures else "All diagnostics passed.",
    )


def _bridge_half(run: _Run, chains: np.ndarray, side: int, half: int):
    """Fit on one half of the populations, bridge with the other."""
    fit, use = (slice(0, half), slice(half, None)) if side == 0 else (slice(half, None), slice(0, half))
    active = chains.shape[0] - 1
    proposal = fit_proposal(chains[:active, fit].reshape(active, -1))
    target = chains[:, use]
    shape = target.shape[1:]
    z = target[:active].reshape(active, -1)
    at_posterior = target[active].reshape(-1) + standard_normal_logpdf(z) - proposal.logpdf(z)
    at_proposal = []
    for block in range(2):
        key = jax.random.fold_in(jax.random.key(run.seed), run.settings.populations + 2 * side + block)
        noise = np.asarray(
            draw_prior(key, run.mask, populations=run.settings.populations, particles=run.settings.particles)
        )
        drawn = proposal.transform(noise[run.mask])
        full = np.zeros_like(noise)
        full[run.mask] = drawn
        value = evaluate(run.log_likelihood, run.data, run.mask, jnp.asarray(full), **run.shape())
        at_proposal.append(
            np.asarray(value.log_likelihood) + standard_normal_logpdf(drawn) - proposal.logpdf(drawn)
        )
    return bridge(at_posterior.reshape(-1, shape[-1]), np.concatenate(at_proposal))


def _without_dimensions(run: _Run) -> Evidence:
    """Answer exactly where nothing is sampled."""
    settings = run.settings
    total = settings.populations * settings.particles
    cloud = evaluate(run.log_likelihood, run.data, run.mask, jnp.zeros((run.mask.size, total)), **run.shape())
    value = float(cloud.log_likelihood[0])
    chains = np.zeros((settings.populations, settings.particles, run.mask.size))
    run.progress("no active dimension", 1.0)
    return Evidence(chains, value, 0.0, value, 1.0, math.inf, 0, 0, total, True, "Nothing to sample.")


def _unfinished(run: _Run, state: _State) -> Evidence:
    """Say why the ladder did not reach beta = 1."""
    settings = run.settings
    reason = (
        state.failure or f"the ladder stood at {state.beta:.3g} after {state.stage} stages, the most allowed"
    )
    z = np.asarray(state.cloud.z).reshape(run.mask.size, settings.populations, settings.particles)
    return Evidence(
        chains=z.transpose(1, 2, 0),
        log_ml=-math.inf if state.failure else math.nan,
        log_ml_mcse=math.inf,
        smc_log_ml=-math.inf if state.failure else math.nan,
        r_hat=math.inf,
        ess=0.0,
        dimension=int(run.mask.sum()),
        stages=state.stage,
        evaluations=state.evaluations,
        established=False,
        note=f"Not established: {reason}.",
    )


def _fraction(state: _State, settings: Settings) -> float:
    """Fraction done: 60 % for the ladder on a logarithmic scale, 35 % for the sweeps."""
    if not state.kept:
        first = min(state.betas[0], 0.5)
        return 0.6 * (0.05 + 0.95 * math.log(max(state.beta / first, 1.0)) / math.log(1.0 / first))
    return 0.6 + 0.35 * (1.0 - math.exp(-len(state.kept) / (settings.warm_up + 4)))


def _fingerprint(run: _Run) -> str:
    digest = hashlib.sha256(repr((run.seed, tuple(run.settings), run.mask.tolist())).encode())
    for leaf in jax.tree.leaves(run.data):
        array = np.asarray(leaf)
        digest.update(repr((array.shape, str(array.dtype))).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _save(path: Path | None, fingerprint: str, state: _State) -> None:
    """Write a checkpoint beside its place and move it there, so that a kill leaves the old or the new."""
    if path is None:
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                fingerprint=fingerprint,
                z=state.cloud.z,
                log_likelihood=state.cloud.log_likelihood,
                gradient=state.cloud.gradient,
                factor=state.factor,
                scalars=np.array([state.step, state.beta]),
                counts=np.array([state.stage, state.evaluations]),
                betas=np.array(state.betas),
                increments=np.array(state.increments),
                kept_z=np.array([z for z, _ in state.kept]),
                kept_log_likelihood=np.array([value for _, value in state.kept]),
            )
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _load(path: Path, fingerprint: str) -> _State:
    with np.load(path, allow_pickle=False) as file:
        if str(file["fingerprint"]) != fingerprint:
            raise ValueError(
                f"A checkpoint must come from the same seed, settings, mask and data; {str(path)!r} does not. "
                "Delete it or name another file."
            )
        cloud = Cloud(*(jnp.asarray(file[name]) for name in ("z", "log_likelihood", "gradient")))
        return _State(
            cloud=cloud,
            factor=file["factor"],
            step=float(file["scalars"][0]),
            beta=float(file["scalars"][1]),
            stage=int(file["counts"][0]),
            evaluations=int(file["counts"][1]),
            betas=tuple(file["betas"].tolist()),
            increments=tuple(file["increments"]),
            kept=tuple(zip(file["kept_z"], file["kept_log_likelihood"], strict=True)),
            failure="",
        )
