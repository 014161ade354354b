"""Spline: curves tabulated at the points of `Z_GRID`, read as natural cubic splines of a standard normal variate.

Beyond the grid a table is flat.
"""

from typing import Any

import numpy as np
from jaxtyping import Float

from gaddum.numerics.array_library import Numbers, array_library, without_gradient
from gaddum.numerics.normal_grid import Z_GRID

_FIRST, _STEP = float(Z_GRID[0]), float(Z_GRID[1] - Z_GRID[0])
_CELLS = Z_GRID.size - 1


def _coefficients(table: Float[Numbers, "... grid"]) -> Float[Numbers, "... basis"]:
    """Spline coefficients of tabulated values, natural at the ends."""
    if isinstance(table, np.ndarray):
        return table @ _TO_SPLINE.T
    # Not a product of matrices: XLA 0.10.2 on CPUs fuses that into the loop over draws, and from about 1,000 draws on
    # the result is wrong (seen on traced tables; tests/response/test_response.py).
    return array_library(table).sum(table[..., None, :] * _TO_SPLINE, axis=-1)


def lookup(
    table: Float[Numbers, "dimension grid"], z: Float[Numbers, "dimension batch"]
) -> Float[Numbers, "dimension batch"]:
    """Values of tabulated parameters at z, one row each, in numpy if both are; the table itself has no gradient."""
    if array_library(table, z) is np:
        return _with_slope(table, z)[0]
    import jax

    read = jax.custom_vjp(lambda table, z: _with_slope(table, z)[0])
    read.defvjp(_with_slope, lambda slope, g: (None, g * slope))
    return read(without_gradient(jax.numpy.asarray(table)), z)


def _with_slope(table: Numbers, z: Numbers) -> tuple[Any, Any]:
    """Value and slope from one pass over the four coefficients that reach z."""
    xp = array_library(table, z)
    flat = xp.asarray(_coefficients(table)).reshape(-1)
    raw = (z - _FIRST) / _STEP
    place = xp.clip(raw, 0.0, _CELLS)
    cell = xp.clip(xp.floor(place), 0, _CELLS - 1)
    f = place - cell
    g = 1 - f
    index = cell.astype(xp.int32) + (_CELLS + 3) * xp.arange(z.shape[0], dtype=xp.int32)[:, None]
    c = [flat[index + i] if xp is np else flat.at[index + i].get(mode="promise_in_bounds") for i in range(4)]
    value = (
        g**3 * c[0] + (4 - 3 * f * f * (1 + g)) * c[1] + (4 - 3 * g * g * (1 + f)) * c[2] + f**3 * c[3]
    ) / 6
    slope = (g * g * (c[1] - c[0]) + (1 + 2 * f * g) * (c[2] - c[1]) + f * f * (c[3] - c[2])) / (2 * _STEP)
    return value, xp.where((raw >= 0) & (raw <= _CELLS), slope, 0.0)


def _to_spline() -> Float[np.ndarray, "basis grid"]:
    size = Z_GRID.size
    system = np.zeros((size + 2, size + 2))
    right = np.zeros((size + 2, size))
    for i in range(size):
        system[i, i : i + 3] = [1 / 6, 2 / 3, 1 / 6]
        right[i, i] = 1.0
    system[size, :3] = [1, -2, 1]
    system[size + 1, -3:] = [1, -2, 1]
    return np.linalg.solve(system, right)


_TO_SPLINE = _to_spline()
