"""Resampling: whom a step of the ladder keeps."""

import numpy as np

from gaddum.sampling.hmc import Cloud
from gaddum.sampling.settings import Settings
from gaddum.sampling.stage import Run
from gaddum.sampling.tempering import resampled

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
