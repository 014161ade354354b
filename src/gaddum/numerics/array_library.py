"""Array library: the one in which given numbers are worked on, numpy's or JAX's."""

from typing import Any, TypeAlias, TypeVar

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike

Numbers: TypeAlias = Array | np.ndarray
AnyArray = TypeVar("AnyArray", Array, np.ndarray)
"""An array in either; what a function gives is in the one in which it was asked."""


def array_library(*values: ArrayLike) -> Any:
    """`jax.numpy` where any of the values is JAX's, else numpy."""
    return jnp if any(isinstance(x, Array) for x in values) else np
