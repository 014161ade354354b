"""Gradient moves of a cloud of particles at one temperature.

A cloud holds every particle of every population, batch last. `move` resamples each population by the weights
of a temperature step and then takes one Hamiltonian trajectory per particle, with a dense preconditioner.
Its second half is the only compiled function that contains the likelihood, so a fit compiles the likelihood
once: `evaluate` is the same executable with a trajectory of length zero. Likelihood data and the mask of active
dimensions are arguments; another hypothesis of the same shapes compiles nothing.
The loop over temperatures is in `gaddum.sampling.posterior`, its steps in `gaddum.sampling.tempering`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

LogLikelihood = Callable[[Array, Any], Array]

TRAJECTORY = jnp.pi / 2  # quarter of a period: in a whitened Gaussian the end is independent of the start
ACCEPTANCE = 0.8  # aim of the step-size adaptation [Betancourt et al. 2014, arXiv:1411.6669]
JITTER = 0.15  # half-width of the uniform factor on each particle's step; breaks periodic orbits


class Cloud(NamedTuple):
    """Particles with their log likelihoods; particle n belongs to population n // (N / populations)."""

    z: Float[Array, "dimensions particles"]
    """Position, standard normal a priori (1)."""
    log_likelihood: Float[Array, " particles"]
    """Log likelihood (nats); -inf where it is zero or undefined."""
    gradient: Float[Array, "dimensions particles"]
    """Gradient of the log likelihood (nats)."""


class Tuning(NamedTuple):
    """What the trajectory is tuned by."""

    factor: Float[Array, "populations dimensions dimensions"]
    """Lower Cholesky factor of each population's preconditioner, made from the others (1)."""
    step: float
    """Leapfrog step in whitened coordinates (1)."""
    leapfrog: int
    """Leapfrog steps in one trajectory (1)."""


class CloudMove(NamedTuple):
    """A cloud after one move, and the mean acceptance probability of the trajectories (1)."""

    cloud: Cloud
    acceptance: Float[Array, ""]


@partial(jax.jit, static_argnames=("populations", "particles"))
def draw_prior(
    key: Key[Array, ""], mask: Bool[Array, " dimensions"], *, populations: int, particles: int
) -> Float[Array, "dimensions all_particles"]:
    """Draw exact prior positions; inactive dimensions are 0."""
    keys = _particle_keys(key, 0, populations, particles)
    return jnp.where(mask[:, None], _normals(keys, mask.shape[0]), 0.0)


def precondition(
    z: Float[np.ndarray, "dimensions populations particles"],
    weight: Float[np.ndarray, "populations particles"],
    mask: Bool[np.ndarray, " dimensions"],
) -> Float[np.ndarray, "populations dimensions dimensions"]:
    """Factor the covariance of weighted positions, for each population from the others.

    A population moved by its own covariance would confirm its own sampling error, stage after stage.
    """
    dimensions, populations, _ = z.shape
    active, share = int(mask.sum()), weight / weight.sum(axis=1, keepdims=True)
    by_population = np.moveaxis(z[mask], 1, 0)
    shifted = by_population - by_population.mean(axis=(0, 2))[:, None]
    means = np.einsum("pdn,pn->pd", shifted, share)
    seconds = np.stack([(x * w) @ x.T for x, w in zip(shifted, share, strict=True)])
    factors = np.tile(np.eye(dimensions), (populations, 1, 1))
    for number in range(populations):
        others = np.arange(populations) != number
        mean = means[others].mean(axis=0)
        covariance = seconds[others].mean(axis=0) - np.outer(mean, mean)
        # Shrink to the diagonal by about the relative noise of a covariance from this many effective draws.
        effective = (populations - 1) ** 2 / np.sum(share[others] ** 2)
        kept = effective / (active + effective)
        diagonal = np.maximum(np.diag(covariance), 1e-10)
        covariance = kept * covariance
        np.fill_diagonal(covariance, diagonal)
        factors[number][np.ix_(mask, mask)] = np.linalg.cholesky(covariance)
    return factors


