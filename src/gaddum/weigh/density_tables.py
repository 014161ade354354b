"""Tables of log densities, and their smooth interpolation in JAX.

`reduce` turns every outcome into log densities on `GRID`; here they are stacked as coefficients of uniform
cubic B-splines (not-a-knot ends), so that a sampler reads value and gradient with 4 gathers (one contrast) or
16 (two). Interpolated tables are twice continuously differentiable inside the grid. Beyond it (effects of
more than 12 SD) the table is flat along rays from the origin, so that the order of two effects is kept.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gaddum.outcomes.form import Table
from gaddum.outcomes.noncentral_t import GRID

_LOW, _HIGH = float(GRID[0]), float(GRID[-1])
_CELLS = len(GRID) - 1
_PER_SD = _CELLS / (_HIGH - _LOW)


class Tables(NamedTuple):
    """Spline coefficients of all tables; G + 2 per axis."""

    one: Float[Array, "T1 P"]
    two: Float[Array, "T2 P P"]


def stack_tables(outcomes: Sequence[Table]) -> Tables:
    """Coefficients of the outcomes' tables, those of one contrast and those of two, in their order."""
    to_spline = _to_spline(len(GRID))
    size = len(GRID) + 2
    densities = [outcome.grid_log_density for outcome in outcomes]
    one = [to_spline @ density for density in densities if density.ndim == 1]
    two = [to_spline @ density @ to_spline.T for density in densities if density.ndim == 2]
    first, second = np.array(one).reshape(-1, size), np.array(two).reshape(-1, size, size)
    return Tables(jnp.asarray(first), jnp.asarray(second))


def evaluate_1d(tables: Tables, x: Float[Array, "T1 B"]) -> Float[Array, "T1 B"]:
    """Log densities of the outcomes of one contrast at true effects x (SD), a row per outcome."""
    return _read_1d(tables.one, x) if tables.one.shape[0] else jnp.zeros_like(x)


def evaluate_2d(tables: Tables, x: Float[Array, "T2 B"], y: Float[Array, "T2 B"]) -> Float[Array, "T2 B"]:
    """Log densities of the outcomes of two contrasts at true effects x and y (SD), a row per outcome."""
    if not tables.two.shape[0]:
        return jnp.zeros_like(x)
    # Beyond the table both shrink alike: cut one by one, effects that differ would meet in the corner.
    shrink = _HIGH / jnp.maximum(jnp.maximum(jnp.abs(x), jnp.abs(y)), _HIGH)
    return _read_2d(tables.two, x * shrink, y * shrink)


@jax.custom_vjp
def _read_1d(table: Array, x: Array) -> Array:
    return _slope_1d(table, x)[0]


def _slope_1d(table: Array, x: Array) -> tuple[Array, Array]:
    """Value and slope, outcome by outcome."""
    cell, fraction = _locate(x)
    index = cell + table.shape[1] * jnp.arange(table.shape[0], dtype=jnp.int32)[:, None]
    flat = table.reshape(-1)

    def read(part: tuple[Array, Array]) -> tuple[Array, Array]:
        index, f = part
        near = [_gather(flat, index + i) for i in range(4)]
        return _weighted(_weights(f), near), _weighted(_slopes(f), near)

    value, slope = jax.lax.map(read, (index, fraction))
    return value, slope * _per_sd(x)


_read_1d.defvjp(_slope_1d, lambda slope, g: (None, g * slope))


@jax.custom_vjp
def _read_2d(table: Array, x: Array, y: Array) -> Array:
    return _slope_2d(table, x, y)[0]


def _slope_2d(table: Array, x: Array, y: Array) -> tuple[Array, tuple[Array, Array]]:
    """Value and both slopes, outcome by outcome.

    The loop also makes XLA compute each index once: fused with the gathers it would be computed for all 16.
    """
    count, size, _ = table.shape
    row, along_x = _locate(x)
    column, along_y = _locate(y)
    index = size * (row + size * jnp.arange(count, dtype=jnp.int32)[:, None]) + column
    flat = table.reshape(-1)

    def read(part: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        index, f, g = part
        near = [[_gather(flat, index + (size * i + j)) for j in range(4)] for i in range(4)]
        lines = [_weighted(_weights(g), four) for four in near]
        rises = [_weighted(_slopes(g), four) for four in near]
        return _weighted(_weights(f), lines), _weighted(_slopes(f), lines), _weighted(_weights(f), rises)

    value, by_x, by_y = jax.lax.map(read, (index, along_x, along_y))
    return value, (by_x * _per_sd(x), by_y * _per_sd(y))


_read_2d.defvjp(_slope_2d, lambda slopes, g: (None, g * slopes[0], g * slopes[1]))


def _locate(x: Array) -> tuple[Array, Array]:
    """Cell of each coordinate, and how far along it lies in [0, 1]."""
    position = (jnp.clip(x, _LOW, _HIGH) - _LOW) * _PER_SD
    cell = jnp.clip(jnp.floor(jax.lax.stop_gradient(position)), 0, _CELLS - 1)
    return cell.astype(jnp.int32), position - cell


def _weights(f: Array) -> tuple[Array, Array, Array, Array]:
    """Weights of the four coefficients that reach a place."""
    g = 1 - f
    return g**3 / 6, (4 - 3 * f * f * (1 + g)) / 6, (4 - 3 * g * g * (1 + f)) / 6, f**3 / 6


def _slopes(f: Array) -> tuple[Array, Array, Array, Array]:
    """Derivatives of the weights."""
    g = 1 - f
    return -g * g / 2, f * (3 * f - 4) / 2, g * (4 - 3 * g) / 2, f * f / 2


def _weighted(weights: Sequence[Array], values: Sequence[Array]) -> Array:
    total = weights[0] * values[0]
    for weight, value in zip(weights[1:], values[1:], strict=True):
        total = total + weight * value
    return total


def _per_sd(x: Array) -> Array:
    """Cells per SD where a table varies with x, 0 beyond it."""
    return jnp.where((x >= _LOW) & (x <= _HIGH), _PER_SD, 0.0)


def _gather(flat: Array, index: Array) -> Array:
    return flat.at[index].get(mode="promise_in_bounds")


@lru_cache(maxsize=4)
def _to_spline(count: int) -> np.ndarray:
    """Linear map from values at `count` nodes to coefficients of the not-a-knot cubic B-spline."""
    system = np.zeros((count + 2, count + 2))
    for i in range(count):
        system[i, i : i + 3] = np.array([1, 4, 1]) / 6
    # third derivative continuous across the second and the last but one node
    system[count, :5] = system[count + 1, -5:] = [1, -4, 6, -4, 1]
    return np.linalg.inv(system)[:, :count]
