"""Array library: the one in which given numbers are worked on, numpy's or JAX's.

JAX is slow to load and is not asked for: where nobody has loaded it, no number is one of its.
"""

import sys
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np

if TYPE_CHECKING:
    from jax import Array

    Numbers: TypeAlias = Array | np.ndarray
    AnyArray = TypeVar("AnyArray", Array, np.ndarray)
    """An array in either; what a function gives is in the one in which it was asked."""
else:
    Array = Numbers = AnyArray = Any


def array_library(*values: Any) -> Any:
    """`jax.numpy` where any of the values is JAX's, else numpy."""
    jax = sys.modules.get("jax")
    return jax.numpy if jax is not None and any(isinstance(x, jax.Array) for x in values) else np


def without_gradient(x: Any) -> Any:
    """The same numbers, through which no gradient goes."""
    return x if array_library(x) is np else sys.modules["jax"].lax.stop_gradient(x)
