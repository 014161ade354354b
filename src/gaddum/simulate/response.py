"""Response: one draw of the parameters -> every reading's features, gate activity and effect. The batch is last.

The gate, the phases at which its inputs act, what is graded by a stratum's dependence and whether the circuit is
bypassed are data (`Account`), so rival hypotheses run through one compiled function.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gaddum.mechanism import behaviour, circuit, gate
from gaddum.records.gate import parse_gate
from gaddum.records.hypothesis import Hypothesis, Phase
from gaddum.simulate.assemble import VEHICLE, Assembly, Rows, Site
from gaddum.simulate.parameters import Z_GRID


class Account(NamedTuple):
    """A hypothesis (one phase variant of it) as numbers."""

    corners: Float[np.ndarray, " corners"]
    induction: Float[np.ndarray, " features"]
    expression: Float[np.ndarray, " features"]
    graded: Float[np.ndarray, " features"]
    circuit: Float[np.ndarray, ""]
    absolute: Float[np.ndarray, ""]
    """1: effects relative to full activity; 0: relative to the anchor (gate-matched)."""
    forced: Float[np.ndarray, " features"]
    """1 where a feature is held at `level` whatever the drugs do (for what-if questions)."""
    level: Float[np.ndarray, " features"]


class Response(NamedTuple):
    """What one batch of draws gives; arrays [rows, batch] but for the features."""

    features: list[Array]
    """Per feature [rows, nodes + 1, batch], before reserve and dependence; the last node is the test."""
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
    expanded = parse_gate(hypothesis.gate).corners_over(names)
    phased = np.array([name in hypothesis.phased for name in names])
    hold = hold or {}
    return Account(
        corners=np.asarray(expanded, float),
        induction=np.where(phased & (phase == "expression"), 0.0, 1.0),
        expression=np.where(phased & (phase != "induction"), 1.0, 0.0),
        graded=np.array([float(name in hypothesis.graded) for name in names]),
        circuit=np.asarray(0.0 if hypothesis.bypass else 1.0),
        absolute=np.asarray(float(absolute)),
        forced=np.array([float(name in hold) for name in names]),
        level=np.array([hold.get(name, 0.0) for name in names]),
    )


def bumps(z: Float[Array, "... batch"]) -> Float[Array, "... basis batch"]:
    """Uniform cubic B-splines over `Z_GRID` (one beyond each end) at z, clamped to the grid.

    A tabulated curve is the product of its `coefficients` with these, so that a lookup is not a gather.
    """
    step = Z_GRID[1] - Z_GRID[0]
    place = jnp.clip((z - Z_GRID[0]) / step, 0.0, Z_GRID.size - 1.0)
    distance = jnp.abs(place[..., None, :] - jnp.arange(-1.0, Z_GRID.size + 1.0)[:, None])
    near = 2 / 3 - distance**2 + 0.5 * distance**3
    far = jnp.maximum(2.0 - distance, 0.0) ** 3 / 6
    return jnp.where(distance < 1, near, far)


def coefficients(table: Float[Array | np.ndarray, "... grid"]) -> Float[Array | np.ndarray, "... basis"]:
    """Spline coefficients of tabulated values, natural at the ends."""
    if isinstance(table, np.ndarray):
        return table @ _TO_SPLINE.T
    # Not a product of matrices: XLA 0.10.2 on CPUs fuses that into the loop over draws, and from about 1,000 draws on
    # the result is wrong (seen on traced tables; tests/simulate/test_response.py).
    return jnp.sum(table[..., None, :] * _TO_SPLINE, axis=-1)


def _to_spline() -> Float[np.ndarray, "basis grid"]:
    size = Z_GRID.size
    system = np.zeros((size + 2, size + 2))
    right = np.zeros((size + 2, size))
    for i in range(size):
        system[i, i : i + 3] = [1 / 6, 2 / 3, 1 / 6]
        right[i, i] = 1.0
    system[size, :3] = [1, -2, 1]
    system[size + 1, -3:] = [1, -2, 1]
    return np.linalg.solve(system, right)


_TO_SPLINE = _to_spline()


def prior_table(assembly: Assembly) -> Float[np.ndarray, "dimension grid"]:
    """Tabulated priors of all parameters, one row each."""
    return np.array([parameter.nodes for parameter in assembly.parameters])


def values(
    table: Float[Array | np.ndarray, "dimension grid"], z: Float[Array, "dimension batch"]
) -> Float[Array, "dimension batch"]:
    """Parameters on their smooth scales from standard normal variates."""
    return jnp.sum(coefficients(table)[:, :, None] * bumps(z), axis=1)


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
    rows, index = assembly.rows, assembly.index
    theta = values(jnp.asarray(prior_table(assembly) if table is None else table), z)
    padded = jnp.concatenate([theta, jnp.zeros_like(theta[:1])])  # index -1 reads 0: "no such factor"
    concentrations = _concentrations(assembly, z, padded)
    blocks = jnp.split(concentrations, np.cumsum(rows.slots)[:-1]) if rows.slots else []
    sites = {name: _bound(rows, site, padded, blocks) for name, site in rows.sites.items()}
    w = _dependence(assembly, theta, z)
    raw: list[Array] = []
    inputs: list[Array] = []
    for place, name in enumerate(assembly.features):
        target, feature = name.split(".")
        tau = jnp.exp(theta[rows.reserve[name]])
        level = _feature(feature, sites[target], rows.sites[target], padded, rows, name)
        level = _settled(jnp.where(given.forced[place] > 0, given.level[place], level))
        available = rows.sites[target].available[:, None, None] if feature == "agonism" else 1.0
        spared = (1 + tau) * level * available / (1 + tau * level * available)
        weight = 1 - given.graded[place] * (1 - w[:, None, :])  # a feature that is not graded is fully needed
        graded = 1 - weight * (1 - spared)
        during = jnp.where(given.induction[place] > 0, graded[:, :-1], 1.0)
        at_test = jnp.where(given.expression[place] > 0, graded[:, -1:], 1.0)
        raw.append(level * available)
        inputs.append(_settled(during * at_test))
    activity = _settled(gate.activity(jnp.asarray(given.corners), inputs))
    depth = jnp.multiply(given.circuit, jnp.exp(theta[index["circuit.depth"]]))
    drive = _settled(circuit.drive(activity, depth))
    resting = circuit.drive(_at_rest(assembly, given), depth)
    k_on, k_off = jnp.exp(theta[index["plasticity.on"]]), jnp.exp(theta[index["plasticity.off"]])
    states = _states(assembly, drive, resting, jnp.exp(theta[index["effect_site"]]), k_on, k_off)
    return Response(raw, states, _effects(assembly, theta, states, given))


def _states(
    assembly: Assembly, drive: Array, resting: Array, k_e: Array, k_on: Array, k_off: Array
) -> Float[Array, "rows batch"]:
    """Acute or sustained state of each row, above the state at rest."""
    rows = assembly.rows
    order = np.argsort(rows.sustained, kind="stable")
    early, late = np.split(order, [int((~rows.sustained).sum())])
    start = k_on * resting / (k_on * resting + k_off)
    quick, slow = jnp.split(_permute(drive, order), [early.size])
    acute = behaviour.acute_effect(quick - resting, rows.weights[early], rows.before[early], k_e)
    sustained = behaviour.sustained_effect(
        slow, rows.width[late], assembly.rule, rows.before[late], k_on, k_off, start
    )
    return _permute(jnp.concatenate([acute, sustained - start]), np.argsort(order))


@jax.custom_vjp
def _settled(x: Array) -> Array:
    """Compute once, forward and backward: fusion would otherwise repeat a shared term in each of its consumers."""
    return jax.lax.optimization_barrier(x)


_settled.defvjp(lambda x: (_settled(x), None), lambda _, g: (jax.lax.optimization_barrier(g),))


def _permute(array: Array, order: np.ndarray) -> Array:
    """Reorder the first axis; the gradient is the inverse gather, where a plain gather's would be a slow scatter."""
    inverse = np.argsort(order)

    @jax.custom_vjp
    def permuted(x: Array) -> Array:
        return x[order]

    permuted.defvjp(lambda x: (x[order], None), lambda _, g: (g[inverse],))
    return permuted(array)


