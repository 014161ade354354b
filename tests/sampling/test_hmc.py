"""One move of a cloud, about the right normal approximation and about a wrong one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.sampling.hmc import Cloud, Tuning, evaluate, move
from gaddum.sampling.proposal import Proposal, fit_proposal

POPULATIONS, PARTICLES, DIMENSIONS = 2, 4000, 3
SHAPE = {"populations": POPULATIONS, "lanes": PARTICLES}
MEASURED = np.array([2.0, 0.0, -1.0])
PRECISION = np.array([8.0, 0.5, 0.0])


@pytest.fixture(autouse=True)
def double():
    with jax.enable_x64(True):
        yield


def normal(z, measured):
    """Log likelihood by which the posterior is normal; the last dimension is told nothing."""
    return -0.5 * jnp.sum(PRECISION[:, None] * (z - measured[:, None]) ** 2, axis=0)


def skewed(z, measured):
    """One whose posterior is not normal."""
    return jnp.sum(measured[:, None] * z - jnp.exp(z), axis=0)


def posterior_draws(seed):
    """Exact draws of the posterior of `normal`."""
    precision = 1 + PRECISION
    noise = np.random.default_rng(seed).normal(size=(DIMENSIONS, POPULATIONS * PARTICLES))
    return (PRECISION * MEASURED / precision)[:, None] + noise / np.sqrt(precision)[:, None]


def moved(log_likelihood, z, proposal, step, leapfrog):
    mask = jnp.ones(DIMENSIONS, bool)
    data = jnp.asarray(MEASURED)
    cloud = evaluate(log_likelihood, data, mask, jnp.asarray(z), directions=DIMENSIONS, **SHAPE)
    stacked = Proposal(*(np.stack([part] * POPULATIONS) for part in proposal))
    tuning = Tuning(stacked, step, leapfrog)
    return cloud, move(
        log_likelihood, data, mask, cloud, tuning, beta=1.0, key=jax.random.key(1), stage=1, **SHAPE
    )


def fitted(log_likelihood, z):
    gradient = jax.grad(lambda z: log_likelihood(z, jnp.asarray(MEASURED)).sum())(jnp.asarray(z))
    return fit_proposal(z, np.asarray(gradient)).within(np.ones(DIMENSIONS, bool), DIMENSIONS)


def test_about_the_right_normal_every_step_is_accepted_however_long():
    z = posterior_draws(1)
    _, one = moved(normal, z, fitted(normal, z), 1.5, 1)
    assert float(one.acceptance) > 1 - 1e-9


def test_a_quarter_turn_about_the_right_normal_forgets_where_it_began():
    z = posterior_draws(1)
    _, one = moved(normal, z, fitted(normal, z), np.pi / 2, 1)
    # The jitter of a step leaves the mean of a cosine over it, which is 0 about a quarter turn.
    correlation = [np.corrcoef(a, b)[0, 1] for a, b in zip(z, np.asarray(one.cloud.z), strict=True)]
    assert np.abs(correlation).max() < 5 / np.sqrt(POPULATIONS * PARTICLES)


@pytest.mark.parametrize("mean", [0.0, 0.7])
def test_about_a_wrong_normal_the_posterior_still_stays(mean):
    z = posterior_draws(2)
    turned, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(DIMENSIONS, DIMENSIONS)))
    wrong = Proposal(np.full(DIMENSIONS, mean), turned, np.array([3.0, 0.6, 2.0]))
    _, one = moved(normal, z, wrong, 0.4, 3)
    assert 0.3 < float(one.acceptance) < 0.999
    after, count = np.asarray(one.cloud.z), POPULATIONS * PARTICLES
    sd = 1 / np.sqrt(1 + PRECISION)
    exact = PRECISION * MEASURED / (1 + PRECISION)
    assert np.abs((after.mean(axis=1) - exact) / sd).max() < 4.5 / np.sqrt(count)
    assert np.abs(after.var(axis=1) / sd**2 - 1).max() < 4.5 * np.sqrt(2 / count)


def test_a_move_of_no_length_only_evaluates():
    z = posterior_draws(3)
    cloud, one = moved(skewed, z, fitted(skewed, z), 0.0, 1)
    np.testing.assert_allclose(one.cloud.z, z, atol=1e-12)
    np.testing.assert_allclose(cloud.log_likelihood, np.asarray(skewed(z, MEASURED)), rtol=1e-12)
    np.testing.assert_allclose(cloud.gradient, MEASURED[:, None] - np.exp(z), rtol=1e-12)


def test_what_a_move_returns_belongs_together():
    z = posterior_draws(4)
    _, one = moved(skewed, z, fitted(skewed, z), 0.5, 3)
    after: Cloud = one.cloud
    np.testing.assert_allclose(after.log_likelihood, np.asarray(skewed(after.z, MEASURED)), rtol=1e-12)
    np.testing.assert_allclose(after.gradient, MEASURED[:, None] - np.exp(np.asarray(after.z)), rtol=1e-9)
