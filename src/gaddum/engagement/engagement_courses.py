"""Engagement courses: a protocol laid out -> concentrations and bound receptors at given times."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.engagement.binding import (
    Bond,
    BoundFractions,
    bound_fractions,
    receptor_of,
    slow_course,
)
from gaddum.engagement.intervals import jumps, subdivided
from gaddum.engagement.layout import Layout
from gaddum.engagement.receptor import Receptor
from gaddum.exposure.concentrations import concentrations
from gaddum.exposure.plan import Plan
from gaddum.exposure.unit_curves import UnitCurves
from gaddum.numerics.array_library import Numbers, array_library
from gaddum.numerics.quadrature import gauss_legendre
from gaddum.parallel import map_blocks

BLOCK = 250
"""Draws of slow binding that are followed together in numpy, so that they stay in the cache."""
ORDER = 9
"""Gauss-Legendre nodes in each interval of the kinetic form."""
_FIRST, _GROWTH = 1 / 30, 0.5
"""First interval after a dose (h), and growth of later ones: fine, since lags and releases shift by draw."""


class EngagementCourses(NamedTuple):
    """What a protocol does at given times."""

    levels: Float[np.ndarray, "ligands times draws"]
    """Unbound concentration of the plan's ligands in brain (nM)."""
    bound: dict[str, BoundFractions]
    """Fractions of each target's receptors."""


class ReceptorCourses(NamedTuple):
    """What a protocol gives its receptors at given times, from which any of them is read."""

    layout: Layout
    constants: Float[Numbers, "parameters draws"]
    levels: Float[Numbers, "ligands times draws"]
    """Unbound concentration of the plan's ligands in brain (nM)."""
    slow: dict[str, Float[Numbers, "times draws"]]
    """Fraction that a target's slow ligand holds, where it has one."""
    potency: Mapping[str, Float[Numbers, " draws"]]
    """Factor of every affinity by target; 1 where none is given."""

    def receptor(self, target: str, part: slice = slice(None)) -> Receptor:
        """A target's receptors at the times, or at a part of them."""
        held = self.slow.get(target)
        return receptor_of(
            self.layout.bonds[target],
            self.potency.get(target, 1.0) * self.levels[:, part],
            self.constants,
            None if held is None else held[part],
            self.layout.rests[target],
        )


def engage(
    layout: Layout,
    times: Float[np.ndarray, " times"],
    *,
    scale: dict[str, float] | None = None,
    shift: dict[str, float] | None = None,
    kept: UnitCurves | None = None,
) -> EngagementCourses:
    """Follow a protocol to the receptors.

    Parameters
    ----------
    layout : Layout
        The protocol.
    times : array
        Hours from the test drug.
    scale : dict
        Multiple of the doses by drug (as the protocol names its parts); 1 where none is given.
    shift : dict
        Delay of the doses by drug (h); 0 where none is given.
    kept : UnitCurves
        Where curves of unit doses are kept for the next protocol.
    """
    moved = layout._replace(plan=_moved(layout.plan, scale or {}, shift or {}))
    found = receptor_courses(moved, times, kept=kept)
    bound = {
        name: bound_fractions(found.receptor(name), at, found.levels, found.constants, found.slow.get(name))
        for name, at in layout.bonds.items()
    }
    return EngagementCourses(np.asarray(found.levels), bound)


