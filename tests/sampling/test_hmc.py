"""One move of a cloud: whom resampling keeps, told by moves of no length."""

import jax
import jax.numpy as jnp
import numpy as np

from gaddum.sampling.hmc import Cloud, Tuning, move

POPULATIONS, PARTICLES = 2, 40


def still_move(log_likelihood, delta, seed):
    """Places of the particles that a resampling keeps, [populations, particles]."""
    count = POPULATIONS * PARTICLES
    cloud = Cloud(jnp.arange(count, dtype=float)[None], jnp.asarray(log_likelihood), jnp.zeros((1, count)))
    still = Tuning(jnp.tile(jnp.eye(1), (POPULATIONS, 1, 1)), 0.0, 1)
    moved = move(
        _flat,
        None,
        jnp.ones(1, bool),
        cloud,
        still,
        beta=1.0,
        delta=delta,
        key=jax.random.key(seed),
        stage=1,
        populations=POPULATIONS,
        lanes=PARTICLES,
    )
    return np.asarray(moved.cloud.z[0]).reshape(POPULATIONS, -1).round().astype(int)


def _flat(z, _):
    return 0.0 * z[0]


def test_each_particle_is_copied_as_often_as_its_weight_says_to_within_one():
    """Systematic resampling: floor or ceiling of n w, w the likelihood to the power of the step, in each population."""
    logs = np.random.default_rng(0).normal(0.0, 2.0, POPULATIONS * PARTICLES)
    weight = np.exp(0.7 * logs).reshape(POPULATIONS, -1)
    expected = PARTICLES * weight / weight.sum(axis=1, keepdims=True)
    copies = np.zeros((20, POPULATIONS, PARTICLES))
    for seed in range(20):
        for number, kept in enumerate(still_move(logs, 0.7, seed)):
            copies[seed, number] = np.bincount(kept - number * PARTICLES, minlength=PARTICLES)
    assert np.abs(copies - expected).max() < 1 + 1e-9
    # A share between two whole numbers is met on average: the variance of each count is at most 1 / 4.
    assert np.abs(copies.mean(axis=0) - expected).max() < 4 * 0.5 / np.sqrt(20)


def test_a_move_without_a_step_of_temperature_keeps_every_particle():
    logs = np.random.default_rng(0).normal(0.0, 2.0, POPULATIONS * PARTICLES)
    np.testing.assert_array_equal(still_move(logs, 0.0, 3).ravel(), np.arange(POPULATIONS * PARTICLES))
