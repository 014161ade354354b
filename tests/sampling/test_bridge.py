"""The bridge against known normalising constants."""

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.special import gammaln
from scipy.stats import multivariate_normal

from gaddum.sampling.bridge import bridge, bridge_populations
from gaddum.sampling.convergence import autocorrelation_time
from gaddum.sampling.proposal import LEAST_PRECISION, Proposal, fit_proposal, standard_normal_logpdf


def shifted_normals(seed, n=2000, shift=0.5):
    """Log ratios of exp(3) N(shift, 1) to N(0, 1), at draws of both."""
    generator = np.random.default_rng(seed)
    posterior, proposal = shift + generator.normal(size=(n, 1)), generator.normal(size=n)

    def ratio(x):
        return 3.0 - 0.5 * (x - shift) ** 2 + 0.5 * x**2

    return ratio(posterior), ratio(proposal)


def test_bridge_finds_the_constant_within_its_error():
    found = bridge(*shifted_normals(1))
    assert abs(found.log_ml - 3.0) < 4 * found.mcse < 0.1


def test_stated_error_is_the_spread_over_repeats():
    found = [bridge(*shifted_normals(seed, 500)) for seed in range(200)]
    spread = np.std([estimate.log_ml for estimate in found])
    stated = np.mean([estimate.mcse for estimate in found])
    assert stated == pytest.approx(spread, rel=0.2)  # the sd of a spread over 200 repeats is 5 %


def test_copied_draws_do_not_lower_the_error():
    posterior, proposal = shifted_normals(1)
    once, thrice = bridge(posterior, proposal), bridge(np.repeat(posterior, 3, axis=1), proposal)
    assert thrice.mcse == pytest.approx(once.mcse, rel=0.05)


def test_a_proposal_of_zero_likelihood_has_infinite_error():
    assert bridge(np.zeros((10, 1)), np.full(10, -np.inf)).mcse == math.inf


def test_a_normal_posterior_is_the_proposal_however_few_the_draws():
    generator = np.random.default_rng(1)
    factor = np.array([[1.0, 0.0], [0.8, 0.5]])
    covariance, mean = factor @ factor.T, np.array([2.0, -1.0])
    z = factor @ generator.normal(size=(2, 5)) + mean[:, None]
    proposal = fit_proposal(z, z - np.linalg.solve(covariance, z - mean[:, None]))
    np.testing.assert_allclose(proposal.mean, mean, atol=1e-9)
    np.testing.assert_allclose(covariance_of(proposal), covariance, atol=1e-9)


def test_where_the_likelihood_is_flat_the_proposal_is_the_prior():
    z = np.random.default_rng(1).normal(size=(30, 40))
    gradient = np.zeros_like(z)
    gradient[0] = 3.0 - 4.0 * z[0]
    proposal = fit_proposal(z, gradient)
    variances = np.array([0.2, *np.ones(29)])
    np.testing.assert_allclose(covariance_of(proposal), np.diag(variances), atol=1e-9)
    np.testing.assert_allclose(proposal.mean, [0.6, *np.zeros(29)], atol=1e-9)


def test_a_convex_likelihood_widens_a_proposal_only_so_far():
    z = np.random.default_rng(1).normal(size=(3, 500))
    proposal = fit_proposal(z, 2.0 * z)
    np.testing.assert_allclose(covariance_of(proposal), np.eye(3) / LEAST_PRECISION, atol=1e-9)


def test_a_proposal_follows_the_few_directions_that_the_data_inform_from_fewer_draws_than_dimensions():
    generator = np.random.default_rng(1)
    direction = generator.normal(size=(200, 1))
    direction /= np.linalg.norm(direction)
    noise = generator.normal(size=(200, 40))
    z = (
        noise + direction * (direction.T @ noise) * (0.5 - 1) + 2.0 * direction
    )  # precision 4 about 2 along it
    slope = direction * (8.0 - 3.0 * (direction.T @ z))
    proposal = fit_proposal(z, slope)
    assert proposal.basis.shape == (200, 1)
    np.testing.assert_allclose(proposal.mean, 2.0 * direction[:, 0], atol=1e-9)
    np.testing.assert_allclose(proposal.precision, 4.0, atol=1e-9)


def test_directions_of_noise_alone_are_left_to_the_prior():
    generator = np.random.default_rng(1)
    z = generator.normal(size=(100, 300))
    gradient = 0.01 * generator.normal(size=z.shape)
    gradient[0] -= 3.0 * z[0]
    assert fit_proposal(z, gradient).precision.size == 1


def test_copies_of_draws_count_once():
    generator = np.random.default_rng(1)
    z = generator.normal(size=(50, 60))
    gradient = -0.3 * z + 0.2 * generator.normal(size=z.shape)
    once, thrice = fit_proposal(z, gradient), fit_proposal(*(np.tile(x, 3) for x in (z, gradient)))
    assert once.precision.size == thrice.precision.size
    np.testing.assert_allclose(thrice.precision, once.precision, rtol=1e-9)


