"""Response: one draw of the parameters -> every reading's features, gate activity and effect. The batch is last.

The gate, the phases at which its inputs act, what is graded by a stratum's dependence and whether the circuit is
bypassed are data (`Account`), so rival hypotheses run through one compiled function. A gate names its few inputs by
their place among the case's features, and only those are computed, forward and backward.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from gaddum.numerics.segments import cut, pick
from gaddum.numerics.spline import lookup
from gaddum.parameters import loadings
from gaddum.records.gate import parse_gate
from gaddum.records.hypothesis import Hypothesis, Phase
from gaddum.records.vocabulary import at_rest
from gaddum.response import behaviour, circuit, gate_activity
from gaddum.response.assemble import Assembly
from gaddum.response.feature_levels import (
    HypothesisInputs,
    Levels,
    branched,
    feature_levels,
    gate_levels,
    shared,
)
from gaddum.response.gate_activity import needed


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
    """1: effects relative to full activity; 0: to the anchor (gate-matched); between: to a geometric mean of both."""
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
    return jnp.asarray(lookup(table, z))


def respond(
    assembly: Assembly,
    z: Float[Array, "dimension batch"],
    given: Account,
    table: Float[Array | np.ndarray, "dimension grid"] | None = None,
    *,
    single: bool = False,
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
    single : bool
        Whether courses over time are computed in single precision, in half the time: states then err by about 1e-6 of
        the largest, which is less than their quadrature does.

    Returns
    -------
    Response
        Features, states and effects of every row.
    """
    z = jnp.asarray(z)
    theta = values(prior_table(assembly) if table is None else table, z)
    if (joint := loadings(assembly.parameters)) is not None:
        theta = theta + jnp.matmul(jnp.asarray(joint), z)
    precise = jnp.float32 if single else theta.dtype
    details = HypothesisInputs(
        *(_as_precise(getattr(given, name), precise) for name in HypothesisInputs._fields)
    )
    common = shared(assembly, theta, precise)
    activity = _activity(assembly, given, gate_levels(assembly, details, common), theta, z)
    depth = jnp.multiply(given.circuit, jnp.exp(theta[assembly.index["circuit.depth"]]))
    resting = circuit.drive(_at_rest(assembly, given), depth)
    drive = [circuit.drive(of_block, depth.astype(precise)) for of_block in activity]
    states = _states(assembly, drive, resting, theta)
    features = [feature_levels(assembly, name, details, common) for name in assembly.features]
    return Response(features, states, _effects(assembly, theta, states, given))


class _InputConversion(NamedTuple):
    """What turns the levels of a gate's features into its inputs."""

    levels: tuple[Levels, ...]
    tau: Float[Array, "inputs batch"]
    dependence: Float[Array, "strata batch"]


def _activity(
    assembly: Assembly, given: Account, levels: tuple[Levels, ...], theta: Array, z: Array
) -> Levels:
    """Activity of the gate at every node before the test, over as many inputs as it has."""
    rows, inputs = assembly.rows, jnp.asarray(given.inputs)
    if not rows.blocks:
        return ()
    precise = levels[0][0].dtype
    tau = jnp.exp(pick(theta, np.array([rows.reserve[name] for name in assembly.features], int)))
    spread_ = jnp.exp(theta[assembly.index["dependence.spread"]])
    logit = theta[assembly.index["dependence.mean"]] + spread_ * pick(z, rows.strata)
    chosen = (inputs[:, None] == jnp.arange(len(assembly.features))).astype(float)
    needs = 1 / (1 + jnp.exp(-logit))
    whole = _InputConversion(levels, jnp.matmul(chosen, tau).astype(precise), needs.astype(precise))
    details = [
        _as_precise(x, precise) for x in (given.corners, given.graded, given.induction, given.expression)
    ]
    # Few, since each is compiled; an input too many makes no difference, but there must be as many.
    sizes = sorted({min(size, inputs.size) for size in (1, 2, inputs.size)})
    which = jnp.sum(jnp.asarray(given.used) > jnp.asarray(sizes[:-1]))
    return branched([partial(_over, assembly, size) for size in sizes], which, whole, (inputs, *details))


