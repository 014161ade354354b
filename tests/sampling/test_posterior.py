"""Log marginal likelihoods against closed forms and quadrature, and the manners of a fit."""

import math
from concurrent.futures import ThreadPoolExecutor

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import gammaln, logsumexp
from scipy.stats import multivariate_normal, multivariate_t

from gaddum.sampling import checkpoint
from gaddum.sampling.posterior import sample_posterior
from gaddum.sampling.settings import Settings
from gaddum.sampling.tempering import Ascent, Start
from reference.nuts import nuts_evidence

LOG_2PI = math.log(2 * math.pi)
SMALL = Settings(particles=100, lanes=100)


def linear(z, data):
    design, y = data
    residual = y[:, None] - design @ z
    return -0.5 * jnp.sum(residual**2, axis=0) - 0.5 * y.shape[0] * LOG_2PI


def linear_case(dimension):
    generator = np.random.default_rng(dimension)
    n = 2 * dimension
    scale = 2 * generator.uniform(0.2, 2.0, size=dimension) / np.sqrt(dimension)
    design = generator.normal(size=(n, dimension)) * scale
    y = design @ generator.normal(size=dimension) + generator.normal(size=n)
    exact = multivariate_normal(np.zeros(n), np.eye(n) + design @ design.T).logpdf(y)
    return (design, y), exact


def skewed(z, y):
    """Counts with log means 1 + z: skewed where few were counted."""
    return jnp.sum(y[:, None] * (1 + z) - jnp.exp(1 + z) - jax.scipy.special.gammaln(y + 1)[:, None], axis=0)


def skewed_case(dimension):
    y = np.random.default_rng(dimension).poisson(np.exp(1 + np.random.default_rng(1).normal(size=dimension)))
    z = np.linspace(-8, 8, 4001)[:, None]
    logs = y * (1 + z) - np.exp(1 + z) - gammaln(y + 1) - 0.5 * z**2 - 0.5 * LOG_2PI
    return y.astype(float), float(np.sum(logsumexp(logs, axis=0) + np.log(z[1] - z[0])))


@pytest.mark.slow
@pytest.mark.parametrize("dimension", [5, 20, 50, 100])
def test_linear_gaussian_evidence_matches_closed_form(dimension):
    data, exact = linear_case(dimension)
    found = sample_posterior(linear, data, np.ones(dimension, bool), seed=1)
    assert found.established, found.note
    assert abs(found.log_ml - exact) < 0.05
    assert abs(found.log_ml - exact) < 4 * found.log_ml_mcse


@pytest.mark.slow
def test_stated_error_covers_the_spread_over_seeds():
    """Of a posterior that is not normal: with a normal one, the bridge is exact."""
    y, exact = skewed_case(20)
    fits = [sample_posterior(skewed, y, np.ones(20, bool), seed=seed) for seed in range(12)]
    z = np.array([(fit.log_ml - exact) / fit.log_ml_mcse for fit in fits])
    assert np.sqrt(np.mean(z**2)) < 1.6  # 12 standard normals exceed it once in 1000


def normal(z, y):
    return jnp.sum(-0.5 * (y[:, None] - (1.0 + 2.0 * z[0])) ** 2 - 0.5 * LOG_2PI, axis=0)


def binomial(z, y):
    k, n, constant = y[:3]
    log_cdf = jax.scipy.stats.norm.logcdf
    return constant + k * log_cdf(z[0]) + (n - k) * log_cdf(-z[0])


def normal_inverse_gamma(z, y):
    # 1 / variance is Exponential(1) = Gamma(1, 1), by its inverse CDF at the normal CDF of z
    precision = -jax.scipy.stats.norm.logcdf(z[1])
    mean = z[0] / jnp.sqrt(precision)
    terms = 0.5 * jnp.log(precision) - 0.5 * LOG_2PI - 0.5 * precision * (y[:, None] - mean) ** 2
    return jnp.sum(terms, axis=0)


def constant(z, y):
    return y[0] + 0.0 * z[0]


def half_nan(z, y):
    return jnp.where(z[0] > 0.0, 0.0, jnp.nan) + 0.0 * z[1]


def impossible(z, y):
    return z[0] * jnp.nan


TRACES = []
SIMPLE = (normal, binomial, normal_inverse_gamma, constant, half_nan, impossible)


def any_simple(z, data):
    """Any of them by its place, so that all share one compiled sampler."""
    place, y = data
    TRACES.append(place)
    return jax.lax.switch(place, SIMPLE, z, y)


def fit_simple(log_likelihood, y, dimensions):
    """Evidence of one of the simple likelihoods, with four data and two dimensions at most."""
    data = SIMPLE.index(log_likelihood), np.pad(np.asarray(y, float), (0, 4 - len(y)))
    return sample_posterior(any_simple, data, np.arange(2) < dimensions, seed=1)


