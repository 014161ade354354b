"""Engagement courses: a protocol laid out -> concentrations and bound receptors at given times, compiled as one.

The evaluation is compiled per structure (routes, bodies, bonds, number of times and draws), not per dose: amounts and
times are arguments. So another dose of the same drug, or a multiple of it, costs no compilation.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gaddum.engagement.binding import Bond, BoundFractions, RestingTarget, bound, slow_courses
from gaddum.engagement.layout import Layout
from gaddum.exposure.concentrations import concentrations, filled, responses, skeleton
from gaddum.exposure.impulse import Impulse
from gaddum.exposure.plan import Plan
from gaddum.exposure.saturable_pathways import check_followable, follow, is_saturable
from gaddum.numerics.quadrature import gauss_legendre
from gaddum.records.dose import HELD, Dose

ORDER = 5
"""Gauss-Legendre nodes in each interval of the kinetic form."""
_STEP = 32
"""Times are padded to a multiple of this, so that their number seldom asks for another compilation."""

Bonds = tuple[tuple[str, tuple[Bond, ...], RestingTarget], ...]
"""Targets, what binds them and what they are like at rest, hashable."""


class EngagementCourses(NamedTuple):
    """What a protocol does at given times."""

    levels: Float[np.ndarray, "ligands times draws"]
    """Unbound concentration of the plan's ligands in brain (nM)."""
    bound: dict[str, BoundFractions]
    """Fractions of each target's receptors."""


class NumericalConcentrations(NamedTuple):
    """Concentrations had numerically, by the ligand's place in the plan, [times, draws] each."""

    at_times: dict[int, Array]
    inside: dict[int, Array]
    """At the nodes of the kinetic form."""


class Steps(NamedTuple):
    """Intervals over which slow binding is followed."""

    edges: Float[np.ndarray, " edges"]
    place: Float[np.ndarray, " times"]
    """Edge at each time."""


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
    moved = _moved(layout.plan, scale or {}, shift or {})
    plan, entries = skeleton(moved)
    slow = any(bond.k_off >= 0 for at in layout.bonds.values() for bond in at)
    padded = np.concatenate([times, np.full(-len(times) % _STEP, times[-1])])
    edges, cycle = _edges(padded, layout.doses, shift or {}) if slow else (np.zeros(1), None)
    steps = Steps(edges, np.searchsorted(edges, np.maximum(padded, edges[0])).astype(float))
    with jax.enable_x64(True):
        followed = _follow(moved, layout, padded, steps)
        levels, found = _evaluate(
            plan,
            tuple((name, at, layout.rests[name]) for name, at in layout.bonds.items()),
            cycle,
            entries,
            layout.theta,
            responses(plan, layout.theta),
            padded,
            steps,
            followed,
        )
        count = len(times)
        # One crossing for everything.
        levels, found = jax.device_get((levels, found))
    return EngagementCourses(
        levels[:, :count],
        {name: BoundFractions(*(part[..., :count, :] for part in found[name])) for name in layout.bonds},
    )


def bind(layout: Layout, target: str, levels: Float[np.ndarray, "ligands times draws"]) -> BoundFractions:
    """What a target's ligands hold at given concentrations (nM), all at equilibrium."""
    count = levels.shape[1]
    filler = np.repeat(levels[:, -1:], -count % _STEP, axis=1)
    with jax.enable_x64(True):
        found = jax.device_get(
            _bind(
                layout.bonds[target],
                layout.rests[target],
                layout.theta,
                np.concatenate([levels, filler], axis=1),
            )
        )
    return BoundFractions(*(part[..., :count, :] for part in found))


@partial(jax.jit, static_argnames=("at", "before"))
def _bind(at: tuple[Bond, ...], before: RestingTarget, theta: Array, levels: Array) -> BoundFractions:
    return bound(at, levels, jnp.exp(theta), {}, before)


@partial(jax.jit, static_argnames=("plan", "bonds", "cycle"))
def _evaluate(
    plan: Plan,
    bonds: Bonds,
    cycle: int | None,
    entries: Array,
    theta: Array,
    impulses: tuple[Impulse, ...],
    times: Array,
    steps: Steps,
    followed: NumericalConcentrations,
) -> tuple[Array, dict[str, BoundFractions]]:
    given = filled(plan, entries)
    constants = jnp.exp(theta)
    levels = concentrations(given, theta, times, known=followed.at_times, impulses=impulses)
    inside = None
    rule = gauss_legendre(ORDER)
    width = steps.edges[1:] - steps.edges[:-1]
    if steps.edges.shape[0] > 1:
        inside = concentrations(given, theta, _nodes(steps.edges), known=followed.inside, impulses=impulses)
    found = {}
    for name, at, before in bonds:
        slow: dict[int, Array] = {}
        if inside is not None and any(bond.k_off >= 0 for bond in at):
            courses = slow_courses(at, inside, constants, width, rule, cycle, before)
            place = steps.place.astype(int)
            slow = {
                key: jnp.where((times >= steps.edges[0])[:, None], course[place], 0.0)
                for key, course in courses.items()
            }
        found[name] = bound(at, levels, constants, slow, before)
    return levels, found


def _follow(plan: Plan, layout: Layout, times: np.ndarray, steps: Steps) -> NumericalConcentrations:
    """Ligands without a closed form, before the rest is compiled."""
    numeric = [one for one in plan.ligands if is_saturable(one)]
    if not numeric:
        return NumericalConcentrations({}, {})
    check_followable(plan)
    values = np.exp(layout.theta)
    nodes = np.asarray(_nodes(steps.edges))
    found = follow(plan, values, np.concatenate([times, nodes]), "brain")
    count = len(times)
    return NumericalConcentrations(
        {place: level[:count] for place, level in found.items()},
        {place: level[count:] for place, level in found.items()},
    )


def _nodes(edges: Array | np.ndarray) -> Array:
    """Quadrature nodes of the intervals of the kinetic form (h)."""
    width = edges[1:] - edges[:-1]
    return jnp.asarray(edges[:-1, None] + width[:, None] * gauss_legendre(ORDER).nodes).ravel()


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
    return np.concatenate([edges, np.full(-len(edges) % (2 * _STEP), edges[-1])]), cycle
