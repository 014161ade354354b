"""Posterior draws and the log marginal likelihood of one hypothesis.

Adaptive sequential Monte Carlo from exact prior draws, by temperature or by parts of the data; then
Hamiltonian sweeps at beta = 1 until the populations agree (split R-hat) and the effective sample size
suffices; then bridge sampling, population by population. The bridge gives `log_ml`; the increments of the ladder
give `smc_log_ml`, a diagnostic only. Without the final sweeps a bridge is biased and its
error does not show it.

The loop over temperatures runs on the host over one compiled move (`gaddum.infer.kernel`), so it reports
progress, stops on Ctrl-C between moves and resumes exactly from a checkpoint. For the independent check of
the answer by another sampler see `gaddum.infer.nuts.nuts_evidence`.
"""

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool
from scipy.special import logsumexp

from gaddum.infer.bridge import bridge_populations
from gaddum.infer.checkpoint import State, fingerprint, load, save
from gaddum.infer.convergence import Convergence, diagnose
from gaddum.infer.evidence import Evidence, Rung, Settings
from gaddum.infer.kernel import (
    ACCEPTANCE,
    TRAJECTORY,
    Cloud,
    LogLikelihood,
    Tuning,
    draw_prior,
    evaluate,
    move,
    precondition,
)

Progress = Callable[[str, float], None]


class Ascent(NamedTuple):
    """A way from the prior to the posterior that takes in one part of the data after another, whole or by shares.

    It costs an evaluation more a stage than a temperature does, and tells what the data said at every step.
    """

    parts: Callable[[np.ndarray], np.ndarray]
    """Log likelihood of each part, [parts, particles], at positions [dimensions, particles] (nats)."""
    data: Callable[[np.ndarray], Any]
    """Data in which each part counts by its share in [0, 1]."""


def sample_posterior(
    log_likelihood: LogLikelihood,
    data: Any,
    mask: Bool[np.ndarray, " dimensions"],
    *,
    seed: int,
    settings: Settings | None = None,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    start: Evidence | None = None,
    ascent: Ascent | None = None,
) -> Evidence:
    """Sample a posterior over independent standard normal coordinates and estimate its marginal likelihood.

    Parameters
    ----------
    log_likelihood
        Function of positions (dimensions, batch) and data to log likelihoods (batch) in nats, in JAX.
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
    start
        A fit of a related likelihood, of the same settings, from whose last draws this one sweeps in place of the
        ladder, after a resampling that favours those with more likelihood here than there. What the warm-up leaves of
        the start shows as autocorrelation, hence in the effective sample size: a mode that few particles leave makes it
        small. A mode that none of them has found stays unfound, so start only from a fit that differs in degree. Where
        one of its draws has no likelihood here, the ladder is taken.
    ascent
        Parts of the data that the ladder takes in one after another; all rise together if it is not given. With every
        share 1 its data must be `data`.

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
    if start is not None:  # its step and covariance are nearly right
        settings = settings._replace(warm_up=max(1, settings.warm_up - 1))
    run = _Run(
        log_likelihood,
        jax.tree.map(jnp.asarray, data),
        mask,
        jnp.asarray(mask),
        seed,
        settings,
        progress or _silent,
        ascent,
    )
    if not mask.any():
        return _without_dimensions(run)
    origin = () if start is None else (start.step, start.chains[:, -settings.particles :])
    identity = fingerprint((run.data, origin), seed, tuple(settings), mask.tolist())
    if checkpoint is not None and checkpoint.exists():
        state = load(checkpoint, identity)
    else:
        state = _start(run) if start is None else _start_from(run, start)

    def record(state: State, sentence: str) -> None:
        if checkpoint is not None:
            save(checkpoint, identity, state)
        run.progress(sentence, _fraction(state, settings))

    while state.beta < 1.0 and state.stage < settings.stages and not state.failure:
        state = _temper(run, state) if ascent is None else _climb(run, ascent, state)
        record(state, f"temperature {state.beta:.3g}, stage {state.stage}")
    if state.beta < 1.0:
        return _unfinished(run, state)
    while (found := _settled(run, state)) is None:
        state = _sweep(run, state)
        record(state, f"sweep {len(state.kept)} at temperature 1")
    evidence = _conclude(run, state, found)
    run.progress("bridge", 1.0)
    return evidence


def batch_shape(settings: Settings) -> dict[str, int]:
    """How a fit lays its particles out, for whoever wants to share its compiled likelihood."""
    lanes = max(n for n in range(1, settings.lanes + 1) if settings.particles % n == 0)
    return {"populations": settings.populations, "lanes": lanes}


LARGEST_GAP = 4.0
"""Farthest that one population's estimate may lie from the average, in errors of one."""


