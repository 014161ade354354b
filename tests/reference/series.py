"""Ligands laid out together as a case lays them out, and read again one by one."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from gaddum.exposure.chains import Chains, lay_chains, responses_of
from gaddum.exposure.dose_series import SeriesLayout, lay_series, levels, series_of
from gaddum.exposure.plan import Ligand


class Laid(NamedTuple):
    """Ligands at the same times."""

    ligands: tuple[Ligand, ...]
    chains: Chains
    doses: SeriesLayout
    places: tuple[np.ndarray, ...]
    """Series of each ligand."""

    def levels(self, theta: Any, precision: Any = np.float64) -> Any:
        """Unbound concentrations (nM), [ligands, times, draws]; in JAX where theta is."""
        every = levels(self.doses, responses_of(self.chains, theta), theta).astype(precision)
        return (jnp if isinstance(every, Array) else np).stack([every[mine].sum(0) for mine in self.places])


def lay(ligands: Sequence[Ligand], times: np.ndarray, tied: Sequence[tuple[int, float]] = ()) -> Laid:
    series = [series_of(one, times) for one in ligands]
    every = [one for of in series for one in of]
    chains = lay_chains([one.chain for one in every if one.chain is not None], tied)
    doses = lay_series(every, chains)
    places = tuple(np.array([doses.place[one] for one in of]) for of in series)
    return Laid(tuple(ligands), chains, doses, places)
