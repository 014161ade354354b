"""Feature levels: parameters -> the levels of one gate's features at every quadrature node of every row.

Each feature is a branch of one compiled switch: a gate of two inputs computes two features, whichever they are and
however many the case has. The gradient runs through the same switch and computes a branch again rather than storing
what it passed through. Whatever a branch reads is computed before the switch, which is also what keeps XLA from
computing it many times over.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from gaddum.exposure.chains import responses_of
from gaddum.exposure.dose_series import levels
from gaddum.numerics.segments import collect, pick, spread
from gaddum.response.assemble import Assembly
from gaddum.response.binding_layout import Remainder, Site


class HypothesisInputs(NamedTuple):
    """What a hypothesis says of the inputs; as in `Account`."""

    inputs: Int[Array, " inputs"]
    used: Int[Array, ""]
    induction: Float[Array, " features"]
    expression: Float[Array, " features"]
    graded: Float[Array, " features"]
    forced: Float[Array, " features"]
    level: Float[Array, " features"]


Levels = tuple[Float[Array, "_ _ batch"], ...]
"""Level of a feature by block of rows, each [rows, nodes, batch]; the last node is the test."""


class SharedInputs(NamedTuple):
    """What all inputs are computed from, once a draw."""

    theta: Float[Array, "dimension batch"]
    unbound: tuple[Float[Array, "series nodes batch"], ...]
    """Unbound concentrations (nM) of each block's series of doses."""


def shared(assembly: Assembly, theta: Float[Array, "dimension batch"], precision: Any) -> SharedInputs:
    """Compute what all inputs share, in a precision; concentrations are sums that cancel, in the precision of theta."""
    responses = responses_of(assembly.rows.chains, theta)
    unbound = (levels(block.doses, responses, theta).astype(precision) for block in assembly.rows.blocks)
    return SharedInputs(theta.astype(precision), tuple(unbound))


def gate_levels(assembly: Assembly, given: HypothesisInputs, common: SharedInputs) -> tuple[Levels, ...]:
    """Levels of a gate's features at every node and at the test, zeros beyond the gate's own."""
    branches = [partial(_levels, assembly, name) for name in assembly.features]
    count, precision = given.inputs.shape[0], common.theta.dtype
    nothing = tuple(
        jnp.zeros(
            (count, *block.before.shape[:1], block.before.shape[1] + 1, common.theta.shape[1]), precision
        )
        for block in assembly.rows.blocks
    )
    if not branches or not nothing:
        return tuple(tuple(block[j] for block in nothing) for j in range(count))

    @jax.custom_vjp
    def found_levels(common: SharedInputs, given: HypothesisInputs) -> tuple[Levels, ...]:
        def one(j: Array, found: tuple[Array, ...]) -> tuple[Array, ...]:
            mine = jax.lax.switch(given.inputs[j], branches, common, given)
            return tuple(all_.at[j].set(block) for all_, block in zip(found, mine, strict=True))

        stacked = jax.lax.fori_loop(0, given.used, one, nothing)
        return tuple(tuple(block[j] for block in stacked) for j in range(count))

    def backward(kept: tuple[SharedInputs, HypothesisInputs], g: tuple[Levels, ...]) -> tuple:
        common, given = kept
        stacked = tuple(jnp.stack(of_block) for of_block in zip(*g, strict=True))
        pulled = [_pulled(branch) for branch in branches]

        def one(j: Array, total: SharedInputs) -> SharedInputs:
            found = jax.lax.switch(
                given.inputs[j], pulled, tuple(block[j] for block in stacked), common, given
            )
            return jax.tree.map(jnp.add, total, found)

        return jax.lax.fori_loop(0, given.used, one, jax.tree.map(jnp.zeros_like, common)), None

    found_levels.defvjp(lambda common, given: (found_levels(common, given), (common, given)), backward)
    return found_levels(common, given)


def branched(branches: Sequence[Callable[..., Any]], which: Array, x: Any, data: Any) -> Any:
    """Take one branch of a function of x, forward and backward, with nothing computed or stored for the others."""

    @jax.custom_vjp
    def taken(x: Any, which: Array, data: Any) -> Any:
        return jax.lax.switch(which, branches, x, data)

    def forward(x: Any, which: Array, data: Any) -> tuple[Any, tuple]:
        return taken(x, which, data), (x, which, data)

    def backward(kept: tuple, g: Any) -> tuple:
        x, which, data = kept
        pulled = [lambda g, x, data, f=f: jax.vjp(lambda x: f(x, data), x)[1](g)[0] for f in branches]
        return jax.lax.switch(which, pulled, g, x, data), None, None

    taken.defvjp(forward, backward)
    return taken(x, which, data)


