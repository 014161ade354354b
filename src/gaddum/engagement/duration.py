"""Duration: for how long a course stays above a level."""

import numpy as np
from jaxtyping import Float


def time_above(
    times: Float[np.ndarray, " times"], course: Float[np.ndarray, "times draws"], level: float
) -> Float[np.ndarray, " draws"]:
    """Time that each draw spends at or above a level, by linear interpolation.

    Parameters
    ----------
    times : array
        Rising times (h).
    course : array, shape (times, draws)
        Fractions, such as `Course.occupied`.
    level : float
        Fraction.

    Returns
    -------
    array, shape (draws,)
        Hours.

    Examples
    --------
    >>> time_above(np.array([0.0, 2.0, 4.0]), np.array([[0.0], [1.0], [0.0]]), 0.75).tolist()
    [1.0]
    """
    if not 0 <= level <= 1:
        raise ValueError(f"A level must be a fraction from 0 to 1; got {level!r}. Write 80 % as 0.8.")
    if len(times) < 2 or not (np.diff(times) > 0).all():
        raise ValueError(f"Times must rise and be at least two; got {times.tolist()!r}.")
    start, end = course[:-1] - level, course[1:] - level
    higher, lower = np.maximum(start, end), np.minimum(start, end)
    rise = np.where(higher > lower, higher - lower, 1.0)
    share = np.where(lower >= 0, 1.0, np.clip(higher, 0.0, None) / rise)
    return (share * np.diff(times)[:, None]).sum(axis=0)