def receptor_courses(
    layout: Layout,
    times: Float[np.ndarray, " times"],
    *,
    potency: Mapping[str, Float[Numbers, " draws"]] | None = None,
    kept: UnitCurves | None = None,
) -> ReceptorCourses:
    """Follow a protocol to its receptors; in JAX where the draws are its.

    Parameters
    ----------
    layout : Layout
        The protocol.
    times : array
        Hours from the test drug.
    potency : mapping
        Factor of every affinity by target; 1 where none is given.
    kept : UnitCurves
        Where curves of unit doses are kept for the next protocol.
    """
    xp = array_library(layout.theta)
    constants = xp.exp(layout.theta)
    slow = [name for name, at in layout.bonds.items() if any(one.is_slow for one in at)]
    edges, cycle = (
        _edges(times, layout.plan, [one for name in slow for one in layout.bonds[name]])
        if slow
        else (np.zeros(1), None)
    )
    width, rule = np.diff(edges), gauss_legendre(ORDER)
    nodes = (edges[:-1, None] + width[:, None] * rule.nodes).ravel()
    read, place = np.unique(np.concatenate([times, nodes]), return_inverse=True)
    every = concentrations(layout.plan, layout.theta, read, kept=kept)
    levels, inside = every[:, place[: len(times)]], every[:, place[len(times) :]]
    held = {}
    for name in slow:
        given = (potency or {}).get(name, 1.0) * inside

        def block(part: slice, name: str = name, given: Numbers = given) -> Any:
            at, rest = layout.bonds[name], layout.rests[name]
            return slow_course(at, given[..., part], constants[:, part], width, rule, cycle, rest)

        draws = layout.theta.shape[1]
        course = xp.concatenate(map_blocks(block, draws, BLOCK if xp is np else draws), axis=-1)
        step = np.searchsorted(edges, np.maximum(times, edges[0]))
        held[name] = xp.where((times >= edges[0])[:, None], course[step], 0.0)
    return ReceptorCourses(layout, constants, levels, held, potency or {})


def bind(layout: Layout, target: str, levels: Float[np.ndarray, "ligands times draws"]) -> BoundFractions:
    """What a target's ligands hold at given concentrations (nM), all at equilibrium."""
    at, constants = layout.bonds[target], np.exp(layout.theta)
    return bound_fractions(
        receptor_of(at, levels, constants, rest=layout.rests[target]), at, levels, constants
    )


def _moved(plan: Plan, scale: dict[str, float], shift: dict[str, float]) -> Plan:
    """Multiply and delay the doses of the drugs that are named; their metabolites follow."""
    found = []
    for ligand in plan.ligands:
        factor, delay = scale.get(ligand.parent, 1.0), shift.get(ligand.parent, 0.0)
        inputs = tuple(
            one._replace(amount=one.amount * factor, start=one.start + delay) for one in ligand.inputs
        )
        held = tuple((level * factor, start + delay, end + delay) for level, start, end in ligand.held)
        found.append(ligand._replace(inputs=inputs, held=held))
    return Plan(tuple(found))


def _edges(
    times: Float[np.ndarray, " times"], plan: Plan, at: Sequence[Bond]
) -> tuple[Float[np.ndarray, " edges"], int | None]:
    """Edges of intervals from the first dose to the last time, which are edges too; length of a first cycle.

    `at` are the bonds at targets that have a slow ligand; what binds elsewhere makes no difference.
    """
    mine = [plan.ligands[place] for place in dict.fromkeys(one.ligand for one in at)]
    changes = jumps(one for ligand in mine for one in ligand.given)
    first = changes[0]
    last = max(float(times.max()), first + 1e-6)
    slow = [plan.ligands[one.ligand] for one in at if one.is_slow]
    steady = {(one.start, one.interval) for ligand in slow for one in ligand.inputs if one.steady_state}
    ends = [start + interval for start, interval in steady]
    if steady:
        given = [one for ligand in mine for one in ligand.inputs]
        others = [one for one in given if (one.start, one.interval) not in steady]
        if (
            len(steady) > 1
            or any(ligand.held for ligand in mine)
            or any(one.start < ends[0] for one in others)
        ):
            raise ValueError(
                "A slowly dissociating ligand needs its steady state to come first and alone; got other doses before "
                "it, beside it or in its first interval. Give the steady-state dose the earliest time."
            )
        last = max(last, *ends)
    readings = {*times[times > first].tolist(), *ends, last}
    edges = subdivided(
        [time for time in changes if time < last], sorted(readings), first=_FIRST, growth=_GROWTH
    )
    return edges, int(np.searchsorted(edges, ends[0])) if ends else None
