"""Radau IIA with five stages: one implicit step of a few stiff states, every draw with a step of its own length.

The polynomial of degree five through the state at the beginning of a step that satisfies the equations at five points,
the last of them the end. Of order nine at the end, stable however stiff the system, and exact in its limit. `stiff`
chooses the steps; here is one of them.

The stages are found by simplified Newton iterations: the Jacobian is taken once, in the middle of the step as the
polynomial of the step before predicts it, and the eigenvectors of the method's matrix split the five stages into one
real and two complex systems of the size of the state (`sparse_lu`).

The error is estimated from what the polynomial leaves of the equations at five more points, between the stages (those
of Kronrod's extension of the Radau quadrature): the integral of the rates over all ten is what the polynomial should
have been. The difference is passed through the same linear systems, as a further Newton iteration would be, and so is
the error with which the step began. For a decay over a short step the estimate is 1.7 times the true error; over a step
that is long beside the decay it is more.

References
----------
Hairer E, Wanner G (1996). Solving Ordinary Differential Equations II, sections IV.5 and IV.8.
doi:10.1007/978-3-642-05221-7
"""

from collections.abc import Callable, Sequence
from functools import cache, reduce
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import ArrayLike
from numpy.polynomial import legendre

from gaddum.numerics.sparse_lu import Complex, States, factored, jacobian, solved

STAGES = 5
ITERATIONS = 10
"""Most Newton iterations of a step."""
FLOOR = 1e-4
"""Errors are relative to the value, but to this share of its peak at least."""
STUCK = 0.9
"""Ratio of two corrections from which on Newton's method is given up."""


class StepTrial(NamedTuple):
    """A step, good or not.

    Attributes
    ----------
    end
        States at its end, [n, lanes].
    shape
        Course of each state over the step, as coefficients of the first to the fifth power of the time after its end,
        in steps, [5, n, lanes].
    roughness
        How much of that course, relative to the scale of the state, its highest Legendre polynomials hold, [lanes].
    solved
        Whether Newton's method converged, [lanes].
    lacking
        Estimate of what the end lacks of the true course, [n, lanes].
    local
        How much of that comes from this step, relative to the scale of the state, [lanes].
    """

    end: Array
    shape: Array
    roughness: Array
    solved: Array
    lacking: Array
    local: Array


