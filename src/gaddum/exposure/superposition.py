"""Concentration after doses, for linear kinetics, in closed form.

The response to a unit bolus is an `impulse.Impulse`; here it meets single doses, series and steady states.

Units are the caller's, as long as they agree; in gaddum: h, L, L/h, nmol, nM. Poles lie on axis 0 and the
batch (draws) on the trailing axes, so that one call serves every draw. Inputs without batch axes are
broadcast.
"""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import ArrayLike

from gaddum.exposure.impulse import Impulse

SHORTEST = 1e-12
"""Length of an input (h) up to which it is a bolus: its rate would overflow, and rate times length underflow."""


def concentration(
    impulse: Impulse,
    times: ArrayLike,
    amount: ArrayLike,
    *,
    start: ArrayLike = 0.0,
    duration: ArrayLike = 0.0,
    lag: ArrayLike = 0.0,
) -> Array:
    """Concentration after one dose; zero before it.

    Parameters
    ----------
    impulse
        Response to a unit bolus, [poles, *batch].
    times
        Times at which to read (h), shape [times] or [times, *batch].
    amount
        Dose (nmol), scalar or shape [*batch].
    start, duration, lag
        Time of the dose, length of a zero-order input (0: a bolus) and delay before it begins (h), scalar or
        shape [*batch].

    Returns
    -------
    Array
        Concentration (nM), shape [times, *batch].
    """
    is_bolus = (
        isinstance(duration, (int, float)) and duration == 0
    )  # known when traced: half the exponentials
    since, amount, duration = _aligned(impulse, times, amount, start, duration, lag)
    rates, weights = impulse.rates[:, None], impulse.weights[:, None]
    elapsed = jnp.maximum(since, 0.0)
    if is_bolus:
        curve = jnp.sum(weights * jnp.exp(-rates * elapsed), axis=0, keepdims=True)
    else:
        infused = jnp.minimum(elapsed, duration)
        length = jnp.where(duration > SHORTEST, duration, 1.0)
        during = jnp.where(duration > SHORTEST, -jnp.expm1(-rates * infused) / (rates * length), 1.0)
        curve = jnp.sum(weights * during * jnp.exp(-rates * (elapsed - infused)), axis=0, keepdims=True)
    # A sum of residues can end a rounding error below zero; a concentration cannot.
    return jnp.where(since >= 0, amount * jnp.maximum(curve, 0.0), 0.0)[0]


def profile(
    impulse: Impulse, times: np.ndarray, amount: float, *, start: float = 0.0, duration: float = 0.0
) -> Array:
    """Concentration after one dose at times that are known beforehand: `concentration`, several times faster.

    Times before, during and after an infusion are told apart while tracing, so each needs one exponential per pole, and
    the sum over poles is written out, so that it runs in one pass. Its gradient is slow to compile.

    Parameters
    ----------
    impulse
        Response to a unit bolus, [poles, *batch].
    times
        Times at which to read (h), shape [times], ascending.
    amount, start, duration
        Dose (nmol), its time and the length of a zero-order input (h, 0: a bolus).

    Returns
    -------
    Array
        Concentration (nM), shape [times, *batch].
    """
    duration = duration if duration > SHORTEST else 0.0
    since = np.asarray(times, float) - start
    before, until_end = (int(np.searchsorted(since, x)) for x in (0.0, duration))
    during, after = since[before:until_end], since[until_end:] - duration
    batch = impulse.rates.shape[1:]
    rates, weights = list(impulse.rates), list(impulse.weights)

    def along(t: np.ndarray) -> np.ndarray:
        return t.reshape((-1,) + (1,) * len(batch))

    parts = [jnp.zeros((before, *batch))]
    if duration:
        weights = [amount / duration * w / r for r, w in zip(rates, weights, strict=True)]
        plateau = _sum(weights)
        falls = [w * jnp.exp(-r * along(during)) for r, w in zip(rates, weights, strict=True)]
        parts.append(plateau - _sum(falls))
        weights = [w * -jnp.expm1(-r * duration) for r, w in zip(rates, weights, strict=True)]
    else:
        weights = [amount * w for w in weights]
    parts.append(_sum([w * jnp.exp(-r * along(after)) for r, w in zip(rates, weights, strict=True)]))
    # A sum of residues can end a rounding error below zero; a concentration cannot.
    return jnp.maximum(jnp.concatenate(parts), 0.0)