def test_conjugate_normal_evidence_matches_closed_form():
    y = np.array([0.3, 1.4, 2.2, 0.9])
    exact = multivariate_normal(np.ones(4), np.eye(4) + 4.0).logpdf(y)
    assert abs(fit_simple(normal, y, 1).log_ml - exact) < 0.02


def test_evidence_by_the_increments_of_the_ladder_matches_the_closed_form():
    """Of data far from the prior, so that a ladder of several steps would sum up what each does wrong."""
    y = np.array([13.3, 14.4, 15.2, 13.9])
    exact = multivariate_normal(np.ones(4), np.eye(4) + 4.0).logpdf(y)
    found = fit_simple(normal, y, 1)
    assert found.stages > 5
    assert abs(found.smc_log_ml - exact) < 0.5  # over seeds its error is 0.07


def test_binomial_evidence_under_a_uniform_prior_is_one_over_n_plus_one():
    k, n = 3.0, 10.0
    coefficient = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    assert abs(fit_simple(binomial, [k, n, coefficient], 1).log_ml + math.log(n + 1)) < 0.02


def test_normal_inverse_gamma_evidence_is_multivariate_t():
    y = np.array([0.3, 1.4, -0.2, 2.0])
    exact = multivariate_t(np.zeros(4), np.eye(4) + 1.0, df=2).logpdf(y)
    assert abs(fit_simple(normal_inverse_gamma, y, 2).log_ml - exact) < 0.02


GROUPS = 60


def hierarchical(z, data):
    """Sixty binomial groups on the logit scale, with unknown mean and log-normal spread, not centred."""
    k, n = data
    effect = 0.5 + z[0] + jnp.exp(-0.7 + 0.7 * z[1]) * z[2:]
    return jnp.sum(k[:, None] * effect - n[:, None] * jnp.logaddexp(0.0, effect), axis=0)


def hierarchical_case():
    generator = np.random.default_rng(3)
    n = generator.integers(3, 15, size=GROUPS)
    effect = 0.3 + 0.6 * generator.normal(size=GROUPS)
    return generator.binomial(n, 1 / (1 + np.exp(-effect))).astype(float), n.astype(float)


def hierarchical_quadrature(k, n):
    outer, inner = np.linspace(-6, 6, 97), np.linspace(-9, 9, 361)

    def log_weight(x):
        return -0.5 * x**2 - 0.5 * LOG_2PI + np.log(x[1] - x[0])

    spread = np.exp(-0.7 + 0.7 * outer)[None, :, None]
    effect = 0.5 + outer[:, None, None] + spread * inner
    softplus = np.logaddexp(0.0, effect)
    total = log_weight(outer)[:, None] + log_weight(outer)[None, :]
    for successes, size in zip(k, n, strict=True):
        terms = successes * effect - size * softplus + log_weight(inner)
        total = total + logsumexp(terms, axis=-1)
    return logsumexp(total)


@pytest.mark.slow
def test_hierarchical_evidence_matches_nested_quadrature():
    data = hierarchical_case()
    found = sample_posterior(hierarchical, data, np.ones(GROUPS + 2, bool), seed=1)
    assert found.established, found.note
    assert abs(found.log_ml - hierarchical_quadrature(*data)) < 0.05


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of blackjax's own
def test_the_no_u_turn_family_agrees():
    data, exact = linear_case(5)
    mask = np.ones(5, bool)
    first = sample_posterior(linear, data, mask, seed=1)
    second = nuts_evidence(linear, data, mask, seed=1)
    assert second.established, second.note
    combined = math.hypot(first.log_ml_mcse, second.log_ml_mcse)
    assert abs(first.log_ml - second.log_ml) < 4 * combined
    assert abs(second.log_ml - exact) < 0.05


def test_constant_likelihood_returns_its_log():
    assert fit_simple(constant, [-3.25], 2).log_ml == pytest.approx(-3.25, abs=0.02)


@pytest.mark.slow
def test_inactive_dimensions_stay_zero_and_leave_the_evidence():
    (design, y), exact = linear_case(5)
    padded = np.concatenate([design, np.full((design.shape[0], 3), 7.0)], axis=1)
    mask = np.arange(8) < 5
    found = sample_posterior(linear, (padded, y), mask, seed=1)
    assert found.dimension == 5
    assert np.all(found.draws[:, 5:] == 0.0)
    assert abs(found.log_ml - exact) < 0.02


