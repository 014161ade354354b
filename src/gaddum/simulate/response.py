"""Response: one draw of the parameters -> every reading's features, gate activity and effect. The batch is last.

The gate, the phases at which its inputs act, what is graded by a stratum's dependence and whether the circuit is
bypassed are data (`Account`), so rival hypotheses run through one compiled function. A gate names its few inputs by
their place among the case's features, and only those are computed, forward and backward.
"""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from gaddum.mechanism import behaviour, circuit, gate
from gaddum.records.gate import parse_gate
from gaddum.records.hypothesis import Hypothesis, Phase
from gaddum.simulate.assemble import VEHICLE, Assembly
from gaddum.simulate.inputs import Given, branched, feature_levels, gate_levels, shared
from gaddum.simulate.segments import cut, pick
from gaddum.simulate.spline import lookup


class Account(NamedTuple):
    """A hypothesis (one phase variant of it) as numbers."""

    corners: Float[np.ndarray, " corners"]
    """Corner values of the gate over `inputs`; the places beyond its own make no difference."""
    inputs: Int[np.ndarray, " inputs"]
    """Place of each input among the features, then zeros."""
    used: Int[np.ndarray, ""]
    """Number of inputs."""
    induction: Float[np.ndarray, " features"]
    expression: Float[np.ndarray, " features"]
    graded: Float[np.ndarray, " features"]
    circuit: Float[np.ndarray, ""]
    absolute: Float[np.ndarray, ""]
    """1: effects relative to full activity; 0: relative to the anchor (gate-matched)."""
    forced: Float[np.ndarray, " features"]
    """1 where a feature is held at `level` whatever the drugs do (for what-if questions)."""
    level: Float[np.ndarray, " features"]
    own_effect: Float[np.ndarray, ""]
    """Multiplier of what antagonists do by themselves."""


class Response(NamedTuple):
    """What one batch of draws gives; arrays [rows, batch] but for the features."""

    features: list[Array]
    """Per feature [rows, nodes + 1, batch], before reserve and dependence; at the times of `Assembly.times`."""
    state: Float[Array, "rows batch"]
    """Acute or sustained state above its baseline, before scaling."""
    effect: Float[Array, "rows batch"]
    """Effect in SD units, own effects and expectancy included."""


def account(
    hypothesis: Hypothesis,
    assembly: Assembly,
    *,
    phase: Phase = "both",
    absolute: bool = False,
    hold: dict[str, float] | None = None,
) -> Account:
    """Express a hypothesis as numbers over the features of an assembly.

    Parameters
    ----------
    hypothesis : Hypothesis
        The account.
    assembly : Assembly
        The case it is for.
    phase : {"induction", "expression", "both"}
        When its phased inputs act.
    absolute : bool
        Parameterisation.
    hold : dict
        Feature -> level at which it is held, for questions of the kind "and if that target were blocked?".
    """
    names = assembly.features
    parsed = parse_gate(hypothesis.gate)
    mine = list(parsed.inputs)
    width = max(assembly.most_inputs, len(mine))
    inputs = np.zeros(width, np.int32)
    corners = np.tile(np.asarray(parsed.corners_over(tuple(mine)), float), 2 ** (width - len(mine)))
    inputs[: len(mine)] = [names.index(name) for name in mine]
    phased = np.array([name in hypothesis.phased for name in names])
    hold = hold or {}
    return Account(
        corners=corners,
        inputs=inputs,
        used=np.asarray(len(mine), np.int32),
        induction=np.where(phased & (phase == "expression"), 0.0, 1.0),
        expression=np.where(phased & (phase != "induction"), 1.0, 0.0),
        graded=np.array([float(name in hypothesis.graded) for name in names]),
        circuit=np.asarray(0.0 if hypothesis.bypass else 1.0),
        absolute=np.asarray(float(absolute)),
        forced=np.array([float(name in hold) for name in names]),
        level=np.array([hold.get(name, 0.0) for name in names]),
        own_effect=np.asarray(hypothesis.own_effect),
    )


def prior_table(assembly: Assembly) -> Float[np.ndarray, "dimension grid"]:
    """Tabulated priors of all parameters, one row each."""
    return np.array([parameter.nodes for parameter in assembly.parameters])


def values(
    table: Float[Array | np.ndarray, "dimension grid"], z: Float[Array, "dimension batch"]
) -> Float[Array, "dimension batch"]:
    """Parameters on their smooth scales from standard normal variates."""
    return lookup(jnp.asarray(table), z)


def respond(
    assembly: Assembly,
    z: Float[Array, "dimension batch"],
    given: Account,
    table: Float[Array | np.ndarray, "dimension grid"] | None = None,
) -> Response:
    """Run the chain for a batch of draws.

    Parameters
    ----------
    assembly : Assembly
        The case.
    z : array, shape (dimension, batch)
        Standard normal variates, one row per parameter.
    given : Account
        The hypothesis.
    table : array
        Tabulated priors, where they differ from the assembly's own (prior sensitivity).

    Returns
    -------
    Response
        Features, states and effects of every row.
    """
    index = assembly.index
    z = jnp.asarray(z)
    theta = values(prior_table(assembly) if table is None else table, z)
    details = Given(*(jnp.asarray(getattr(given, name)) for name in Given._fields))
    common = shared(assembly, theta, z)
    activity = _activity(assembly, given, gate_levels(assembly, details, common), theta, z)
    depth = jnp.multiply(given.circuit, jnp.exp(theta[index["circuit.depth"]]))
    drive = circuit.drive(activity, depth)
    states = _states(assembly, drive, circuit.drive(_at_rest(assembly, given), depth), theta)
    features = [feature_levels(assembly, name, details, common) for name in assembly.features]
    return Response(features, states, _effects(assembly, theta, states, given))


