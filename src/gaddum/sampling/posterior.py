"""Posterior draws and the log marginal likelihood of one hypothesis.

Adaptive sequential Monte Carlo from exact prior draws, by temperature or by parts of the data; then
Hamiltonian sweeps at beta = 1 until the populations agree (split R-hat) and the effective sample size
suffices; then bridge sampling, population by population. The bridge gives `log_ml`; the increments of the
ladder (`gaddum.sampling.tempering`) give `smc_log_ml`, a diagnostic only. Without the final sweeps a bridge is biased
and its error does not show it.

The loop over temperatures runs on the host over one compiled move (`gaddum.sampling.hmc`), so it reports
progress, stops on Ctrl-C between moves and resumes exactly from a checkpoint. Tests hold its answer against
the no-U-turn sampler of another library.
"""

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool
from scipy.special import logsumexp

from gaddum.sampling.bridge import bridge_populations
from gaddum.sampling.checkpoint import CHECKPOINT_FORMAT, State, fingerprint, load, save_evidence, saver
from gaddum.sampling.convergence import Convergence, diagnose
from gaddum.sampling.estimate import Evidence
from gaddum.sampling.hmc import Cloud, LogLikelihood, draw_prior, evaluate
from gaddum.sampling.settings import Settings
from gaddum.sampling.stage import Progress, Run, advance, proposals, proposals_at
from gaddum.sampling.tempering import Ascent, Start, begin, begin_from, climb, temper


