"""Variates: standard normal draws of named parameters, evenly spread.

A Latin hypercube: every parameter's draws fall one into each of as many equally probable classes, in an order of its
own. Of the even samplings it is the one that needs neither tables nor a power of two and stays even in any dimension.
In a trial with 12 lognormal parameters and 1,000 draws the median of an occupancy varied from seed to seed by 0.008
(independent draws 0.012, a scrambled Sobol sequence 0.006).

References
----------
McKay, Beckman & Conover (1979). doi:10.1080/00401706.1979.10489755
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

from gaddum.numerics.spline import lookup

_QUANTILE = np.frompyfunc(NormalDist().inv_cdf, 1, 1)
"""Of a standard normal; without scipy, whose import would dominate a short command."""


def even_variates(names: Sequence[str], draws: int, seed: int) -> Float[np.ndarray, "parameters draws"]:
    """Standard normal variates of named parameters, Latin hypercube.

    A parameter's variates follow from its name: it has the same ones whatever else is drawn.

    Parameters
    ----------
    names : sequence of str
        Parameters, each drawn independently of the others.
    draws : int
        Number of draws.
    seed : int
        Seed of the orders and of the places within classes.

    Examples
    --------
    >>> z = np.sort(even_variates(["K_i", "k_off"], 4, 0)[1])
    >>> bool(z[0] < -0.675 < z[1] < 0 < z[2] < 0.675 < z[3])
    True
    >>> bool((even_variates(["k_off"], 4, 0)[0] == even_variates(["K_i", "k_off"], 4, 0)[1]).all())
    True
    """
    read = _of_one if draws <= KEPT else _of_one.__wrapped__
    return np.array([read(name, draws, seed) for name in names]).reshape(len(names), draws)


def even_draws(
    names: Sequence[str], table: Float[np.ndarray, "parameters grid"], draws: int, seed: int
) -> Float[np.ndarray, "parameters draws"]:
    """Draws of named parameters that are tabulated at the points of `Z_GRID`, by their `even_variates`.

    Parameters
    ----------
    names, draws, seed
        As in `even_variates`.
    table : array
        Quantiles, one row a parameter.
    """
    read = _drawn if draws <= KEPT else _drawn.__wrapped__
    rows = [read(name, row.tobytes(), draws, seed) for name, row in zip(names, table, strict=True)]
    return np.array(rows).reshape(len(rows), draws)


@lru_cache(maxsize=2048)
def _drawn(name: str, quantiles: bytes, draws: int, seed: int) -> Float[np.ndarray, " draws"]:
    found = np.array(lookup(np.frombuffer(quantiles)[None], even_variates([name], draws, seed))[0])
    found.flags.writeable = False
    return found


KEPT = 2000
"""Most draws that are kept for the next time."""


@lru_cache(maxsize=1024)
def _of_one(name: str, draws: int, seed: int) -> Float[np.ndarray, " draws"]:
    generator = np.random.default_rng([seed, *sha256(name.encode()).digest()])
    place = generator.permutation(draws) + np.clip(generator.random(draws), 1e-9, 1 - 1e-9)
    found = np.asarray(_QUANTILE(place / draws), float)
    found.flags.writeable = False
    return found
