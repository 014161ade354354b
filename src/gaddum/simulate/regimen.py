"""Regimen: doses of library drugs in one kind of subject -> a plan of kinetics whose numbers are parameters.

A plan says which ligands reach the brain and how: through which bodies (the drug's own, then its metabolites'), by
which inputs, with which parameters. It holds no draws; `exposures` evaluates it for any number of them. What no source
says is taken for granted here, and listed.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum import units
from gaddum.records.dose import HELD, Dose
from gaddum.records.drug import Absorption, Disposition, Drug, Metabolite, Mixture
from gaddum.records.library import Library
from gaddum.records.protocol import Subject
from gaddum.records.quantity import Quantity, Reported
from gaddum.records.species import Species
from gaddum.simulate.parameters import (
    Parameter,
    canonical,
    cite,
    describe_reported,
    log_quantiles,
    log_spread,
)

ADULT_WEIGHT = {"human": 70.0, "rat": 0.3, "mouse": 0.025, "monkey": 7.0, "dog": 10.0}
"""Body weight (kg) assumed where neither the subject nor the disposition states one; listed as an assumption."""

ALLOMETRIC_GSD = 2.0
"""Spread of a volume or clearance scaled from another species."""

_EXPONENT = {"volume": 1.0, "clearance": 0.75, "rate": -0.25, "time": 0.25, "elimination rate": 0.75}
"""Power of body weight by which each kind of constant scales between species."""

_LENDERS: tuple[Species, ...] = (
    "human",
    "rat",
    "mouse",
    "monkey",
    "dog",
    "rabbit",
    "pigeon",
    "guinea pig",
    "sheep",
)


class Assumption(NamedTuple):
    """Something taken for granted because no source says it."""

    where: str
    what: str
    reason: str


class Body(NamedTuple):
    """Mammillary kinetics of one chemical species: places of its parameters; -1 for none."""

    v_c: int
    cl: int
    half_life: int
    v_p: tuple[int, ...]
    q: tuple[int, ...]
    v_max: int
    k_m: int


class Input(NamedTuple):
    """A dose, or a regular series of them, entering the first or (after first pass) a later body of a pathway."""

    route: str
    amount: float
    """Free base given each time (nmol)."""
    start: float
    duration: float
    repeats: int
    interval: float
    steady_state: bool
    k_a: int
    release: int
    """Parameter of the length of a zero-order release; -1 for none."""
    stages: int
    transit: int
    f: int
    lag: int


class Ligand(NamedTuple):
    """A chemical species in the brain: a dosed drug, or a metabolite of one."""

    drug: str
    parent: str
    """The dosed drug."""
    bodies: tuple[Body, ...]
    """From the dosed drug to this species."""
    fractions: tuple[int, ...]
    """Share of each body's clearance that forms the next."""
    inputs: tuple[Input, ...]
    f_u: int
    kp_uu: int
    k_e0: int
    k_venous: int
    held: tuple[tuple[float, float, float], ...]
    """Set unbound concentrations: (nM, from, until)."""


class Plan(NamedTuple):
    """Ligands of one arm, over shared parameters."""

    ligands: tuple[Ligand, ...]


class Register:
    """Parameters in order of first use, each under one name, and what was taken for granted on the way."""

    def __init__(self) -> None:
        self.parameters: list[Parameter] = []
        self.centres: list[float] = []
        """Mean log of the reports of each parameter."""
        self.variances: list[float] = []
        """Variance of the log of each parameter."""
        self.index: dict[str, int] = {}
        self.assumptions: set[Assumption] = set()

    def add(
        self,
        name: str,
        medians: Float[np.ndarray, " reports"],
        spreads: Float[np.ndarray, " reports"],
        unit: str,
        reported: Reported,
        reason: str,
    ) -> int:
        """Place of a parameter, from the log medians and log spreads of its reports; one known by its name is kept."""
        if name not in self.index:
            self.index[name] = len(self.parameters)
            nodes = log_quantiles(medians, spreads)
            sources = "; ".join(dict.fromkeys(cite(quantity.source) for quantity in reported))
            self.parameters.append(Parameter(name, nodes, unit, describe_reported(reported), reason, sources))
            self.centres.append(float(np.mean(medians)))
            self.variances.append(float(np.mean(spreads**2) + np.var(medians)))
        return self.index[name]

    def table(self) -> Float[np.ndarray, "parameters grid"]:
        """Log quantiles of all parameters, one row each."""
        return np.array([parameter.nodes for parameter in self.parameters])


