"""Independent answers for whole arms: doses to receptors as one system of differential equations, at all medians.

Depot and transit, mammillary compartments, metabolites, effect site and slow binding are the states; scipy's LSODA
follows them at 1e-10, restarted wherever an input begins or ends. Ligands without a rate of dissociation are at
equilibrium with what is unbound (Gaddum 1937), and so is the endogenous agonist. The records are read for their numbers
only: units, molar mass, weight, allometry, medians of conflicting reports and Gaddum's equation are worked out here.
Nothing is shared with gaddum's exposures, plans, registers or binding.
"""

from collections.abc import Mapping, Sequence
from math import hypot, inf, log, prod, sqrt
from typing import Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp
from scipy.optimize import brentq
from scipy.stats import norm

from gaddum.records.dose import Dose
from gaddum.records.library import Library
from gaddum.records.protocol import Manipulation
from reference.compartments import Dose as Given
from reference.compartments import Flows

RTOL = 1e-10
FAINT = 1e-24
"""Absolute tolerance of an amount over all that is given: late levels are to be right relatively too."""
SIZES = {"1": 1, "min": 1 / 60, "h": 1, "d": 24, "s": 1 / 3600, "mL": 1e-3, "L": 1, "kg": 1, "g": 1}
SIZES |= {"pM": 1e-3, "nM": 1, "uM": 1e3, "mM": 1e6, "nmol": 1, "umol": 1e3, "mmol": 1e6}
SIZES |= {"ng": 1e-6, "ug": 1e-3, "mg": 1, "mol": 1}
"""Symbols in h, L, kg, nM, nmol and, for doses, mg."""
USUAL_KG = {"human": 70, "rat": 0.3, "mouse": 0.025, "monkey": 7, "dog": 10}
LENT_BY = ("human", "rat", "mouse", "monkey", "dog", "rabbit", "pigeon", "guinea pig", "sheep")
LIMITS = {"CI95": 0.975, "CI90": 0.95, "CI80": 0.9, "IQR": 0.75}
"""Upper quantile of the limits."""
POWER = {"volume": 1, "flow": 0.75, "rate": -0.25, "time": 0.25}


class Held(NamedTuple):
    """What a target's ligands hold, by time."""

    block: np.ndarray
    agonism: np.ndarray
    tone: np.ndarray
    by_ligand: dict[tuple[str, str], np.ndarray]


class Answer(NamedTuple):
    levels: dict[tuple[str, str], np.ndarray]
    """Unbound in brain (nM), by drug and the dosed drug that it comes from."""
    targets: dict[str, Held]


def size(unit: str) -> float:
    first, *others = unit.split("/")
    return SIZES[first] / prod(SIZES[one] for one in others)


def log_gsd(quantity: Any) -> float:
    if quantity.spread is None:
        return log(1.5)
    kind, value = quantity.spread.kind, quantity.spread.value
    if kind in ("SD", "SEM"):
        return sqrt(log(1 + (value / quantity.value) ** 2))
    if kind == "GSD":
        return log(value)
    spans = 4 if kind == "range" else 2 * norm.ppf(LIMITS[kind])
    low, high = value
    return log(high / low) / spans if low > 0 else (high - low) / spans / abs(quantity.value)


def median(reported: Sequence[Any], factor: float = 1.0, per_kg: float = 1.0, wider: float = 0.0) -> float:
    """Median of the equal mixture of lognormals, by root finding, each report times a factor."""
    logs = [
        log(one.value * size(one.unit) * factor * (per_kg if one.unit.endswith("/kg") else 1))
        for one in reported
    ]
    widths = [max(hypot(log_gsd(one), wider), 1e-9) for one in reported]
    if len(logs) == 1:
        return float(np.exp(logs[0]))

    def excess(x: float) -> float:
        z = [(x - centre) / width for centre, width in zip(logs, widths, strict=True)]
        return float(np.sum(norm.cdf(z)) - np.sum(norm.sf(z)))

    # Where reports lie far apart nothing lies between them; the two tails are what is balanced.
    return float(np.exp(brentq(excess, min(logs) - 1, max(logs) + 1, xtol=1e-14)))


def remaining(reported: Sequence[Any]) -> float:
    """Median of a fraction that a manipulation leaves; of none, that of the absolute value of a normal variate."""
    if reported[0].value > 0:
        return min(median(reported), 1)
    spread = reported[0].spread
    sd = spread.value if spread is not None and spread.kind in ("SD", "SEM") else 0.01
    return min(sd * norm.ppf(0.75), 1)