def step(
    rate: Callable[[States, Any], Sequence[Array]],
    y: Array,
    lacking: Array,
    forcing: Any,
    length: Array,
    shape: Array,
    ratio: Array,
    peak: Array,
    exact: ArrayLike,
    idle: Array,
) -> StepTrial:
    """Try one step.

    Parameters
    ----------
    rate
        Rate of change at states and forcing.
    y
        States at the beginning, [n, lanes].
    lacking
        What these lack of the true course, [n, lanes].
    forcing
        What drives the system at the stages and between them (see `times`), any pytree of arrays with these first.
    length
        Of the step, [lanes] or [1].
    shape
        That of the step before, from which the stages are predicted; zeros where there is none.
    ratio
        Length of the step over that of the step before.
    peak
        Largest magnitude of each state so far, [n, lanes].
    exact
        Target of the relative error of the stages.
    idle
        Where nothing needs to converge, as `length`.
    """
    method = _method()
    rows, middle = len(method.shift), STAGES // 2
    # The polynomial of the step before, in the length of this one.
    powers = [ratio]
    for _ in range(1, STAGES):
        powers.append(powers[-1] * ratio)
    ahead = jnp.stack([one * power[None] for one, power in zip(shape, powers, strict=True)])
    guess = _mixed(method.ahead, ahead)
    # A sum over an axis is what XLA never computes twice.
    there = jnp.sum(jnp.asarray(method.ahead[middle])[:, None, None] * ahead, axis=0)
    matrix = jacobian(lambda x: rate(x, jax.tree.map(lambda leaf: leaf[middle], forcing)), tuple(y + there))
    real, imaginary = (
        jnp.broadcast_to(part[:, None] / length[None], (rows, y.shape[1]))
        for part in (np.real(method.shift), np.imag(method.shift))
    )
    factors = jax.vmap(lambda a, b: factored(matrix, a, b))(real, imaginary)
    each = jax.vmap(lambda z, drive: tuple(rate(tuple(y + z), drive)))
    at_stages = jax.tree.map(lambda leaf: leaf[:STAGES], forcing)

    def rates(z: Array, forcing: Any) -> Array:
        return jnp.stack(each(z, forcing), axis=1)

    def scaled(moved: Sequence[Array], z: Array) -> Array:
        """Largest of `moved` [n, lanes] relative to the scale of its state."""
        top = [jnp.maximum(jnp.abs(a), jnp.abs(a + b)) for a, b in zip(y, z[-1], strict=True)]
        scale = [jnp.maximum(a, FLOOR * b) for a, b in zip(top, peak, strict=True)]
        parts = [
            jnp.where(b > 0, a / jnp.where(b > 0, b, 1.0), 0.0) for a, b in zip(moved, scale, strict=True)
        ]
        return as_steps(reduce(jnp.maximum, parts), length)

    def improved(at: tuple) -> tuple:
        count, w, z, before, _ = at
        mixed = _mixed(method.into, rates(z, at_stages))
        right = []
        for place in range(len(y)):
            a, b, c, d = w[:rows, place], w[rows:, place], mixed[:rows, place], mixed[rows:, place]
            right.append((c - (real * a - imaginary * b), d - (real * b + imaginary * a)))
        found = jax.vmap(solved)(factors, right)
        move = jnp.concatenate([jnp.stack(part, axis=1) for part in zip(*found, strict=True)])
        shift = _mixed(method.back, move)
        moved = [reduce(jnp.maximum, [jnp.abs(x) for x in shift[:, place]]) for place in range(len(y))]
        size = scaled(moved, z + shift)
        # Hairer and Wanner (1996), equations IV.8.10 and IV.8.11: what a linear convergence still leaves to come.
        slow = size / jnp.maximum(before, 1e-300)
        left = jnp.where(slow < 1, size * slow / (1 - slow), jnp.inf)
        error = jnp.where(count > 0, left, size)
        error = jnp.where((count > 1) & (slow > STUCK) & (size > exact), jnp.nan, error)
        error = jnp.where(idle | (size <= 1e-3 * exact), 0.0, error)
        return count + 1, w + move, z + shift, size, error

    def unfinished(at: tuple) -> Array:
        count, *_, error = at
        return (count < ITERATIONS) & jnp.any(error > exact)

    none = jnp.full(length.shape, jnp.inf)
    _, _, z, _, missed = lax.while_loop(
        unfinished, improved, (0, _mixed(method.into @ method.ahead, ahead), guess, none, none)
    )
    end = method.back[-1][:, None]

    def at_end(right: Array) -> list[Array]:
        parts: list[Complex] = [(right[:rows, place], right[rows:, place]) for place in range(len(y))]
        found = jax.vmap(solved)(factors, parts)
        return [jnp.sum(end[:rows] * a + end[rows:] * b, axis=0) for a, b in found]

    # Products with an array, not written out: here nothing is read often enough to be kept.
    should = jnp.tensordot(method.integral, rates(jnp.tensordot(method.course, z, 1), forcing), 1)
    local = at_end(should - jnp.tensordot(method.apart, z, 1) / length)
    before = at_end(method.apart.sum(axis=1)[:, None, None] * lacking / length)
    fourth, fifth = jnp.abs(_mixed(method.rough, z))
    # The last coefficient alone may vanish by chance; the one before is usually larger by the factor of the weight.
    high = jnp.maximum(fifth, 0.15 * fourth)
    return StepTrial(
        y + z[-1],
        _mixed(method.shape, z),
        scaled(list(high), z),
        missed <= exact,
        jnp.stack([a + b for a, b in zip(local, before, strict=True)]),
        scaled([jnp.abs(x) for x in local], z),
    )


def times(since: Array, length: Array) -> Array:
    """Times of the five stages and of the five points between them, [10, *since.shape]."""
    return since[None] + _method().nodes[:, None] * length[None]


def as_steps(x: Array, length: Array) -> Array:
    """The largest over lanes [1] where all take the same steps, else each lane's own."""
    return jnp.max(x, keepdims=True) if length.size == 1 else x


