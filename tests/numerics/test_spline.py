"""Lookups in tabulated curves: exact at nodes, the same by either route, flat beyond the grid."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.numerics import spline
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.numerics.spline import coefficients

bumps, lookup = jax.jit(spline.bumps), jax.jit(spline.lookup)
TABLE = np.stack([Z_GRID, np.tanh(Z_GRID), np.exp(0.3 * Z_GRID)])
Z = np.random.default_rng(0).standard_normal((3, 50)) * 2


def test_bumps_are_a_partition_of_unity() -> None:
    z = np.linspace(-6, 6, 241)
    np.testing.assert_allclose(bumps(jnp.asarray(z)).sum(axis=0), 1.0, rtol=1e-13)


@pytest.mark.parametrize("at", [Z_GRID, Z_GRID[[0, -1]]], ids=["all", "ends"])
def test_lookups_reproduce_every_tabulated_node(at: np.ndarray) -> None:
    expected = TABLE[:, np.searchsorted(Z_GRID, at)]
    np.testing.assert_allclose(np.asarray(coefficients(TABLE)) @ bumps(jnp.asarray(at)), expected, atol=1e-11)
    np.testing.assert_allclose(
        lookup(jnp.asarray(TABLE), jnp.asarray(np.stack([at] * 3))), expected, atol=1e-11
    )


def test_both_routes_agree_between_nodes() -> None:
    products = np.sum(np.asarray(coefficients(TABLE))[..., None] * np.asarray(bumps(jnp.asarray(Z))), axis=1)
    np.testing.assert_allclose(lookup(jnp.asarray(TABLE), jnp.asarray(Z)), products, atol=1e-12)


def test_gradient_is_that_of_the_basis_functions() -> None:
    def by_bumps(z):
        return jnp.sum(jnp.asarray(coefficients(TABLE))[..., None] * bumps(z))

    slopes = jax.grad(lambda z: lookup(jnp.asarray(TABLE), z).sum())(jnp.asarray(Z))
    np.testing.assert_allclose(slopes, jax.grad(by_bumps)(jnp.asarray(Z)), atol=1e-11)
    assert np.all(np.asarray(slopes)[np.abs(Z) > 4] == 0)
