"""Chains: ways from a dose to a concentration in brain or plasma, many at once, as responses to a unit dose.

A chain is a depot, the bodies of a drug and its metabolites, and an effect site or sampled vein, each where there is
one. Poles and zeros of chains are those of their links put together, and a gain. Chains with about as many poles
are one call.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from gaddum.exposure.impulse import ABSENT, Impulse, delayed, mammillary_poles, parted, response
from gaddum.exposure.plan import Body, Input, Ligand, Site
from gaddum.numerics.array_library import AnyArray, array_library
from gaddum.numerics.segments import pick
from gaddum.parameter_registry import TIED

APART = 1e-4
"""Relative distance to which nearly coincident poles are moved."""


class Chain(NamedTuple):
    """One way from a dose to where a ligand is read: places of its constants, -1 for none."""

    k_a: int
    bodies: tuple[Body, ...]
    fractions: tuple[int, ...]
    """Share of each body's clearance that forms the next; with one for the last body, what that forms is read (1/h)."""
    last: int
    """Rate of the effect site or of the sampled vein."""
    stages: int
    """Transit compartments before the depot, each with the transit time over their number."""
    transit: int
    f: int
    """Bioavailability."""
    first_pass: int
    """Share of what bioavailability withholds that enters the first body; -1 where that gets what is absorbed."""
    f_u: int
    kp_uu: int

    @property
    def constants(self) -> set[int]:
        """All its constants."""
        every = {self.k_a, self.last, self.transit, self.f, self.first_pass, self.f_u, self.kp_uu}
        every.update(self.fractions)
        for body in self.bodies:
            every |= {body.v_c, body.cl, body.half_life, *body.v_p, *body.q}
        return every - {-1}

    def over(self, identity: Sequence[Hashable]) -> tuple:
        """The same with what each constant is in place of where it stands, so that registers can differ."""

        def at(*places: int) -> tuple:
            return tuple(None if place < 0 else identity[place] for place in places)

        single = (self.k_a, self.last, self.transit, self.f, self.first_pass, self.f_u, self.kp_uu)
        bodies = tuple(
            (at(body.v_c, body.cl, body.half_life), at(*body.v_p), at(*body.q)) for body in self.bodies
        )
        return (*at(*single), self.stages, bodies, at(*self.fractions))


def chains_of(ligand: Ligand, one: Input, site: Site = "brain") -> list[Chain]:
    """The systemic way, and for an oral dose the metabolites that first pass forms of what it withholds."""
    last, *unbound = {
        "brain": (ligand.k_e0, ligand.f_u, ligand.kp_uu),
        "arterial": (-1, -1, -1),
        "venous": (ligand.k_venous, -1, -1),
    }[site]
    systemic = Chain(
        one.k_a, ligand.bodies, ligand.fractions, last, one.stages, one.transit, one.f, -1, *unbound
    )
    if one.route != "po" or one.f < 0 or len(ligand.bodies) == 1:
        return [systemic]
    formed = ligand.fractions
    return [systemic, systemic._replace(bodies=ligand.bodies[1:], fractions=formed[1:], first_pass=formed[0])]


class Bodies(NamedTuple):
    """Mammillary systems with as many peripherals: places of their constants."""

    v_c: Int[np.ndarray, " bodies"]
    cl: Int[np.ndarray, " bodies"]
    """-1 where a half-life is given."""
    half_life: Int[np.ndarray, " bodies"]
    v_p: Int[np.ndarray, "peripherals bodies"]
    q: Int[np.ndarray, "peripherals bodies"]


class Alike(NamedTuple):
    """Chains with about as many poles."""

    poles: Int[np.ndarray, "poles chains"]
    """Places among the constants and then all poles of bodies; -1 for none."""
    zeros: Int[np.ndarray, "zeros chains"]
    """Places among all zeros of bodies; -1 for none."""
    loading: Float[np.ndarray, "chains logs"]
    """Of the log gain on log constants, those capped at 0, and logs of what the capped ones leave of 1."""
    offset: Float[np.ndarray, " chains"]
    """Of the log gain."""
    stages: int
    transit: Int[np.ndarray, " chains"]


class Chains(NamedTuple):
    """Distinct chains over one register of constants."""

    used: Int[np.ndarray, " constants"]
    """Parameters that their constants are, in the order in which the other places count."""
    log_factor: Float[np.ndarray, " constants"]
    """Of a constant to its parameter, where subjects differ in weight."""
    bodies: tuple[Bodies, ...]
    alike: tuple[Alike, ...]
    place: dict[Chain, tuple[int, int]]
    """Group of each chain, and its place there."""


