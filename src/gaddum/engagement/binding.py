"""Binding: constants of a plan's ligands at a target, as parameters, and the receptor that they make.

How ligands share a receptor is `receptor`'s; here their constants get names and places, and concentrations become sums
of C/K by site. One ligand of a target may dissociate slowly; the others settle at once among what it leaves.
"""

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.engagement import receptor
from gaddum.engagement.receptor import Receptor
from gaddum.exposure.plan import Ligand, Plan
from gaddum.numerics.array_library import Numbers, array_library
from gaddum.numerics.quadrature import Quadrature
from gaddum.parameter_registry import Register, name_of
from gaddum.parameters import Parameter, canonical_unit, cite, describe_fraction, fraction_nodes
from gaddum.records.drug import Drug
from gaddum.records.library import Library
from gaddum.records.protocol import Manipulation, Preparation
from gaddum.records.quantity import Reported
from gaddum.records.species import Species
from gaddum.records.target import Affinity
from gaddum.records.vocabulary import MODES, Action, BindingSite, Mode


class Bond(NamedTuple):
    """How one ligand of a plan binds a target: places of its parameters; -1 for none."""

    ligand: int
    """Place in the plan."""
    mode: str
    """Key of the vocabulary's modes."""
    k_i: int
    shift: int
    efficacy: int
    k_on: int
    k_off: int
    f_u: int = -1
    """Of a constant in total plasma, the unbound fraction there; its Kp,uu then stands as `shift`."""

    @property
    def acts(self) -> Mode:
        """What it does."""
        return MODES[self.mode]

    @property
    def is_slow(self) -> bool:
        """Whether it follows its rates rather than being at equilibrium."""
        return self.k_off >= 0 or not self.acts.reversible


class RestingTarget(NamedTuple):
    """A target before any drug: places of its parameters, -1 or none for none."""

    tone: int = -1
    """Endogenous agonist over its K."""
    tone_left: tuple[int, ...] = ()
    """Fractions of the endogenous agonist that manipulations leave."""
    available: tuple[int, ...] = ()
    """Fractions of the receptors that manipulations leave."""


UNTOUCHED = RestingTarget()
"""All receptors there, and no endogenous agonist."""


def bonds(
    plan: Plan,
    target: str,
    species: Species,
    library: Library,
    register: Register,
    *,
    preparation: Preparation = "behaving",
) -> tuple[Bond, ...]:
    """Bonds of a plan's ligands at a target; their constants join the register.

    Parameters
    ----------
    plan : Plan
        Ligands.
    target : str
        Key of the library.
    species : Species
        Whose in-vivo shift holds.
    library : Library
        Drugs and targets.
    register : Register
        Filled with the constants.
    preparation : {"behaving", "slice", "imaging"}
        The in-vivo shift does not apply to slices.

    Raises
    ------
    ValueError
        If more than one drug dissociates slowly.
    """
    library.target(target)
    found = []
    for place, ligand in enumerate(plan.ligands):
        drug = library.drug(ligand.drug)
        affinities = drug.affinities if isinstance(drug, Drug) else ()
        for affinity in affinities:
            if affinity.target == target and isinstance(drug, Drug):
                found.append(bond(place, ligand, drug, affinity, species, preparation, register))
    refuse_several_slow({plan.ligands[one.ligand].drug for one in found if one.is_slow}, target)
    return tuple(found)


def refuse_several_slow(drugs: set[str], target: str) -> None:
    """Refuse what no closed form follows."""
    if len(drugs) > 1:
        raise ValueError(
            f"One slowly dissociating ligand at a target can be followed in closed form; got {len(drugs)} at {target} "
            f"({' and '.join(sorted(drugs))}). Follow one protocol at a time."
        )


