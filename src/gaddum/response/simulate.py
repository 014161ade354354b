"""Simulate: protocols and a gate -> features, acute and sustained states at reading times, all parameters drawn.

The whole forward chain for experiments that nobody has published: exposure in closed form, binding and gate
algebraically on Gauss-Legendre nodes that follow doses and readings, the two states by their integrating factor.
Protocols share one grid, and a ligand that several of them dose alike is computed once.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from gaddum.engagement.binding import UNTOUCHED, Bond, RestingTarget, bonds, receptor_of
from gaddum.engagement.intervals import jumps, subdivided
from gaddum.engagement.receptor import FEATURES
from gaddum.exposure.chains import responses_of
from gaddum.exposure.concentrations import lay_linear, linear_concentrations
from gaddum.exposure.impulse import Impulse
from gaddum.exposure.plan import Ligand, Plan
from gaddum.exposure.regimen import plan_regimen
from gaddum.numerics.array_library import Numbers
from gaddum.numerics.quadrature import gauss_legendre
from gaddum.numerics.recurrence import relaxation, turnover
from gaddum.parameter_registry import Register
from gaddum.records.dose import Dose
from gaddum.records.gate import parse_gate
from gaddum.records.library import Library
from gaddum.records.protocol import Subject
from gaddum.records.vocabulary import at_rest
from gaddum.response import gate_activity

ORDER = 9
"""Gauss-Legendre nodes of each interval."""
LANES = 64
"""Draws computed together, so that a block's arrays stay in the cache."""
CHUNK = 4096
"""Most draws whose responses to unit doses are computed together."""


class Rates(NamedTuple):
    """Places of the behavioural parameters in the register."""

    effect_site: int
    on: int
    off: int
    tone: int


class SimulatedReadings(NamedTuple):
    """What a simulation reads, [protocols, times, draws] each; fractions."""

    features: dict[str, Float[Array, "protocols times draws"]]
    acute: Float[Array, "protocols times draws"]
    sustained: Float[Array, "protocols times draws"]


