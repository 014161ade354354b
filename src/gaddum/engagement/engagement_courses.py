"""Engagement courses: a protocol laid out -> concentrations and bound receptors at given times.

All of it is numpy but for slow binding, which is compiled per structure (bonds, number of intervals and draws); another
dose of the same drug, or a multiple of it, costs no compilation.
"""

from functools import partial
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Float

from gaddum.engagement.binding import Bond, BoundFractions, RestingTarget, bound, slow_courses
from gaddum.engagement.layout import Layout
from gaddum.exposure.concentrations import concentrations
from gaddum.exposure.plan import Plan
from gaddum.numerics.array_library import Numbers
from gaddum.numerics.quadrature import gauss_legendre
from gaddum.records.dose import HELD, Dose

ORDER = 5
"""Gauss-Legendre nodes in each interval of the kinetic form."""
_STEP = 64
"""Edges are padded to a multiple of this, so that their number seldom asks for another compilation."""


class EngagementCourses(NamedTuple):
    """What a protocol does at given times."""

    levels: Float[np.ndarray, "ligands times draws"]
    """Unbound concentration of the plan's ligands in brain (nM)."""
    bound: dict[str, BoundFractions]
    """Fractions of each target's receptors."""


def engage(
    layout: Layout,
    times: Float[np.ndarray, " times"],
    *,
    scale: dict[str, float] | None = None,
    shift: dict[str, float] | None = None,
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
    """
    slow = {name: any(bond.k_off >= 0 for bond in at) for name, at in layout.bonds.items()}
    edges, cycle = _edges(times, layout.doses, shift or {}) if any(slow.values()) else (np.zeros(1), None)
    width = np.diff(edges)
    nodes = (edges[:-1, None] + width[:, None] * gauss_legendre(ORDER).nodes).ravel()
    read, place = np.unique(np.concatenate([times, nodes]), return_inverse=True)
    constants = np.exp(layout.theta)
    found = {}
    with jax.enable_x64(True):
        moved = _moved(layout.plan, scale or {}, shift or {})
        every = np.asarray(concentrations(moved, layout.theta, read))
        levels, inside = every[:, place[: len(times)]], every[:, place[len(times) :]]
        for name, at in layout.bonds.items():
            before, held = layout.rests[name], {}
            if slow[name]:
                courses = jax.device_get(_slow_courses(at, cycle, before, inside, constants, width))
                step = np.searchsorted(edges, np.maximum(times, edges[0]))
                held = {
                    key: np.where((times >= edges[0])[:, None], course[step], 0.0)
                    for key, course in courses.items()
                }
            found[name] = bound(at, levels, constants, held, before)
    return EngagementCourses(levels, found)


def bind(layout: Layout, target: str, levels: Float[np.ndarray, "ligands times draws"]) -> BoundFractions:
    """What a target's ligands hold at given concentrations (nM), all at equilibrium."""
    return bound(layout.bonds[target], levels, np.exp(layout.theta), {}, layout.rests[target])


@partial(jax.jit, static_argnames=("at", "cycle", "before"))
def _slow_courses(
    at: tuple[Bond, ...],
    cycle: int | None,
    before: RestingTarget,
    inside: Array,
    constants: Array,
    width: Array,
) -> dict[int, Numbers]:
    return slow_courses(at, inside, constants, width, gauss_legendre(ORDER), cycle, before)


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
    times: Float[np.ndarray, " times"], doses: tuple[Dose, ...], shift: dict[str, float]
) -> tuple[Float[np.ndarray, " edges"], int | None]:
    """Edges of intervals from the first dose to the last time, finer after each dose; length of a first cycle."""
    begins = {id(dose): dose.time_h + shift.get(dose.drug, 0.0) for dose in doses}
    first = min(begins.values())
    last = max(float(times.max()), first + 1e-6)
    starts: list[float] = []
    for dose in doses:
        for repeat in range(dose.repeats):
            start = begins[id(dose)] + repeat * dose.interval_h
            starts += [start, start + (dose.duration_h or 0.0)]
    after = np.concatenate([[0.0], np.geomspace(1 / 60, max(last - first, 0.1), 48)])
    grid = (np.array(starts)[:, None] + after).ravel()
    cycle_end = None
    steady = [dose for dose in doses if dose.steady_state]
    if steady:
        if len(steady) > 1 or begins[id(steady[0])] > first or any(d.route in HELD for d in steady):
            raise ValueError(
                "A slowly dissociating ligand needs its steady state to come first and alone; got other doses before "
                "or beside it. Give the steady-state dose the earliest time."
            )
        cycle_end = first + steady[0].interval_h
        grid = np.append(grid, cycle_end)
        last = max(last, cycle_end)
    edges = np.unique(
        np.concatenate([grid[(grid >= first) & (grid <= last)], times[times > first], [first, last]])
    )
    cycle = None if cycle_end is None else int(np.searchsorted(edges, cycle_end))
    # Intervals of no length change nothing and keep the number of them, for which the evaluation is compiled.
    return np.concatenate([edges, np.full(-len(edges) % _STEP, edges[-1])]), cycle
