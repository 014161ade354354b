"""Tempering: from exact prior draws to the posterior, by temperature or by parts of the data, or from a related fit."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from scipy.special import logsumexp

from gaddum.sampling.checkpoint import State
from gaddum.sampling.estimate import Evidence, Rung
from gaddum.sampling.hmc import Cloud, draw_prior, evaluate, prior_proposal
from gaddum.sampling.proposal import Proposal
from gaddum.sampling.stage import Run, advance, proposals_at


class Ascent(NamedTuple):
    """A way from the prior to the posterior that takes in one part of the data after another, whole or by shares.

    It costs an evaluation more a stage than a temperature does, and tells what the data said at every step.
    """

    parts: Callable[[np.ndarray], np.ndarray]
    """Log likelihood of each part, [parts, particles], at positions [dimensions, particles] (nats)."""
    data: Callable[[np.ndarray], Any]
    """Data in which each part counts by its share in [0, 1]."""


class Start(NamedTuple):
    """A fit of a related likelihood, from which another begins."""

    evidence: Evidence
    data: Any
    """Its data; those between them and the other's, leaf by leaf, must make a likelihood too."""


BORNE = 0.05
"""Share of the particles that must bear a step from the data of a start: less than on a ladder, since sweeps follow."""
SHORTENED = (0.1, 0.7)
"""Least and greatest share to which a step is shortened that the particles do not bear: neither a crawl nor in vain."""
FIRST_STEP = 0.8
"""Step of the first moves (rad): two make a trajectory."""
SHORTEST = 1 / 64
"""Shortest step from the data of a start to those of a fit; where particles bear less, the ladder is the better way."""


def begin(run: Run) -> State:
    """Stand at the foot, with exact prior draws."""
    settings = run.settings
    key = jax.random.key(run.seed)
    z = draw_prior(key, run.flags, populations=settings.populations, particles=settings.particles)
    cloud = evaluate(run.log_likelihood, run.data, run.flags, z, **run.shape())
    failure = ""
    if not np.isfinite(cloud.log_likelihood).any():
        failure = "the likelihood is zero or undefined at every prior draw"
    return State(cloud, _prior(run), FIRST_STEP, evaluations=z.shape[1], failure=failure)


def begin_from(run: Run, start: Start) -> State:
    """Go from the last sweep of another fit to temperature 1, new dimensions from the prior.

    The data change from the other's to those of the run in steps that the particles bear, with a move after each if
    one is not enough. Where the way is too long, or a draw has no likelihood on it, begin at the foot.
    """
    settings, origin = run.settings, start.evidence
    prior = draw_prior(
        jax.random.key(run.seed), run.flags, populations=settings.populations, particles=settings.particles
    )
    last = origin.chains[:, -settings.particles :].reshape(-1, run.mask.size).T
    known = run.mask & np.any(last != 0, axis=1)
    z = jnp.where(jnp.asarray(known)[:, None], last, prior)
    before = origin.log_likelihood[:, -settings.particles :].ravel()
    cloud = Cloud(z, jnp.asarray(before), jnp.zeros_like(z))
    state = State(cloud, _prior(run), origin.step, beta=1.0)
    share, length = 0.0, 1.0
    while share < 1.0:
        onward = share + length if share + length < 1.0 - SHORTEST / 2 else 1.0
        there = run._replace(data=jax.tree.map(partial(_between, onward), start.data, run.data))
        cloud = evaluate(run.log_likelihood, there.data, run.flags, state.cloud.z, **run.shape())
        state = state._replace(evaluations=state.evaluations + z.shape[1])
        gain = np.asarray(cloud.log_likelihood) - np.asarray(state.cloud.log_likelihood)
        if not np.isfinite(gain).all():
            return begin(run)
        borne = _largest_step(lambda part, gain=gain: part * gain, 1.0, BORNE)
        if borne < 1.0:
            length = (onward - share) * float(np.clip(borne, *SHORTENED))
            if length < SHORTEST:
                return begin(run)
            continue
        chosen = resampled(run, cloud, gain, state.stage)
        share, length = onward, 1.0 - onward
        state = state._replace(cloud=chosen)
        if state.stage > 0 or share < 1.0:
            state = advance(there, state._replace(proposal=proposals_at(run, chosen)), 1.0)
        state = state._replace(stage=state.stage + 1)
    return state


def _prior(run: Run) -> Proposal:
    return prior_proposal(run.mask.size, run.settings.populations, run.settings.directions)


def _between(share: float, origin: Array, end: Array) -> Array:
    """Data a share of the way; whole numbers are the end's."""
    return origin + share * (end - origin) if jnp.issubdtype(end.dtype, jnp.floating) else end


def temper(run: Run, state: State) -> State:
    """Raise the temperature's inverse as far as the particles bear, and move."""
    log_likelihood = np.asarray(state.cloud.log_likelihood)
    delta = _largest_step(lambda delta: delta * log_likelihood, 1.0 - state.beta, run.settings.ess_fraction)
    beta = 1.0 if delta >= 1.0 - state.beta else state.beta + delta
    increment = _increment(run, delta * log_likelihood)
    chosen = resampled(run, state.cloud, delta * log_likelihood, state.stage)
    state = advance(run, state._replace(cloud=chosen, proposal=proposals_at(run, chosen, beta)), beta)
    return state._replace(
        beta=beta,
        stage=state.stage + 1,
        betas=(*state.betas, beta),
        increments=(*state.increments, increment),
    )


def climb(run: Run, ascent: Ascent, state: State) -> State:
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
    chosen = resampled(run, state.cloud, log_weight, state.stage)
    run = run._replace(data=jax.tree.map(jnp.asarray, ascent.data(shares(beta))))
    cloud = evaluate(run.log_likelihood, run.data, run.flags, chosen.z, **run.shape())
    state = advance(run, state._replace(cloud=cloud, proposal=proposals_at(run, cloud)), 1.0)
    return state._replace(
        beta=beta,
        stage=state.stage + 1,
        evaluations=state.evaluations + z.shape[1],
        betas=(*state.betas, beta),
        increments=(*state.increments, _increment(run, log_weight)),
        rungs=(*state.rungs, rung),
    )


def resampled(run: Run, cloud: Cloud, log_weight: np.ndarray, stage: int) -> Cloud:
    """Systematic resampling within each population, on the host."""
    settings = run.settings
    logs = log_weight.reshape(settings.populations, -1)
    top = logs.max(axis=1, keepdims=True)
    weight = np.exp(np.where(np.isfinite(top), logs - np.where(np.isfinite(top), top, 0.0), 0.0))
    edges = np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)
    offsets = np.random.default_rng((run.seed, stage)).uniform(size=settings.populations)
    places = (np.arange(settings.particles) + offsets[:, None]) / settings.particles
    chosen = [
        number * settings.particles + np.searchsorted(of[:-1], at)
        for number, (of, at) in enumerate(zip(edges, places, strict=True))
    ]
    return Cloud(*(part[..., np.concatenate(chosen)] for part in cloud))


def _increment(run: Run, log_weight: np.ndarray) -> np.ndarray:
    """Log mean weight of each population."""
    groups = log_weight.reshape(run.settings.populations, -1)
    return np.asarray(logsumexp(groups, axis=1)) - math.log(groups.shape[1])


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
