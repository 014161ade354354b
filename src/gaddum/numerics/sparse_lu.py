"""Sparse LU: small linear systems of one step of `radau`, written out for all draws at once.

The Jacobian keeps only what a rate depends on, so that bodies in series, whose matrix is nearly triangular, cost
little. Shifts are complex. Nothing is pivoted, which is stable for compartmental and binding systems (their matrices
are near M-matrices).
"""

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import Literal

States = tuple[Array, ...]
"""One array [lanes] for each state."""
Matrix = list[list[Array | None]]
"""Rows of arrays [lanes]; None where there is nothing."""
Complex = tuple[Array, Array | None]
"""Real and imaginary part; None where there is none."""
Factors = dict[tuple[int, int], Complex]
"""By row and column; what is not there is nothing."""


def jacobian(rate: Callable[[States], Sequence[Array]], y: States) -> Matrix:
    """Rows of derivatives of each rate by each state (1/h), [lanes] each."""
    known = _dependence(rate, y)
    units = [tuple(jnp.full_like(one, i == j) for i, one in enumerate(y)) for j in range(len(y))]
    columns = [jax.jvp(lambda *x: tuple(rate(x)), y, unit)[1] for unit in units]
    return [[column[i] if j in known[i] else None for j, column in enumerate(columns)] for i in range(len(y))]


def factored(matrix: Matrix, real: Array, imaginary: Array) -> Factors:
    """Factor ``shift - matrix``: lower triangle, inverse of the diagonal, upper triangle."""
    n = len(matrix)
    m: Factors = {
        (i, j): (-x, None) for i, row in enumerate(matrix) for j, x in enumerate(row) if x is not None
    }
    for k, row in enumerate(matrix):
        own = row[k]
        m[k, k] = (real if own is None else real - own, imaginary)
    for k in range(n):
        m[k, k] = _inverse(m[k, k])
        for i in range(k + 1, n):
            if (i, k) not in m:
                continue
            m[i, k] = _times(m[i, k], m[k, k])
            for j in range(k + 1, n):
                if (k, j) in m:
                    m[i, j] = _minus(m.get((i, j)), _times(m[i, k], m[k, j]))
    return m


def solved(m: Factors, b: list[Complex]) -> list[Complex]:
    """Solve with the factors for a right-hand side of one array for each row."""
    x, n = list(b), len(b)
    for i in range(n):
        for j in range(i):
            if (i, j) in m:
                x[i] = _minus(x[i], _times(m[i, j], x[j]))
    for i in reversed(range(n)):
        for j in range(i + 1, n):
            if (i, j) in m:
                x[i] = _minus(x[i], _times(m[i, j], x[j]))
        x[i] = _times(x[i], m[i, i])
    return x


def _dependence(rate: Callable[[States], Sequence[Array]], y: States) -> list[set[int]]:
    """Which states each rate depends on, from its operations."""
    traced = jax.make_jaxpr(lambda *x: tuple(rate(x)))(*y).jaxpr
    found: dict[Any, set[int]] = {var: {place} for place, var in enumerate(traced.invars)}

    def of(var: Any) -> set[int]:
        return set() if isinstance(var, Literal) else found.get(var, set())

    for one in traced.eqns:
        union = set[int]().union(*map(of, one.invars))
        found |= dict.fromkeys(one.outvars, union)
    return [of(var) for var in traced.outvars]


def _minus(a: Complex | None, b: Complex) -> Complex:
    (p, q), (r, s) = (0.0, None) if a is None else a, b
    if s is None:
        return p - r, q
    return p - r, -s if q is None else q - s


def _times(a: Complex, b: Complex) -> Complex:
    """Product."""
    (p, q), (r, s) = a, b
    if q is None:
        return p * r, None if s is None else p * s
    return (p * r, q * r) if s is None else (p * r - q * s, p * s + q * r)


def _inverse(a: Complex) -> Complex:
    p, q = a
    if q is None:
        return 1 / p, None
    size = 1 / (p * p + q * q)
    return p * size, -q * size