def dosed_drugs(doses: tuple[Dose, ...], library: Library) -> list[tuple[str, Dose, float]]:
    """Split mixtures: (drug, dose, fraction) for every dose and component."""
    split: list[tuple[str, Dose, float]] = []
    for dose in doses:
        found = library.drug(dose.drug)
        parts = (
            [(p.drug, p.fraction) for p in found.parts] if isinstance(found, Mixture) else [(found.name, 1.0)]
        )
        split += [(name, dose, fraction) for name, fraction in parts]
    return split


def plan_regimen(
    doses: tuple[Dose, ...], subject: Subject, library: Library, *, wanted: set[str], register: Register
) -> Plan:
    """Lay out every ligand that the doses put into the brain and that `wanted` names.

    Parameters
    ----------
    doses : tuple of Dose
        Of one arm.
    subject : Subject
        Species and weight.
    library : Library
        Drugs and targets.
    wanted : set of str
        Drugs to follow; a metabolite that is not wanted is still passed through to reach those that are.
    register : Register
        Filled with the parameters and with what had to be taken for granted.

    Raises
    ------
    ValueError
        Where a route or the kinetics of a dosed drug are not in the library.
    """
    by_drug: dict[str, list[tuple[Dose, float]]] = {}
    for name, dose, fraction in dosed_drugs(doses, library):
        by_drug.setdefault(name, []).append((dose, fraction))
    found: list[Ligand] = []
    for name, given in by_drug.items():
        drug = _drug(library, name)
        held = [item for item in given if item[0].route in HELD]
        systemic = [item for item in given if item[0].route not in HELD]
        if held and name in wanted:
            found.append(_held(drug, held))
        if systemic and _reaches(drug, subject.species, library, wanted):
            found += _descent(drug, systemic, subject, library, wanted, register)
    return Plan(tuple(found))


def _drug(library: Library, name: str) -> Drug:
    drug = library.drug(name)
    if not isinstance(drug, Drug):
        raise ValueError(f"Parts and metabolites must be drugs; got the mixture {name!r}. Name its parts.")
    return drug


def _reaches(drug: Drug, species: Species, library: Library, wanted: set[str]) -> bool:
    """Whether a drug or any of its metabolites is wanted; cycles are refused by the library."""
    return drug.name in wanted or any(
        _reaches(_drug(library, child.drug), species, library, wanted)
        for child in drug.metabolites.get(species, ())
    )


def _held(drug: Drug, given: list[tuple[Dose, float]]) -> Ligand:
    """A bath, local or inhaled dose: a set unbound concentration while it lasts."""
    spans = []
    for dose, fraction in given:
        level = units.magnitude(dose.amount, "concentration") * fraction
        if units.canonical_unit(dose.amount, "concentration") == "ng/mL":
            level *= 1e3 / drug.molar_mass.value
        interval = 0.0 if dose.interval is None else units.magnitude(dose.interval, "time")
        for repeat in range(dose.repeats):
            start = dose.time_h + repeat * interval
            spans.append((level, start, np.inf if dose.duration_h is None else start + dose.duration_h))
    return Ligand(drug.name, drug.name, (), (), (), -1, -1, -1, -1, tuple(spans))


def _descent(
    drug: Drug,
    given: list[tuple[Dose, float]],
    subject: Subject,
    library: Library,
    wanted: set[str],
    register: Register,
) -> list[Ligand]:
    """The drug and its metabolites, each with the bodies that lead to it."""
    body = disposition(drug, subject.species)
    weight = _weight(subject, drug, body, register)
    numbers = _Numbers(register, drug, subject.species, weight)
    inputs = tuple(_input(dose, fraction, drug, body[1], numbers, library) for dose, fraction in given)
    found: list[Ligand] = []

    def follow(one: Drug, bodies: tuple[Body, ...], fractions: tuple[int, ...]) -> None:
        place = disposition(one, subject.species)
        own = _Numbers(register, one, subject.species, weight)
        bodies = (*bodies, own.body(*place))
        if one.name in wanted:
            found.append(own.ligand(drug.name, bodies, fractions, inputs, place))
        for child in one.metabolites.get(subject.species, ()):
            metabolite = _drug(library, child.drug)
            if not _reaches(metabolite, subject.species, library, wanted):
                continue
            if not metabolite.disposition:
                register.assumptions.add(
                    Assumption(
                        f"{child.drug} in {subject.species}",
                        "left out",
                        "a metabolite without any disposition",
                    )
                )
                continue
            follow(metabolite, bodies, (*fractions, own.share(child)))

    follow(drug, (), ())
    return found


