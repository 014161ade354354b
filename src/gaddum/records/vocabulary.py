"""Vocabulary: the modes in which a drug acts on a receptor, and the features of a target that an account can name.

A mode is what a ligand does with the receptors that it holds. It is said here once; engagement, referee, checks and the
schema read it from here, so a mode is added by one line.

=====================  ==============================================================================================
feature of a target    what it is
=====================  ==============================================================================================
block                  fraction of receptors held by what stops them: antagonists, channel blockers, inhibitors
agonism                fraction held by agonists, each weighted by its efficacy
tone                   fraction on which endogenous (or given) agonist can still act
reserve                1 - block at a second, less sensitive population (makes an inverted U)
engagement             fraction held by any ligand, whatever it does there
=====================  ==============================================================================================
"""

from typing import Any, Literal, NamedTuple

BindingSite = Literal["orthosteric", "pore", "glutamate", "co-agonist"]
"""Ligands of one site compete for it, and the endogenous agonist with those of the orthosteric site; sites are
independent. A transporter's orthosteric site is that of its substrate."""
Action = Literal["binds", "activates", "silences", "blocks"]


class Mode(NamedTuple):
    """What a ligand does with the receptors that it holds."""

    site: BindingSite = "orthosteric"
    activates: bool = False
    """It activates them, by its efficacy."""
    silences: bool = False
    """It keeps the endogenous agonist from acting on them; what it activates itself is not lost."""
    blocks: bool = False
    """It stops them."""
    reversible: bool = True
    """Otherwise what is bound stays bound until the receptor is made anew."""

    def share(self, action: Action, efficacy: Any = 1.0) -> Any:
        """How much a held receptor counts in an action, from 0 to 1, by the efficacy: a number or an array."""
        match action:
            case "binds":
                return 1.0
            case "activates":
                return efficacy if self.activates else 0.0
            case "silences":
                return 0.0 if not self.silences else 1.0 - efficacy if self.activates else 1.0
            case "blocks":
                return float(self.blocks)

    def counts(self, action: Action) -> bool:
        """Whether a held receptor counts in an action at all."""
        return action == "binds" or bool(getattr(self, action))

    @property
    def changes(self) -> tuple[str, ...]:
        """Features of a target that it changes; of what it takes from other ligands only agonism."""
        found = ["agonism"] if self.site == "orthosteric" else []
        found += ["tone"] if self.silences else []
        found += ["block", "reserve"] if self.blocks else []
        return (*found, "engagement")


MODES: dict[str, Mode] = {
    "agonist": Mode(activates=True),
    "partial agonist": Mode(activates=True, silences=True),
    "inverse agonist": Mode(silences=True, blocks=True),
    "competitive antagonist": Mode(silences=True, blocks=True),
    "irreversible antagonist": Mode(silences=True, blocks=True, reversible=False),
    "channel blocker": Mode("pore", blocks=True),
    "glutamate-site antagonist": Mode("glutamate", blocks=True),
    "co-agonist-site antagonist": Mode("co-agonist", blocks=True),
    "transporter inhibitor": Mode(silences=True, blocks=True),
}
UNNAMED_MODE = "agonist"
"""Mode of ligands of an unnamed target, of which only engagement can be asked."""


class FeatureLevels(NamedTuple):
    """Levels of a feature from which others are told."""

    at_rest: float
    """Without any drug."""
    disabled: float
    """Where a drug that acts by it loses that action, for questions such as "and if it were blocked?"."""


FEATURES: dict[str, FeatureLevels] = {
    "block": FeatureLevels(0.0, 0.0),
    "agonism": FeatureLevels(0.0, 0.0),
    "tone": FeatureLevels(1.0, 0.0),
    "reserve": FeatureLevels(1.0, 1.0),
    "engagement": FeatureLevels(0.0, 0.0),
}


def at_rest(feature: str) -> float:
    """Level of a feature without any drug, by its name or as ``TARGET.feature``."""
    return FEATURES[feature.rpartition(".")[2]].at_rest


def disabled(feature: str) -> float:
    """Level of a feature that is disabled, by its name or as ``TARGET.feature``."""
    return FEATURES[feature.rpartition(".")[2]].disabled
