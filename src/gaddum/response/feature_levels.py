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

from gaddum.engagement.receptor import FEATURES, Receptor, slow_course
from gaddum.exposure.chains import responses_of
from gaddum.exposure.dose_series import levels
from gaddum.numerics.segments import collect, pick, spread
from gaddum.records.vocabulary import MODES, Action, BindingSite
from gaddum.response.assemble import Assembly
from gaddum.response.binding_layout import SLOW_RULE, Remainder, Site, SlowBinding


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
    inner: tuple[Float[Array, "series nodes batch"], ...]
    """The same at the nodes over which slow binding is followed."""


def shared(assembly: Assembly, theta: Float[Array, "dimension batch"], precision: Any) -> SharedInputs:
    """Compute what all inputs share, in a precision; concentrations are sums that cancel, in the precision of theta.

    Their gradients are in the lower one: these steer a sampler and decide nothing.
    """
    responses = responses_of(assembly.rows.chains, theta)
    unbound, inner = (
        (
            tuple(levels(laid, responses, theta, precision).astype(precision) for laid in every)
            for every in zip(*((block.doses, block.inner) for block in assembly.rows.blocks), strict=True)
        )
        if assembly.rows.blocks
        else ((), ())
    )
    return SharedInputs(theta.astype(precision), unbound, inner)


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
    """Level of a feature in [0, 1] by block; endogenous agonist competes at its unknown tone."""
    place, theta = assembly.features.index(name), common.theta
    target, feature = name.split(".")
    found = []
    for number, block in enumerate(assembly.rows.blocks):
        site = block.sites[target]
        potency = jnp.exp(-theta[assembly.rows.second_site[name]]) if feature == "reserve" else None
        mine = case_receptor(site, theta, common.unbound[number], common.inner[number], potency)
        held = mine._replace(available=1.0) if feature == "agonism" else mine
        level = jnp.where(given.forced[place] > 0, given.level[place], FEATURES[feature](held))
        if feature == "agonism":
            level = level * mine.available
        found.append(spread(level, site.course))
    return tuple(found)


def case_receptor(
    site: Site, theta: Array, unbound: Array, inner: Array, potency: Array | None = None
) -> Receptor:
    """Receptors of all courses at a target, [courses, nodes, batch], at their K or a multiple of it.

    Parameters
    ----------
    site : Site
        Which ligands act there and how.
    theta : array, shape (parameters, batch)
        Log parameters.
    unbound, inner : array
        Unbound concentrations (nM) of the block's series at its nodes, and where slow binding is followed.
    potency : array, shape (batch,)
        Factor of every affinity; 1 where not given.
    """
    tone_left = _left(site.tone_left, site.courses, theta)
    tone = jnp.exp(theta[site.endogenous]) if site.endogenous >= 0 else 0.0
    modes = [MODES[name] for name in site.modes]
    batch = (*unbound.shape[1:],)

    def load(at: BindingSite, action: Action) -> Array:
        mine = np.array([m.site == at and m.counts(action) for m in modes], bool) & ~site.is_slow
        pairs = np.flatnonzero(mine)
        total = _sum_of_loads(site, theta, spread(unbound, site.series[pairs]), pairs, action)
        found = collect(total, site.course_of_pair[pairs], site.courses) if pairs.size else None
        found = jnp.zeros((site.courses, *batch), theta.dtype) if found is None else found
        return found if potency is None else potency * found

    slow = site.slow
    course = None if slow is None else _slow_held(site, slow, theta, inner, tone * tone_left, potency)

    def slowly(at: BindingSite, action: Action) -> Array | float:
        if slow is None or course is None:
            return 0.0
        counts = [float(modes[pair].site == at and modes[pair].counts(action)) for pair in slow.pair]
        found = jnp.asarray(counts, theta.dtype)[:, None, None] * course
        return collect(found * _by_efficacy(site, theta, slow.pair, action), slow.courses, site.courses)

    return Receptor(
        sites=tuple(dict.fromkeys(("orthosteric", *(mode.site for mode in modes)))),
        load=load,
        slow=slowly,
        tone=tone,
        tone_left=tone_left,
        available=_left(site.available, site.courses, theta),
    )


def _sum_of_loads(
    site: Site, theta: Array, unbound: Array, pairs: Int[np.ndarray, " pairs"], action: Action
) -> Float[Array, "pairs nodes batch"]:
    """C/K of some pairs, each counted by its share in an action."""
    strength = _log_affinity(site, theta, pairs)
    return unbound * jnp.exp(strength)[:, None, :] * _by_efficacy(site, theta, pairs, action)


