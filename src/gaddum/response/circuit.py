"""Circuit: gate activity -> relative fall of a neurone population's firing (algebraic tier).

Log firing falls linearly with activity, by `depth` at full activity. The drive handed on to behaviour is the fall
relative to the greatest possible one, so that 0 -> 0 and 1 -> 1 whatever the depth; depth -> 0 is the linear limit,
which is also what an account that bypasses the circuit uses.
"""

from jaxtyping import Float

from gaddum.numerics.array_library import AnyArray, array_library


def drive(activity: Float[AnyArray, "..."], depth: Float[AnyArray, "..."]) -> Float[AnyArray, "..."]:
    """Fall in firing as a share of the fall at full activity, in [0, 1].

    Parameters
    ----------
    activity : array
        Gate activity in [0, 1].
    depth : array
        Log suppression of firing at full activity; 0 gives the activity itself.

    Examples
    --------
    >>> import numpy as np
    >>> float(drive(np.array(0.3), np.array(0.0))), float(drive(np.array(1.0), np.array(2.0)))
    (0.3, 1.0)
    """
    xp = array_library(activity, depth)
    small = abs(depth) < 1e-4  # below, the quadratic term is under 1e-8 and the quotient loses digits
    safe = xp.where(small, 1.0, depth)
    return xp.where(small, activity, xp.expm1(-safe * activity) / xp.expm1(-safe))