class _Run(NamedTuple):
    """What does not change during a fit."""

    log_likelihood: LogLikelihood
    data: Any
    mask: np.ndarray
    flags: Array
    seed: int
    settings: Settings
    progress: Progress
    ascent: Ascent | None

    def shape(self) -> dict[str, int]:
        return batch_shape(self.settings)


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
    if settings.populations < 2:
        raise ValueError(
            f"populations must be at least 2; got {settings.populations}. "
            "The bridge fits on the others and estimates on each: use 4."
        )
    if not 0.0 < settings.ess_fraction < 1.0:
        raise ValueError(f"ess_fraction must be inside (0, 1); got {settings.ess_fraction}. Use 0.4.")
    if not 1 <= settings.warm_up <= settings.sweeps - 4:
        raise ValueError(
            f"warm_up must be at least 1 and sweeps at least warm_up + 4; got {settings.warm_up} and "
            f"{settings.sweeps}. Raise them."
        )


def _start(run: _Run) -> State:
    settings = run.settings
    key = jax.random.key(run.seed)
    z = draw_prior(key, run.flags, populations=settings.populations, particles=settings.particles)
    cloud = evaluate(run.log_likelihood, run.data, run.flags, z, **run.shape())
    step = min(1.0, 1.2 * run.mask.sum() ** -0.25)  # keeps a Gaussian's acceptance about constant in D
    failure = ""
    if not np.isfinite(cloud.log_likelihood).any():
        failure = "the likelihood is zero or undefined at every prior draw"
    return State(cloud, np.eye(run.mask.size)[None], float(step), 0.0, 0, z.shape[1], (), (), (), (), failure)


def _start_from(run: _Run, start: Evidence) -> State:
    """Begin at temperature 1 with the last sweep of another fit, new dimensions from the prior."""
    settings = run.settings
    prior = draw_prior(
        jax.random.key(run.seed), run.flags, populations=settings.populations, particles=settings.particles
    )
    last = start.chains[:, -settings.particles :].reshape(-1, run.mask.size).T
    known = run.mask & np.any(last != 0, axis=1)
    z = jnp.where(jnp.asarray(known)[:, None], last, prior)
    cloud = evaluate(run.log_likelihood, run.data, run.flags, z, **run.shape())
    gain = np.asarray(cloud.log_likelihood) - start.log_likelihood[:, -settings.particles :].ravel()
    if not np.isfinite(gain).all():
        return _start(run)
    delta = _largest_step(lambda delta: delta * gain, 1.0, settings.ess_fraction)
    cloud = _resampled(run, cloud, delta * gain, 0)
    return State(cloud, np.eye(run.mask.size)[None], start.step, 1.0, 0, z.shape[1], (), (), (), (), "")


def _resampled(run: _Run, cloud: Cloud, log_weight: np.ndarray, stage: int) -> Cloud:
    """Systematic resampling within each population, on the host."""
    settings = run.settings
    weight = np.exp(log_weight - log_weight.max()).reshape(settings.populations, -1)
    edges = np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)
    offsets = np.random.default_rng((run.seed, stage)).uniform(size=settings.populations)
    places = (np.arange(settings.particles) + offsets[:, None]) / settings.particles
    chosen = [
        number * settings.particles + np.searchsorted(of[:-1], at)
        for number, (of, at) in enumerate(zip(edges, places, strict=True))
    ]
    return Cloud(*(part[..., np.concatenate(chosen)] for part in cloud))


