"""Segments: gathers and sums over the first axis by a fixed index, each the gradient of the other.

A plain gather's gradient is a scatter, which is slow where a whole slab of nodes and draws moves, and slower where
only draws do. `spread` and `collect` are for slabs; `pick` is for rows of draws. Numpy stays numpy.
"""

import math
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from gaddum.numerics.array_library import AnyArray, array_library


def spread(
    x: Float[AnyArray, "sources ..."], index: Int[np.ndarray, " places"]
) -> Float[AnyArray, "places ..."]:
    """Copy slab `index[i]` of x to place i."""
    size = x.shape[0]
    if isinstance(x, np.ndarray):
        return x[index]
    import jax

    copied = jax.custom_vjp(lambda x: _gathered(x, index))
    copied.defvjp(lambda x: (_gathered(x, index), None), lambda _, g: (_sums(g, index, size),))
    return copied(x)


def collect(
    x: Float[AnyArray, "places ..."], index: Int[np.ndarray, " places"], size: int
) -> Float[AnyArray, "sources ..."]:
    """Sum the slabs i of x into sources `index[i]`; 0 where there is none."""
    if isinstance(x, np.ndarray):
        total = np.zeros((size, *x.shape[1:]), x.dtype)
        for place, slab in zip(index, x, strict=True):
            total[place] += slab
        return total
    import jax

    summed = jax.custom_vjp(lambda x: _sums(x, index, size))
    summed.defvjp(lambda x: (_sums(x, index, size), None), lambda _, g: (_gathered(g, index),))
    return summed(x)


def pick(
    array: Float[AnyArray, "size ..."], index: Int[np.ndarray, " picked"]
) -> Float[AnyArray, "picked ..."]:
    """Entries of the first axis, 0 where the index is -1; the gradient is a product with a constant."""
    size = array.shape[0]
    if isinstance(array, np.ndarray):
        return np.where((index >= 0).reshape(-1, *[1] * (array.ndim - 1)), array[np.maximum(index, 0)], 0.0)
    import jax

    chosen = (index[:, None] == np.arange(size)).astype(float)
    missing = bool((index < 0).any())

    @jax.custom_vjp
    def picked(x: Any) -> Any:
        found = _gathered(x, np.maximum(index, 0))
        return (
            jax.numpy.where((index >= 0).reshape(-1, *[1] * (x.ndim - 1)), found, 0.0) if missing else found
        )

    def backward(_: None, g: Any) -> tuple[Any]:
        product = jax.numpy.matmul(chosen.T.astype(g.dtype), g.reshape(index.size, math.prod(g.shape[1:])))
        return (product.reshape(size, *g.shape[1:]),)

    picked.defvjp(lambda x: (picked(x), None), backward)
    return picked(array)


def cut(x: Float[AnyArray, "rows nodes batch"]) -> tuple[AnyArray, AnyArray]:
    """All nodes but the last, and the last; the gradient is one copy, where a slice's would be two padded sums."""
    import jax

    parted = jax.custom_vjp(lambda x: (x[:, :-1], x[:, -1:]))
    parted.defvjp(lambda x: ((x[:, :-1], x[:, -1:]), None), lambda _, g: (jax.numpy.concatenate(g, axis=1),))
    return parted(x)


def _gathered(x: Any, index: np.ndarray) -> Any:
    if index.size == x.shape[0] and (index == np.arange(index.size)).all():
        return x
    return x.at[index].get(mode="promise_in_bounds")


def _sums(x: Any, index: np.ndarray, size: int) -> Any:
    """Sums by source: sources with as many places each form a group, whose slabs are added copy by copy."""
    jnp = array_library(x)
    if not size:
        return jnp.zeros((0, *x.shape[1:]), x.dtype)
    counts = np.bincount(index, minlength=size)
    found: list[Any] = []
    order: list[np.ndarray] = []
    places = np.argsort(index, kind="stable")
    first = np.concatenate([[0], np.cumsum(counts)])
    lined = [
        places[first[sources][None, :] + np.arange(copies)[:, None]].ravel()
        for copies, sources in _groups(counts)
    ]
    x = _gathered(x, np.concatenate([*lined, np.zeros(0, int)]).astype(int))
    at = 0
    for copies, sources in _groups(counts):
        total = x[at : at + sources.size]
        for copy in range(1, copies):  # a reduction would be slower
            total = total + x[at + copy * sources.size : at + (copy + 1) * sources.size]
        found.append(total)
        order.append(sources)
        at += copies * sources.size
    bare = np.flatnonzero(counts == 0)
    if bare.size:
        found.append(jnp.zeros((bare.size, *x.shape[1:]), x.dtype))
        order.append(bare)
    return _gathered(jnp.concatenate(found), np.argsort(np.concatenate(order)))


def _groups(counts: np.ndarray) -> list[tuple[int, np.ndarray]]:
    return [
        (int(n), np.flatnonzero(counts == n)) for n in sorted(set(counts.tolist()), reverse=True) if n > 0
    ]
