"""Gathers and sums by a fixed index agree with plain indexing, forward and backward."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.numerics.segments import collect, cut, pick, spread

RANDOM = np.random.default_rng(0)
INDICES = {
    "some twice": np.array([2, 0, 2, 4, 4, 4, 1]),
    "in order": np.arange(5),
    "none": np.zeros(0, int),
    "all one": np.zeros(6, int),
}


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES.keys())
def test_spread_copies_and_its_gradient_adds(index: np.ndarray) -> None:
    x, g = RANDOM.standard_normal((5, 3, 2)), RANDOM.standard_normal((index.size, 3, 2))
    found, pull = jax.vjp(lambda x: spread(x, index), jnp.asarray(x))
    np.testing.assert_array_equal(found, x[index])
    expected = np.zeros_like(x)
    np.add.at(expected, index, g)
    np.testing.assert_allclose(pull(jnp.asarray(g))[0], expected, atol=1e-14)


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES.keys())
def test_collect_adds_and_its_gradient_copies(index: np.ndarray) -> None:
    x, g = RANDOM.standard_normal((index.size, 3, 2)), RANDOM.standard_normal((5, 3, 2))
    found, pull = jax.vjp(lambda x: collect(x, index, 5), jnp.asarray(x))
    expected = np.zeros((5, 3, 2))
    np.add.at(expected, index, x)
    np.testing.assert_allclose(found, expected, atol=1e-14)
    np.testing.assert_array_equal(pull(jnp.asarray(g))[0], g[index])


def test_pick_reads_0_where_there_is_nothing() -> None:
    x, index = jnp.arange(8.0).reshape(4, 2), np.array([3, -1, 0, 3])
    found, pull = jax.vjp(lambda x: pick(x, index), x)
    np.testing.assert_array_equal(found, [[6, 7], [0, 0], [0, 1], [6, 7]])
    np.testing.assert_array_equal(pull(jnp.ones((4, 2)))[0], [[1, 1], [0, 0], [0, 0], [2, 2]])


@pytest.mark.parametrize("index", INDICES.values(), ids=INDICES.keys())
def test_arrays_of_numpy_give_the_same_in_numpy(index: np.ndarray) -> None:
    sources, places = RANDOM.standard_normal((5, 3, 2)), RANDOM.standard_normal((index.size, 3, 2))
    for function, x, rest in ((spread, sources, ()), (collect, places, (5,)), (pick, sources, ())):
        for precision in (np.float64, np.float32):
            found = function(x.astype(precision), index, *rest)
            expected = function(jnp.asarray(x, precision), index, *rest)
            assert isinstance(found, np.ndarray) and found.dtype == expected.dtype == precision
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_pick_in_numpy_reads_0_where_there_is_nothing() -> None:
    found = pick(np.arange(8.0).reshape(4, 2), np.array([3, -1, 0, 3]))
    np.testing.assert_array_equal(found, [[6, 7], [0, 0], [0, 1], [6, 7]])


def test_cut_is_put_together_by_its_gradient() -> None:
    x = jnp.asarray(RANDOM.standard_normal((2, 4, 3)))
    (before, last), pull = jax.vjp(cut, x)
    np.testing.assert_array_equal(jnp.concatenate([before, last], axis=1), x)
    np.testing.assert_array_equal(pull((before, last))[0], x)
