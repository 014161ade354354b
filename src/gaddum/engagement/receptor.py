"""Receptor: what ligands hold at a target and what that does there, for calculator, case and simulation alike.

Any number of ligands of any mode (`records.vocabulary`) act on one receptor. Those that bind fast are at equilibrium
with what one slow ligand leaves them (Gaddum's equation); the slow one follows its rates. Everything is written over
sums of C/K, with operators only, so that numbers, numpy, JAX and quantities with units go through the same lines, and
so that a small fraction is as precise as its concentration.

References
----------
Gaddum JH (1937). The quantitative effects of antagonistic drugs. J Physiol 89, 7P-9P.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

from jaxtyping import Float

from gaddum.numerics.array_library import Numbers
from gaddum.numerics.quadrature import Quadrature
from gaddum.numerics.recurrence import turnover
from gaddum.records.vocabulary import Action, BindingSite

Value: TypeAlias = Any  # float, array or dimensionless quantity: anything with arithmetic
BySite: TypeAlias = Callable[[BindingSite, Action], Value]


def _none(site: BindingSite, action: Action) -> float:
    return 0.0


class Receptor(NamedTuple):
    """A target's receptors among their ligands, at any number of times and draws."""

    sites: tuple[BindingSite, ...]
    """Sites that have ligands."""
    load: BySite
    """Sum of C/K of the fast ligands of a site, each counted by its share in an action."""
    slow: BySite = _none
    """Fraction of a site that the slow ligand holds, counted by its share in an action."""
    tone: Value = 0.0
    """Endogenous agonist over its K, of which `tone_left` is left."""
    tone_left: Value = 1.0
    """Fraction of the endogenous agonist that manipulations leave."""
    available: Value = 1.0
    """Fraction of the receptors that manipulations leave."""


def held(receptor: Receptor, site: BindingSite, action: Action) -> Value:
    """Fraction of a site that ligands hold, each counted by its share in an action."""
    return receptor.slow(site, action) + at_equilibrium(receptor, site, receptor.load(site, action))


def at_equilibrium(receptor: Receptor, site: BindingSite, load: Value) -> Value:
    """Fraction of a site that fast ligands with this C/K hold among all (Gaddum 1937)."""
    return (1 - receptor.slow(site, "binds")) * load / _total(receptor, site)


def spared(receptor: Receptor, site: BindingSite, action: Action) -> Value:
    """What `held` leaves of 1, precise where that is little."""
    total, slow = _total(receptor, site), receptor.slow(site, "binds")
    fast = (total - receptor.load(site, action)) / total
    return (1 - slow) * fast + (slow - receptor.slow(site, action))


def engagement(receptor: Receptor) -> Value:
    """Fraction of the receptors that any ligand holds."""
    return _either(held(receptor, site, "binds") for site in receptor.sites)


def block(receptor: Receptor) -> Value:
    """Fraction of the receptors held by ligands that stop them."""
    return _either(held(receptor, site, "blocks") for site in receptor.sites)


def reserve(receptor: Receptor) -> Value:
    """What `block` leaves of 1, precise where that is little."""
    return _both(spared(receptor, site, "blocks") for site in receptor.sites)


def agonism(receptor: Receptor) -> Value:
    """Receptors held by agonists, each weighted by its efficacy, as a fraction of those at rest."""
    return receptor.available * sum(held(receptor, site, "activates") for site in receptor.sites)


def tone(receptor: Receptor) -> Value:
    """Endogenous signalling that ligands and manipulations leave, as a fraction of that at rest."""
    left = _both(spared(receptor, site, "silences") for site in receptor.sites)
    return receptor.available * receptor.tone_left * left


def free(receptor: Receptor) -> Value:
    """Fraction of the receptors that nothing holds, endogenous agonist included."""
    return _both((1 - receptor.slow(site, "binds")) / _total(receptor, site) for site in receptor.sites)


FEATURES: dict[str, Callable[[Receptor], Value]] = {
    "block": block,
    "agonism": agonism,
    "tone": tone,
    "reserve": reserve,
    "engagement": engagement,
}
"""Features by their names in gates."""


def slow_course(
    concentration: Float[Numbers, "intervals order ..."],
    fast: Value,
    k_on: Value,
    k_off: Value,
    width: Float[Numbers, "intervals ..."],
    rule: Quadrature,
    *,
    cycle: int | None = None,
) -> Float[Numbers, "edges ..."]:
    """Fraction that a slowly dissociating ligand holds, at the edges of intervals.

    Parameters
    ----------
    concentration : array
        Unbound concentration (nM) at the nodes of each interval.
    fast : array
        Sum of C/K of the site's fast ligands and endogenous agonist at the nodes, which leave it less to bind.
    k_on, k_off : array
        Rates of association (1/(nM h)) and dissociation (1/h).
    width : array
        Width of each interval (h); or for each interval of several courses.
    rule : Quadrature
        Rule of the nodes.
    cycle : int, optional
        Number of the first intervals that make up one dosing interval of a steady state; otherwise nothing is bound
        at first.
    """
    return turnover(k_on * concentration / (1 + fast), width, rule, k_off, cycle=cycle)


def endogenous(receptor: Receptor, site: BindingSite) -> Value:
    """Endogenous agonist of a site over its K."""
    return receptor.tone * receptor.tone_left if site == "orthosteric" else 0.0


def _total(receptor: Receptor, site: BindingSite) -> Value:
    """Receptors that no slow ligand holds over those that nothing holds."""
    return 1 + endogenous(receptor, site) + receptor.load(site, "binds")


def _either(fractions: Iterable[Value]) -> Value:
    return reduce(lambda one, other: one + other - one * other, fractions, 0.0)


def _both(fractions: Iterable[Value]) -> Value:
    return reduce(lambda one, other: one * other, fractions, 1.0)
