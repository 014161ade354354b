"""Rodas4 on a fixed grid: a few stiff states, many draws at once, the grid doubled until the error is small enough.

For what has no closed form. Panels lie between the times where something jumps or is read, so no step crosses a jump;
within a panel most steps lie soon after its start, before what is fast has died away. All draws share
one grid, so that there is no step control inside the compiled loop; the whole course is repeated on a grid twice as
fine, and the difference (method of order 4) estimates the error of the finer one. Where the finest grid does not meet
the target, the result says so; nothing raises.

The batch is on the last axes. Systems of up to six equations are solved written out, without pivoting, which is
stable for the compartmental and binding systems that `nonlinear` poses (their matrices are near M-matrices).
The grid is chosen by looking at the numbers, so a course cannot be traced: no jit and no gradient around it.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

Rate = Callable[[Array, Array, Any, Array], Array]
"""(time, state [n, *batch], arguments, index of the panel) -> rate of change [n, *batch]; a module-level function."""

FINEST = 0.01
"""Time (h) after a jump from which on steps may grow in proportion to the time since."""
SHORTEST = 1e-12
"""Least length of a panel (h): one of no length would divide by it."""
EARLY = 0.6
"""Share of the steps that are laid for what happens soon after a jump."""
FLOOR = 1e-4
"""Errors are relative to the value, but to this share of its peak at least."""


class Course(NamedTuple):
    """States at the ends of panels, and how far to trust them.

    Attributes
    ----------
    states
        Shape [panels + 1, n, *batch]; the first row is the start, before any jump.
    error
        Estimated largest relative error of a draw, shape [*batch].
    converged
        Whether it met the target, shape [*batch].
    steps
        Steps per panel of the last grid.
    status
        "converged", or a sentence that says what is wrong.
    """

    states: Array
    error: Array
    converged: Array
    steps: int
    status: str


def integrate(
    rate: Rate,
    start: Array,
    edges: np.ndarray,
    jumps: Array,
    args: Any,
    *,
    tolerance: float = 1e-7,
    fewest: int = 8,
    most: int = 1024,
) -> Course:
    """Follow a small stiff system over its panels.

    Parameters
    ----------
    rate
        Rate of change.
    start
        State at the first edge, shape [n, *batch].
    edges
        Ends of the panels (h), ascending, shape [panels + 1], or [panels + 1, *batch] where each draw has its own.
    jumps
        What is added to the state at the beginning of each panel, shape [panels, n, *batch].
    args
        Arguments of `rate`: any pytree of arrays.
    tolerance
        Target of the estimated relative error.
    fewest, most
        Steps per panel of the first and of the last grid tried.

    References
    ----------
    Hairer E, Wanner G (1996). Solving Ordinary Differential Equations II, section IV.7. doi:10.1007/978-3-642-05221-7
    """
    if start.shape[0] > 6:
        raise ValueError(f"At most six states can be followed; got {start.shape[0]}. Split the system.")
    steps, error = fewest, jnp.full(start.shape[1:], jnp.inf)
    coarse = _follow(rate, start, jnp.asarray(edges), steps, jumps, args)
    fine = coarse
    while steps < most:
        steps *= 2
        fine = _follow(rate, start, jnp.asarray(edges), steps, jumps, args)
        error = _difference(coarse, fine)
        if bool((error <= tolerance).all()):
            break
        coarse = fine
    converged = error <= tolerance
    lost = int((~converged).sum())
    status = "converged"
    if lost:
        status = (
            f"{lost} of {converged.size} draws missed the target {tolerance:g} on {steps} steps a panel (worst "
            f"{float(jnp.nanmax(error)):.1e}); raise `most`, or look at their parameters."
        )
    return Course(fine, error, converged, steps, status)


@jax.jit
def _difference(coarse: Array, fine: Array) -> Array:
    """Estimated relative error of the finer course, [*batch]; infinite where it is not a number."""
    peak = jnp.max(jnp.abs(fine), axis=0, keepdims=True)
    scale = jnp.maximum(jnp.abs(fine), FLOOR * peak)
    # A difference of order 4 is 15 times the error of the finer grid; 10 leaves room where the order is not reached.
    apart = jnp.abs(fine - coarse) / 10
    worst = jnp.max(jnp.where(scale > 0, apart / jnp.where(scale > 0, scale, 1.0), 0.0), axis=(0, 1))
    return jnp.where(jnp.isfinite(worst), worst, jnp.inf)


@partial(jax.jit, static_argnums=0)
def _follow(rate: Rate, start: Array, edges: Array, steps: int | Array, jumps: Array, args: Any) -> Array:
    """States at all edges. The number of steps is data, so that one compilation serves every grid."""
    lengths = jnp.maximum(jnp.diff(edges, axis=0), SHORTEST)
    widest = jnp.max(lengths.reshape(lengths.shape[0], -1), axis=1)

    def over_panel(state: Array, panel: tuple[Array, ...]) -> tuple[Array, Array]:
        begin, length, most, jump, index = panel
        # A share of the steps lies evenly in the logarithm of the time since the panel began (in time itself up to
        # `FINEST`), the rest evenly in time: any monotone map will do, and this one is inverted by a table. It is
        # laid for the widest of the draws' panels.
        places = jnp.linspace(0.0, 1.0, 257)
        passed = FINEST / most * jnp.expm1(jnp.log1p(most / FINEST) * places)
        shares = EARLY * places + (1 - EARLY) * passed

        def elapsed(k: Array) -> Array:
            return jnp.interp(k / steps, shares, passed) * length

        def step(k: Array, y: Array) -> Array:
            since = elapsed(k)
            return _step(lambda t, x: rate(t, x, args, index), begin + since, y, elapsed(k + 1) - since)

        state = lax.fori_loop(0, steps, step, state + jump)
        return state, state

    panels = (edges[:-1], lengths, widest, jumps, jnp.arange(len(lengths)))
    return jnp.concatenate([start[None], lax.scan(over_panel, start, panels)[1]])


def _step(f: Callable[[Array, Array], Array], t: Array, y: Array, h: Array) -> Array:
    """One step of Rodas4, in the form of Hairer and Wanner's code, which needs no product with the Jacobian."""
    n = y.shape[0]
    columns = [jax.jvp(lambda x: f(t, x), (y,), (_unit(y, j),))[1] for j in range(n)]
    now, drift = jax.jvp(lambda s: f(s, y), (t,), (jnp.ones_like(t),))
    factors = _factored(
        [[(1 / (h * _GAMMA) if i == j else 0.0) - columns[j][i] for j in range(n)] for i in range(n)]
    )
    u: list[Array] = []
    for a, c, time, d in zip(_A, _C, _TIMES, _D, strict=True):
        at = y + sum((w * x for w, x in zip(a, u, strict=True)), jnp.zeros_like(y))
        slope = f(t + time * h, at) if u else now
        right = slope + sum((w / h * x for w, x in zip(c, u, strict=True)), jnp.zeros_like(y)) + h * d * drift
        u.append(jnp.stack(_solved(factors, [right[i] for i in range(n)])))
    return y + sum((w * x for w, x in zip((*_A[-1], 1.0), u, strict=True)), jnp.zeros_like(y))


