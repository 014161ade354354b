"""Interpolation of tables: exact at nodes, accurate between, smooth, flat beyond."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.outcomes.form import Table
from gaddum.outcomes.noncentral_t import GRID, along_logpdf, effect_interval, effect_logpdf
from gaddum.weigh import density_tables
from gaddum.weigh.density_tables import stack_tables

evaluate_1d, evaluate_2d = jax.jit(density_tables.evaluate_1d), jax.jit(density_tables.evaluate_2d)


def table(log_density: np.ndarray) -> Table:
    return Table((), log_density)


COVARIANCE = np.array([[0.24, 0.12], [0.12, 0.24]])
D = np.array([1.2, 0.1])


def exact_of_two(d: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Log density of two differences that share an SD of 21 degrees of freedom."""
    delta = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1)
    precision = np.linalg.inv(COVARIANCE)
    linear = along_logpdf(d, COVARIANCE, 21.0, delta @ precision @ d)
    return linear - 0.5 * np.einsum("xyi,ij,xyj->xy", delta, precision, delta)


TABLES = stack_tables(
    [
        table(exact_of_two(D, GRID, GRID)),
        table(effect_logpdf(1.1, 0.24, 14.0, GRID)),
        table(np.log(effect_interval(1.0, np.inf, 0.24, 14.0, GRID))),
        table(exact_of_two(-D, GRID, GRID)),
    ]
)
BETWEEN = np.linspace(-11.97, 11.97, 801)


def test_rows_of_a_kind_keep_the_order_of_the_outcomes() -> None:
    assert evaluate_1d(TABLES, jnp.asarray([[1.1], [1.1]]))[0] == pytest.approx(
        effect_logpdf(1.1, 0.24, 14.0, np.array([1.1])), abs=1e-4
    )
    here = evaluate_2d(TABLES, jnp.full((2, 1), D[0]), jnp.full((2, 1), D[1]))
    assert here[0, 0] > here[1, 0]


def test_one_contrast_off_grid_within_1e_4() -> None:
    values = evaluate_1d(TABLES, jnp.asarray(np.stack([BETWEEN, BETWEEN])))
    exact = np.stack(
        [effect_logpdf(1.1, 0.24, 14.0, BETWEEN), np.log(effect_interval(1.0, np.inf, 0.24, 14.0, BETWEEN))]
    )
    assert np.max(np.abs(values - exact)[exact > -200]) < 1e-4


def test_two_contrasts_off_grid_within_1e_4() -> None:
    x, y = BETWEEN[::20], BETWEEN[5::20]
    exact = exact_of_two(D, x, y)
    xs, ys = (np.stack([m.ravel()] * 2) for m in np.meshgrid(x, y, indexing="ij"))
    values = evaluate_2d(TABLES, jnp.asarray(xs), jnp.asarray(ys))[0].reshape(exact.shape)
    assert np.max(np.abs(values - exact)[exact > -200]) < 1e-4


def test_nodes_are_reproduced_including_the_edges() -> None:
    values = evaluate_1d(TABLES, jnp.asarray(np.stack([GRID, GRID])))
    np.testing.assert_allclose(values[0], effect_logpdf(1.1, 0.24, 14.0, GRID), atol=1e-9)


def test_gradient_is_that_of_the_density() -> None:
    x = jnp.asarray([[0.31, -2.07, 4.44]] * 2)
    gradient = jax.grad(lambda at: evaluate_1d(TABLES, at)[0].sum())(x)[0]
    h = 1e-4
    at = np.asarray(x[0])
    exact = (effect_logpdf(1.1, 0.24, 14.0, at + h) - effect_logpdf(1.1, 0.24, 14.0, at - h)) / (2 * h)
    np.testing.assert_allclose(gradient, exact, atol=1e-3)


@pytest.mark.slow
def test_gradient_and_curvature_are_continuous_across_nodes() -> None:
    def along(x: float):
        return evaluate_2d(TABLES, jnp.full((2, 1), x), jnp.full((2, 1), 0.23))[0, 0]

    for derivative in (jax.jit(jax.grad(along)), jax.jit(jax.grad(jax.grad(along)))):
        assert float(derivative(0.5 - 1e-9)) == pytest.approx(float(derivative(0.5 + 1e-9)), abs=1e-4)


def test_beyond_the_grid_the_table_is_flat() -> None:
    x = jnp.asarray([[12.0, 15.0, -40.0]] * 2)
    values = evaluate_1d(TABLES, x)[0]
    assert values[0] == pytest.approx(float(values[1])) and np.isfinite(values[2])
    assert jax.grad(lambda at: evaluate_1d(TABLES, at).sum())(x)[0, 1] == 0


def test_no_table_of_a_kind_is_no_error() -> None:
    empty = stack_tables([])
    assert evaluate_1d(empty, jnp.zeros((0, 4))).shape == (0, 4)
    assert evaluate_2d(empty, jnp.zeros((0, 4)), jnp.zeros((0, 4))).shape == (0, 4)
