"""Target and Affinity: what a drug can act on, and how tightly and in which way it binds there.

A target is named by its IUPHAR abbreviation. What a gate can refer to is a *feature* of a target:

- ``block``: fraction of receptors blocked by channel blockers or glutamate-site antagonists;
- ``agonism``: operational stimulus by exogenous agonists, 0 to 1;
- ``tone``: fraction of receptors that no antagonist holds, so that endogenous (or given) agonist can signal;
- ``reserve``: 1 - block at a second, less sensitive population (makes an inverted U);
- ``engagement``: occupancy by any ligand, whatever it does there.
"""

from typing import Literal

from gaddum.records.base import Record
from gaddum.records.protocol import Preparation
from gaddum.records.quantity import Reported
from gaddum.records.source import Source
from gaddum.records.species import Species

Mode = Literal["agonist", "competitive antagonist", "channel blocker", "glutamate-site antagonist"]
Feature = Literal["block", "agonism", "tone", "reserve", "engagement"]


class Target(Record):
    """A receptor, by its IUPHAR abbreviation."""

    name: str
    full_name: str
    family: str
    uniprot_human: str | None = None
    features: tuple[Feature, ...]
    opioid: bool = False
    """Whether the target counts as opioid in propositions such as "opioid signalling needed"."""
    source: Source


class Affinity(Record):
    """How a drug binds a target: dissociation constant, mode, efficacy."""

    target: str
    mode: Mode
    k_i: Reported
    """Equilibrium dissociation constant (molar); an IC50 where the source says so."""
    efficacy: Reported | None = None
    """Intrinsic efficacy of an agonist relative to a full agonist (1), dimensionless."""
    in_vivo_shift: Reported | dict[Species, Reported] | None = None
    """In-vivo K (unbound) divided by the K_i given here; applies to living subjects, behaving or imaged, not to slices.
    By species where the sources speak of one; a species that is not named has none."""
    k_on: Reported | None = None
    k_off: Reported | None = None
    """Rate of dissociation; where it is given the ligand binds kinetically (slow offset), else at equilibrium. The rate
    of association is `k_on`, or k_off over the K in vivo."""

    def shift_in(self, species: Species, preparation: Preparation) -> Reported | None:
        """In-vivo shift in one species, if any is known; none in a slice, which is not in vivo."""
        if preparation == "slice":
            return None
        if isinstance(self.in_vivo_shift, dict):
            return self.in_vivo_shift.get(species)
        return self.in_vivo_shift
