"""Protocol course: one protocol at draws of all parameters -> concentrations, features and states at reading times.

The calculator's chain is read at the nodes of intervals that follow doses and readings, and once more at the readings.
All of it is numpy where the draws are; many draws are compiled, block by block.
"""

import os
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.engagement.binding import Bond, RestingTarget
from gaddum.engagement.engagement_courses import receptor_courses
from gaddum.engagement.intervals import jumps, subdivided
from gaddum.engagement.layout import Layout
from gaddum.engagement.receptor import FEATURES, Receptor
from gaddum.exposure.plan import Plan
from gaddum.numerics.array_library import Numbers, array_library
from gaddum.numerics.quadrature import gauss_legendre
from gaddum.parallel import map_blocks
from gaddum.response.account_course import SimulatedAccount, account_states

RULE = gauss_legendre(7)
"""Of each interval."""
FIRST, GROWTH, WIDEST = 0.05, 1.0, 8.0
"""Width of the first interval after a dose (h), of later ones over the time since, and at most (h)."""
COMPILED_FROM = 10_000
"""Draws from which the chain is compiled, where JAX is installed; fewer are sooner done in numpy."""
BLOCK, LANES = 500, 64
"""Draws computed together in numpy and compiled, so that a block's arrays stay in the cache."""


class CourseReadings(NamedTuple):
    """What one protocol does at the times that are read."""

    levels: Float[Numbers, "ligands times draws"]
    features: Float[Numbers, "features times draws"]
    states: Float[Numbers, "2 accounts times draws"]
    """Acute, then sustained."""


class ProtocolCourse(NamedTuple):
    """One protocol and all that is read of it, as constants; the same ones are compiled once."""

    plan: Plan
    bonds: tuple[tuple[str, tuple[Bond, ...]], ...]
    rests: tuple[tuple[str, RestingTarget], ...]
    times: tuple[float, ...]
    features: tuple[str, ...]
    accounts: tuple[SimulatedAccount, ...]
    names: tuple[str, ...]
    """Parameters of behaviour, in the order in which their draws are given."""

    def readings(
        self, theta: Float[Numbers, "parameters draws"], own: Float[Numbers, "behaviour draws"]
    ) -> CourseReadings:
        """Follow it at draws of all parameters, on their smooth scales."""
        xp, read = array_library(theta), np.array(self.times)
        edges = self._edges(read)
        width = np.diff(edges)
        nodes = (edges[:-1, None] + width[:, None] * RULE.nodes).ravel() if self.accounts else np.zeros(0)
        every = np.concatenate([nodes, read])
        given = Layout((), "human", self.plan, dict(self.bonds), dict(self.rests), theta, (), ())  # pyright: ignore
        values = dict(zip(self.names, own, strict=True))
        found = receptor_courses(given, every)
        second = {
            name: receptor_courses(
                given, every, potency={name.partition(".")[0]: xp.exp(-values[f"potency ratio of {name}"])}
            )
            for name in self.features
            if name.endswith(".reserve")
        }
        parts = (slice(nodes.size), slice(nodes.size, None))

        @cache
        def receptor(name: str, target: str, part: int) -> Receptor:
            return second.get(name, found).receptor(target, parts[part])

        def level(name: str, part: int) -> Any:
            target, _, kind = name.partition(".")
            one = FEATURES[kind](receptor(name if name in second else "", target, part))
            return xp.broadcast_to(one, (every[parts[part]].size, theta.shape[1]))

        inputs = dict.fromkeys(one.feature for account in self.accounts for one in account.inputs)
        during = {name: level(name, 0) for name in inputs}
        at_reading = {name: level(name, 1) for name in self.features}
        place = np.searchsorted(edges, np.clip(read, edges[0], edges[-1]))
        states = [
            account_states(one, during, at_reading, values, width, RULE, place) for one in self.accounts
        ]
        shape = (2, len(self.accounts), read.size, theta.shape[1])
        return CourseReadings(
            found.levels[:, nodes.size :],
            xp.stack([at_reading[name] for name in self.features]),
            xp.stack([xp.stack(of) for of in zip(*states, strict=True)]) if states else xp.zeros(shape),
        )

    def _edges(self, read: Float[np.ndarray, " times"]) -> Float[np.ndarray, " edges"]:
        """Edges of intervals from the first dose that binds anything to the last reading."""
        binding = {bond.ligand for _, at in self.bonds for bond in at}
        changes = jumps(one for place in binding for one in self.plan.ligands[place].given)
        last = float(read.max())
        first = min([*changes, last])
        if first >= last:
            return np.array([last, last + 1.0])
        readings = sorted({*read[read > first].tolist()})
        begun = [time for time in changes if time < last]
        return subdivided(begun, readings, first=FIRST, growth=GROWTH, widest=WIDEST)


def in_blocks(
    course: ProtocolCourse, theta: Float[np.ndarray, "parameters draws"], own: np.ndarray
) -> CourseReadings:
    """Readings of any number of draws, in blocks that fit the cache and on all cores; compiled where that pays."""
    draws, workers = theta.shape[1], os.cpu_count() or 1
    plain = not any(ligand.is_saturable for ligand in course.plan.ligands)
    # What acts at the test is followed anew for each reading, which would be written out as often.
    plain = plain and not any(one.expression for account in course.accounts for one in account.inputs)
    if plain and draws >= COMPILED_FROM and find_spec("jax") is not None:
        size = -(-draws // (workers * LANES)) * LANES
        function = _compiled(course)
    else:
        size, function = BLOCK, course.readings
    parts = map_blocks(lambda part: function(theta[:, part], own[:, part]), draws, size)
    return CourseReadings(*(np.concatenate(of, axis=-1) for of in zip(*parts, strict=True)))


@lru_cache(maxsize=16)
def _compiled(course: ProtocolCourse) -> Any:
    """Readings by JAX, block by block of `LANES` draws."""
    import jax

    def blocked(theta: Any, own: Any) -> CourseReadings:
        split = jax.tree.map(
            lambda x: jax.numpy.moveaxis(x.reshape(*x.shape[:-1], x.shape[-1] // LANES, LANES), -2, 0),
            (theta, own),
        )
        found = jax.lax.map(lambda one: course.readings(*jax.lax.optimization_barrier(one)), split)
        return jax.tree.map(
            lambda x: jax.numpy.moveaxis(x, 0, -2).reshape(*x.shape[1:-1], x.shape[0] * LANES), found
        )

    run = jax.jit(blocked)

    def padded(theta: np.ndarray, own: np.ndarray) -> CourseReadings:
        draws = theta.shape[1]
        more = -draws % LANES
        with jax.enable_x64(True):
            found = run(*(np.pad(x, ((0, 0), (0, more)), mode="edge") for x in (theta, own)))
            return CourseReadings(*(np.asarray(x)[..., :draws] for x in found))

    return padded
