"""Unit curves: concentrations by unit doses, kept from one protocol to the next over the same draws.

Linear kinetics scale with the dose, so that a change of amount, or of another drug, leaves what a drug's dose gives at
its time as it was, up to a factor.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float

from gaddum.exposure.chains import lay_chains, responses_of
from gaddum.exposure.dose_series import DoseSeries, lay_series, levels
from gaddum.exposure.plan import Input
from gaddum.parallel import map_blocks

BLOCK = 1 << 18
"""Numbers that are worked on together, so that they stay in the cache."""
MOST = 1 << 24
"""Numbers that are kept."""


class UnitCurves:
    """Curves of unit doses, the latest last; `identity` says what each parameter of the plan in hand is.

    Protocols that share them must be drawn alike: as many draws of the same seed.
    """

    def __init__(self) -> None:
        self.identity: Sequence[Hashable] = ()
        self._kept: dict[Hashable, Float[np.ndarray, "times batch"]] = {}

    def totals(
        self, ligands: Sequence[Sequence[DoseSeries]], theta: Float[np.ndarray, "parameters batch"]
    ) -> list[Float[np.ndarray, "times batch"]]:
        """Sum of each ligand's dose series (nM): multiples of curves, which are computed where they are not there."""
        keyed = [[((self._key(one), theta.shape[1]), one) for one in series] for series in ligands]
        missing = {key: _unit(one) for of in keyed for key, one in of if key not in self._kept}
        if missing:
            self._kept |= dict(zip(missing, _curves(list(missing.values()), theta), strict=True))
        found = []
        for of in keyed:
            total = 0.0
            for key, one in of:
                curve = self._kept[key] = self._kept.pop(key)
                total = total + (one.given.amount if isinstance(one.given, Input) else 1.0) * curve
            found.append(total)
        while sum(curve.size for curve in self._kept.values()) > MOST:
            del self._kept[next(iter(self._kept))]
        return found

    def _key(self, one: DoseSeries) -> Hashable:
        unit = _unit(one)
        if one.chain is None or not isinstance(one.given, Input):
            return unit
        drawn = tuple(None if x < 0 else self.identity[x] for x in (one.given.release, one.given.lag))
        return unit._replace(chain=None), one.chain.over(self.identity), drawn


def _unit(one: DoseSeries) -> DoseSeries:
    return one._replace(given=one.given._replace(amount=1.0)) if isinstance(one.given, Input) else one


def _curves(
    series: list[DoseSeries], theta: Float[np.ndarray, "parameters batch"]
) -> Float[np.ndarray, "series times batch"]:
    """Concentrations by dose series, in blocks of draws that fit the cache."""
    chains = lay_chains([one.chain for one in series if one.chain is not None])
    laid = lay_series(series, chains)
    rows = sum(len(part.series) for part in laid.parts) + 1
    width = max(BLOCK // (rows * len(series[0].times)), 1)

    def block(part: slice) -> Float[np.ndarray, "series times block"]:
        mine = theta[:, part]
        return levels(laid, responses_of(chains, mine), mine)

    return np.concatenate(map_blocks(block, theta.shape[1], width), axis=-1)