def move(
    log_likelihood: LogLikelihood,
    data: Any,
    mask: Bool[Array, " dimensions"],
    cloud: Cloud,
    tuning: Tuning,
    *,
    beta: float,
    delta: float,
    key: Key[Array, ""],
    stage: int,
    populations: int,
    lanes: int,
) -> CloudMove:
    """Resample for a temperature step `delta` and move each particle once at temperature `beta`.

    Parameters
    ----------
    log_likelihood
        Function of positions (dimensions, batch) and data to log likelihoods (batch), in nats. Static.
    data, mask
        Anything the likelihood needs, and which dimensions are active.
    cloud, tuning
        Particles before the move, and what the trajectory is tuned by.
    beta, delta
        Inverse temperature after the step, and the step; `delta` 0 moves without resampling (1).
    key, stage
        Base key of the fit and number of this move; no two moves of one fit share a number.
    populations, lanes
        Number of populations, and particles per block of the batch (a divisor of a population's).
    """
    # Scalars go in as strongly typed arrays, so that every call shares one executable.
    step, beta_, delta_ = (jnp.asarray(x, float) for x in (tuning.step, beta, delta))
    launch = _launch(cloud, mask, step, delta_, key, jnp.asarray(stage, int), populations=populations)
    leapfrog = jnp.asarray(tuning.leapfrog, int)
    return _travel(log_likelihood, data, mask, launch, tuning.factor, leapfrog, beta_, lanes=lanes)


def evaluate(
    log_likelihood: LogLikelihood,
    data: Any,
    mask: Bool[Array, " dimensions"],
    z: Float[Array, "dimensions particles"],
    *,
    populations: int,
    lanes: int,
) -> Cloud:
    """Evaluate the likelihood at given positions through the executable of `move`."""
    dimensions = z.shape[0]
    unknown = Cloud(z, jnp.full(z.shape[1], -jnp.inf, z.dtype), jnp.zeros_like(z))
    still = Tuning(jnp.tile(jnp.eye(dimensions), (populations, 1, 1)), 0.0, 1)
    return move(
        log_likelihood,
        data,
        mask,
        unknown,
        still,
        beta=1.0,
        delta=0.0,
        key=jax.random.key(0),
        stage=0,
        populations=populations,
        lanes=lanes,
    ).cloud


class _Launch(NamedTuple):
    """The random part of a move."""

    cloud: Cloud
    momentum: Float[Array, "dimensions particles"]
    step: Float[Array, " particles"]
    threshold: Float[Array, " particles"]


