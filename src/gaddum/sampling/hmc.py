"""Gradient moves of a cloud of particles at one temperature.

A cloud holds every particle of every population, batch last. `move` takes one Hamiltonian trajectory per particle. It
is split about a normal approximation (`gaddum.sampling.proposal`): the approximation's flow is followed exactly, as a
rotation, and only what the gradient differs from it kicks [1]_, so that the many directions in which the data say
nothing cost no steps. Its second half is the only compiled function that contains the likelihood, so a fit compiles the
likelihood once: `evaluate` is the same executable with a trajectory of length zero. Likelihood data and the mask of
active dimensions are arguments; another hypothesis of the same shapes compiles nothing.
The loop over temperatures is in `gaddum.sampling.posterior`, its steps in `gaddum.sampling.tempering`.

References
----------
.. [1] Shahbaba, Lan, Johnson & Neal (2014) Statistics and Computing 24, 339. https://doi.org/10.1007/s11222-012-9373-1
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Key

from gaddum.sampling.proposal import Proposal

LogLikelihood = Callable[[Array, Any], Array]

TRAJECTORY = (
    jnp.pi / 2
)  # a quarter turn: where the approximation is right the end is independent of the start
ACCEPTANCE = (
    0.7  # aim of the step-size adaptation; at two to four steps a trajectory one step less is worth more
)
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

    proposal: Proposal
    """Normal approximation for each population, made from the others."""
    step: float
    """Step in whitened coordinates, an angle of the approximation's flow (rad)."""
    leapfrog: int
    """Steps in one trajectory (1)."""


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


def move(
    log_likelihood: LogLikelihood,
    data: Any,
    mask: Bool[Array, " dimensions"],
    cloud: Cloud,
    tuning: Tuning,
    *,
    beta: float,
    key: Key[Array, ""],
    stage: int,
    populations: int,
    lanes: int,
) -> CloudMove:
    """Move each particle once at temperature `beta`.

    Parameters
    ----------
    log_likelihood
        Function of positions (dimensions, batch) and data to log likelihoods (batch), in nats. Static.
    data, mask
        Anything the likelihood needs, and which dimensions are active.
    cloud, tuning
        Particles before the move, and what the trajectory is tuned by.
    beta
        Inverse temperature (1).
    key, stage
        Base key of the fit and number of this move; no two moves of one fit share a number.
    populations, lanes
        Number of populations, and particles per block of the batch (a divisor of a population's).
    """
    # Scalars go in as strongly typed arrays, so that every call shares one executable.
    step, beta_ = (jnp.asarray(x, float) for x in (tuning.step, beta))
    proposal = jax.tree.map(lambda part: jnp.asarray(part, float), tuning.proposal)
    launch = _launch(cloud, mask, step, key, jnp.asarray(stage, int), populations=populations)
    leapfrog = jnp.asarray(tuning.leapfrog, int)
    return _travel(log_likelihood, data, mask, launch, proposal, leapfrog, beta_, lanes=lanes)


def prior_proposal(dimensions: int, populations: int, directions: int) -> Proposal:
    """The prior, as the proposal of every population."""
    shape = populations, dimensions, min(directions, dimensions)
    return Proposal(np.zeros(shape[:2]), np.zeros(shape), np.ones(shape[::2]))


def evaluate(
    log_likelihood: LogLikelihood,
    data: Any,
    mask: Bool[Array, " dimensions"],
    z: Float[Array, "dimensions particles"],
    *,
    populations: int,
    lanes: int,
    directions: int,
) -> Cloud:
    """Evaluate the likelihood at given positions through the executable of `move`."""
    unknown = Cloud(z, jnp.full(z.shape[1], -jnp.inf, z.dtype), jnp.zeros_like(z))
    still = Tuning(prior_proposal(z.shape[0], populations, directions), 0.0, 1)
    return move(
        log_likelihood,
        data,
        mask,
        unknown,
        still,
        beta=1.0,
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
def _launch(cloud: Cloud, mask, step, key, stage, *, populations: int) -> _Launch:
    """Draw momenta, jittered steps and acceptance thresholds; compiled once for all likelihoods."""
    keys = _particle_keys(key, stage, populations, cloud.z.shape[1] // populations)
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
    log_likelihood: LogLikelihood, data, mask, launch: _Launch, proposals, leapfrog, beta, *, lanes: int
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
        mean, basis, precision = (part[population] for part in proposals)

        def scaled(x, power):
            return x + basis @ ((precision**power - 1.0)[:, None] * (basis.T @ x))

        def kick(y, momentum, z, gradient):
            return momentum + 0.5 * step * (scaled(beta * gradient - z, -0.5) + y)

        def leap(_, state):
            y, z, momentum, _, gradient = state
            momentum = kick(y, momentum, z, gradient)
            y, momentum = (
                jnp.cos(step) * y + jnp.sin(step) * momentum,
                jnp.cos(step) * momentum - jnp.sin(step) * y,
            )
            z = mean[:, None] + scaled(y, -0.5)
            value, gradient = value_and_gradient(z)
            return y, z, kick(y, momentum, z, gradient), value, gradient

        y = scaled(start.z - mean[:, None], 0.5)
        state = (y, start.z, momentum, start.log_likelihood, start.gradient)
        _, z, end_momentum, value, gradient = jax.lax.fori_loop(0, leapfrog, leap, state)
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
    populations = proposals.mean.shape[0]
    population = jnp.repeat(jnp.arange(populations), launch.momentum.shape[1] // lanes // populations)
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


def _energy(z, momentum, log_likelihood, beta):
    """Log density of position and momentum (nats, up to a constant)."""
    return beta * log_likelihood - 0.5 * jnp.sum(z**2, axis=0) - 0.5 * jnp.sum(momentum**2, axis=0)


def _to_blocks(array, lanes: int):
    blocks = array.reshape(*array.shape[:-1], -1, lanes)
    return jnp.moveaxis(blocks, -2, 0)


def _from_blocks(blocks):
    array = jnp.moveaxis(blocks, 0, -2)
    return array.reshape(*array.shape[:-2], -1)