def lay_chains(wanted: list[Chain], tied: Sequence[tuple[int, float]] = ()) -> Chains:
    """Lay distinct chains out over the parameters of a register; `tied` is `Register.tied`."""
    used = sorted(set[int]().union(*(chain.constants for chain in wanted)))
    at = {place: number for number, place in enumerate(used)} | {-1: -1}
    constants, distinct = len(used), list(dict.fromkeys(body for chain in wanted for body in chain.bodies))
    sizes = sorted({len(body.v_p) for body in distinct})
    by_size = [[body for body in distinct if len(body.v_p) == size] for size in sizes]
    poles: dict[Body, list[int]] = {}
    zeros: dict[Body, list[int]] = {}
    pole, zero = constants, 0
    for size, mine in zip(sizes, by_size, strict=True):
        for number, body in enumerate(mine):
            poles[body] = [pole + number + k * len(mine) for k in range(size + 1)]
            zeros[body] = [zero + number + k * len(mine) for k in range(size)]
        pole, zero = pole + len(mine) * (size + 1), zero + len(mine) * size
    groups: dict[tuple[int, int], list[Chain]] = {}
    of_chain = {}
    for chain in dict.fromkeys(wanted):
        links = [at[place] for place in (chain.k_a, chain.last) if place >= 0]
        mine = links + [place for body in chain.bodies for place in poles[body]]
        own = [place for body in chain.bodies for place in zeros[body]]
        of_chain[chain] = mine, own
        # The next power of two, if any: few sizes, each compiled once.
        size = 1 << (len(mine) - 1).bit_length() if mine else 0
        groups.setdefault((size, chain.stages), []).append(chain)
    alike = []
    for (size, stages), mine in groups.items():
        most, gains = max(len(of_chain[chain][1]) for chain in mine), [_gain(chain, at) for chain in mine]
        alike.append(
            Alike(
                np.array([_filled(of_chain[chain][0], size) for chain in mine], int).T,
                np.array([_filled(of_chain[chain][1], most) for chain in mine], int).T,
                np.array([loading for loading, _ in gains]),
                np.array([offset for _, offset in gains]),
                stages,
                np.array([at[chain.transit] for chain in mine]),
            )
        )
    place = {chain: (g, i) for g, mine in enumerate(groups.values()) for i, chain in enumerate(mine)}
    known = [(place, 0.0) if place < TIED else tied[place - TIED] for place in used]
    parameters, factors = np.array([one for one, _ in known], int), np.array([one for _, one in known])
    return Chains(parameters, factors, tuple(_stacked(mine, at) for mine in by_size), tuple(alike), place)


def responses_of(
    chains: Chains,
    theta: Float[AnyArray, "parameters batch"],
) -> tuple[Impulse, ...]:
    """Responses to a unit dose (1/L, in brain times what reaches it) of each group, by log parameters of a register."""
    xp, theta = array_library(theta), pick(theta, chains.used) + chains.log_factor[:, None]
    values = xp.exp(theta)
    poles, zeros = [values], []
    for same in chains.bodies:
        central = pick(values, same.v_c)
        by_clearance = (same.cl >= 0)[:, None]
        k_10 = xp.where(
            by_clearance,
            pick(values, np.maximum(same.cl, 0)) / central,
            np.log(2.0) / pick(values, np.maximum(same.half_life, 0)),
        )
        shape = (*same.v_p.shape, theta.shape[1])
        v_p, q = (pick(values, index.ravel()).reshape(shape) for index in (same.v_p, same.q))
        rates, back = mammillary_poles(central, k_10, v_p, q)
        poles.append(rates.reshape(-1, theta.shape[1]))
        zeros.append(back.reshape(-1, theta.shape[1]))
    none = xp.full((1, theta.shape[1]), ABSENT)
    all_poles, all_zeros = xp.concatenate([*poles, none]), xp.concatenate([*zeros, none])
    capped = xp.minimum(theta, 0.0)
    withheld = xp.log(xp.maximum(-xp.expm1(capped), np.finfo(np.float32).tiny))
    logs = xp.concatenate([theta, capped, withheld])
    found = []
    for one in chains.alike:
        shape = (*one.poles.shape, theta.shape[1])
        mine = pick(all_poles, one.poles.ravel() % len(all_poles)).reshape(shape)
        own = pick(all_zeros, one.zeros.ravel() % len(all_zeros)).reshape(-1, *shape[1:])
        gain = xp.exp(xp.matmul(one.loading, logs) + one.offset[:, None])
        rate = one.stages / pick(values, one.transit) if one.stages else gain
        if one.stages == 1:
            mine, gain = xp.concatenate([mine, rate[None]]), gain * rate
        impulse = response(parted(mine, APART), own, gain)
        if one.stages > 1:
            impulse = delayed(impulse, rate, one.stages)
        found.append(impulse)
    return tuple(found)


def _stacked(mine: list[Body], at: dict[int, int]) -> Bodies:
    def of_each(name: str) -> np.ndarray:
        return np.array([at[getattr(body, name)] for body in mine], int)

    def of_peripherals(name: str) -> np.ndarray:
        every = [[at[place] for place in getattr(body, name)] for body in mine]
        return np.array(every, int).reshape(len(mine), -1).T

    return Bodies(
        of_each("v_c"), of_each("cl"), of_each("half_life"), of_peripherals("v_p"), of_peripherals("q")
    )


def _filled(places: list[int], size: int) -> list[int]:
    return places + [-1] * (size - len(places))


def _gain(chain: Chain, at: dict[int, int]) -> tuple[Float[np.ndarray, " logs"], float]:
    """Loading and offset of a chain's log gain."""
    loading, offset = np.zeros((3, len(at) - 1)), 0.0
    plain, capped, withheld = loading
    for place in (chain.k_a, chain.last, chain.kp_uu):
        if place >= 0:
            plain[at[place]] += 1
    for place in (*chain.fractions, chain.f_u, chain.first_pass):
        if place >= 0:
            capped[at[place]] += 1
    if chain.f >= 0:
        (capped if chain.first_pass < 0 else withheld)[at[chain.f]] += 1
    for body in chain.bodies:
        plain[at[body.v_c]] -= 1
    for body in chain.bodies[: len(chain.fractions)]:
        if body.cl >= 0:
            plain[at[body.cl]] += 1
        else:
            offset += float(np.log(np.log(2.0)))
            plain[at[body.v_c]] += 1
            plain[at[body.half_life]] -= 1
    return loading.ravel(), offset
