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

from gaddum.infer.densities import GRID
from gaddum.infer.reduce import Reduced

_LOW, _HIGH = float(GRID[0]), float(GRID[-1])
_CELLS = len(GRID) - 1
_PER_SD = _CELLS / (_HIGH - _LOW)


class Tables(NamedTuple):
    """Spline coefficients of all tables; G + 2 per axis."""

    one: Float[Array, "T1 P"]
    two: Float[Array, "T2 P P"]


class Stacked(NamedTuple):
    """Tables, and which outcome each belongs to."""

    tables: Tables
    one: tuple[int, ...]
    """Position in the list of each outcome of one contrast, in the order of the rows of `tables.one`."""
    two: tuple[int, ...]
    """The same for two contrasts."""


def stack_tables(outcomes: Sequence[Reduced]) -> Stacked:
    """Coefficients of the outcomes' tables, stacked by number of contrasts."""
    one = tuple(i for i, outcome in enumerate(outcomes) if outcome.grid_log_density.ndim == 1)
    two = tuple(i for i, outcome in enumerate(outcomes) if outcome.grid_log_density.ndim == 2)
    to_spline = _to_spline(len(GRID))
    size = len(GRID) + 2
    first, second = np.zeros((len(one), size)), np.zeros((len(two), size, size))
    for row, i in enumerate(one):
        first[row] = to_spline @ outcomes[i].grid_log_density
    for row, i in enumerate(two):
        second[row] = to_spline @ outcomes[i].grid_log_density @ to_spline.T
    return Stacked(Tables(jnp.asarray(first), jnp.asarray(second)), one, two)


def evaluate_1d(tables: Tables, x: Float[Array, "T1 B"]) -> Float[Array, "T1 B"]:
    """Log densities of the outcomes of one contrast at true effects x (SD), a row per outcome."""
    count, size = tables.one.shape
    cell, weights = _locate(x)
    index = cell + size * jnp.arange(count)[:, None]
    flat = tables.one.reshape(-1)
    total = jnp.zeros_like(x)
    for i, weight in enumerate(weights):
        total = total + weight * _gather(flat, index + i)
    return total


def evaluate_2d(tables: Tables, x: Float[Array, "T2 B"], y: Float[Array, "T2 B"]) -> Float[Array, "T2 B"]:
    """Log densities of the outcomes of two contrasts at true effects x and y (SD), a row per outcome."""
    count, size, _ = tables.two.shape
    # Beyond the table both shrink alike: cut one by one, effects that differ would meet in the corner.
    shrink = _HIGH / jnp.maximum(jnp.maximum(jnp.abs(x), jnp.abs(y)), _HIGH)
    x, y = x * shrink, y * shrink
    row, x_weights = _locate(x)
    column, y_weights = _locate(y)
    index = size * (row + size * jnp.arange(count)[:, None]) + column
    flat = tables.two.reshape(-1)
    total = jnp.zeros_like(x)
    for i, x_weight in enumerate(x_weights):
        line = jnp.zeros_like(x)
        for j, y_weight in enumerate(y_weights):
            line = line + y_weight * _gather(flat, index + (size * i + j))
        total = total + x_weight * line
    return total


def _locate(x: Array) -> tuple[Array, tuple[Array, Array, Array, Array]]:
    """Cell of each coordinate, and the weights of the four coefficients that reach it."""
    position = (jnp.clip(x, _LOW, _HIGH) - _LOW) * _PER_SD
    cell = jnp.clip(jnp.floor(jax.lax.stop_gradient(position)), 0, _CELLS - 1)
    f = position - cell
    g = 1 - f
    weights = (g**3 / 6, (4 - 3 * f * f * (1 + g)) / 6, (4 - 3 * g * g * (1 + f)) / 6, f**3 / 6)
    return cell.astype(jnp.int32), weights


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
