"""Inputs: parameters -> the graded inputs of one gate at every quadrature node of every row.

Each target is a branch of one compiled switch: a gate of two inputs computes two features, whichever they are and
however many the case has. The gradient runs through the same switch and computes a branch again rather than storing
what it passed through. Node values of all blocks of rows lie one after the other, as points.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from gaddum.simulate.assemble import Assembly
from gaddum.simulate.segments import collect, pick, spread
from gaddum.simulate.sites import Block, Site
from gaddum.simulate.spline import bumps


class Given(NamedTuple):
    """What a hypothesis says of the inputs; as in `Account`."""

    inputs: Int[Array, " inputs"]
    count: Int[Array, ""]
    induction: Float[Array, " features"]
    expression: Float[Array, " features"]
    graded: Float[Array, " features"]
    forced: Float[Array, " features"]
    level: Float[Array, " features"]


class Shared(NamedTuple):
    """What all inputs are computed from, once a draw."""

    theta: Float[Array, "dimension batch"]
    waves: Float[Array, "shapes spline batch"]
    """Basis functions of every shape parameter."""
    dependence: Float[Array, "strata batch"]


def shared(
    assembly: Assembly, theta: Float[Array, "dimension batch"], z: Float[Array, "dimension batch"]
) -> Shared:
    """Compute what all inputs share: basis functions of curves, and the strata's dependence.

    Dependence is logit-normal about a common mean.
    """
    rows, index = assembly.rows, assembly.index
    spread = jnp.exp(theta[index["dependence.spread"]])
    logit = theta[index["dependence.mean"]] + spread * pick(z, rows.strata)
    waves = bumps(pick(z, rows.shapes)) if rows.shapes.size else jnp.zeros((0, 1, z.shape[1]))
    return Shared(theta, waves, 1 / (1 + jnp.exp(-logit)))


def gate_inputs(assembly: Assembly, given: Given, common: Shared) -> Float[Array, "inputs points batch"]:
    """Inputs of a gate at every node, zeros beyond the gate's own."""
    targets = list(dict.fromkeys(name.split(".")[0] for name in assembly.features))
    of_target = np.array([targets.index(name.split(".")[0]) for name in assembly.features] or [0])
    branches = [partial(_input, assembly, target) for target in targets]
    points = sum(block.before.size for block in assembly.rows.blocks)
    shape = (given.inputs.shape[0], points, common.theta.shape[1])
    if not branches or not points:
        return jnp.zeros(shape)

    @jax.custom_vjp
    def stacked(common: Shared, given: Given) -> Array:
        def one(j: Array, found: Array) -> Array:
            place = given.inputs[j]
            return found.at[j].set(jax.lax.switch(jnp.asarray(of_target)[place], branches, place, common, given))

        return jax.lax.fori_loop(0, given.count, one, jnp.zeros(shape))

    def backward(kept: tuple[Shared, Given], g: Array) -> tuple:
        common, given = kept
        pulled = [_pulled(branch) for branch in branches]

        def one(j: Array, total: Shared) -> Shared:
            place = given.inputs[j]
            found = jax.lax.switch(jnp.asarray(of_target)[place], pulled, g[j], place, common, given)
            return jax.tree.map(jnp.add, total, found)

        return jax.lax.fori_loop(0, given.count, one, jax.tree.map(jnp.zeros_like, common)), None

    stacked.defvjp(lambda common, given: (stacked(common, given), (common, given)), backward)
    return stacked(common, given)


def branched(branches: Sequence[Callable[..., Array]], which: Array, x: Array, data: Any) -> Array:
    """Take one branch of a function of x, forward and backward, with nothing computed or stored for the others."""

    @jax.custom_vjp
    def taken(x: Array, which: Array, data: Any) -> Array:
        return jax.lax.switch(which, branches, x, data)

    def forward(x: Array, which: Array, data: Any) -> tuple[Array, tuple]:
        return taken(x, which, data), (x, which, data)

    def backward(kept: tuple, g: Array) -> tuple:
        x, which, data = kept
        pulled = [lambda g, x, data, f=f: jax.vjp(lambda x: f(x, data), x)[1](g)[0] for f in branches]
        return jax.lax.switch(which, pulled, g, x, data), None, None

    taken.defvjp(forward, backward)
    return taken(x, which, data)


def _pulled(branch: Callable[..., Array]) -> Callable[..., Shared]:
    def pull(g: Array, place: Array, common: Shared, given: Given) -> Shared:
        return jax.vjp(lambda common: branch(place, common, given), common)[1](g)[0]

    return pull


def feature_levels(
    assembly: Assembly, name: str, given: Given, common: Shared
) -> Float[Array, "rows nodes batch"]:
    """Level of a feature in every row at the nodes and at the test, which shorter rows repeat."""
    nodes, target = assembly.times.shape[1], name.split(".")[0]
    place = jnp.asarray(assembly.features.index(name))
    found = []
    for block in assembly.rows.blocks:
        levels = spread(_level(assembly, target, block, place, common, given), block.sites[target].course)
        found.append(jnp.pad(levels, ((0, 0), (0, nodes - levels.shape[1]), (0, 0)), mode="edge"))
    return jnp.concatenate(found) if found else jnp.zeros((0, nodes, common.theta.shape[1]))