def superpose(
    impulse: Impulse,
    times: ArrayLike,
    amounts: ArrayLike,
    *,
    starts: ArrayLike,
    durations: ArrayLike = 0.0,
    lag: ArrayLike = 0.0,
) -> Array:
    """Concentration after several doses by the same route.

    Parameters
    ----------
    impulse
        Response to a unit bolus, [poles, *batch].
    times
        Times at which to read (h), shape [times] or [times, *batch].
    amounts, starts, durations
        Dose (nmol), its time (h) and its length (h, 0: a bolus), shape [doses] or [doses, *batch]; a scalar
        holds for every dose.
    lag
        Delay before every input begins (h), scalar or shape [*batch].

    Returns
    -------
    Array
        Concentration (nM), shape [times, *batch].
    """
    doses = [jnp.asarray(x, float) for x in (amounts, starts, durations)]
    count = max((len(x) for x in doses if x.ndim), default=1)
    doses = [x if x.ndim else jnp.broadcast_to(x, (count,)) for x in doses]

    def add(total: Array, dose: list[Array]) -> tuple[Array, None]:
        amount, start, duration = dose
        return total + concentration(impulse, times, amount, start=start, duration=duration, lag=lag), None

    batch = impulse.rates.shape[1:]
    nothing = jnp.zeros((jnp.shape(times)[0], *batch), impulse.weights.dtype)
    return lax.scan(add, nothing, doses)[0]


def steady_state(
    impulse: Impulse,
    times: ArrayLike,
    amount: ArrayLike,
    interval: ArrayLike,
    duration: ArrayLike = 0.0,
    *,
    start: ArrayLike = 0.0,
    lag: ArrayLike = 0.0,
) -> Array:
    """Concentration at steady state of a regimen whose last dose is at `start`.

    The same dose has been given every `interval` for ever, the last time at `start`: within one interval this
    is the periodic profile, afterwards the washout. Superpose later doses to carry the regimen on. Infusions
    may last longer than the interval. Between `start` and the end of the lag the tail of the interval before
    is returned, as in NONMEM; before `start`, zero.

    Parameters
    ----------
    impulse, times, amount, duration, start, lag
        As in `concentration`.
    interval
        Time between doses (h), scalar or shape [*batch].

    Returns
    -------
    Array
        Concentration (nM), shape [times, *batch].
    """
    since, amount, duration = _aligned(impulse, times, amount, start, duration, lag)
    lag, interval = _over_times(impulse, lag), _over_times(impulse, interval)
    rates, weights = impulse.rates[:, None], impulse.weights[:, None]
    elapsed = jnp.where(since >= 0, since, jnp.mod(since, interval))
    remaining = -jnp.expm1(-rates * interval)
    # An infusion of n intervals and a remainder: n constant infusions that end one by one, and a short one.
    intervals = jnp.floor(duration / interval)
    rest = duration - intervals * interval
    infused = jnp.minimum(elapsed, rest)
    short = -jnp.expm1(-rates * infused) * jnp.exp(-rates * (elapsed - infused))
    earlier = -jnp.expm1(-rates * rest) * jnp.exp(-rates * (elapsed + (interval - rest))) / remaining
    ended = jnp.clip(jnp.floor((elapsed - rest) / interval), 0.0, intervals)
    since_end = jnp.maximum(elapsed - rest - ended * interval, 0.0)
    fading = jnp.exp(-rates * since_end) * -jnp.expm1(-rates * ended * interval) / remaining
    length = jnp.where(duration > SHORTEST, duration, 1.0)
    infusion = (short + earlier + (intervals - ended) + fading) / (rates * length)
    bolus = jnp.exp(-rates * elapsed) / remaining
    curve = jnp.sum(weights * jnp.where(duration > SHORTEST, infusion, bolus), axis=0, keepdims=True)
    return jnp.where(since + lag >= 0, amount * jnp.maximum(curve, 0.0), 0.0)[0]


def _sum(terms: list[Array]) -> Array:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _over_times(impulse: Impulse, x: ArrayLike) -> Array:
    """Give a scalar or [*batch] quantity the axes of poles and times."""
    x = jnp.asarray(x, float)
    rank = impulse.rates.ndim - 1
    if x.ndim not in (0, rank):
        raise ValueError(
            f"A dose's amount, start, duration, lag and interval must be scalars or have the batch shape "
            f"{impulse.rates.shape[1:]}; got shape {x.shape}. Broadcast the impulse to the batch first."
        )
    return x.reshape((1,) * (2 + rank - x.ndim) + x.shape)


def _aligned(
    impulse: Impulse,
    times: ArrayLike,
    amount: ArrayLike,
    start: ArrayLike,
    duration: ArrayLike,
    lag: ArrayLike,
) -> tuple[Array, Array, Array]:
    """Time since the input began, amount and duration, all with axes [poles, times, *batch]."""
    times = jnp.asarray(times, float)
    rank = impulse.rates.ndim
    if times.ndim not in (1, rank):
        raise ValueError(
            f"times must have shape [times] or [times, *batch] with batch {impulse.rates.shape[1:]}; got "
            f"{times.shape}. Put the times on axis 0."
        )
    times = times.reshape((1,) + times.shape + (1,) * (rank - times.ndim))
    since = times - (_over_times(impulse, start) + _over_times(impulse, lag))
    return since, _over_times(impulse, amount), _over_times(impulse, duration)
