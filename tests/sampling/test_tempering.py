"""Resampling: whom a step of the ladder keeps."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.sampling import hmc
from gaddum.sampling.hmc import Cloud
from gaddum.sampling.posterior import sample_posterior
from gaddum.sampling.settings import Settings
from gaddum.sampling.stage import Run
from gaddum.sampling.tempering import Ascent, Start, resampled

POPULATIONS, PARTICLES = 2, 40


def kept(log_weight, seed):
    """Places of the particles that a resampling keeps, [populations, particles]."""
    settings = Settings(populations=POPULATIONS, particles=PARTICLES)
    places = np.arange(POPULATIONS * PARTICLES)
    run = Run(lambda z, data: z[0], None, np.ones(1, bool), np.ones(1, bool), seed, settings, lambda *_: None)
    chosen = resampled(run, Cloud(places[None], 10 + places, 20 + places[None]), log_weight, 1)
    np.testing.assert_array_equal(chosen.log_likelihood, 10 + chosen.z[0])
    np.testing.assert_array_equal(chosen.gradient, 20 + chosen.z)
    return chosen.z[0].reshape(POPULATIONS, -1)


def test_each_particle_is_copied_as_often_as_its_weight_says_to_within_one():
    """Systematic resampling: floor or ceiling of n w, w the normalised weight, in each population."""
    logs = np.random.default_rng(0).normal(0.0, 1.4, POPULATIONS * PARTICLES)
    weight = np.exp(logs).reshape(POPULATIONS, -1)
    expected = PARTICLES * weight / weight.sum(axis=1, keepdims=True)
    copies = np.zeros((20, POPULATIONS, PARTICLES))
    for seed in range(20):
        for number, mine in enumerate(kept(logs, seed)):
            copies[seed, number] = np.bincount(mine - number * PARTICLES, minlength=PARTICLES)
    assert np.abs(copies - expected).max() < 1 + 1e-9
    # A share between two whole numbers is met on average: the variance of each count is at most 1 / 4.
    assert np.abs(copies.mean(axis=0) - expected).max() < 4 * 0.5 / np.sqrt(20)


@pytest.mark.parametrize("way", ["temperatures", "parts", "start"])
def test_no_two_moves_of_a_fit_share_random_numbers(way, monkeypatch):
    """A move whose momentum made the position that it starts from leaves another distribution."""
    numbers = []

    def noted(*arguments, stage, **more):
        numbers.append(stage)
        return hmc.move(*arguments, stage=stage, **more)

    monkeypatch.setattr("gaddum.sampling.stage.move", noted)
    with jax.enable_x64(True):
        settings = Settings(particles=64, sweeps=12, warm_up=2, ess_per_dimension=1.0, r_hat=2.0)
        fit = partial(sample_posterior, pull, mask=np.ones(2, bool), seed=1, settings=settings)
        ascent = Ascent(lambda z: np.asarray(pull(z, 8.0))[None], lambda shares: 8.0 * shares[0])
        if way == "start":
            near = fit(data=0.1)
            numbers.clear()
            fit(data=8.0, start=Start(near, jnp.asarray(0.1)))
        else:
            fit(data=8.0, ascent=ascent if way == "parts" else None)
    assert len(numbers) > 6 and len(set(numbers)) == len(numbers)


def pull(z, strength):
    return -0.5 * strength * jnp.sum((z - 4.0) ** 2, axis=0)


def test_equal_weights_keep_every_particle():
    np.testing.assert_array_equal(
        kept(np.full(POPULATIONS * PARTICLES, -3.0), 3).ravel(), np.arange(POPULATIONS * PARTICLES)
    )


def test_a_population_without_any_likelihood_is_kept_and_the_other_resampled():
    logs = np.full(POPULATIONS * PARTICLES, -np.inf)
    logs[-1] = 0.0
    mine = kept(logs, 2)
    np.testing.assert_array_equal(mine[0], np.arange(PARTICLES))
    assert (mine[1] == POPULATIONS * PARTICLES - 1).all()
