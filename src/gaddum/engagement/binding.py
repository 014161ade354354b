"""Binding: constants of a plan's ligands at a target, as parameters, and what their concentrations do there.

Ligands of one target compete for one site, but for glutamate-site antagonists, which have a site of their own at NMDA
receptors. A ligand with a known rate of dissociation binds kinetically; the others settle at once among what it leaves.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
from jaxtyping import Float

from gaddum.exposure.plan import Plan
from gaddum.numerics.array_library import Numbers, array_library
from gaddum.numerics.quadrature import Quadrature
from gaddum.numerics.recurrence import turnover
from gaddum.parameter_registry import Register, name_of
from gaddum.parameters import Parameter, cite, describe_fraction, fraction_nodes
from gaddum.records.drug import Drug
from gaddum.records.library import Library
from gaddum.records.protocol import Manipulation, Preparation
from gaddum.records.quantity import Reported
from gaddum.records.species import Species
from gaddum.records.target import Affinity


class Bond(NamedTuple):
    """How one ligand of a plan binds a target: places of its parameters; -1 for none."""

    ligand: int
    """Place in the plan."""
    mode: str
    k_i: int
    shift: int
    efficacy: int
    k_on: int
    k_off: int


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


class BoundFractions(NamedTuple):
    """Fractions of a target's receptors, [times, batch] each."""

    occupied: Float[Numbers, "times batch"]
    """Held by any given ligand, of the receptors there are."""
    blocked: Float[Numbers, "times batch"]
    """Held by antagonists or channel blockers, of the receptors there are."""
    activated: Float[Numbers, "times batch"]
    """Held by agonists, each weighted by its efficacy, of the receptors at rest."""
    tone: Float[Numbers, "times batch"]
    """Endogenous signalling that antagonists and manipulations leave, of that at rest."""
    free: Float[Numbers, "times batch"]
    """Held by nothing, endogenous agonist included, of the receptors there are."""
    by_ligand: Float[Numbers, "bonds times batch"]


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
    """
    library.target(target)
    found = []
    for place, ligand in enumerate(plan.ligands):
        drug = library.drug(ligand.drug)
        affinities = drug.affinities if isinstance(drug, Drug) else ()
        for affinity in affinities:
            if affinity.target == target and isinstance(drug, Drug):
                found.append(bond(place, drug, affinity, species, preparation, register))
    return tuple(found)


def bond(
    place: int,
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
    drug : Drug
        The ligand.
    affinity : Affinity
        At the target.
    species, preparation
        Whose in-vivo shift holds; none in a slice.
    register : Register
        Filled with the constants.
    """

    def constant(quantity: str, reported: Reported | None, of: Species | None = None) -> int:
        if reported is None:
            return -1
        name = name_of(quantity, reported, drug=drug.name, target=affinity.target, species=of)
        return register.report(name, reported, reported[0].unit, "binding", molar_mass=drug.molar_mass.value)

    by_species = species if isinstance(affinity.in_vivo_shift, dict) else None
    return Bond(
        ligand=place,
        mode=affinity.mode,
        k_i=constant("K_i", affinity.k_i),
        shift=constant("in-vivo shift", affinity.shift_in(species, preparation), by_species),
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
    k = values[bond.k_i]
    return k if bond.shift < 0 else k * values[bond.shift]


def bound(
    bonds_: tuple[Bond, ...],
    levels: Float[Numbers, "ligands times batch"],
    values: Float[Numbers, "parameters batch"],
    slow: Mapping[int, Float[Numbers, "times batch"]],
    rest: RestingTarget = UNTOUCHED,
) -> BoundFractions:
    """What a target's ligands hold at given concentrations (Gaddum 1937; endogenous agonist competes with them).

    In numpy where all numbers are.

    Parameters
    ----------
    bonds_ : tuple of Bond
        Ligands that bind the target.
    levels : array
        Unbound concentrations of the plan's ligands (nM).
    values : array
        Parameters (not their logs).
    slow : dict
        Occupancy by each kinetically bound ligand, by its place among `bonds_`.
    rest : RestingTarget
        The target before any drug; by default whole and without endogenous agonist.
    """
    xp = array_library(levels, values)
    nothing: Numbers = xp.zeros(levels.shape[1:])
    ratios = [levels[bond.ligand] / constant(bond, values) for bond in bonds_]
    left = 1.0 - sum(slow.values())
    glutamate = sum((r for b, r in zip(bonds_, ratios, strict=True) if _own_site(b)), nothing)
    shared = sum(
        (
            r
            for i, (b, r) in enumerate(zip(bonds_, ratios, strict=True))
            if not _own_site(b) and i not in slow
        ),
        nothing + endogenous(rest, values),
    )
    held = []
    for place, (bond, ratio) in enumerate(zip(bonds_, ratios, strict=True)):
        if _own_site(bond):
            held.append(ratio / (1 + glutamate))
        else:
            held.append(slow[place] if place in slow else left * ratio / (1 + shared))
    own = sum((h for b, h in zip(bonds_, held, strict=True) if _own_site(b)), nothing)
    others = sum((h for b, h in zip(bonds_, held, strict=True) if not _own_site(b)), nothing)
    agonists = [(b, h) for b, h in zip(bonds_, held, strict=True) if b.mode == "agonist"]
    activated = sum((h * efficacy(b, values) for b, h in agonists), nothing)
    rivals = sum(
        (h for b, h in zip(bonds_, held, strict=True) if b.mode == "competitive antagonist"), nothing
    )
    available = _left(rest.available, values)
    against = sum(
        (h for b, h in zip(bonds_, held, strict=True) if b.mode != "agonist" and not _own_site(b)), nothing
    )
    return BoundFractions(
        occupied=1 - (1 - others) * (1 - own),
        blocked=1 - (1 - against) * (1 - own),
        activated=available * activated,
        tone=available * _left(rest.tone_left, values) * (1 - rivals),
        free=left / (1 + shared) / (1 + glutamate),
        by_ligand=xp.stack(held) if held else xp.zeros((0, *levels.shape[1:])),
    )


def slow_courses(
    bonds_: tuple[Bond, ...],
    levels: Float[Numbers, "ligands nodes batch"],
    values: Float[Numbers, "parameters batch"],
    width: Float[Numbers, " intervals"],
    rule: Quadrature,
    cycle: int | None,
    rest: RestingTarget = UNTOUCHED,
) -> dict[int, Float[Numbers, "edges batch"]]:
    """Occupancy by each kinetically bound ligand at the edges of intervals.

    Parameters
    ----------
    bonds_, values
        As in `bound`.
    levels : array, shape (ligands, intervals * order, batch)
        Concentrations at the nodes of the rule in each interval.
    width : array
        Widths of the intervals (h).
    rule : Quadrature
        Rule of the nodes.
    cycle : int or None
        Number of the first intervals that make up one dosing interval of a steady state; None if nothing was there
        before.
    rest : RestingTarget
        As in `bound`.
    """
    kinetic = [place for place, bond in enumerate(bonds_) if bond.k_off >= 0]
    if len(kinetic) > 1:
        names = " and ".join(str(place) for place in kinetic)
        raise ValueError(
            f"One slowly dissociating ligand at a target can be followed in closed form; got {len(kinetic)} ({names}). "
            "Follow one protocol at a time."
        )
    found = {}
    for place in kinetic:
        bond = bonds_[place]
        fast = sum(
            (
                levels[other.ligand] / constant(other, values)
                for i, other in enumerate(bonds_)
                if i != place and not _own_site(other)
            ),
            jnp.zeros(levels.shape[1:]) + endogenous(rest, values),
        )
        k_off = values[bond.k_off]
        k_on = values[bond.k_on] if bond.k_on >= 0 else k_off / constant(bond, values)
        drive = k_on * levels[bond.ligand] / (1 + fast)
        by_interval = drive.reshape(width.size, rule.nodes.size, -1)
        found[place] = turnover(by_interval, width, rule, k_off, cycle=cycle)
    return found


def endogenous(rest: RestingTarget, values: Float[Numbers, "parameters batch"]) -> Numbers | float:
    """Endogenous agonist over its K, with what manipulations leave of it."""
    return values[rest.tone] * _left(rest.tone_left, values) if rest.tone >= 0 else 0.0


def _left(places: tuple[int, ...], values: Float[Numbers, "parameters batch"]) -> Any:
    """Product of fractions, each at most 1."""
    xp = array_library(values)
    return math.prod((xp.minimum(values[place], 1.0) for place in places), start=1.0)


def _own_site(bond: Bond) -> bool:
    return bond.mode == "glutamate-site antagonist"


def efficacy(bond: Bond, values: Numbers) -> Numbers | float:
    """Intrinsic efficacy, at most that of a full agonist (1)."""
    return array_library(values).minimum(values[bond.efficacy], 1.0) if bond.efficacy >= 0 else 1.0