def _temper(run: _Run, state: State) -> State:
    log_likelihood = np.asarray(state.cloud.log_likelihood)
    delta = _largest_step(lambda delta: delta * log_likelihood, 1.0 - state.beta, run.settings.ess_fraction)
    beta = 1.0 if delta >= 1.0 - state.beta else state.beta + delta
    state = state._replace(factor=_factor(run, [state.cloud.z], delta * log_likelihood))
    increment = _increment(run, delta * log_likelihood)
    state = _advance(run, state, beta, delta)
    return state._replace(beta=beta, betas=(*state.betas, beta), increments=(*state.increments, increment))


def _climb(run: _Run, ascent: Ascent, state: State) -> State:
    """Take in as much more of the data as the particles bear, and move."""
    z = np.asarray(state.cloud.z)
    parts = ascent.parts(z)

    def shares(beta: float) -> np.ndarray:
        return np.clip(beta * len(parts) - np.arange(len(parts)), 0.0, 1.0)

    def gain(delta: float) -> np.ndarray:
        return (shares(state.beta + delta) - shares(state.beta)) @ parts

    delta = _largest_step(gain, 1.0 - state.beta, run.settings.ess_fraction)
    beta = 1.0 if delta >= 1.0 - state.beta else state.beta + delta
    log_ml = np.sum(state.increments, axis=0) if state.stage else np.zeros(run.settings.populations)
    rung = Rung(state.beta * len(parts), z, parts, log_ml)
    log_weight = gain(delta)
    factor = _factor(run, [z], log_weight)
    chosen = _resampled(run, state.cloud, log_weight, state.stage)
    run = run._replace(data=jax.tree.map(jnp.asarray, ascent.data(shares(beta))))
    cloud = evaluate(run.log_likelihood, run.data, run.flags, chosen.z, **run.shape())
    state = _advance(run, state._replace(cloud=cloud, factor=factor), 1.0, 0.0)
    return state._replace(
        beta=beta,
        stage=state.stage + 1,
        evaluations=state.evaluations + z.shape[1],
        betas=(*state.betas, beta),
        increments=(*state.increments, _increment(run, log_weight)),
        rungs=(*state.rungs, rung),
    )


def _increment(run: _Run, log_weight: np.ndarray) -> np.ndarray:
    """Log mean weight of each population."""
    groups = log_weight.reshape(run.settings.populations, -1)
    return np.asarray(logsumexp(groups, axis=1)) - math.log(groups.shape[1])


def _sweep(run: _Run, state: State) -> State:
    adapting = len(state.kept) < run.settings.warm_up
    if len(state.kept) <= run.settings.warm_up:
        state = state._replace(factor=_factor(run, [z for z, _ in state.kept] or [state.cloud.z]))
    moved = _advance(run, state, 1.0, 0.0)
    draw = (np.asarray(moved.cloud.z), np.asarray(moved.cloud.log_likelihood))
    return moved._replace(kept=(*state.kept, draw), step=moved.step if adapting else state.step)


def _advance(run: _Run, state: State, beta: float, delta: float) -> State:
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


def _factor(
    run: _Run, clouds: Sequence[np.ndarray | Array], log_weight: np.ndarray | None = None
) -> np.ndarray:
    """Preconditioner from clouds of one temperature, or from one cloud by the weights of a step away from it."""
    populations = run.settings.populations
    z = np.stack(clouds, axis=-1).reshape(run.mask.size, populations, -1)
    weight = np.ones(z.shape[1:])
    if log_weight is not None and np.isfinite(top := log_weight.max()):
        weight = np.exp(log_weight - top).reshape(populations, -1)
    return precondition(z, weight, run.mask)