def test_no_active_dimension_is_exact():
    (design, y), _ = linear_case(5)
    found = sample_posterior(linear, (design, y), np.zeros(5, bool), seed=1, settings=SMALL)
    assert found.log_ml == pytest.approx(float(linear(jnp.zeros((5, 1)), (design, y))[0]), abs=1e-12)
    assert found.established and found.log_ml_mcse == 0.0


def test_nan_counts_as_zero_likelihood():
    found = fit_simple(half_nan, [], 2)
    assert found.log_ml == pytest.approx(math.log(0.5), abs=max(0.02, 4 * found.log_ml_mcse))
    assert np.all(found.draws[:, 0] > 0)


def test_impossible_data_are_said_to_be_so():
    found = fit_simple(impossible, [], 2)
    assert found.log_ml == -math.inf
    assert not found.established and "every prior draw" in found.note


def test_too_few_sweeps_are_not_established():
    data, _ = linear_case(5)
    demanding = SMALL._replace(sweeps=8, ess_per_dimension=1e6)
    found = sample_posterior(linear, data, np.ones(5, bool), seed=1, settings=demanding)
    assert not found.established and "effective sample size" in found.note


def test_same_seed_is_bit_equal_alone_and_in_two_threads():
    data, _ = linear_case(5)

    def fit(_):
        return sample_posterior(linear, data, np.ones(5, bool), seed=4, settings=SMALL)

    alone = fit(0)
    with ThreadPoolExecutor(2) as pool:
        together = list(pool.map(fit, range(2)))
    for found in together:
        assert found.log_ml == alone.log_ml
        assert np.array_equal(found.chains, alone.chains)


def test_other_data_and_masks_compile_nothing():
    fit_simple(constant, [1.0], 2)
    first = len(TRACES)
    fit_simple(normal, [0.5], 1)
    assert len(TRACES) == first > 0