def test_the_density_of_a_proposal_is_that_of_its_draws():
    generator = np.random.default_rng(1)
    basis, _ = np.linalg.qr(generator.normal(size=(4, 2)))
    proposal = Proposal(generator.normal(size=4), basis, np.array([0.3, 6.0]))
    z = generator.normal(size=(4, 5))
    expected = multivariate_normal(proposal.mean, covariance_of(proposal)).logpdf(z.T)
    np.testing.assert_allclose(proposal.logpdf(z), expected, atol=1e-12)
    np.testing.assert_allclose(
        proposal.transform(np.eye(4)) - proposal.mean[:, None],
        sqrtm(covariance_of(proposal)),
        atol=1e-12,
    )


def covariance_of(proposal):
    return (
        np.eye(len(proposal.mean)) + proposal.basis @ np.diag(1 / proposal.precision - 1) @ proposal.basis.T
    )


def test_populations_that_are_exact_agree():
    generator = np.random.default_rng(1)
    z = generator.normal(size=(3, 4, 1000, 1))
    noise = generator.normal(size=(4, 3, 1000))
    values, flat = np.full((4, 1000, 1), 1.5), np.zeros_like(z)
    found = bridge_populations(z, values, flat, noise, lambda x: np.full(x.shape[1], 1.5))
    assert abs(found.log_ml - 1.5) < 4 * found.mcse < 0.02
    assert found.gap < 3


@pytest.mark.slow
@pytest.mark.parametrize("populations", [2, 4])
def test_stated_error_of_populations_covers_their_spread(populations):
    found = [bridged_student(seed, populations) for seed in range(60)]
    spread = np.std([one.log_ml for one in found])
    stated = np.mean([one.mcse for one in found])
    assert 0.6 < spread / stated < 1.15  # stated with room; the sd of a spread over 60 repeats is 9 %
    assert abs(np.mean([one.log_ml for one in found])) < 4 * spread / math.sqrt(60)


@pytest.mark.slow
def test_early_draws_sharpen_the_proposals_and_nothing_else():
    generator = np.random.default_rng(1)
    early = student(generator, (30, 4, 2000))
    with_early = [bridged_student(seed, 4, early) for seed in range(20)]
    without = [bridged_student(seed, 4) for seed in range(20)]
    assert np.mean([one.mcse for one in with_early]) < 0.95 * np.mean([one.mcse for one in without])
    assert abs(np.mean([one.log_ml for one in with_early])) < 4 * with_early[0].mcse / math.sqrt(20)


def test_a_population_apart_shows_as_a_gap():
    generator = np.random.default_rng(1)
    z = student(generator, (5, 4, 500, 1))
    z[:, 2] += 2.0
    noise = generator.normal(size=(4, 5, 500))
    found = bridge_populations(z, student_over_prior(z), slope(z), noise, student_over_prior)
    assert found.gap > 4


FREEDOM = 8.0


def student(generator, shape):
    """Draws of a multivariate Student t along the first axis."""
    scale = np.sqrt(generator.chisquare(FREEDOM, shape[1:]) / FREEDOM)
    return generator.normal(size=shape) / scale


def student_over_prior(z):
    """Its log density over that of the prior, so that the marginal likelihood is 1."""
    size = z.shape[0]
    constant = gammaln((FREEDOM + size) / 2) - gammaln(FREEDOM / 2) - size / 2 * math.log(FREEDOM * math.pi)
    density = constant - (FREEDOM + size) / 2 * np.log1p(np.sum(z**2, axis=0) / FREEDOM)
    return density - standard_normal_logpdf(z)


def slope(z):
    """Gradient of `student_over_prior`."""
    return z - (FREEDOM + z.shape[0]) * z / (FREEDOM + np.sum(z**2, axis=0))


def bridged_student(seed, populations, early=None):
    generator = np.random.default_rng(seed + 100)
    z = student(generator, (30, populations, 1000 // populations, 1))
    noise = generator.normal(size=(populations, 30, 1000 // populations))
    known = None if early is None else (early, slope(early))
    return bridge_populations(z, student_over_prior(z), slope(z), noise, student_over_prior, known)


def test_standard_normal_density_is_normalised():
    assert standard_normal_logpdf(np.zeros((4, 1)))[0] == pytest.approx(-2.0 * math.log(2 * math.pi))


def test_autocorrelation_time_of_an_autoregression():
    generator = np.random.default_rng(1)
    phi, x = 0.5, [generator.normal(size=500)]
    for _ in range(49):
        x.append(phi * x[-1] + math.sqrt(1 - phi**2) * generator.normal(size=500))
    # (1 + phi) / (1 - phi), less 2 phi / (1 - phi)^2 / 50; its sd from 25,000 draws and 8 lags is about 0.11
    assert autocorrelation_time(np.array(x).T) == pytest.approx(3.0 - 0.08, abs=0.33)