class Arm:
    """The states of one arm, and what enters them."""

    def __init__(self, library: Library, species: str) -> None:
        self.library, self.species = library, species
        self.flows = Flows()
        self.given: list[Given] = []
        self.read: list[tuple[str, str, str, float]] = []
        """Drug, the dosed drug, state, and unbound concentration per amount in it."""
        self.held: list[tuple[str, float, float, float]] = []
        """Drug, level, from, until."""

    def dose(self, dose: Dose, weight: float | None) -> None:
        if dose.steady_state:
            raise ValueError(
                "Every dose is really given here; a steady state has no first one. Spell it out."
            )
        found = self.library.drug(dose.drug)
        parts = (
            [(p.drug, p.fraction) for p in found.parts] if found.kind == "mixture" else [(found.name, 1.0)]
        )
        for name, fraction in parts:
            value, unit = dose.amount.split()
            amount = float(value) * size(unit) * fraction
            drug = self.library.drug(name)
            starts = [dose.time_h + k * _hours(dose.interval) for k in range(dose.repeats)]
            length = _hours(dose.duration)
            if dose.route in ("bath", "local", "inhaled"):
                self.held += [(name, amount, at, at + length if length else inf) for at in starts]
                continue
            if unit.startswith(("mg", "ug")):
                salt = found.salt_factor.value if found.salt_factor and dose.salt == "salt" else 1.0
                amount *= salt * 1e6 / drug.molar_mass.value
            own = drug.disposition.get(self.species)
            if weight is None and own is not None and own.reference_weight is not None:
                kg = own.reference_weight.value * size(own.reference_weight.unit)
            else:
                kg = USUAL_KG[self.species] if weight is None else weight
            amount *= kg if unit.endswith("/kg") else 1
            self.enter(drug, dose.route, amount, starts, length, kg)

    def enter(
        self, drug: Any, route: str, amount: float, starts: list[float], length: float, kg: float
    ) -> None:
        central = self.body(drug, drug.name, drug.name, kg)
        way = None if route.startswith("iv") else self.lent(drug)[1].absorption[route]
        if way is None:
            self.given += [Given(central, amount, at, length) for at in starts]
            return
        f = 1.0 if way.f is None else min(median(way.f), 1)
        ends = [(f, central)]
        if route == "po" and way.f is not None:
            ends += [((1 - f) * share, f"{central}>{child}") for child, share in self.children(drug)]
        rates = [] if way.k_a is None else [median(way.k_a)]
        if way.transit is not None:
            rates = [way.transit.stages / median(way.transit.mean_time)] * way.transit.stages + rates
        stages = [f"{central} {route} {place}" for place in range(len(rates))]
        for place, (stage, speed) in enumerate(zip(stages, rates, strict=True)):
            if (stage, stage) not in self.flows.rates:
                self.flows.add(stage, speed)
                for part, end in [(1.0, stages[place + 1])] if stage != stages[-1] else ends:
                    self.flows.add(stage, speed * part, end, keeps=True)
        release = 0.0 if way.duration is None else median(way.duration)
        lag = 0.0 if way.lag is None else median(way.lag)
        for part, state in [(1.0, stages[0])] if stages else ends:
            self.given += [Given(state, amount * part, at + lag, release) for at in starts]

    def body(self, drug: Any, parent: str, state: str, kg: float) -> str:
        """Compartments of a drug and of all that it becomes."""
        if state in self.flows.names:
            return state
        lender, own = self.lent(drug)
        reference = kg
        if lender != self.species:
            weight = own.reference_weight
            reference = USUAL_KG[lender] if weight is None else weight.value * size(weight.unit)

        def scaled(kind: str, reported: Any) -> float:
            wider = log(2) if lender != self.species and kind in ("volume", "flow") else 0.0
            return median(reported, (kg / reference) ** POWER[kind], reference, wider)

        v = scaled("volume", own.v_c)
        k = log(2) / scaled("time", own.half_life) if own.cl is None else scaled("flow", own.cl) / v
        self.flows.add(state, k)
        for place, peripheral in enumerate(own.peripherals):
            q, there = scaled("flow", peripheral.q), f"{state} peripheral {place}"
            self.flows.add(state, q / v, there)
            self.flows.add(there, q / scaled("volume", peripheral.v), state)
        brain = state
        if own.k_e0 is not None:
            rate, brain = scaled("rate", own.k_e0), f"{state} brain"
            self.flows.add(state, rate, brain, keeps=True)
            self.flows.add(brain, rate)
        free = min(self.borrowed(drug.f_u), 1) * self.borrowed(drug.kp_uu) / v
        self.read.append((drug.name, parent, brain, free))
        for child, share in self.children(drug):
            end = self.body(self.library.drug(child), parent, f"{state}>{child}", kg)
            self.flows.add(state, k * share, end, keeps=True)
        return state

    def children(self, drug: Any) -> list[tuple[str, float]]:
        """Metabolites whose kinetics are known, and the share of clearance that forms each."""
        found = drug.metabolites.get(self.species, ())
        return [
            (one.drug, min(median(one.fraction), 1))
            for one in found
            if self.library.drug(one.drug).disposition
        ]

    def lent(self, drug: Any) -> tuple[str, Any]:
        lender = next(one for one in (self.species, *LENT_BY) if one in drug.disposition)
        return lender, drug.disposition[lender]

    def borrowed(self, by_species: Mapping[str, Any]) -> float:
        """Unbound fraction or Kp,uu: the species' own, or the first that is given, or 1."""
        found = by_species.get(self.species) or next(iter(by_species.values()), None)
        return 1.0 if found is None else median(found)


