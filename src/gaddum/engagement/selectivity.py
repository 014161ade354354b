"""Selectivity: how much more of one target than of another is held, in odds.

Receptors held over receptors free are C/K for one ligand at equilibrium, beside whatever else is bound. So their ratio
between two targets is K_B/K_A whatever the concentration, while the ratio of occupancies itself goes to 1 at high
doses.
"""

import numpy as np
from jaxtyping import Float

from gaddum.engagement.occupancy import ProtocolOccupancy


def selectivity(
    found: ProtocolOccupancy, first: str, second: str, *, ligand: str | None = None
) -> Float[np.ndarray, "times draws"]:
    """Fold-selectivity for one target over another.

    Parameters
    ----------
    found : ProtocolOccupancy
        Engagement under a protocol.
    first, second : str
        Targets.
    ligand : str
        Drug or metabolite; its held receptors over the free ones. By default all ligands together.

    Returns
    -------
    array, shape (times, draws)
        Ratio of odds; NaN while nothing is held.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return _odds(found, first, ligand) / _odds(found, second, ligand)


def _odds(found: ProtocolOccupancy, target: str, ligand: str | None) -> Float[np.ndarray, "times draws"]:
    if target not in found.targets:
        raise ValueError(
            f"Selectivity is between targets that were followed ({', '.join(found.targets)}); got {target!r}."
        )
    course = found.targets[target]
    if ligand is not None and ligand not in course.by_ligand:
        raise ValueError(
            f"The ligand must bind {target} ({', '.join(course.by_ligand) or 'none does'}); got {ligand!r}."
        )
    held = course.occupied if ligand is None else course.by_ligand[ligand]
    return np.where(held > 0, held / course.free, np.nan)