def bond(
    place: int,
    ligand: Ligand,
    drug: Drug,
    affinity: Affinity,
    species: Species,
    preparation: Preparation,
    register: Register,
) -> Bond:
    """How the ligand at a place of a plan binds a target; its constants join the register.

    Parameters
    ----------
    place : int
        Place in the plan.
    ligand : Ligand
        What stands there.
    drug : Drug
        Which drug it is.
    affinity : Affinity
        At the target.
    species, preparation
        Whose in-vivo shift holds; none in a slice.
    register : Register
        Filled with the constants.

    Raises
    ------
    ValueError
        If it has constants of the living brain alone, and of other species.
    """

    def constant(quantity: str, reported: Reported | None, of: Species | None = None) -> int:
        if reported is None:
            return -1
        name = name_of(quantity, reported, drug=drug.name, target=affinity.target, species=of)
        return register.report(
            name, reported, canonical_unit(reported[0]), "binding", molar_mass=drug.molar_mass.value
        )

    matrix, direct = affinity.direct_in(species, preparation) or (None, None)
    # A concentration that is held at the receptor, by a bath or so, is not in equilibrium with any plasma.
    in_plasma = matrix == "plasma" and ligand.f_u >= 0
    if in_plasma or matrix == "brain":
        k_i = constant("EC50 in plasma" if in_plasma else "K in vivo", direct, species)
        shift = ligand.kp_uu if in_plasma else -1
    elif affinity.k_i is None and MODES[affinity.mode].reversible:
        raise ValueError(
            f"{drug.name} must have its `k_i` at {affinity.target}, or a constant in vivo of {species}; got those "
            f"of {', '.join([*affinity.k_in_vivo, *affinity.ec50_plasma])} alone. Add it to the drug's file."
        )
    else:
        by_species = species if isinstance(affinity.in_vivo_shift, dict) else None
        k_i = constant("K_i", affinity.k_i)
        shift = constant("in-vivo shift", affinity.shift_in(species, preparation), by_species)
    return Bond(
        ligand=place,
        mode=affinity.mode,
        k_i=k_i,
        shift=shift,
        f_u=ligand.f_u if in_plasma else -1,
        efficacy=constant("efficacy", affinity.efficacy),
        k_on=constant("k_on", affinity.k_on),
        k_off=constant("k_off", affinity.k_off),
    )


def rest(
    target: str,
    manipulations: tuple[Manipulation, ...],
    where: str,
    register: Register,
    *,
    tone: int = -1,
) -> RestingTarget:
    """A target in one arm before any drug; what its manipulations leave joins the register.

    Parameters
    ----------
    target : str
        Key of the library.
    manipulations : tuple of Manipulation
        Of the arm.
    where : str
        The arm, of which what they leave is a property unless its record says `shared`.
    register : Register
        Filled with the fractions.
    tone : int
        Parameter of the endogenous agonist over its K; -1 for none.
    """
    mine = [one for one in manipulations if one.target == target]
    kinds: list[str] = []

    def left(what: str, one: Manipulation, reported: Reported | None) -> tuple[int, ...]:
        if reported is None:
            return ()
        earlier = kinds.count(one.kind) - 1
        by = f"{what} left by {one.kind}" + (f" {earlier + 1}" if earlier else "")
        reason = "what a manipulation leaves; sampled over its spread"
        sources = "; ".join(cite(quantity.source) for quantity in reported)
        nodes, text = fraction_nodes(reported), describe_fraction(reported)
        return (
            register.add(
                Parameter(
                    name_of(by, reported, target=target, species=where), nodes, "1", text, reason, sources
                )
            ),
        )

    tones: tuple[int, ...] = ()
    available: tuple[int, ...] = ()
    for one in mine:
        kinds.append(one.kind)
        tones += left("endogenous agonist", one, one.tone)
        available += left("receptors", one, one.availability)
    return RestingTarget(tone, tones, available)


def constant(bond: Bond, values: Float[Numbers, "parameters batch"]) -> Float[Numbers, " batch"]:
    """Dissociation constant in vivo (nM)."""
    if bond.k_i < 0:
        raise ValueError(
            "What an irreversible antagonist holds depends on how long it was there: it has no equilibrium. Follow it "
            "over time: ask for an occupancy at a time after its dose."
        )
    k = values[bond.k_i]
    if bond.f_u >= 0:
        k = k * array_library(values).minimum(values[bond.f_u], 1.0)
    return k if bond.shift < 0 else k * values[bond.shift]


def efficacy(bond: Bond, values: Numbers) -> Numbers | float:
    """Intrinsic efficacy, at most that of a full agonist (1)."""
    return array_library(values).minimum(values[bond.efficacy], 1.0) if bond.efficacy >= 0 else 1.0


class BoundFractions(NamedTuple):
    """Fractions of a target's receptors, [times, batch] each."""

    occupied: Float[Numbers, "times batch"]
    """Held by any given ligand, of the receptors there are."""
    blocked: Float[Numbers, "times batch"]
    """Held by antagonists, channel blockers or inhibitors, of the receptors there are."""
    activated: Float[Numbers, "times batch"]
    """Held by agonists, each weighted by its efficacy, of the receptors at rest."""
    tone: Float[Numbers, "times batch"]
    """Endogenous signalling that ligands and manipulations leave, of that at rest."""
    free: Float[Numbers, "times batch"]
    """Held by nothing, endogenous agonist included, of the receptors there are."""
    by_ligand: Float[Numbers, "bonds times batch"]