def _largest_step(gain: Callable[[float], np.ndarray], room: float, fraction: float) -> float:
    """Largest step that keeps the effective fraction of the particles with a likelihood, by bisection.

    `gain` gives the log weights of a step, 0 for none.
    """

    def effective_fraction(delta: float) -> float:
        log_weight = gain(delta)
        finite = log_weight[np.isfinite(log_weight)]
        weight = np.exp(finite - finite.max())
        return float(weight.sum() ** 2 / (weight**2).sum() / weight.size)

    if effective_fraction(room) >= fraction:
        return room
    low, high = -60.0, math.log(room)  # log of the step: the first may be tiny
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if effective_fraction(math.exp(middle)) >= fraction else (low, middle)
    return math.exp(low)


def _chains(run: _Run, state: State) -> np.ndarray:
    """Kept draws and log likelihood: (active + 1, populations, particles, sweeps), warm-up dropped."""
    kept = state.kept[_dropped(run, state) :]
    z = np.stack([z[run.mask] for z, _ in kept], axis=-1)
    log_likelihood = np.stack([value for _, value in kept], axis=-1)[None]
    return np.concatenate([z, log_likelihood]).reshape(
        z.shape[0] + 1, run.settings.populations, run.settings.particles, -1
    )


def _dropped(run: _Run, state: State) -> int:
    """Sweeps not used: the warm-up, and at least a third; early ones biased a skewed hierarchical case."""
    return max(run.settings.warm_up, len(state.kept) // 3)


def _settled(run: _Run, state: State) -> Convergence | None:
    """Diagnostics once they allow to stop sweeping, or no more sweeps are allowed.

    They are looked at four sweeps after the warm-up, then at intervals of a third.
    """
    done, settings = len(state.kept), run.settings
    look = settings.warm_up + 4
    while look < done:
        look += look // 3
    if done != look and done < settings.sweeps:
        return None
    found = diagnose(_chains(run, state))
    enough = found.r_hat < settings.r_hat and found.ess > settings.ess_per_dimension * int(run.mask.sum())
    return found if enough or done >= settings.sweeps else None


def _conclude(run: _Run, state: State, found: Convergence) -> Evidence:
    """Bridge the populations and judge every diagnostic."""
    settings, active = run.settings, int(run.mask.sum())
    chains = _chains(run, state)
    dropped = _dropped(run, state)
    early = np.stack([z[run.mask] for z, _ in state.kept[:dropped]], axis=-1)
    bridged = bridge_populations(
        chains[:active],
        chains[active],
        _proposal_noise(run),
        partial(_likelihood_at, run),
        early.reshape(active, settings.populations, -1),
    )
    failures = []
    if state.failure:
        failures.append(state.failure)
    if not found.r_hat < settings.r_hat:
        failures.append(f"split R-hat {found.r_hat:.3f} is not below {settings.r_hat}")
    if not found.ess > settings.ess_per_dimension * active:
        failures.append(
            f"effective sample size {found.ess:.0f} is not above {settings.ess_per_dimension * active:.0f}"
        )
    if not bridged.mcse <= settings.largest_mcse:
        failures.append(f"error of log_ml {bridged.mcse:.2g} exceeds {settings.largest_mcse}")
    if not bridged.gap <= LARGEST_GAP:
        failures.append(f"one population's log_ml lies {bridged.gap:.2g} errors from the average")
    kept = state.kept[dropped:]
    draws = np.stack([z for z, _ in kept])  # (sweeps, dimensions, all particles)
    draws = draws.reshape(len(kept), run.mask.size, settings.populations, settings.particles)
    increments = np.sum(state.increments, axis=0)
    ladder = float(np.asarray(logsumexp(increments))) - math.log(increments.size) if state.stage else math.nan
    return Evidence(
        chains=draws.transpose(2, 0, 3, 1).reshape(settings.populations, -1, run.mask.size),
        log_likelihood=np.stack([value for _, value in kept])
        .reshape(len(kept), settings.populations, -1)
        .transpose(1, 0, 2)
        .reshape(settings.populations, -1),
        log_ml=bridged.log_ml,
        log_ml_mcse=bridged.mcse,
        smc_log_ml=ladder,
        r_hat=found.r_hat,
        ess=found.ess,
        dimension=active,
        stages=state.stage,
        rungs=state.rungs,
        step=state.step,
        evaluations=state.evaluations + settings.populations**2 * settings.particles,
        established=not failures,
        note="Not established: " + "; ".join(failures) + "." if failures else "All diagnostics passed.",
    )


def _proposal_noise(run: _Run) -> np.ndarray:
    """Noise for the proposals of each bridge, [populations, active, all particles].

    Its keys stand where further populations would.
    """
    settings = run.settings

    def block(number: int) -> np.ndarray:
        key = jax.random.fold_in(jax.random.key(run.seed), settings.populations + number)
        noise = draw_prior(key, run.flags, populations=settings.populations, particles=settings.particles)
        return np.asarray(noise)[run.mask]

    return np.stack([block(number) for number in range(settings.populations)])


def _likelihood_at(run: _Run, z: np.ndarray) -> np.ndarray:
    """Log likelihood at positions over the active dimensions, in blocks of the compiled size (nats)."""
    values = []
    for part in np.split(z, z.shape[1] // (run.settings.populations * run.settings.particles), axis=1):
        full = np.zeros((run.mask.size, part.shape[1]))
        full[run.mask] = part
        cloud = evaluate(run.log_likelihood, run.data, run.flags, jnp.asarray(full), **run.shape())
        values.append(np.asarray(cloud.log_likelihood))
    return np.concatenate(values)


def _without_dimensions(run: _Run) -> Evidence:
    """Answer exactly where nothing is sampled."""
    settings = run.settings
    total = settings.populations * settings.particles
    cloud = evaluate(
        run.log_likelihood, run.data, run.flags, jnp.zeros((run.mask.size, total)), **run.shape()
    )
    value = float(cloud.log_likelihood[0])
    chains = np.zeros((settings.populations, settings.particles, run.mask.size))
    run.progress("no active dimension", 1.0)
    values = np.full(chains.shape[:2], value)
    return Evidence(
        chains, values, value, 0.0, value, 1.0, math.inf, 0, 0, total, (), 1.0, True, "Nothing to sample."
    )


def _unfinished(run: _Run, state: State) -> Evidence:
    """Say why the ladder did not reach beta = 1."""
    settings = run.settings
    reason = (
        state.failure or f"the ladder stood at {state.beta:.3g} after {state.stage} stages, the most allowed"
    )
    z = np.asarray(state.cloud.z).reshape(run.mask.size, settings.populations, settings.particles)
    return Evidence(
        chains=z.transpose(1, 2, 0),
        log_likelihood=np.asarray(state.cloud.log_likelihood).reshape(settings.populations, -1),
        log_ml=-math.inf if state.failure else math.nan,
        log_ml_mcse=math.inf,
        smc_log_ml=-math.inf if state.failure else math.nan,
        r_hat=math.inf,
        ess=0.0,
        dimension=int(run.mask.sum()),
        stages=state.stage,
        evaluations=state.evaluations,
        rungs=state.rungs,
        step=state.step,
        established=False,
        note=f"Not established: {reason}.",
    )


def _fraction(state: State, settings: Settings) -> float:
    """Fraction done: 60 % for the ladder on a logarithmic scale, 35 % for the sweeps."""
    if not state.kept:
        first = min(state.betas[0], 0.5)
        return 0.6 * (0.05 + 0.95 * math.log(max(state.beta / first, 1.0)) / math.log(1.0 / first))
    return 0.6 + 0.35 * (1.0 - math.exp(-len(state.kept) / (settings.warm_up + 4)))
