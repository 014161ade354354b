"""Gate activity: corner values of a Boolean function and graded inputs in [0, 1] -> graded activity.

The multilinear extension is contracted one input at a time, so a gate is data: its 2^k corner values. Bit i of a
corner's index is input i, as in `gaddum.records.gate`.
"""

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float

from gaddum.numerics.array_library import Numbers


def activity(corners: Float[Numbers, " corners"] | Sequence[float], inputs: Sequence[Any]) -> Any:
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
    >>> activity([0.0, 0.0, 0.0, 1.0], [0.5, 0.25])
    0.125
    """
    if len(corners) != 2 ** len(inputs):
        raise ValueError(
            f"A gate over {len(inputs)} inputs must have {2 ** len(inputs)} corner values; got {len(corners)}."
        )
    values = [corners[i] for i in range(len(corners))]
    for graded in inputs:  # input i is the lowest bit left, so neighbours differ in it
        values = [low + graded * (high - low) for low, high in zip(values[0::2], values[1::2], strict=True)]
    return values[0]


def needed(level: Any, weight: Any, tau: Any) -> Any:
    """An input as its gate takes it: needed by a weight, and with spare receptors, of which a few suffice.

    It is 1 - weight (1 - level) / (1 + tau level), precise where that is small.

    Parameters
    ----------
    level : array
        Level of the feature in [0, 1].
    weight : array
        Dependence on it in [0, 1]: at 0 the input makes no difference.
    tau : array
        Reserve, 0 for none.

    Examples
    --------
    >>> needed(0.5, 1.0, 0.0), needed(0.0, 0.25, 3.0)
    (0.5, 0.75)
    """
    return ((1 - weight) + (weight + tau) * level) / (1 + tau * level)
