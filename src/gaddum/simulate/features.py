"""Features: what gates can refer to, from the concentrations of a target's ligands.

The same formulas serve inference (`response`, where sums of C/K are shared between features) and forward simulation.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from gaddum.simulate.binding import Bond, constant, efficacy

VEHICLE = {"block": 0.0, "agonism": 0.0, "tone": 1.0, "reserve": 1.0, "engagement": 0.0}
"""Level of each feature without any drug."""


def level(
    feature: str,
    at: tuple[Bond, ...],
    levels: Float[Array, "ligands times batch"],
    values: Float[Array, "parameters batch"],
    tone: Float[Array, " batch"],
) -> Float[Array, "times batch"]:
    """Level of a feature in [0, 1] by Gaddum's equation; endogenous agonist competes at its tone.

    Parameters
    ----------
    feature : str
        block, agonism, tone or engagement.
    at : tuple of Bond
        Ligands that bind the target.
    levels : array
        Unbound concentrations (nM).
    values : array
        Parameters (not their logs).
    tone : array
        Endogenous agonist over its K.
    """
    nothing = jnp.zeros(levels.shape[1:])
    ratios = {bond: levels[bond.ligand] / constant(bond, values) for bond in at}

    def of(*modes: str) -> Array:
        return sum((r for bond, r in ratios.items() if bond.mode in modes), nothing)

    if feature == "block":
        return 1 - 1 / ((1 + of("channel blocker")) * (1 + of("glutamate-site antagonist")))
    if feature == "engagement":
        everything = sum(ratios.values(), nothing)
        return everything / (1 + everything)
    total = 1 + tone + of("agonist", "competitive antagonist", "channel blocker", "glutamate-site antagonist")
    if feature == "agonism":
        stimulus = sum((r * efficacy(b, values) for b, r in ratios.items() if b.mode == "agonist"), nothing)
        return stimulus / total
    if feature == "tone":
        return 1 - of("competitive antagonist") / total
    raise ValueError(f"A feature must be block, agonism, tone or engagement; got {feature!r}.")