def _over(assembly: Assembly, count: int, whole: _InputConversion, details: tuple) -> Levels:
    """Multilinear extension of a gate over its inputs: reserve, dependence and the phases at which each acts."""
    inputs, corners, graded, induction, expression = details
    found = []
    for place, block in enumerate(assembly.rows.blocks):
        w = pick(whole.dependence, block.stratum)[:, None, :]
        values = []
        for j in range(count):
            feature, tau = inputs[j], whole.tau[j]
            weight = 1 - graded[feature] * (1 - w)  # a feature that is not graded is fully needed

            before, at_test = (needed(level, weight, tau) for level in cut(whole.levels[j][place]))
            during = jnp.where(induction[feature] > 0, before, 1.0)
            values.append(during * jnp.where(expression[feature] > 0, at_test, 1.0))
        activity = gate_activity.activity(corners[: 2**count], values)
        found.append(jnp.broadcast_to(activity, (*block.before.shape, w.shape[-1])))
    return tuple(found)


def _as_precise(x: Array | np.ndarray, precise: Any) -> Array:
    """Floating-point numbers in a precision, others as they are."""
    array = jnp.asarray(x)
    return array.astype(precise) if jnp.issubdtype(array.dtype, jnp.floating) else array


def _at_rest(assembly: Assembly, given: Account) -> Array:
    """Gate activity without any drug."""
    levels = jnp.asarray([at_rest(name) for name in assembly.features] or [0.0])
    resting = levels[jnp.asarray(given.inputs)]
    return gate_activity.activity(jnp.asarray(given.corners), [resting[i] for i in range(resting.size)])


def _states(
    assembly: Assembly, drive: Sequence[Array], resting: Array, theta: Array
) -> Float[Array, "rows batch"]:
    """Acute or sustained state of each row, above the state at rest."""
    k_e, k_on, k_off = (
        jnp.exp(theta[assembly.index[name]]) for name in ("effect_site", "plasticity.on", "plasticity.off")
    )
    start = k_on * resting / (k_on * resting + k_off)
    states = [jnp.zeros((0, theta.shape[1]))]
    for block, mine in zip(assembly.rows.blocks, drive, strict=True):
        acute, rates = block.acute, [rate.astype(mine.dtype) for rate in (k_e, k_on, k_off, start)]
        above = mine[:acute] - resting.astype(mine.dtype)
        at_test = behaviour.acute_effect(above, block.weights[:acute], block.before[:acute], rates[0])
        reached = behaviour.sustained_effect(
            mine[acute:], block.width[acute:], block.rule, block.before[acute:], *rates[1:]
        )
        states += [at_test.astype(theta.dtype), reached.astype(theta.dtype) - start]
    return jnp.concatenate(states)


def _effects(assembly: Assembly, theta: Array, state: Array, given: Account) -> Float[Array, "rows batch"]:
    """Effect in SD units: reference effect times relative state, own effects, expectancy."""
    rows = assembly.rows
    bound = assembly.constants.get("ratio_bound", jnp.inf)
    reference = pick(state, rows.anchor_row)
    present = jnp.abs(reference) > 1e-300
    ratio = jnp.where(present, state / jnp.where(present, reference, 1.0), 0.0)
    between = jnp.clip(ratio, -bound, bound) * jnp.abs(jnp.where(present, reference, 1.0)) ** given.absolute
    relative = jnp.where(given.absolute < 1, between, state)
    anchored = (rows.anchor_row >= 0)[:, None]
    effect = jnp.where(anchored, jnp.exp(pick(theta, rows.anchor_effect)) * relative, 0.0)
    if rows.own_index.size:
        effect = effect + given.own_effect * (rows.own @ pick(theta, rows.own_index))
    return effect + rows.expectancy[:, None] * jnp.exp(theta[assembly.index["expectancy"]])