class SimulatedSystem:
    """Protocols and a gate, laid out once; `run` then takes any number of draws.

    Parameters
    ----------
    protocols : sequence of tuple of Dose
        What each arm is given.
    expression : str
        Gate over features, such as ``"NMDAR.block & MOR.tone"``; every feature named is also read.
    subject : Subject
        Species and weight.
    library : Library
        Drugs and targets.
    times : array
        Reading times, hours from the test drug, ascending.
    register : Register
        Filled with the parameters of kinetics and binding; `rates` must name its behavioural ones.
    rates : Rates
        Places of the behavioural parameters.
    also : sequence of str
        Further features to read.
    """

    def __init__(
        self,
        protocols: Sequence[tuple[Dose, ...]],
        expression: str,
        *,
        subject: Subject,
        library: Library,
        times: Float[np.ndarray, " times"],
        register: Register,
        rates: Rates,
        also: Sequence[str] = (),
    ) -> None:
        parsed = parse_gate(expression)
        self.corners = np.asarray(parsed.corners, float)
        self.inputs = parsed.inputs
        self.features = tuple(dict.fromkeys((*parsed.inputs, *also)))
        self.times, self.rates, self.register = np.asarray(times, float), rates, register
        wanted = {name for name in library.drugs}
        targets = tuple(dict.fromkeys(name.split(".")[0] for name in self.features))
        plans = [
            plan_regimen(doses, subject, library, wanted=wanted, register=register) for doses in protocols
        ]
        binding = {name for name in self._binding(plans, library, targets)}
        kept = [Plan(tuple(one for one in plan.ligands if one.drug in binding)) for plan in plans]
        self.ligands: tuple[Ligand, ...] = tuple(dict.fromkeys(one for plan in kept for one in plan.ligands))
        self.members = [[self.ligands.index(one) for one in plan.ligands] for plan in kept]
        self.bonds: list[dict[str, tuple[Bond, ...]]] = [
            {name: bonds(plan, name, subject.species, library, register) for name in targets} for plan in kept
        ]
        self.rule = gauss_legendre(ORDER)
        self.edges = self._edges(protocols)
        self.doses = lay_linear(self.ligands, np.concatenate([self.nodes, self.times]))

    @staticmethod
    def _binding(plans: Sequence[Plan], library: Library, targets: Sequence[str]) -> set[str]:
        return {
            drug.name
            for plan in plans
            for one in plan.ligands
            for drug, _ in library.species(one.drug)
            if any(affinity.target in targets for affinity in drug.affinities)
        }

    def _edges(self, protocols: Sequence[tuple[Dose, ...]]) -> Float[np.ndarray, " edges"]:
        """Edges of the intervals, from where the gate can first leave its rest to the last reading."""
        begins = [
            t for place, doses in enumerate(protocols) if (t := self._leaves_rest(place, doses)) is not None
        ]
        first = min(begins, default=float(self.times.min()))
        last = float(self.times.max())
        changes = {first, *jumps(one for ligand in self.ligands for one in ligand.given)}
        return subdivided(
            sorted(time for time in changes if first <= time < last),
            sorted(time for time in self.times.tolist() if time > first),
        )

    def _leaves_rest(self, place: int, doses: tuple[Dose, ...]) -> float | None:
        """Time of the first dose after which the gate can differ from its level without drugs; None if never."""
        moved: set[str] = set()
        for dose in sorted(doses, key=lambda one: one.time_h):
            own = {
                ligand
                for ligand, index in enumerate(self.members[place])
                if any(one.start == dose.time_h for one in self.ligands[index].inputs)
                or any(start == dose.time_h for _, start, _ in self.ligands[index].held)
            }
            for name, at in self.bonds[place].items():
                if any(bond.ligand in own for bond in at):
                    moved |= {feature for feature in self.inputs if feature.split(".")[0] == name}
            if self._is_moved(moved):
                return dose.time_h
        return None

    def _is_moved(self, moved: set[str]) -> bool:
        """Whether the gate depends on the moved features while the others rest."""
        free = [bit for bit, name in enumerate(self.inputs) if name in moved]
        rest = sum(int(at_rest(name)) << bit for bit, name in enumerate(self.inputs) if name not in moved)
        reached = {
            self.corners[rest + sum(1 << bit for k, bit in enumerate(free) if pattern >> k & 1)]
            for pattern in range(1 << len(free))
        }
        return len(reached) > 1

    @cached_property
    def nodes(self) -> Float[np.ndarray, " nodes"]:
        """Quadrature nodes of all intervals (h), ascending."""
        width = np.diff(self.edges)
        return (self.edges[:-1, None] + width[:, None] * self.rule.nodes).ravel()

    def readings(
        self, theta: Float[Array, "parameters draws"], impulses: Sequence[Impulse] | None = None
    ) -> SimulatedReadings:
        """Everything read of every protocol, for log parameters in the register's order.

        `impulses` are the responses of the chains to unit doses, where they are had already.
        """
        values = jnp.exp(theta)
        impulses = impulses or responses_of(self.doses.chains, theta)
        # Computed once: fusion would otherwise repeat a concentration in each protocol and feature.
        levels = jax.lax.optimization_barrier(linear_concentrations(self.doses, impulses, theta))
        during, at_reading = levels[:, : self.nodes.size], levels[:, self.nodes.size :]
        width = np.diff(self.edges)
        place = np.searchsorted(self.edges, self.times)
        k_e, k_on, k_off = (values[i] for i in self.rates[:3])
        corners = jnp.asarray(self.corners)
        resting = gate_activity.activity(corners, [jnp.asarray(at_rest(name)) for name in self.inputs])
        toned = RestingTarget(tone=self.rates.tone)
        features: dict[str, list[Array]] = {name: [] for name in self.features}
        drives = []
        for members, at in zip(self.members, self.bonds, strict=True):

            def course(name: str, levels: Array, at=at, members=members) -> Array:
                bonds_ = tuple(bond._replace(ligand=members[bond.ligand]) for bond in at[name.split(".")[0]])
                before = toned if _kind(name) in ("tone", "agonism") else UNTOUCHED
                return FEATURES[_kind(name)](receptor_of(bonds_, levels, values, rest=before))

            for name in self.features:
                features[name].append(course(name, at_reading))
            inputs = [course(name, during) for name in self.inputs]
            drives.append(
                gate_activity.activity(corners, inputs).reshape(width.size, self.rule.nodes.size, -1)
            )
        # All protocols go through the states together.
        drive = jax.lax.optimization_barrier(jnp.stack(drives, axis=2))
        acute = relaxation(drive - resting, width, self.rule, k_e)[place]
        # A drive is at most 1, so that build-up stays slow beside the intervals.
        sustained = turnover(k_on * drive, width, self.rule, k_off, narrow=False)[place]
        return SimulatedReadings(
            {k: jnp.stack(v) for k, v in features.items()},
            jnp.moveaxis(acute, 1, 0),
            jnp.moveaxis(sustained, 1, 0),
        )

    def run(self, theta: Float[Numbers, "parameters draws"]) -> SimulatedReadings:
        """`readings` of any number of draws, compiled; in chunks, and within a chunk in blocks of `LANES`.

        Responses to unit doses are computed chunk by chunk outside the compiled blocks, which take several times as
        long to compile with them.
        """
        draws = theta.shape[1]
        count = -(-draws // CHUNK)  # chunks of one size, so that little is computed in vain
        chunk = -(-draws // (count * LANES)) * LANES
        padded = np.pad(np.asarray(theta, float), ((0, 0), (0, count * chunk - draws)), mode="edge")
        found = [
            self._blocks(part, responses_of(self.doses.chains, part))
            for part in np.split(padded, count, axis=1)
        ]
        return jax.tree.map(lambda *parts: jnp.concatenate(parts, axis=-1)[..., :draws], *found)

    @cached_property
    def _blocks(
        self,
    ) -> Callable[[Float[Numbers, "parameters draws"], tuple[Impulse, ...]], SimulatedReadings]:
        def blocked(theta: Array, impulses: tuple[Impulse, ...]) -> SimulatedReadings:
            split = jax.tree.map(
                lambda x: jnp.moveaxis(x.reshape(*x.shape[:-1], -1, LANES), -2, 0), (theta, impulses)
            )
            found = jax.lax.map(lambda one: self.readings(*jax.lax.optimization_barrier(one)), split)
            return jax.tree.map(lambda x: jnp.moveaxis(x, 0, -2).reshape(*x.shape[1:-1], -1), found)

        return jax.jit(blocked)


def _kind(name: str) -> str:
    return name.split(".")[1]
