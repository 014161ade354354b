"""Decays: sums of exponentials at fixed times, each row with a rate of its own.

Draws lie on the last axis and rows on the first, whichever curve they belong to, so that one call serves all curves
that are read as often. The gradient goes time by time and computes the exponentials again, which takes less time than
reading stored ones.
"""

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from gaddum.numerics.array_library import AnyArray, array_library
from gaddum.numerics.segments import collect, spread


def decays(
    rates: Float[AnyArray, "rows batch"],
    weights: Float[AnyArray, "rows batch"],
    times: Float[np.ndarray, "rows times"],
    curve: Int[np.ndarray, " rows"],
    curves: int,
    *,
    slopes: Any = None,
) -> Float[AnyArray, "curves times batch"]:
    """Sums over the rows of each curve of ``weights * exp(-rates * times)``, in the precision of the rates.

    Parameters
    ----------
    rates, weights : array, shape (rows, batch)
        Rate (1/h) and weight of each exponential.
    times : array, shape (rows, times)
        Hours; infinity stands for a time at which nothing is left.
    curve : array of int, shape (rows,)
        Curve of each row.
    curves : int
        Number of curves; one without rows is 0.
    slopes : dtype
        Precision in which the gradient is computed, in half the time if it is single; that of the rates by default.
        Where terms cancel to a share s it errs by 1e-7 / s.
    """
    xp = array_library(rates, weights)
    times = np.where(np.isinf(times), _NEVER, times).astype(rates.dtype)[..., None]

    def summed(rates: Any, weights: Any) -> Any:
        return collect(weights[:, None] * xp.exp(-rates[:, None] * times), curve, curves)

    if xp is np:
        return summed(rates, weights)
    import jax

    def backward(kept: tuple[Any, Any], g: Any) -> tuple[Any, Any]:
        low = [x.astype(slopes or x.dtype) for x in (*kept, times, g)]
        rates, weights, when, slope = low

        def add(total: tuple[Any, Any], one: tuple[Any, Any]) -> tuple[tuple[Any, Any], None]:
            when, slope = one
            part = spread(slope, curve) * xp.exp(-rates * when)
            return (total[0] - when * part, total[1] + part), None

        nothing = xp.zeros_like(rates)
        steps = (xp.asarray(np.swapaxes(when, 0, 1)), xp.swapaxes(slope, 0, 1))
        (moved, heavier), _ = jax.lax.scan(add, (nothing, nothing), steps)
        return (moved * weights).astype(kept[0].dtype), heavier.astype(kept[1].dtype)

    with_gradient = jax.custom_vjp(summed)
    with_gradient.defvjp(lambda *x: (summed(*x), x), backward)
    return with_gradient(rates, weights)


_NEVER = 1e12
"""Hours after which nothing is left: infinity times a rate would have no gradient."""