def _input(
    assembly: Assembly, target: str, place: Array, common: Shared, given: Given
) -> Float[Array, "points batch"]:
    """A feature of a target as an input: reserve, availability, dependence and the phases at which it acts."""
    mine = _features_of(assembly, target)
    tau = _chosen(place, {i: jnp.exp(common.theta[assembly.rows.reserve[name]]) for i, name in mine.items()})
    pieces = []
    for block in assembly.rows.blocks:
        site = block.sites[target]
        level = _level(assembly, target, block, place, common, given)
        w = pick(common.dependence, site.stratum)
        weight = 1 - given.graded[place] * (1 - w[:, None, :])  # a feature that is not graded is fully needed
        # The share spared is (1 + tau) x / (1 + tau x): with a reserve, a little suffices.
        graded = _settled(1 - weight * (1 - level) / (1 + tau * level))
        during = jnp.where(given.induction[place] > 0, graded[:, :-1], 1.0)
        at_test = jnp.where(given.expression[place] > 0, graded[:, -1:], 1.0)
        pieces.append(spread(_settled(during * at_test), site.course).reshape(-1, w.shape[1]))
    return jnp.concatenate(pieces)


def _features_of(assembly: Assembly, target: str) -> dict[int, str]:
    return {i: name for i, name in enumerate(assembly.features) if name.split(".")[0] == target}


def _chosen(place: Array, options: dict[int, Array]) -> Array:
    """The option whose key is `place`; the last if none is."""
    *others, last = options.items()
    chosen = last[1]
    for key, option in others:
        chosen = jnp.where(place == key, option, chosen)
    return chosen


def _level(
    assembly: Assembly, target: str, block: Block, place: Array, common: Shared, given: Given
) -> Float[Array, "courses nodes batch"]:
    """Level of a target's feature in [0, 1] (Gaddum 1937; endogenous agonist competes at its unknown tone)."""
    theta, site = common.theta, block.sites[target]
    bound = _bound(site, common, block.before.shape[1] + 1)
    left = (site.available * site.tone)[:, None, None]
    available = site.available[:, None, None]
    options = {}
    for i, name in _features_of(assembly, target).items():
        match name.split(".")[1]:
            case "block":
                options[i] = _blocked(bound, 1.0)
            case "reserve":
                options[i] = 1 - _blocked(bound, jnp.exp(-theta[assembly.rows.second_site[name]]))
            case "engagement":
                options[i] = bound["any"] / (1 + bound["any"])
            case kind:
                total = 1 + site.tone[:, None, None] * jnp.exp(theta[site.endogenous]) + bound["any"]
                agonism = kind == "agonism"
                options[i] = bound["agonist"] / total if agonism else left * (1 - bound["antagonist"] / total)
    level = jnp.where(given.forced[place] > 0, given.level[place], _chosen(place, options))
    factor = _chosen(
        place,
        {
            i: available if name.endswith(".agonism") else jnp.ones_like(available)
            for i, name in _features_of(assembly, target).items()
        },
    )
    return _settled(level * factor)


def _bound(site: Site, common: Shared, nodes: int) -> dict[str, Array]:
    """Sums of C/K over each course's ligands by role, [courses, nodes + 1, batch]; 0 for a role that nobody has."""
    theta, count = common.theta, site.tone.size
    none = jnp.zeros((count, nodes, theta.shape[1]))
    if not site.curves:
        return dict.fromkeys(site.roles, none)
    per_pair = _concentrations(site, common)
    sums: dict[str, Array] = {}
    for role, has in site.roles.items():
        if not has.any():
            sums[role] = none
            continue
        strength = has[:, None]
        if role == "agonist":  # a full agonist has 1
            strength = strength * jnp.exp(jnp.minimum(pick(theta, site.efficacy), 0.0))
        mine = per_pair if has.all() and role != "agonist" else per_pair * strength[:, None]
        sums[role] = _settled(collect(mine, site.course_of_pair, count))
    return sums


def _concentrations(site: Site, common: Shared) -> Float[Array, "pairs nodes batch"]:
    """C/K of every pair; curves that share a shape parameter are one product with its basis."""
    theta, waves = common.theta, common.waves
    loading = np.zeros((site.curve.size, theta.shape[0]))
    for index, sign in ((site.scale, 1.0), (site.k, -1.0), (site.shift, -1.0)):
        loading += sign * (index[:, None] == np.arange(theta.shape[0]))
    pieces = []
    for curves in site.curves:
        if curves.shape < 0:
            pieces.append(jnp.broadcast_to(curves.loads, (curves.loads.shape[0], theta.shape[1])))
        else:
            pieces.append(jnp.matmul(curves.loads, curves.basis @ waves[curves.shape]))
    logs = jnp.concatenate(pieces)
    unit = _settled(jnp.exp(logs)).reshape(site.curve.max() + 1, -1, theta.shape[1])
    return _settled(spread(unit, site.curve) * jnp.exp(jnp.matmul(loading, theta))[:, None, :])


def _blocked(bound: dict[str, Array], potency: Array | float) -> Array:
    return 1 - 1 / ((1 + potency * bound["channel"]) * (1 + potency * bound["glutamate"]))


@jax.custom_vjp
def _settled(x: Array) -> Array:
    """Compute once, forward and backward: fusion would otherwise repeat a shared term in each of its consumers."""
    return jax.lax.optimization_barrier(x)


_settled.defvjp(lambda x: (_settled(x), None), lambda _, g: (jax.lax.optimization_barrier(g),))
