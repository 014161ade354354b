"""Lookups in tabulated curves: natural cubic splines, exact at nodes, flat beyond the grid."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from gaddum.numerics import spline
from gaddum.numerics.normal_grid import Z_GRID

lookup = jax.jit(spline.lookup)
TABLE = np.stack([Z_GRID, np.tanh(Z_GRID), np.exp(0.3 * Z_GRID)])
Z = np.random.default_rng(0).standard_normal((3, 50)) * 2
NATURAL = [CubicSpline(Z_GRID, row, bc_type="natural") for row in TABLE]
WITHIN = np.clip(Z, Z_GRID[0], Z_GRID[-1])


@pytest.mark.parametrize("at", [Z_GRID, Z_GRID[[0, -1]]], ids=["all", "ends"])
def test_lookups_reproduce_every_tabulated_node(at: np.ndarray) -> None:
    expected = TABLE[:, np.searchsorted(Z_GRID, at)]
    np.testing.assert_allclose(
        lookup(jnp.asarray(TABLE), jnp.asarray(np.stack([at] * 3))), expected, atol=1e-11
    )


def test_between_nodes_a_natural_cubic_spline_is_read_in_either_library() -> None:
    assert (np.abs(Z) > 4).any()
    expected = [curve(z) for curve, z in zip(NATURAL, WITHIN, strict=True)]
    np.testing.assert_allclose(lookup(jnp.asarray(TABLE), jnp.asarray(Z)), expected, atol=1e-12)
    in_numpy = spline.lookup(TABLE, Z)
    assert isinstance(in_numpy, np.ndarray)
    np.testing.assert_allclose(in_numpy, expected, atol=1e-12)


def test_gradient_is_the_slope_of_the_spline_and_0_beyond_the_grid() -> None:
    slopes = jax.grad(lambda z: lookup(jnp.asarray(TABLE), z).sum())(jnp.asarray(Z))
    expected = np.array([curve(z, 1) for curve, z in zip(NATURAL, Z, strict=True)])
    np.testing.assert_allclose(slopes, np.where(np.abs(Z) > 4, 0.0, expected), atol=1e-11)