class _Whole(NamedTuple):
    """What turns the levels of a gate's features into its inputs."""

    levels: tuple[Float[Array, "points batch"], ...]
    tau: Float[Array, "inputs batch"]
    dependence: Float[Array, "strata batch"]


def _activity(
    assembly: Assembly, given: Account, levels: tuple[Array, ...], theta: Array, z: Array
) -> Float[Array, "points batch"]:
    """Activity of the gate at every node before the test, over as many inputs as it has."""
    rows, inputs = assembly.rows, jnp.asarray(given.inputs)
    tau = jnp.exp(pick(theta, np.array([rows.reserve[name] for name in assembly.features], int)))
    spread_ = jnp.exp(theta[assembly.index["dependence.spread"]])
    logit = theta[assembly.index["dependence.mean"]] + spread_ * pick(z, rows.strata)
    chosen = (inputs[:, None] == jnp.arange(len(assembly.features))).astype(float)
    whole = _Whole(levels, jnp.matmul(chosen, tau), 1 / (1 + jnp.exp(-logit)))
    details = [jnp.asarray(x) for x in (given.corners, given.graded, given.induction, given.expression)]
    # Few, since each is compiled; an input too many makes no difference, but there must be as many.
    sizes = sorted({min(size, inputs.size) for size in (1, 2, inputs.size)})
    which = jnp.sum(jnp.asarray(given.used) > jnp.asarray(sizes[:-1]))
    return branched([partial(_over, assembly, size) for size in sizes], which, whole, (inputs, *details))


def _over(assembly: Assembly, count: int, whole: _Whole, details: tuple) -> Float[Array, "points batch"]:
    """Multilinear extension of a gate over its inputs: reserve, dependence and the phases at which each acts."""
    inputs, corners, graded, induction, expression = details
    pieces, first = [], 0
    for block in assembly.rows.blocks:
        rows, nodes = block.before.shape
        last = first + rows * (nodes + 1)
        w = pick(whole.dependence, block.stratum)[:, None, :]
        values = []
        for j in range(count):
            place, tau = inputs[j], whole.tau[j]
            weight = 1 - graded[place] * (1 - w)  # a feature that is not graded is fully needed

            def needed(level: Array, weight: Array = weight, tau: Array = tau) -> Array:
                # The share spared is (1 + tau) x / (1 + tau x): with a reserve, a little suffices.
                return 1 - weight * (1 - level) / (1 + tau * level)

            before, at_test = cut(whole.levels[j][first:last].reshape(rows, nodes + 1, -1))
            during = jnp.where(induction[place] > 0, needed(before), 1.0)
            values.append(during * jnp.where(expression[place] > 0, needed(at_test), 1.0))
        activity = gate.activity(corners[: 2**count], values)
        pieces.append(jnp.broadcast_to(activity, (rows, nodes, w.shape[-1])).reshape(rows * nodes, -1))
        first = last
    return jnp.concatenate(pieces) if pieces else jnp.zeros((0, whole.tau.shape[1]))


def _at_rest(assembly: Assembly, given: Account) -> Array:
    """Gate activity without any drug."""
    levels = jnp.asarray([VEHICLE[name.split(".")[1]] for name in assembly.features] or [0.0])
    at_rest = levels[jnp.asarray(given.inputs)]
    return gate.activity(jnp.asarray(given.corners), [at_rest[i] for i in range(at_rest.size)])


def _states(assembly: Assembly, drive: Array, resting: Array, theta: Array) -> Float[Array, "rows batch"]:
    """Acute or sustained state of each row, above the state at rest."""
    index = assembly.index
    k_e, k_on, k_off = (
        jnp.exp(theta[index[name]]) for name in ("effect_site", "plasticity.on", "plasticity.off")
    )
    start = k_on * resting / (k_on * resting + k_off)
    states, first = [], 0
    for block in assembly.rows.blocks:
        last = first + block.before.size
        mine = drive[first:last].reshape(*block.before.shape, -1)
        first, acute = last, block.acute
        states.append(
            behaviour.acute_effect(mine[:acute] - resting, block.weights[:acute], block.before[:acute], k_e)
        )
        reached = behaviour.sustained_effect(
            mine[acute:], block.width[acute:], assembly.rule, block.before[acute:], k_on, k_off, start
        )
        states.append(reached - start)
    return jnp.concatenate(states) if states else jnp.zeros((0, theta.shape[1]))


def _effects(assembly: Assembly, theta: Array, state: Array, given: Account) -> Float[Array, "rows batch"]:
    """Effect in SD units: reference effect times relative state, own effects, expectancy."""
    rows = assembly.rows
    bound = assembly.constants.get("ratio_bound", jnp.inf)
    reference = pick(state, rows.anchor_row)
    present = jnp.abs(reference) > 1e-300
    ratio = jnp.where(present, state / jnp.where(present, reference, 1.0), 0.0)
    matched = jnp.clip(ratio, -bound, bound)
    relative = jnp.where(given.absolute > 0, state, matched)
    anchored = (rows.anchor_row >= 0)[:, None]
    effect = jnp.where(anchored, jnp.exp(pick(theta, rows.anchor_effect)) * relative, 0.0)
    if rows.own_index.size:
        effect = effect + given.own_effect * (rows.own @ pick(theta, rows.own_index))
    return effect + rows.expectancy[:, None] * jnp.exp(theta[assembly.index["expectancy"]])