def sample_posterior(
    log_likelihood: LogLikelihood,
    data: Any,
    mask: Bool[np.ndarray, " dimensions"],
    *,
    seed: int,
    settings: Settings | None = None,
    progress: Progress | None = None,
    checkpoint: Path | None = None,
    start: Start | None = None,
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
        File written (atomically) every few seconds and at the end. If it exists the fit resumes from it and ends
        bit-equal.
    start
        A fit of a related likelihood, of the same settings, from whose last draws this one goes to its own data in
        place of the ladder. What is left of the start shows as autocorrelation, hence in the effective sample size: a
        mode that few particles leave makes it small. A mode that none of them has found stays unfound, so start only
        from a fit that differs in degree. Where a draw has no likelihood on the way, the ladder is taken.
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
    run = Run(
        log_likelihood,
        jax.tree.map(jnp.asarray, data),
        mask,
        jnp.asarray(mask),
        seed,
        settings,
        progress or (lambda text, fraction: None),
    )
    if not mask.any():
        return _without_dimensions(run)
    origin = (
        ()
        if start is None
        else (start.evidence.step, start.evidence.chains[:, -settings.particles :], start.data)
    )
    identity = fingerprint((run.data, origin), CHECKPOINT_FORMAT, seed, tuple(settings), mask.tolist())
    if checkpoint is not None and checkpoint.exists():
        state = load(checkpoint, identity)
        if isinstance(state, Evidence):
            return state
    else:
        state = begin(run) if start is None else begin_from(run, start)
    keep = saver(checkpoint, identity)

    def record(state: State, sentence: str) -> None:
        keep(state)
        run.progress(sentence, _fraction(state, settings))

    while state.beta < 1.0 and state.stage < settings.stages and not state.failure:
        state = temper(run, state) if ascent is None else climb(run, ascent, state)
        record(state, f"temperature {state.beta:.3g}, stage {state.stage}")
    if state.beta < 1.0:
        return _unfinished(run, state)
    while (found := _settled(run, state)) is None:
        state = _sweep(run, state)
        record(state, f"sweep {len(state.kept)} at temperature 1")
    evidence = _conclude(run, state, found)
    save_evidence(checkpoint, identity, evidence)
    run.progress("bridge", 1.0)
    return evidence


LARGEST_GAP = 4.0
"""Farthest that one population's estimate may lie from the average, in errors of one."""


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


def _sweep(run: Run, state: State) -> State:
    adapting = len(state.kept) < run.settings.warm_up
    if not state.kept:
        state = state._replace(proposal=proposals_at(run, state.cloud))
    elif len(state.kept) <= run.settings.warm_up:
        z, gradient = (
            _of_populations(run, [draw[i] for draw in state.kept]).reshape(
                -1, run.settings.populations, run.settings.particles * len(state.kept)
            )
            for i in (0, 2)
        )
        state = state._replace(proposal=proposals(run, z, gradient))
    moved = advance(run, state, 1.0)
    return moved._replace(kept=(*state.kept, _draw(moved.cloud)), step=moved.step if adapting else state.step)


def _draw(cloud: Cloud) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.asarray(cloud.z), np.asarray(cloud.log_likelihood), np.asarray(cloud.gradient)


def _of_populations(run: Run, parts: Sequence[np.ndarray]) -> np.ndarray:
    """Sweeps of one quantity over the active dimensions, [active, populations, particles, sweeps]."""
    found = np.stack([np.asarray(part)[run.mask] for part in parts], axis=-1)
    return found.reshape(len(found), run.settings.populations, run.settings.particles, -1)


def _chains(run: Run, state: State) -> np.ndarray:
    """Kept draws and log likelihood: (active + 1, populations, particles, sweeps), warm-up dropped."""
    kept = state.kept[_dropped(run, state) :]
    z = _of_populations(run, [draw[0] for draw in kept])
    log_likelihood = np.stack([draw[1] for draw in kept], axis=-1).reshape(1, *z.shape[1:])
    return np.concatenate([z, log_likelihood])


def _dropped(run: Run, state: State) -> int:
    """Sweeps not used: the warm-up, and at least a third; early ones biased a skewed hierarchical case."""
    return max(run.settings.warm_up, len(state.kept) // 3)


def _settled(run: Run, state: State) -> Convergence | None:
    """Diagnostics once they allow to stop sweeping, or no more sweeps are allowed.

    They are looked at four sweeps after the warm-up, then at intervals of a sixth.
    """
    done, settings = len(state.kept), run.settings
    look = settings.warm_up + 4
    while look < done:
        look += max(1, look // 6)
    if done != look and done < settings.sweeps:
        return None
    found = diagnose(_chains(run, state))
    enough = found.r_hat < settings.r_hat and found.ess > settings.ess_per_dimension * int(run.mask.sum())
    return found if enough or done >= settings.sweeps else None


def _conclude(run: Run, state: State, found: Convergence) -> Evidence:
    """Bridge the populations and judge every diagnostic."""
    settings, active = run.settings, int(run.mask.sum())
    chains = _chains(run, state)
    dropped = _dropped(run, state)
    gradient = _of_populations(run, [draw[2] for draw in state.kept[dropped:]])
    before, slopes = (
        _of_populations(run, [draw[i] for draw in state.kept[:dropped]]).reshape(
            active, settings.populations, -1
        )
        for i in (0, 2)
    )
    bridged = bridge_populations(
        chains[:active],
        chains[active],
        gradient,
        _proposal_noise(run),
        partial(_likelihood_at, run),
        (before, slopes),
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
    draws = np.stack([draw[0] for draw in kept])  # (sweeps, dimensions, all particles)
    draws = draws.reshape(len(kept), run.mask.size, settings.populations, settings.particles)
    increments = np.sum(state.increments, axis=0)
    ladder = (
        float(np.asarray(logsumexp(increments))) - math.log(increments.size) if state.increments else math.nan
    )
    return Evidence(
        chains=draws.transpose(2, 0, 3, 1).reshape(settings.populations, -1, run.mask.size),
        log_likelihood=np.stack([draw[1] for draw in kept])
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


def _proposal_noise(run: Run) -> np.ndarray:
    """Noise for the proposals of each bridge, [populations, active, all particles].

    Its keys stand where further populations would.
    """
    settings = run.settings

    def block(number: int) -> np.ndarray:
        key = jax.random.fold_in(jax.random.key(run.seed), settings.populations + number)
        noise = draw_prior(key, run.flags, populations=settings.populations, particles=settings.particles)
        return np.asarray(noise)[run.mask]

    return np.stack([block(number) for number in range(settings.populations)])


def _likelihood_at(run: Run, z: np.ndarray) -> np.ndarray:
    """Log likelihood at positions over the active dimensions, in blocks of the compiled size (nats)."""
    values = []
    for part in np.split(z, z.shape[1] // (run.settings.populations * run.settings.particles), axis=1):
        full = np.zeros((run.mask.size, part.shape[1]))
        full[run.mask] = part
        cloud = evaluate(run.log_likelihood, run.data, run.flags, jnp.asarray(full), **run.shape())
        values.append(np.asarray(cloud.log_likelihood))
    return np.concatenate(values)


def _without_dimensions(run: Run) -> Evidence:
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


def _unfinished(run: Run, state: State) -> Evidence:
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