def disposition(drug: Drug, species: Species) -> tuple[Species, Disposition]:
    """A drug's kinetics in a species, or in the one that lends them."""
    for lender in (species, *_LENDERS):
        if lender in drug.disposition:
            return lender, drug.disposition[lender]
    raise ValueError(
        f"{drug.name} must have a disposition in {species} to be dosed systemically there; got none in any species. "
        "Add one to the drug's file (allometry counts as derived)."
    )


def _weight(subject: Subject, drug: Drug, place: tuple[Species, Disposition], register: Register) -> float:
    lender, body = place
    own = body.reference_weight if lender == subject.species else None
    stated: Quantity | None = subject.weight or own
    if stated is not None:
        return units.magnitude(f"{stated.value} {stated.unit}", "mass")
    weight = ADULT_WEIGHT.get(subject.species)
    if weight is None:
        raise ValueError(
            f"A body weight is needed for {subject.species}; got none. Give `weight` in the subject."
        )
    register.assumptions.add(
        Assumption(subject.species, f"body weight {weight:g} kg", "not stated by the report")
    )
    return weight


class _Numbers:
    """Turns what is reported of one drug in one species into parameters of a subject of some weight."""

    def __init__(self, register: Register, drug: Drug, species: Species, weight: float):
        self.register, self.drug, self.species, self.weight = register, drug, species, weight

    def body(self, lender: Species, body: Disposition) -> Body:
        def scaled(what: str, reported: Reported | None, kind: units.Kind) -> int:
            return self.constant(what, reported, kind, lender, body)

        saturable = body.saturable
        return Body(
            v_c=scaled("central volume", body.v_c, "volume"),
            cl=scaled("clearance", body.cl, "clearance"),
            half_life=scaled("half-life", body.half_life, "time"),
            v_p=tuple(scaled(f"volume {i + 2}", p.v, "volume") for i, p in enumerate(body.peripherals)),
            q=tuple(scaled(f"flow {i + 2}", p.q, "clearance") for i, p in enumerate(body.peripherals)),
            v_max=-1 if saturable is None else scaled("V_max", saturable.v_max, "elimination rate"),
            k_m=-1 if saturable is None else self.plain("K_m", saturable.k_m),
        )

    def ligand(
        self,
        parent: str,
        bodies: tuple[Body, ...],
        fractions: tuple[int, ...],
        inputs: tuple[Input, ...],
        place: tuple[Species, Disposition],
    ) -> Ligand:
        lender, body = place
        return Ligand(
            self.drug.name,
            parent,
            bodies,
            fractions,
            inputs,
            self.fraction("f_u", self.drug.f_u),
            self.fraction("Kp,uu", self.drug.kp_uu),
            self.constant("k_e0", body.k_e0, "rate", lender, body),
            self.constant("k_venous", body.k_venous, "rate", lender, body),
            (),
        )

    def constant(
        self, what: str, reported: Reported | None, kind: units.Kind, lender: Species, body: Disposition
    ) -> int:
        """A constant of the whole body, scaled by weight where it comes from another species."""
        if reported is None:
            return -1
        name = f"{what} of {self.drug.name} in {self.species}"
        reason, power, scaling, extra = "sets the concentration curve", 0.0, 1.0, 0.0
        reference = self.weight
        if lender != self.species:
            reference = _reference_weight(lender, body)
            power = _EXPONENT[kind]
            scaling = (self.weight / reference) ** power
            extra = np.log(ALLOMETRIC_GSD) if kind in ("volume", "clearance", "elimination rate") else 0.0
            reason = f"scaled from {lender} by weight to the power {power:g}, GSD {ALLOMETRIC_GSD:g}"
            self.register.assumptions.add(
                Assumption(
                    f"{self.drug.name} in {self.species}", f"kinetics scaled from {lender}", "not found"
                )
            )
        medians, spreads = [], []
        for quantity in reported:
            text = f"{quantity.value} {quantity.unit}"
            per_kg = units.canonical_unit(text, kind).endswith("/kg")
            medians.append(np.log(units.magnitude(text, kind) * (reference if per_kg else 1.0) * scaling))
            spreads.append(float(np.hypot(log_spread(quantity), extra)))
        return self.register.add(
            name, np.array(medians), np.array(spreads), units.CANONICAL[kind][0], reported, reason
        )

    def plain(self, what: str, reported: Reported | None) -> int:
        """A number that does not scale with weight."""
        if reported is None:
            return -1
        mass = self.drug.molar_mass.value
        medians = np.array([np.log(canonical(quantity, mass)) for quantity in reported])
        return self.register.add(
            f"{what} of {self.drug.name} in {self.species}",
            medians,
            np.array([log_spread(quantity) for quantity in reported]),
            reported[0].unit,
            reported,
            "sets the concentration curve",
        )

    def fraction(self, what: str, by_species: dict[Species, Reported]) -> int:
        """Unbound fraction or Kp,uu; borrowed from another species, or 1 within a factor, where not found."""
        if self.species in by_species:
            return self.plain(what, by_species[self.species])
        where = f"{what} of {self.drug.name} in {self.species}"
        if by_species:
            lender = next(iter(by_species))
            self.register.assumptions.add(Assumption(where, f"borrowed from {lender}", "not found"))
            return self.plain(what, by_species[lender])
        self.register.assumptions.add(Assumption(where, "taken as 1", "not found"))
        return -1

    def share(self, child: Metabolite) -> int:
        return self.plain(f"share that forms {child.drug}, clearance", child.fraction)