def feature_levels(
    assembly: Assembly, name: str, given: HypothesisInputs, common: SharedInputs
) -> Float[Array, "rows nodes batch"]:
    """Level of a feature in every row at the nodes and at the test, which shorter rows repeat."""
    nodes, found = assembly.times.shape[1], []
    for one in _levels(assembly, name, common, given):
        found.append(jnp.pad(one, ((0, 0), (0, nodes - one.shape[1]), (0, 0)), mode="edge"))
    return jnp.concatenate(found) if found else jnp.zeros((0, nodes, common.theta.shape[1]))


def _pulled(branch: Callable[..., Levels]) -> Callable[..., SharedInputs]:
    def pull(g: Levels, common: SharedInputs, given: HypothesisInputs) -> SharedInputs:
        return jax.vjp(lambda common: branch(common, given), common)[1](g)[0]

    return pull


def _levels(assembly: Assembly, name: str, common: SharedInputs, given: HypothesisInputs) -> Levels:
    """Level of a feature in [0, 1] by block (Gaddum 1937; endogenous agonist competes at its unknown tone).

    Written so that a small level is as precise as its concentration.
    """
    place, theta = assembly.features.index(name), common.theta
    target, feature = name.split(".")
    found = []
    for block, unbound in zip(assembly.rows.blocks, common.unbound, strict=True):
        site = block.sites[target]
        bound = partial(_bound, site, theta, unbound)
        match feature:
            case "block":
                level = _share(_inhibited(bound, 1.0))
            case "reserve":
                level = 1 / (1 + _inhibited(bound, jnp.exp(-theta[assembly.rows.second_site[name]])))
            case "engagement":
                others, own = bound("shared") / _total(site, theta, bound), _share(bound("glutamate"))
                level = others + own - others * own
            case _:
                held = bound("agonist" if feature == "agonism" else "antagonist") / _total(site, theta, bound)
                left = _left(site.available, site.courses, theta) * _left(site.tone_left, site.courses, theta)
                level = held if feature == "agonism" else left * (1 - held)
        level = jnp.where(given.forced[place] > 0, given.level[place], level)
        if feature == "agonism":
            level = level * _left(site.available, site.courses, theta)
        found.append(spread(level, site.course))
    return tuple(found)


def _total(site: Site, theta: Array, bound: Callable[[str], Array]) -> Float[Array, "courses nodes batch"]:
    """Receptors over the free ones at the site that ligands and endogenous agonist share."""
    tone = _left(site.tone_left, site.courses, theta)
    endogenous = tone * jnp.exp(theta[site.endogenous]) if site.endogenous >= 0 else 0.0
    return 1 + endogenous + bound("shared")


def _bound(site: Site, theta: Array, unbound: Array, role: str) -> Float[Array, "courses nodes batch"]:
    """Sum of C/K over each course's ligands in a role; agonists count by their efficacy, a full one by 1."""
    mine = np.flatnonzero(site.roles[role])
    if not mine.size:
        return jnp.zeros((site.courses, *unbound.shape[1:]), theta.dtype)
    loading = np.zeros((mine.size, theta.shape[0]), theta.dtype)
    for index in (site.k, site.shift):
        loading -= 1.0 * (index[mine, None] == np.arange(theta.shape[0]))
    strength = jnp.matmul(loading, theta)
    if role == "agonist":
        strength = strength + jnp.minimum(pick(theta, site.efficacy[mine]), 0.0)
    pairs = spread(unbound, site.series[mine]) * jnp.exp(strength)[:, None, :]
    return collect(pairs, site.course_of_pair[mine], site.courses)


def _left(left: Remainder, courses: int, theta: Array) -> Float[Array, "courses 1 batch"]:
    """Fractions that manipulations leave, each at most 1."""
    if not left.course.size:
        return jnp.ones((courses, 1, theta.shape[1]), theta.dtype)
    logs = jnp.minimum(pick(theta, left.parameter), 0.0)[:, None, :]
    return jnp.exp(collect(logs, left.course, courses))


def _inhibited(bound: Callable[[str], Array], potency: Array | float) -> Array:
    """Sum of C/K, and their products, of blockers of the channel and of the glutamate site."""
    channel, glutamate = (potency * bound(role) for role in ("channel", "glutamate"))
    return channel + glutamate + channel * glutamate


def _share(bound: Array) -> Array:
    return bound / (1 + bound)
