"""Inputs: parameters -> the graded inputs of one gate at every quadrature node of every row.

Each feature is a branch of one compiled switch: a gate of two inputs computes two features, whichever they are and
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


def gate_inputs(
    assembly: Assembly, theta: Float[Array, "dimension batch"], z: Float[Array, "dimension batch"], given: Given
) -> Float[Array, "inputs points batch"]:
    """Inputs of a gate at every node, zeros beyond the gate's own."""
    branches = [partial(_input, assembly, place) for place in range(len(assembly.features))]
    points = sum(block.before.size for block in assembly.rows.blocks)
    shape = (given.inputs.shape[0], points, z.shape[1])
    if not branches or not points:
        return jnp.zeros(shape)

    @jax.custom_vjp
    def stacked(theta: Array, z: Array, given: Given) -> Array:
        def one(j: Array, found: Array) -> Array:
            return found.at[j].set(jax.lax.switch(given.inputs[j], branches, theta, z, given))

        return jax.lax.fori_loop(0, given.count, one, jnp.zeros(shape))

    def forward(theta: Array, z: Array, given: Given) -> tuple[Array, tuple]:
        return stacked(theta, z, given), (theta, z, given)

    def backward(kept: tuple, g: Array) -> tuple:
        theta, z, given = kept
        pulled = [_pulled(branch) for branch in branches]

        def one(j: Array, total: tuple[Array, Array]) -> tuple[Array, Array]:
            found = jax.lax.switch(given.inputs[j], pulled, g[j], theta, z, given)
            return total[0] + found[0], total[1] + found[1]

        zero = (jnp.zeros_like(theta), jnp.zeros_like(z))
        return (*jax.lax.fori_loop(0, given.count, one, zero), None)

    stacked.defvjp(forward, backward)
    return stacked(theta, z, given)


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


def _pulled(branch: Callable[..., Array]) -> Callable[..., tuple[Array, Array]]:
    def pull(g: Array, theta: Array, z: Array, given: Given) -> tuple[Array, Array]:
        return jax.vjp(lambda theta, z: branch(theta, z, given), theta, z)[1](g)

    return pull


def pick(array: Float[Array, "size ..."], index: Int[np.ndarray, " picked"]) -> Float[Array, "picked ..."]:
    """Entries of the first axis, 0 where the index is -1.

    The gradient is a small product with a constant, where a plain gather's would be a slow scatter.
    """
    size = array.shape[0]
    chosen = (index[:, None] == np.arange(size)).astype(float)
    missing = bool((index < 0).any())

    @jax.custom_vjp
    def picked(x: Array) -> Array:
        found = x.at[np.maximum(index, 0)].get(mode="promise_in_bounds")
        return jnp.where((index >= 0).reshape(-1, *[1] * (x.ndim - 1)), found, 0.0) if missing else found

    def backward(_: None, g: Array) -> tuple[Array]:
        return (jnp.matmul(chosen.T, g.reshape(index.size, -1)).reshape(size, *g.shape[1:]),)

    picked.defvjp(lambda x: (picked(x), None), backward)
    return picked(array)


def feature_levels(
    assembly: Assembly, place: int, theta: Array, z: Array, given: Given
) -> Float[Array, "rows nodes batch"]:
    """Level of a feature in every row at the nodes and at the test, which shorter rows repeat."""
    nodes = assembly.times.shape[1]
    found = []
    for block in assembly.rows.blocks:
        course = block.sites[assembly.features[place].split(".")[0]].course
        levels = pick(_level(assembly, place, block, theta, z, given), course)
        found.append(jnp.pad(levels, ((0, 0), (0, nodes - levels.shape[1]), (0, 0)), mode="edge"))
    return jnp.concatenate(found) if found else jnp.zeros((0, nodes, z.shape[1]))


def _input(assembly: Assembly, place: int, theta: Array, z: Array, given: Given) -> Float[Array, "points batch"]:
    """One feature as an input: reserve, availability, dependence and the phases at which it acts."""
    name = assembly.features[place]
    tau = jnp.exp(theta[assembly.rows.reserve[name]])
    pieces = []
    for block in assembly.rows.blocks:
        site = block.sites[name.split(".")[0]]
        level = _level(assembly, place, block, theta, z, given)
        w = _dependence(assembly, theta, pick(z, site.stratum))
        weight = 1 - given.graded[place] * (1 - w[:, None, :])  # a feature that is not graded is fully needed
        # The share spared is (1 + tau) x / (1 + tau x): with a reserve, a little suffices.
        graded = _settled(1 - weight * (1 - level) / (1 + tau * level))
        during = jnp.where(given.induction[place] > 0, graded[:, :-1], 1.0)
        at_test = jnp.where(given.expression[place] > 0, graded[:, -1:], 1.0)
        pieces.append(pick(_settled(during * at_test), site.course).reshape(-1, z.shape[1]))
    return jnp.concatenate(pieces)