@pytest.mark.parametrize("stop_after", [1, 3, 9])
def test_an_interrupted_fit_resumes_bit_equal(tmp_path, stop_after, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    monkeypatch.setattr(checkpoint, "APART", 0.0)
    data, _ = linear_case(5)
    mask = np.ones(5, bool)
    whole = sample_posterior(linear, data, mask, seed=4, settings=SMALL)
    calls = []

    def interrupt(_text, _fraction):
        calls.append(1)
        if len(calls) == stop_after:
            raise KeyboardInterrupt

    path = tmp_path / "fit.npz"
    with pytest.raises(KeyboardInterrupt):
        sample_posterior(linear, data, mask, seed=4, settings=SMALL, progress=interrupt, checkpoint=path)
    assert [file.name for file in tmp_path.iterdir()] == ["fit.npz"]
    with np.load(path) as left:
        assert len(left["betas"]) + len(left["kept_z"]) == stop_after
    resumed = sample_posterior(linear, data, mask, seed=4, settings=SMALL, checkpoint=path)
    assert np.array_equal(resumed.chains, whole.chains)
    assert (resumed.log_ml, resumed.smc_log_ml, resumed.evaluations) == (
        whole.log_ml,
        whole.smc_log_ml,
        whole.evaluations,
    )


def test_a_checkpoint_of_another_fit_is_refused(tmp_path):
    data, _ = linear_case(5)
    path = tmp_path / "fit.npz"
    sample_posterior(linear, data, np.ones(5, bool), seed=4, settings=SMALL, checkpoint=path)
    with pytest.raises(ValueError, match="same seed"):
        sample_posterior(linear, data, np.ones(5, bool), seed=5, settings=SMALL, checkpoint=path)


@pytest.mark.slow
def test_progress_never_falls_and_ends_at_one():
    data, _ = linear_case(20)
    fractions = []
    sample_posterior(
        linear,
        data,
        np.ones(20, bool),
        seed=1,
        settings=SMALL,
        progress=lambda _text, fraction: fractions.append(fraction),
    )
    assert fractions[0] > 0.0 and fractions[-1] == 1.0
    assert all(later >= earlier for earlier, later in zip(fractions, fractions[1:], strict=False))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(populations=1), "populations must be at least 2"),
        (Settings(ess_fraction=1.0), "ess_fraction must be inside"),
        (Settings(sweeps=3), "warm_up must be at least 1 and sweeps at least"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        sample_posterior(linear, linear_case(5)[0], np.ones(5, bool), seed=1, settings=settings)


def by_parts(dimension, parts=5):
    """The linear case with its data taken in by parts, and the exact evidence after each."""
    (design, y), _ = linear_case(dimension)
    of = np.arange(y.size) * parts // y.size

    def log_likelihood(z, data):
        design, y, share = data
        each = -0.5 * (y[:, None] - design @ z) ** 2 - 0.5 * LOG_2PI
        return share @ each

    def of_parts(z):
        each = -0.5 * (y[:, None] - design @ z) ** 2 - 0.5 * LOG_2PI
        return (of == np.arange(parts)[:, None]).astype(float) @ each

    def exact(count):
        kept = of < count
        covariance = np.eye(kept.sum()) + design[kept] @ design[kept].T
        return multivariate_normal(np.zeros(kept.sum()), covariance).logpdf(y[kept])

    ascent = Ascent(of_parts, lambda shares: (design, y, shares[of]))
    return log_likelihood, ascent, [exact(count) for count in range(1, parts + 1)]


@pytest.mark.slow
def test_an_ascent_through_parts_of_the_data_ends_at_the_same_evidence():
    log_likelihood, ascent, exact = by_parts(20)
    data = ascent.data(np.ones(5))
    found = sample_posterior(log_likelihood, data, np.ones(20, bool), seed=1, ascent=ascent)
    assert found.established, found.note
    assert abs(found.log_ml - exact[-1]) < 0.05
    assert abs(found.smc_log_ml - exact[-1]) < 0.5


@pytest.mark.slow
def test_rungs_of_an_ascent_know_the_evidence_of_what_was_taken_in():
    log_likelihood, ascent, exact = by_parts(5)
    data = ascent.data(np.ones(5))
    found = sample_posterior(log_likelihood, data, np.ones(5, bool), seed=2, ascent=ascent)
    assert found.rungs[0].position == 0.0
    for count in range(1, 5):
        rung = [r for r in found.rungs if r.position <= count][-1]
        taken = np.clip(rung.position - np.arange(5), 0, 1) @ rung.parts
        gain = rung.parts[:count].sum(axis=0) - taken
        log_ml = logsumexp(rung.log_ml) - math.log(4) + logsumexp(gain) - math.log(gain.size)
        assert abs(log_ml - exact[count - 1]) < 0.2


@pytest.mark.parametrize(
    ("dimension", "settings"), [(5, SMALL), pytest.param(20, Settings(), marks=pytest.mark.slow)]
)
def test_a_fit_that_starts_from_a_relative_finds_its_own_evidence(dimension, settings):
    (design, y), _ = linear_case(dimension)
    moved = y + 0.5
    exact = multivariate_normal(np.zeros(y.size), np.eye(y.size) + design @ design.T).logpdf(moved)
    everything = np.ones(dimension, bool)
    first = sample_posterior(linear, (design, y), everything, seed=1, settings=settings)
    start = Start(first, (design, y))
    found = sample_posterior(linear, (design, moved), everything, seed=2, settings=settings, start=start)
    assert found.established, found.note
    assert math.isnan(found.smc_log_ml)
    assert abs(found.log_ml - exact) < 4 * found.log_ml_mcse + 0.01


@pytest.mark.slow
def test_a_start_far_away_is_left_step_by_step():
    def log_likelihood(z, y):
        return -20.0 * jnp.sum((y[:, None] - z) ** 2, axis=0)

    here, there, both = jnp.zeros(2), jnp.full(2, 2.0), np.ones(2, bool)
    first = sample_posterior(log_likelihood, here, both, seed=1)
    found = sample_posterior(log_likelihood, there, both, seed=2, start=Start(first, here))
    # A constant away from two normals of variance 1 + 1 / 40.
    exact = 2 * (-0.5 * math.log(41) - 2.0 / (1 + 1 / 40))
    assert found.stages > 1
    assert found.established, found.note
    assert abs(found.log_ml - exact) < 4 * found.log_ml_mcse + 0.01


@pytest.mark.slow
def test_a_start_may_lack_dimensions_that_are_then_drawn_from_the_prior():
    data, exact = linear_case(5)
    design, y = data
    narrow = (design * (np.arange(5) < 3), y)
    first = sample_posterior(linear, narrow, np.arange(5) < 3, seed=1)
    found = sample_posterior(linear, data, np.ones(5, bool), seed=2, start=Start(first, narrow))
    assert abs(found.log_ml - exact) < 0.05


@pytest.mark.slow
def test_a_start_without_likelihood_falls_back_to_the_ladder():
    def log_likelihood(z, shift):
        return jnp.where(z[0] > shift, 0.0, -jnp.inf)

    first = sample_posterior(log_likelihood, -10.0, np.ones(1, bool), seed=1, settings=SMALL)
    start = Start(first, -10.0)
    found = sample_posterior(log_likelihood, 0.0, np.ones(1, bool), seed=2, settings=SMALL, start=start)
    assert found.stages > 0 and math.isfinite(found.smc_log_ml)
    assert found.log_ml == pytest.approx(math.log(0.5), abs=0.1)
