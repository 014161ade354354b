"""Gate activity: corner values of a Boolean function and graded inputs in [0, 1] -> graded activity.

The multilinear extension is contracted one input at a time, so a gate is data: its 2^k corner values. Bit i of a
corner's index is input i, as in `gaddum.records.gate`.
"""

from collections.abc import Sequence

import jax.numpy as jnp
from jaxtyping import Array, Float


def activity(corners: Float[Array, " corners"], inputs: Sequence[Float[Array, "..."]]) -> Float[Array, "..."]:
    """Evaluate the multilinear extension of a Boolean function.

    Parameters
    ----------
    corners : array, shape (2**k,)
        Value of the function at each corner of the unit cube; bit i of the index is input i.
    inputs : sequence of k arrays
        Graded inputs in [0, 1], of one shape.

    Returns
    -------
    array
        Activity in [0, 1], of the inputs' shape.

    References
    ----------
    .. [1] Owen G. Multilinear extensions of games. doi:10.1287/mnsc.18.5.64

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> conjunction = jnp.array([0.0, 0.0, 0.0, 1.0])
    >>> float(activity(conjunction, [jnp.array(0.5), jnp.array(0.25)]))
    0.125
    """
    if corners.shape[0] != 2 ** len(inputs):
        raise ValueError(
            f"A gate over {len(inputs)} inputs must have {2 ** len(inputs)} corner values; got {corners.shape[0]}."
        )
    values: list[Array] = [corners[i] for i in range(corners.shape[0])]
    for graded in inputs:  # input i is the lowest bit left, so neighbours differ in it
        values = [low + graded * (high - low) for low, high in zip(values[0::2], values[1::2], strict=True)]
    return jnp.asarray(values[0])