def _level(
    assembly: Assembly, place: int, block: Block, theta: Array, z: Array, given: Given
) -> Float[Array, "courses nodes batch"]:
    """Level of a feature in [0, 1] (Gaddum 1937; endogenous agonist competes at its unknown tone)."""
    name = assembly.features[place]
    target, feature = name.split(".")
    site = block.sites[target]
    bound = _bound(site, theta, z, block.before.shape[1] + 1)
    available = site.available[:, None, None]
    match feature:
        case "block":
            level = _blocked(bound, 1.0)
        case "reserve":
            level = 1 - _blocked(bound, jnp.exp(-theta[assembly.rows.second_site[name]]))
        case "engagement":
            level = bound("any") / (1 + bound("any"))
        case _:
            tone = site.tone[:, None, None] * jnp.exp(theta[site.endogenous])
            total = 1 + tone + bound("any")
            if feature == "agonism":
                level = bound("agonist") / total
            else:
                level = available * site.tone[:, None, None] * (1 - bound("antagonist") / total)
    level = jnp.where(given.forced[place] > 0, given.level[place], level)
    return _settled(level * available if feature == "agonism" else level)


def _bound(site: Site, theta: Array, z: Array, nodes: int) -> Callable[[str], Array]:
    """Sums of C/K over each course's ligands by role, [courses, nodes + 1, batch]; 0 for a role that nobody has."""
    count, edges = site.course.max(initial=-1) + 1, np.cumsum([0, *site.slots])
    per_pair = _concentrations(site, theta, z) if site.curves else jnp.zeros((0, nodes, z.shape[1]))

    def of(role: str) -> Array:
        has = site.roles[role]
        total: Array | float = 0.0
        strength = has[:, None]
        if role == "agonist" and has.any():  # a full agonist has 1
            strength = strength * jnp.exp(jnp.minimum(pick(theta, site.efficacy), 0.0))
        for first, last in zip(edges[:-1], edges[1:], strict=True):
            if has[first:last].any():
                mine = per_pair[first:last]
                if role == "agonist" or not has[first:last].all():
                    mine = mine * strength[first:last, None]
                total = total + jnp.pad(mine, ((0, count - (last - first)), (0, 0), (0, 0)))
        return _settled(jnp.broadcast_to(total, (count, per_pair.shape[1], z.shape[1])))

    return of


def _concentrations(site: Site, theta: Array, z: Array) -> Float[Array, "pairs nodes batch"]:
    """C/K of every pair; ligands that share a shape parameter are one product with its basis."""
    loading = sum(
        sign * (index[:, None] == np.arange(theta.shape[0])).astype(float)
        for index, sign in ((site.scale, 1.0), (site.k, -1.0), (site.shift, -1.0))
    )
    strength = jnp.matmul(np.asarray(loading), theta)
    shapes = np.array([curves.shape for curves in site.curves if curves.shape >= 0], int)
    waves = iter(bumps(pick(z, shapes))) if shapes.size else iter(())
    pieces = []
    for curves in site.curves:
        if curves.shape < 0:
            pieces.append(jnp.broadcast_to(curves.loads, (curves.loads.shape[0], z.shape[1])))
        else:
            pieces.append(jnp.matmul(curves.loads, curves.basis @ next(waves)))
    logs = jnp.concatenate(pieces).reshape(site.order.size, -1, z.shape[1])
    return _settled(jnp.exp(_permute(logs, site.order) + strength[:, None, :]))


def _permute(array: Array, order: np.ndarray) -> Array:
    """Reorder the first axis; the gradient is the inverse gather, where a plain gather's would be a slow scatter."""
    inverse = np.argsort(order)

    @jax.custom_vjp
    def permuted(x: Array) -> Array:
        return x[order]

    permuted.defvjp(lambda x: (x[order], None), lambda _, g: (g[inverse],))
    return permuted(array)


def _blocked(bound: Callable[[str], Array], potency: Array | float) -> Array:
    return 1 - 1 / ((1 + potency * bound("channel")) * (1 + potency * bound("glutamate")))


def _dependence(assembly: Assembly, theta: Array, deviation: Array) -> Float[Array, "courses batch"]:
    """Dependence w of each course's stratum: logit-normal about a common mean."""
    spread = jnp.exp(theta[assembly.index["dependence.spread"]])
    return 1 / (1 + jnp.exp(-theta[assembly.index["dependence.mean"]] - spread * deviation))


@jax.custom_vjp
def _settled(x: Array) -> Array:
    """Compute once, forward and backward: fusion would otherwise repeat a shared term in each of its consumers."""
    return jax.lax.optimization_barrier(x)


_settled.defvjp(lambda x: (_settled(x), None), lambda _, g: (jax.lax.optimization_barrier(g),))