class _Method(NamedTuple):
    nodes: np.ndarray
    """Stages, and points between them, as shares of the step, [10]."""
    shift: np.ndarray
    """Eigenvalues of the inverse of the method's matrix, one of each conjugate pair, [3]."""
    into: np.ndarray
    """To eigenvectors, real parts above imaginary ones, [6, 5]."""
    back: np.ndarray
    """From them, [5, 6]."""
    ahead: np.ndarray
    """Coefficients of powers of the time after the beginning to stages, [5, 5]."""
    rough: np.ndarray
    """Stages to Legendre coefficients of degree 4 and 5, [2, 5]."""
    shape: np.ndarray
    """Stages to coefficients of powers of the time after the end, [5, 5]."""
    course: np.ndarray
    """Stages to stages and points between, [10, 5]."""
    integral: np.ndarray
    """Rates at stages and points between, integrated to the stages, to eigenvectors times their values, [6, 10]."""
    apart: np.ndarray
    """Stages to eigenvectors times their values, [6, 5]."""


@cache
def _method() -> _Method:
    s = STAGES
    nodes = (1 + np.sort(legendre.legroots([0.0] * (s - 1) + [-1.0, 1.0]))) / 2
    nodes[-1] = 1.0
    every = np.append(nodes, _between(nodes))
    values, vectors = np.linalg.eig(np.linalg.inv(_integrals(nodes, nodes)))
    inverse = np.linalg.inv(vectors)
    keep = np.flatnonzero(np.imag(values) > -1e-9)
    twice = np.where(np.imag(values[keep]) > 1e-9, 2.0, 1.0)  # a pair counts twice by its real part
    back, into = vectors[:, keep] * twice, inverse[keep]
    apart = values[keep, None] * into
    apart = np.concatenate([np.real(apart), np.imag(apart)])
    points = np.append(0.0, nodes)
    ahead, all_ahead = (np.vander(x, s + 1, increasing=True)[:, 1:] for x in (nodes, every))
    return _Method(
        every,
        values[keep],
        np.concatenate([np.real(into), np.imag(into)]),
        np.concatenate([np.real(back), -np.imag(back)], axis=1),
        ahead,
        np.linalg.inv(legendre.legvander(2 * points - 1, s))[-2:, 1:],
        np.linalg.inv(np.vander(points - 1, increasing=True))[1:, 1:],
        all_ahead @ np.linalg.inv(ahead),
        apart @ _integrals(nodes, every),
        apart,
    )


def _integrals(ends: np.ndarray, points: np.ndarray) -> np.ndarray:
    """From values at points to integrals from 0 to each end of the polynomial through them, [ends, points]."""
    at, degrees = legendre.legvander(2 * ends - 1, len(points)), np.arange(1, len(points))
    each = np.column_stack([ends, (at[:, 2:] - at[:, :-2]) / (2 * (2 * degrees + 1))])
    return each @ np.linalg.inv(legendre.legvander(2 * points - 1, len(points) - 1))


def _between(nodes: np.ndarray) -> np.ndarray:
    """Kronrod's points, with which a quadrature is exact to degree 14.

    Zeros of the polynomial that, times the polynomial of the nodes, is orthogonal to all powers below the fifth.
    """
    product = np.poly(nodes)[::-1]
    powers = np.arange(2 * len(nodes))
    moments = np.array([product @ (1 / (powers[: len(product)] + power + 1)) for power in powers])
    found = np.linalg.solve(moments[np.add.outer(powers[:5], powers[:5])], -moments[powers[:5] + 5])
    return np.sort(np.roots(np.append(found, 1.0)[::-1]))


def _mixed(matrix: np.ndarray, x: Array) -> Array:
    """Product with the first axis of [columns, n, lanes], written out row by row.

    So XLA keeps `x` in memory: it would else compute it again for every row (`_mixed` reads it more often than the
    fifteen times up to which XLA's fusion does so).
    """
    return jnp.stack(
        [reduce(jnp.add, [float(m) * one for m, one in zip(row, x, strict=True) if m]) for row in matrix]
    )