def bound_fractions(
    mine: Receptor,
    bonds_: tuple[Bond, ...],
    levels: Float[Numbers, "ligands times batch"],
    values: Float[Numbers, "parameters batch"],
    slow: Float[Numbers, "times batch"] | None = None,
) -> BoundFractions:
    """What a target's ligands hold; the parameters are those of `receptor_of`, which made the receptor."""
    xp = array_library(levels, values)
    by_ligand = [
        slow
        if slow is not None and one.is_slow
        else receptor.at_equilibrium(mine, one.acts.site, levels[one.ligand] / constant(one, values))
        for one in bonds_
    ]
    return BoundFractions(
        occupied=receptor.engagement(mine),
        blocked=receptor.block(mine),
        activated=receptor.agonism(mine),
        tone=receptor.tone(mine),
        free=receptor.free(mine),
        by_ligand=xp.stack(by_ligand) if by_ligand else xp.zeros((0, *levels.shape[1:])),
    )


def receptor_of(
    bonds_: tuple[Bond, ...],
    levels: Float[Numbers, "ligands times batch"],
    values: Float[Numbers, "parameters batch"],
    slow: Float[Numbers, "times batch"] | None = None,
    rest: RestingTarget = UNTOUCHED,
) -> Receptor:
    """A target's receptors among its ligands at given concentrations; in numpy where all numbers are.

    Parameters
    ----------
    bonds_ : tuple of Bond
        Ligands that bind the target.
    levels : array
        Unbound concentrations of the plan's ligands (nM).
    values : array
        Parameters (not their logs).
    slow : array
        Fraction that the slow ligand holds; None where all are taken to be at equilibrium.
    rest : RestingTarget
        The target before any drug; by default whole and without endogenous agonist.
    """
    fast = [one for one in bonds_ if slow is None or not one.is_slow]
    slowest = next((one for one in bonds_ if one not in fast), None)
    nothing: Any = array_library(levels, values).zeros(levels.shape[1:])

    @cache
    def load(site: BindingSite, action: Action) -> Any:
        mine = [one for one in fast if one.acts.site == site and one.acts.counts(action)]
        shares = (one.acts.share(action, efficacy(one, values)) / constant(one, values) for one in mine)
        return sum((levels[one.ligand] * share for one, share in zip(mine, shares, strict=True)), nothing)

    def slowly(site: BindingSite, action: Action) -> Any:
        if slow is None or slowest is None or slowest.acts.site != site:
            return 0.0
        return slow * slowest.acts.share(action, efficacy(slowest, values))

    return Receptor(
        sites=tuple(dict.fromkeys(("orthosteric", *(one.acts.site for one in bonds_)))),
        load=load,
        slow=slowly,
        tone=values[rest.tone] if rest.tone >= 0 else 0.0,
        tone_left=_left(rest.tone_left, values),
        available=_left(rest.available, values),
    )


def slow_course(
    bonds_: tuple[Bond, ...],
    levels: Float[Numbers, "ligands nodes batch"],
    values: Float[Numbers, "parameters batch"],
    width: Float[Numbers, " intervals"],
    rule: Quadrature,
    cycle: int | None,
    rest: RestingTarget = UNTOUCHED,
) -> Float[Numbers, "edges batch"]:
    """Fraction that a target's slow ligand holds, at the edges of intervals.

    Parameters
    ----------
    bonds_, values, rest
        As in `receptor_of`; at least one of the bonds is slow.
    levels : array, shape (ligands, intervals * order, batch)
        Concentrations at the nodes of the rule in each interval.
    width, rule, cycle
        As in `receptor.slow_course`.
    """
    slow = [one for one in bonds_ if one.is_slow]
    fast = tuple(one for one in bonds_ if not one.is_slow)
    k_off = values[slow[0].k_off] if slow[0].k_off >= 0 else array_library(values).zeros(values.shape[1:])
    k_on = values[slow[0].k_on] if slow[0].k_on >= 0 else k_off / constant(slow[0], values)
    others, site = receptor_of(fast, levels, values, rest=rest), slow[0].acts.site
    competing = others.load(site, "binds") + receptor.endogenous(others, site)
    by_interval = (width.size, rule.nodes.size, levels.shape[-1])
    return receptor.slow_course(
        levels[np.array([one.ligand for one in slow])].sum(axis=0).reshape(by_interval),
        competing.reshape(by_interval),
        k_on,
        k_off,
        width,
        rule,
        cycle=cycle,
    )


def _left(places: tuple[int, ...], values: Float[Numbers, "parameters batch"]) -> Any:
    """Product of fractions, each at most 1."""
    xp = array_library(values)
    return math.prod((xp.minimum(values[place], 1.0) for place in places), start=1.0)
