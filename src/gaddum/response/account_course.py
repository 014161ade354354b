"""Account course: levels of a gate's features over time -> an account's acute and sustained states at any readings.

What `response` does for the single test of each arm of a case, for whole courses: the same gate, reserve, dependence,
circuit and rates, over intervals that all readings share.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaddum.numerics.array_library import Numbers, array_library
from gaddum.numerics.quadrature import Quadrature
from gaddum.numerics.recurrence import relaxation, turnover
from gaddum.records.gate import parse_gate
from gaddum.records.hypothesis import Hypothesis, Phase
from gaddum.records.vocabulary import at_rest
from gaddum.response import circuit, gate_activity

POPULATION = "dependence of the population"
"""The standard-normal deviate of a population's dependence."""


class GateInput(NamedTuple):
    """One input of an account's gate."""

    feature: str
    graded: bool
    """Whether the population's dependence grades how far it is needed."""
    induction: bool
    """Whether it acts when the drug does."""
    expression: bool
    """Whether it acts at the test."""


class SimulatedAccount(NamedTuple):
    """A hypothesis with its phased inputs acting at one phase, as constants."""

    name: str
    inputs: tuple[GateInput, ...]
    corners: tuple[float, ...]
    bypass: bool

    @property
    def rows(self) -> dict[str, str]:
        """Parameters that it needs -> the row of the prior table that each is drawn from."""
        found = {name: name for name in ("effect_site", "plasticity.on", "plasticity.off")}
        found |= {f"reserve of {one.feature}": "reserve" for one in self.inputs}
        found |= {
            f"potency ratio of {one.feature}": "reserve.potency"
            for one in self.inputs
            if one.feature.endswith(".reserve")
        }
        if not self.bypass:
            found["circuit.depth"] = "circuit.depth"
        if any(one.graded for one in self.inputs):
            found |= {name: name for name in ("dependence.mean", "dependence.spread")}
        return found


def simulated_account(
    hypothesis: Hypothesis, phase: Phase = "both", name: str | None = None
) -> SimulatedAccount:
    """Express a hypothesis over the inputs of its gate; `phase` says when its phased ones act."""
    gate = parse_gate(hypothesis.gate)
    inputs = tuple(
        GateInput(
            name,
            name in hypothesis.graded,
            name not in hypothesis.phased or phase != "expression",
            name in hypothesis.phased and phase != "induction",
        )
        for name in gate.inputs
    )
    return SimulatedAccount(
        name or hypothesis.name, inputs, tuple(float(one) for one in gate.corners), hypothesis.bypass
    )


def account_states(
    account: SimulatedAccount,
    during: Mapping[str, Float[Numbers, "nodes draws"]],
    at_reading: Mapping[str, Float[Numbers, "readings draws"]],
    theta: Mapping[str, Float[Numbers, " draws"]],
    width: Float[np.ndarray, " intervals"],
    rule: Quadrature,
    edge: Int[np.ndarray, " readings"],
) -> tuple[Float[Numbers, "readings draws"], Float[Numbers, "readings draws"]]:
    """Acute and sustained state at every reading, above their level without drugs.

    Parameters
    ----------
    account : SimulatedAccount
        What the states follow.
    during, at_reading : mapping
        Level of each feature at the nodes of all intervals, and at the readings.
    theta : mapping
        Parameters on their smooth scales, by name.
    width, rule : array, Quadrature
        Widths (h) of the intervals, and the rule of their nodes.
    edge : array
        Edge at which each reading lies.
    """
    names = [one.feature for one in account.inputs]
    like = theta["effect_site"]
    xp, nothing = array_library(like), 0 * like
    k_e, k_on, k_off = (xp.exp(theta[name]) for name in ("effect_site", "plasticity.on", "plasticity.off"))
    depth: Any = nothing if account.bypass else xp.exp(theta["circuit.depth"])
    dependence = 1.0
    if any(one.graded for one in account.inputs):
        logit = theta["dependence.mean"] + xp.exp(theta["dependence.spread"]) * theta[POPULATION]
        dependence = 1 / (1 + xp.exp(-logit))

    def taken(one: GateInput, level: Any) -> Any:
        weight = dependence if one.graded else 1.0
        return gate_activity.needed(level, weight, xp.exp(theta[f"reserve of {one.feature}"]))

    resting = circuit.drive(
        nothing + gate_activity.activity(account.corners, [at_rest(name) for name in names]), depth
    )
    acting = [
        taken(one, during[one.feature]) if one.induction else xp.ones_like(during[one.feature])
        for one in account.inputs
    ]

    def followed(inputs: Sequence[Any], span: Float[np.ndarray, " intervals"]) -> tuple[Any, Any]:
        active = gate_activity.activity(account.corners, inputs)
        every = circuit.drive(xp.broadcast_to(active, (span.size * rule.nodes.size, like.size)), depth)
        drive = every.reshape(span.size, rule.nodes.size, like.size)
        start = k_on * resting / (k_on * resting + k_off)
        sustained = turnover(k_on * drive, span, rule, k_off, start=start)
        return relaxation(drive - resting, span, rule, k_e), sustained - start

    if not any(one.expression for one in account.inputs):
        acute, sustained = followed(acting, width)
        return acute[edge], sustained[edge]
    # What acts at the test scales all that came before, by a factor of each reading's own.
    found = []
    for reading, at in enumerate(edge):
        until = slice(at * rule.nodes.size)
        at_test = [
            value[until] * taken(one, at_reading[one.feature][reading]) if one.expression else value[until]
            for one, value in zip(account.inputs, acting, strict=True)
        ]
        found.append([state[-1] for state in followed(at_test, width[:at])])
    acute, sustained = (xp.stack(states) for states in zip(*found, strict=True))
    return acute, sustained