def _log_affinity(site: Site, theta: Array, pairs: Int[np.ndarray, " pairs"]) -> Float[Array, "pairs batch"]:
    """Log of 1/K in vivo, as `engagement.binding.constant` has K."""
    found = _log_of_parameters(theta, -1.0, site.k[pairs], site.shift[pairs])
    of_plasma = site.f_u[pairs]
    return found - jnp.minimum(pick(theta, of_plasma), 0.0) if (of_plasma >= 0).any() else found


def _log_of_parameters(
    theta: Array, sign: float, *places: Int[np.ndarray, " pairs"]
) -> Float[Array, "pairs batch"]:
    """Sum of log parameters of each pair, -1 for none; a product with a constant, as is its gradient."""
    loading = sum(1.0 * (index[:, None] == np.arange(theta.shape[0])) for index in places)
    return jnp.matmul(np.asarray(sign * loading, theta.dtype), theta)


def _by_efficacy(
    site: Site, theta: Array, pairs: Int[np.ndarray, " pairs"], action: Action
) -> Float[Array, "pairs 1 batch"] | float:
    """Share of pairs in an action as far as it depends on an efficacy; a full agonist has 1."""
    modes = [MODES[site.modes[pair]] for pair in pairs]
    if action == "binds" or not any(mode.activates for mode in modes):
        return 1.0
    efficacy = jnp.exp(jnp.minimum(pick(theta, site.efficacy[pairs]), 0.0))
    shares = [mode.share(action, one) for mode, one in zip(modes, efficacy, strict=True)]
    return jnp.stack([jnp.broadcast_to(jnp.asarray(one, theta.dtype), theta.shape[1:]) for one in shares])[
        :, None
    ]


def _slow_held(
    site: Site,
    slow: SlowBinding,
    theta: Array,
    inner: Array,
    endogenous: Array | float,
    potency: Array | None,
) -> Float[Array, "slow times batch"]:
    """Fraction that the slow ligand of each course holds at the times of the row."""
    pairs, order = slow.pair_of_series, SLOW_RULE.nodes.size
    every, is_slow = spread(inner, slow.series), site.is_slow[pairs]
    fast = np.flatnonzero(~is_slow)
    competing = collect(
        _sum_of_loads(site, theta, spread(every, fast), pairs[fast], "binds"),
        slow.course_of_series[fast],
        slow.courses.size,
    )
    if potency is not None:
        competing = potency * competing
    orthosteric = np.array([MODES[site.modes[pair]].site == "orthosteric" for pair in slow.pair], theta.dtype)
    tone = jnp.broadcast_to(endogenous, (site.courses, 1, theta.shape[1])).astype(theta.dtype)
    competing = competing + orthosteric[:, None, None] * spread(tone, slow.courses)
    own = np.flatnonzero(is_slow)
    concentration = collect(spread(every, own), slow.course_of_series[own], slow.courses.size)
    k_off = jnp.where((slow.k_off >= 0)[:, None], jnp.exp(pick(theta, slow.k_off)), 0.0)
    from_k = _log_affinity(site, theta, slow.pair)
    k_on = jnp.exp(pick(theta, slow.k_on) + (slow.k_on < 0)[:, None] * (pick(theta, slow.k_off) + from_k))
    if potency is not None:
        k_on = potency * k_on

    def by_interval(x: Array) -> Array:
        return jnp.moveaxis(x.reshape(x.shape[0], -1, order, x.shape[-1]), 0, 2)

    edges = slow_course(
        by_interval(concentration), by_interval(competing), k_on, k_off, slow.width, SLOW_RULE
    )
    flat = jnp.moveaxis(edges, 1, 0).reshape(-1, theta.shape[1])
    place = (np.arange(slow.courses.size)[:, None] * edges.shape[0] + slow.edge).ravel()
    return spread(flat, place).reshape(*slow.edge.shape, theta.shape[1])


def _left(left: Remainder, courses: int, theta: Array) -> Float[Array, "courses 1 batch"]:
    """Fractions that manipulations leave, each at most 1."""
    if not left.course.size:
        return jnp.ones((courses, 1, theta.shape[1]), theta.dtype)
    logs = jnp.minimum(pick(theta, left.parameter), 0.0)[:, None, :]
    return jnp.exp(collect(logs, left.course, courses))