class _Binds(NamedTuple):
    """One ligand at one target."""

    name: tuple[str, str]
    mode: str
    k: float
    efficacy: float
    k_on: float
    k_off: float


def answer(
    doses: Sequence[Dose],
    times: np.ndarray,
    *,
    species: str,
    targets: Sequence[str],
    library: Library,
    weight: float | None = None,
    preparation: str = "behaving",
    tone: Mapping[str, float] | None = None,
    manipulations: Sequence[Manipulation] = (),
) -> Answer:
    """Follow an arm at given times (h); `tone` is the endogenous agonist over its K by target."""
    arm = Arm(library, species)
    for dose in doses:
        arm.dose(dose, weight)
    names = list(dict.fromkeys([one[:2] for one in arm.read] + [(one[0], one[0]) for one in arm.held]))
    left = {
        name: {
            what: prod(
                remaining(getattr(one, what))
                for one in manipulations
                if one.target == name and getattr(one, what) is not None
            )
            for what in ("availability", "tone")
        }
        for name in targets
    }
    rest = {name: (tone or {}).get(name, 0.0) * left[name]["tone"] for name in targets}
    binds = {name: _binds(name, names, species, preparation, library, arm) for name in targets}
    distinct, back = np.unique(times, return_inverse=True)
    levels, slow = _integrated(arm, names, binds, rest, distinct)
    levels = {name: level[back] for name, level in levels.items()}
    slow = {target: {name: held[back] for name, held in one.items()} for target, one in slow.items()}
    found = {
        name: _held(
            binds[name], levels, slow[name], rest[name], left[name]["availability"], left[name]["tone"]
        )
        for name in targets
    }
    return Answer(levels, found)


def _binds(
    target: str, names: list[tuple[str, str]], species: str, preparation: str, library: Library, arm: Arm
) -> list[_Binds]:
    found = []
    for name in names:
        for one in library.drug(name[0]).affinities:
            if one.target == target:
                shift = one.in_vivo_shift
                shift = shift.get(species) if isinstance(shift, dict) else shift
                plasma = () if preparation == "slice" else one.ec50_plasma.get(species, ())
                if plasma:  # of all drug in plasma, here as unbound in brain
                    drug = library.drug(name[0])
                    to_nm = 1e6 / drug.molar_mass.value if plasma[0].unit == "ng/mL" else 1.0
                    free = min(arm.borrowed(drug.f_u), 1) * arm.borrowed(drug.kp_uu)
                    k = median(plasma) * free * to_nm
                else:
                    k = median(one.k_i) * (1.0 if shift is None or preparation == "slice" else median(shift))
                efficacy = 1.0 if one.efficacy is None else min(median(one.efficacy), 1)
                k_off = 0.0 if one.k_off is None else median(one.k_off)
                k_on = k_off / k if one.k_on is None else median(one.k_on)
                found.append(_Binds(name, one.mode, k, efficacy, k_on, k_off))
    return found