@partial(jax.jit, static_argnames=("populations",))
def _launch(cloud: Cloud, mask, step, delta, key, stage, *, populations: int) -> _Launch:
    """Resample and draw momenta, jittered steps and acceptance thresholds; compiled once for all likelihoods."""
    keys = _particle_keys(key, stage, populations, cloud.z.shape[1] // populations)
    cloud = _resample(cloud, delta, key, stage, populations)
    noise_key, step_key, accept_key = jnp.moveaxis(jax.vmap(lambda k: jax.random.split(k, 3))(keys), 1, 0)
    jitter = 1.0 + JITTER * (2.0 * jax.vmap(jax.random.uniform)(step_key) - 1.0)
    return _Launch(
        cloud,
        jnp.where(mask[:, None], _normals(noise_key, mask.shape[0]), 0.0),
        step * jitter,
        jnp.log(jax.vmap(jax.random.uniform)(accept_key)),
    )


@partial(jax.jit, static_argnames=("log_likelihood", "lanes"))
def _travel(
    log_likelihood: LogLikelihood, data, mask, launch: _Launch, factors, leapfrog, beta, *, lanes: int
) -> CloudMove:
    """Follow every trajectory and accept or reject its end."""

    def value_and_gradient(z):
        def total(position):
            value = log_likelihood(position, data)
            value = jnp.where(jnp.isnan(value), -jnp.inf, value)
            return jnp.sum(value), value

        gradient, value = jax.grad(total, has_aux=True)(z)
        return value, jnp.where(jnp.isfinite(gradient) & mask[:, None], gradient, 0.0)

    def trajectory(block):
        (start, momentum, step, threshold), population = block
        factor = factors[population]

        def kick(momentum, z, gradient, size):
            return momentum + size * (factor.T @ (beta * gradient - z))

        def leap(_, state):
            z, momentum, _, gradient = state
            momentum = kick(momentum, z, gradient, 0.5 * step)
            z = z + step * (factor @ momentum)
            value, gradient = value_and_gradient(z)
            return z, kick(momentum, z, gradient, 0.5 * step), value, gradient

        state = (start.z, momentum, start.log_likelihood, start.gradient)
        z, end_momentum, value, gradient = jax.lax.fori_loop(0, leapfrog, leap, state)
        log_ratio = _energy(z, end_momentum, value, beta) - _energy(
            start.z, momentum, start.log_likelihood, beta
        )
        log_ratio = jnp.where(jnp.isnan(log_ratio), -jnp.inf, log_ratio)
        accept = threshold < log_ratio
        new = Cloud(
            jnp.where(accept, z, start.z),
            jnp.where(accept, value, start.log_likelihood),
            jnp.where(accept, gradient, start.gradient),
        )
        return new, jnp.minimum(1.0, jnp.exp(log_ratio))

    blocks = jax.tree.map(partial(_to_blocks, lanes=lanes), tuple(launch))
    per_factor = launch.momentum.shape[1] // lanes // factors.shape[0]
    population = jnp.repeat(jnp.arange(factors.shape[0]), per_factor)
    moved, acceptance = jax.lax.map(trajectory, (blocks, population))
    return CloudMove(jax.tree.map(_from_blocks, moved), jnp.mean(acceptance))


def _particle_keys(key, stage, populations: int, particles: int):
    """Keys by (population, stage, particle), flat in population-major order."""

    def of_population(population):
        base = jax.random.fold_in(jax.random.fold_in(key, population), stage)
        return jax.vmap(lambda particle: jax.random.fold_in(base, particle))(jnp.arange(particles))

    return jax.vmap(of_population)(jnp.arange(populations)).reshape(-1)


def _normals(keys, dimensions: int):
    return jax.vmap(lambda k: jax.random.normal(k, (dimensions,)))(keys).T


def _weights(log_likelihood, delta, populations: int):
    """Weights of a temperature step, normalised in each population; uniform if all are zero or delta is 0."""
    log_weight = jnp.where(delta > 0, delta * log_likelihood, 0.0).reshape(populations, -1)
    top = jnp.max(log_weight, axis=1, keepdims=True)
    weight = jnp.where(jnp.isfinite(top), jnp.exp(log_weight - top), 1.0)
    return weight / jnp.sum(weight, axis=1, keepdims=True)


def _resample(cloud: Cloud, delta, key, stage, populations: int) -> Cloud:
    """Systematic resampling within each population."""
    particles = cloud.z.shape[1] // populations

    def pick(population, weight):
        base = jax.random.fold_in(jax.random.fold_in(key, population), stage)
        offset = jax.random.uniform(jax.random.fold_in(base, particles))
        edges = jnp.cumsum(weight)
        position = (jnp.arange(particles) + offset) / particles * edges[-1]
        chosen = jnp.minimum(jnp.searchsorted(edges, position, side="right"), particles - 1)
        return population * particles + jnp.where(delta > 0, chosen, jnp.arange(particles))

    weight = _weights(cloud.log_likelihood, delta, populations)
    index = jax.vmap(pick)(jnp.arange(populations), weight).reshape(-1)
    return Cloud(cloud.z[:, index], cloud.log_likelihood[index], cloud.gradient[:, index])


def _energy(z, momentum, log_likelihood, beta):
    """Log density of position and momentum (nats, up to a constant)."""
    return beta * log_likelihood - 0.5 * jnp.sum(z**2, axis=0) - 0.5 * jnp.sum(momentum**2, axis=0)


def _to_blocks(array, lanes: int):
    blocks = array.reshape(*array.shape[:-1], -1, lanes)
    return jnp.moveaxis(blocks, -2, 0)


def _from_blocks(blocks):
    array = jnp.moveaxis(blocks, 0, -2)
    return array.reshape(*array.shape[:-2], -1)
