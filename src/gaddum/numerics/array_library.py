"""Array library: the one in which given numbers are worked on, numpy's or JAX's."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike


def array_library(*values: ArrayLike) -> Any:
    """`jax.numpy` where any of the values is JAX's, else numpy."""
    return jnp if any(isinstance(x, Array) for x in values) else np