def _unit(y: Array, j: int) -> Array:
    return jnp.zeros_like(y).at[j].set(1.0)


def _factored(m: list[list[Array]]) -> list[list[Array]]:
    """Factor a matrix of arrays into lower (unit diagonal) and upper triangles, in place of its elements."""
    m = [list(row) for row in m]
    for k in range(len(m)):
        for i in range(k + 1, len(m)):
            m[i][k] = m[i][k] / m[k][k]
            for j in range(k + 1, len(m)):
                m[i][j] = m[i][j] - m[i][k] * m[k][j]
    return m


def _solved(m: list[list[Array]], b: list[Array]) -> list[Array]:
    x = list(b)
    for i in range(len(m)):
        for j in range(i):
            x[i] = x[i] - m[i][j] * x[j]
    for i in reversed(range(len(m))):
        for j in range(i + 1, len(m)):
            x[i] = x[i] - m[i][j] * x[j]
        x[i] = x[i] / m[i][i]
    return x


# Rodas4: Hairer and Wanner (1996), section IV.7, and their program RODAS (coefficients of method 1), stage by stage:
# weights of earlier stages in the state (A) and in the right-hand side (C), times, and weights of df/dt (D).
_GAMMA = 0.25
_A = (
    (),
    (1.544,),
    (0.9466785280815826, 0.2557011698983284),
    (3.314825187068521, 2.896124015972201, 0.9986419139977817),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895, 1.0),
)
_C = (
    (),
    (-5.6688,),
    (-2.430093356833875, -0.2063599157091915),
    (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
    (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.7089089320616),
    (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
)
_TIMES = (0.0, 0.386, 0.21, 0.63, 1.0, 1.0)
_D = (0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0)
