"""Decays: sums of exponentials agree with plain ones, forward and backward, in either library."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.numerics.decays import decays as in_rows

RANDOM = np.random.default_rng(0)
RATES = np.exp(RANDOM.standard_normal((3, 4, 5)))
WEIGHTS = RANDOM.standard_normal((3, 4, 5))
TIMES = np.where(RANDOM.random((4, 6)) < 0.2, np.inf, 3 * RANDOM.random((4, 6)))


def decays(rates, weights, times, slopes=None):
    """Sums over the first axis of rates and weights."""
    poles, curves = rates.shape[:2]
    flat = (x.reshape(poles * curves, -1) for x in (rates, weights))
    return in_rows(
        *flat, np.tile(times, (poles, 1)), np.tile(np.arange(curves), poles), curves, slopes=slopes
    )


def plain(rates, weights):
    """The sum written out; infinite times are left out."""
    begun = np.isfinite(TIMES)[:, :, None]
    times = np.where(np.isfinite(TIMES), TIMES, 0.0)[None, :, :, None]
    each = weights[:, :, None] * jnp.exp(-rates[:, :, None] * times)
    return jnp.where(begun, each.sum(0), 0.0)


@pytest.mark.parametrize(("precision", "close"), [(np.float64, 1e-13), (np.float32, 1e-5)])
def test_both_libraries_give_the_sum_of_exponentials(precision: type, close: float) -> None:
    rates, weights = RATES.astype(precision), WEIGHTS.astype(precision)
    expected = plain(RATES, WEIGHTS)
    for found in (decays(rates, weights, TIMES), decays(jnp.asarray(rates), jnp.asarray(weights), TIMES)):
        assert found.dtype == precision
        np.testing.assert_allclose(found, expected, atol=close)


def test_an_array_of_numpy_stays_one() -> None:
    assert isinstance(decays(RATES, WEIGHTS, TIMES), np.ndarray)


@pytest.mark.parametrize(
    ("precision", "slopes", "close"),
    [(np.float64, None, 1e-12), (np.float32, None, 1e-4), (np.float64, np.float32, 1e-4)],
)
def test_gradient_is_that_of_the_sum_written_out(precision: type, slopes: type | None, close: float) -> None:
    given = jnp.asarray(RATES, precision), jnp.asarray(WEIGHTS, precision)
    pulled = RANDOM.standard_normal((4, 6, 5))

    def pull(g, *x):
        return jax.vjp(lambda *y: decays(*y, TIMES, slopes), *x)[1](g)

    found = jax.jit(pull)(jnp.asarray(pulled, precision), *given)
    expected = jax.vjp(plain, jnp.asarray(RATES), jnp.asarray(WEIGHTS))[1](jnp.asarray(pulled))
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == precision
        np.testing.assert_allclose(one, other, atol=close)


@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_what_has_not_begun_is_0_and_has_a_gradient(precision: type) -> None:
    rates, weights = jnp.full((1, 1, 1), 1e-4, precision), jnp.ones((1, 1, 1), precision)
    found, pull = jax.vjp(lambda *x: decays(*x, np.full((1, 2), np.inf)), rates, weights)
    assert not np.asarray(found).any()
    for slope in pull(jnp.ones_like(found)):
        assert not np.asarray(slope).any()


def test_one_exponential_falls_by_half_in_a_half_life() -> None:
    found = decays(np.full((1, 1, 1), np.log(2.0)), np.ones((1, 1, 1)), np.array([[0.0, 1.0, 2.0, np.inf]]))
    np.testing.assert_allclose(found[0, :, 0], [1.0, 0.5, 0.25, 0.0], rtol=1e-14)


def test_a_gradient_in_single_precision_leaves_the_sum_in_double() -> None:
    given = jnp.asarray(RATES), jnp.asarray(WEIGHTS)
    value, _ = jax.vjp(lambda *x: decays(*x, TIMES, np.float32), *given)
    np.testing.assert_array_equal(value, decays(*given, TIMES))