def _concentrations(
    assembly: Assembly, z: Float[Array, "dimension batch"], padded: Float[Array, "padded batch"]
) -> Float[Array, "pairs nodes batch"]:
    """Unbound concentrations (nM); ligands that share a shape parameter are one product with its basis."""
    rows = assembly.rows
    pieces, members = [], []
    for shape in sorted(set(rows.shape.tolist())):
        mine = np.flatnonzero(rows.shape == shape)
        members.append(mine)
        table = rows.log_unit[mine]
        if shape < 0:
            logs = jnp.broadcast_to(table[..., Z_GRID.size // 2, None], (*table.shape[:2], z.shape[1]))
        else:
            flat = jnp.matmul(coefficients(table.reshape(-1, Z_GRID.size)), bumps(z[shape]))
            logs = flat.reshape(*table.shape[:2], -1)
        pieces.append(logs + padded[rows.scale[mine]][:, None, :])
    if not pieces:
        return jnp.zeros((0, assembly.times.shape[1], z.shape[1]))
    return jnp.exp(_permute(jnp.concatenate(pieces), np.argsort(np.concatenate(members))))


def _bound(rows: Rows, site: Site, padded: Array, blocks: list[Array]) -> dict[str, Array]:
    """Sums of C/K over each row's ligands by role, [rows, nodes + 1, batch]; 0 for a role that nobody has."""
    inverse = jnp.exp(-padded[site.k] - padded[site.shift])
    strength = {"agonist": inverse * jnp.exp(jnp.minimum(padded[site.efficacy], 0.0))}  # a full agonist has 1
    count = rows.expectancy.size
    edges = np.cumsum([0, *rows.slots])
    sums: dict[str, Array] = {}
    for role, has in site.roles.items():
        total: Array | float = 0.0
        for block, first, last in zip(blocks, edges[:-1], edges[1:], strict=True):
            if has[first:last].any():
                factor = (has[first:last, None] * strength.get(role, inverse)[first:last])[:, None, :]
                total = total + jnp.pad(block * factor, ((0, count - block.shape[0]), (0, 0), (0, 0)))
        sums[role] = _settled(jnp.asarray(total))
    return sums


def _feature(
    feature: str, bound: dict[str, Array], site: Site, padded: Array, rows: Rows, name: str
) -> Array:
    """Level of a feature in [0, 1] (Gaddum 1937; endogenous agonist competes at its unknown tone)."""
    match feature:
        case "block":
            return _blocked(bound, 1.0)
        case "reserve":
            return 1 - _blocked(bound, jnp.exp(-padded[rows.second_site[name]]))
        case "engagement":
            return bound["any"] / (1 + bound["any"])
    tone = site.tone[:, None, None] * jnp.exp(padded[site.endogenous])
    total = 1 + tone + bound["any"]
    if feature == "agonism":
        return bound["agonist"] / total
    held = bound["antagonist"] / total
    left = site.available * site.tone
    return jnp.multiply(left[:, None, None], 1 - held)


def _blocked(bound: dict[str, Array], potency: Array | float) -> Array:
    return 1 - 1 / ((1 + potency * bound["channel"]) * (1 + potency * bound["glutamate"]))


def _dependence(assembly: Assembly, theta: Array, z: Array) -> Float[Array, "rows batch"]:
    """Dependence w of each row's stratum: logit-normal about a common mean."""
    spread = jnp.exp(theta[assembly.index["dependence.spread"]])
    logit = theta[assembly.index["dependence.mean"]] + spread * z[assembly.rows.stratum]
    return 1 / (1 + jnp.exp(-logit))


def _at_rest(assembly: Assembly, given: Account) -> Array:
    """Gate activity without any drug."""
    levels = [jnp.asarray(VEHICLE[name.split(".")[1]]) for name in assembly.features]
    return gate.activity(jnp.asarray(given.corners), levels)


def _effects(assembly: Assembly, theta: Array, state: Array, given: Account) -> Float[Array, "rows batch"]:
    """Effect in SD units: reference effect times relative state, own effects, expectancy."""
    rows = assembly.rows
    bound = assembly.constants.get("ratio_bound", jnp.inf)
    reference = state[np.maximum(rows.anchor_row, 0)]
    present = jnp.abs(reference) > 1e-300
    ratio = jnp.where(present, state / jnp.where(present, reference, 1.0), 0.0)
    matched = jnp.clip(ratio, -bound, bound)
    relative = jnp.where(given.absolute > 0, state, matched)
    anchored = (rows.anchor_row >= 0)[:, None]
    effect = jnp.where(anchored, jnp.exp(theta[rows.anchor_effect]) * relative, 0.0)
    if rows.own_index.size:
        effect = effect + rows.own @ theta[rows.own_index]
    return effect + rows.expectancy[:, None] * jnp.exp(theta[assembly.index["expectancy"]])