def _integrated(
    arm: Arm, names: list, binds: dict[str, list[_Binds]], rest: dict[str, float], times: np.ndarray
) -> tuple[dict, dict]:
    """Unbound levels by ligand, and slow occupancy by target and ligand."""
    flows, size_ = arm.flows, len(arm.flows.names)
    place = {name: i for i, name in enumerate(flows.names)}
    matrix = np.zeros((size_, size_))
    for (to, source), flow in flows.rates.items():
        matrix[place[to], place[source]] = flow
    seen = np.zeros((len(names), size_))
    for drug, parent, state, free in arm.read:
        seen[names.index((drug, parent)), place[state]] += free
    slow = [(target, one) for target, found in binds.items() for one in found if one.k_off]
    rivals = np.zeros((len(slow), len(names)))
    for row, (target, _) in enumerate(slow):
        for other in binds[target]:
            if not other.k_off and other.mode != "glutamate-site antagonist":
                rivals[row, names.index(other.name)] += 1 / other.k
    own = [names.index(one.name) for _, one in slow]
    k_on, k_off = (np.array([getattr(one, k) for _, one in slow]) for k in ("k_on", "k_off"))
    tone = np.array([rest[target] for target, _ in slow])
    same = np.array([[one == other for other, _ in slow] for one, _ in slow], float)

    edges = [one.start for one in arm.given] + [one.start + one.duration for one in arm.given]
    edges += [at for one in arm.held for at in one[2:] if at < inf]
    cuts = sorted({*(at for at in edges if at < times[-1]), min(times[0], *edges)})
    state = np.zeros(size_ + len(slow))
    tolerance = np.full(state.size, 1e-13)
    tolerance[:size_] = FAINT * max((one.amount for one in arm.given), default=1.0)
    states, levels = np.zeros((state.size, times.size)), np.zeros((len(names), times.size))
    for begin, end in zip(cuts, [*cuts[1:], times[-1] + 1e-9], strict=True):
        middle, inflow, steady = (begin + end) / 2, np.zeros(size_), np.zeros(len(names))
        for one in arm.given:
            if one.duration and one.start <= middle < one.start + one.duration:
                inflow[place[one.state]] += one.amount / one.duration
            elif not one.duration and one.start == begin:
                state[place[one.state]] += one.amount
        for drug, level, start, until in arm.held:
            if start <= middle <= until:
                steady[names.index((drug, drug))] += level

        def rate(_: float, y: np.ndarray, inflow=inflow, steady=steady) -> np.ndarray:
            moved = matrix @ y[:size_] + inflow
            if not slow:
                return moved
            free, bound = seen @ y[:size_] + steady, y[size_:]
            vacant = (1 - same @ bound) / (1 + rivals @ free + tone)
            return np.concatenate([moved, k_on * free[own] * vacant - k_off * bound])

        inside = (times >= begin) & (times < end)
        if state.any() or inflow.any() or (slow and steady.any()):
            wanted = np.append(times[inside], end)
            found = solve_ivp(rate, (begin, end), state, "LSODA", t_eval=wanted, rtol=RTOL, atol=tolerance)
            assert found.success, found.message
            states[:, inside], state = found.y[:, :-1], found.y[:, -1]
        levels[:, inside] = seen @ states[:size_, inside] + steady[:, None]
    kept: dict[str, dict] = {target: {} for target in binds}
    for row, (target, one) in enumerate(slow):
        kept[target][one.name] = states[size_ + row]
    return dict(zip(names, levels, strict=True)), kept


def _held(
    binds: list[_Binds], levels: dict, slow: dict, rest: float, available: float, tone_left: float
) -> Held:
    """Gaddum's equation for all fast ligands of each site, over what the slow ones leave."""
    none = np.zeros_like(next(iter(levels.values())))
    channel = [one for one in binds if one.mode != "glutamate-site antagonist"]
    own = [one for one in binds if one.mode == "glutamate-site antagonist"]
    vacant = 1 / (1 + rest + sum((levels[one.name] / one.k for one in channel if one.name not in slow), none))
    vacant = vacant * (1 - sum(slow.values(), none))
    held = {one.name: slow.get(one.name, levels[one.name] / one.k * vacant) for one in channel}
    elsewhere = 1 / (1 + sum((levels[one.name] / one.k for one in own), none))
    held |= {one.name: levels[one.name] / one.k * elsewhere for one in own}

    def by(*modes: str) -> np.ndarray:
        return sum((held[one.name] for one in channel if one.mode in modes), none)

    blocked = 1 - (1 - by("channel blocker", "competitive antagonist")) * elsewhere
    stimulus = sum((one.efficacy * held[one.name] for one in channel if one.mode == "agonist"), none)
    tone = available * tone_left * (1 - by("competitive antagonist"))
    return Held(blocked, available * stimulus, tone, held)


def _hours(text: str | None) -> float:
    if text is None:
        return 0.0
    value, unit = text.split()
    return float(value) * size(unit)


__all__ = ["Answer", "Held", "answer", "median"]
