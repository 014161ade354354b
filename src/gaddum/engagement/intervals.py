"""Intervals: where a course that depends on concentrations has its edges, narrow after a dose and wide later."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Float

from gaddum.exposure.plan import Input, SetConcentration

GROWTH = 3.0
"""Width of an interval over the time since the last dose, reading or end of an infusion."""
FIRST = 0.15
"""Width of the first interval after a dose (h)."""
WIDEST = 16.0
"""Greatest width of an interval (h): drugs go exponentially, so late intervals must not grow on."""


def jumps(given: Iterable[Input | SetConcentration]) -> list[float]:
    """Times at which something begins or stops to come in (h), ascending."""
    return sorted({time for one in given for time in (_ends(one) if isinstance(one, Input) else one[1:])})


def subdivided(
    jumps: Sequence[float],
    readings: Sequence[float],
    *,
    first: float = FIRST,
    growth: float = GROWTH,
    widest: float = WIDEST,
) -> Float[np.ndarray, " edges"]:
    """Edges that hold every jump and reading: narrow after a jump, then widening with the time since.

    Parameters
    ----------
    jumps : sequence of float
        Doses and ends of infusions (h), ascending; the first is where the grid begins.
    readings : sequence of float
        Reading times (h), ascending.
    first : float
        Width of the first interval after a jump (h).
    growth : float
        Width of a later one over the time since the jump.
    widest : float
        Greatest width (h).

    Examples
    --------
    >>> subdivided([0.0], [0.5, 6.0]).round(3).tolist()
    [0.0, 0.15, 0.5, 2.0, 6.0]
    """
    marks = sorted({*jumps, *readings})
    edges, since = [marks[0]], marks[0]
    for start, end in zip(marks[:-1], marks[1:], strict=True):
        since = start if start in jumps else since
        at = start
        while at < end:
            step = min(max(first, growth * (at - since)), widest)
            at = end if end - at < 1.3 * step else at + step  # no sliver before the end
            edges.append(at)
    return np.array(edges)


def _ends(one: Input) -> list[float]:
    starts = [one.start + one.interval * repeat for repeat in range(one.repeats)]
    return starts + ([start + one.duration for start in starts] if one.duration else [])