def _reference_weight(species: Species, body: Disposition) -> float:
    if body.reference_weight is not None:
        stated = body.reference_weight
        return units.magnitude(f"{stated.value} {stated.unit}", "mass")
    if species not in ADULT_WEIGHT:
        raise ValueError(
            f"A disposition in {species} that is lent to another species must have `reference_weight`; got none."
        )
    return ADULT_WEIGHT[species]


def _input(
    dose: Dose, fraction: float, drug: Drug, body: Disposition, numbers: _Numbers, library: Library
) -> Input:
    way: Absorption | None = None
    if dose.route not in ("iv bolus", "iv infusion"):
        if dose.route not in body.absorption:
            raise ValueError(
                f"{drug.name} in {numbers.species} must have absorption by route {dose.route!r} to be dosed so; "
                f"got {', '.join(body.absorption) or 'no route'}. Add it to the drug's file."
            )
        way = body.absorption[dose.route]

    def named(what: str, reported: Reported | None) -> int:
        return numbers.plain(f"{dose.route} {what}", reported)

    return Input(
        route=dose.route,
        amount=_amount(dose, drug, numbers, library) * fraction,
        start=dose.time_h,
        duration=dose.duration_h or 0.0,
        repeats=dose.repeats,
        interval=0.0 if dose.interval is None else units.magnitude(dose.interval, "time"),
        steady_state=dose.steady_state,
        k_a=-1 if way is None else named("k_a", way.k_a),
        release=-1 if way is None else named("release", way.duration),
        stages=0 if way is None or way.transit is None else way.transit.stages,
        transit=-1 if way is None or way.transit is None else named("transit time", way.transit.mean_time),
        f=-1 if way is None else named("bioavailability", way.f),
        lag=-1 if way is None else named("lag", way.lag),
    )


def _amount(dose: Dose, drug: Drug, numbers: _Numbers, library: Library) -> float:
    """Amount of free base in nmol; what had to be assumed about the salt is listed."""
    value, unit = units.magnitude(dose.amount, "dose"), units.canonical_unit(dose.amount, "dose")
    if unit.startswith("mg"):
        given = library.drug(dose.drug)
        factor = 1.0 if given.salt_factor is None else given.salt_factor.value
        if dose.salt == "base":
            factor = 1.0
        elif dose.salt == "unstated" and factor != 1.0:
            numbers.register.assumptions.add(
                Assumption(
                    f"doses of {dose.drug}", f"counted as salt (base = {factor:g} of mass)", "not stated"
                )
            )
        value *= factor * 1e6 / drug.molar_mass.value
    return value * (numbers.weight if unit.endswith("/kg") else 1.0)
