"""Regimen: doses of library drugs in one kind of subject -> a plan of kinetics whose numbers are parameters.

A plan says which ligands reach the brain and how: through which bodies (the drug's own, then its metabolites'), by
which inputs, with which parameters. What no source says is taken for granted here, and listed.
"""

import numpy as np

from gaddum import units
from gaddum.exposure.plan import Body, Input, Ligand, Plan
from gaddum.exposure.scaling import Numbers, body_weight, disposition
from gaddum.parameter_registry import Assumption, Register
from gaddum.records.dose import HELD, Dose
from gaddum.records.drug import Absorption, Disposition, Drug, Mixture
from gaddum.records.library import Library
from gaddum.records.protocol import Subject
from gaddum.records.quantity import Reported
from gaddum.records.species import Species


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
        for start in dose.times_h:
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
    weight = body_weight(subject, drug, body, register)
    numbers = Numbers(register, drug, subject.species, weight)
    inputs = tuple(_input(dose, fraction, drug, body[1], numbers, library) for dose, fraction in given)
    found: list[Ligand] = []

    def follow(one: Drug, bodies: tuple[Body, ...], fractions: tuple[int, ...]) -> None:
        place = disposition(one, subject.species)
        own = Numbers(register, one, subject.species, weight)
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


def _input(
    dose: Dose, fraction: float, drug: Drug, body: Disposition, numbers: Numbers, library: Library
) -> Input:
    way: Absorption | None = None
    if body.apparent_by not in (None, dose.route):
        raise ValueError(
            f"Kinetics of {drug.name} in {numbers.species} are apparent ones, over the bioavailability by "
            f"{body.apparent_by}, and hold for that route alone; got {dose.route!r}. Give the drug so, or add "
            "kinetics after a dose into a vein to its file."
        )
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
        interval=dose.interval_h,
        steady_state=dose.steady_state,
        k_a=-1 if way is None else named("k_a", way.k_a),
        release=-1 if way is None else named("release", way.duration),
        stages=0 if way is None or way.transit is None else way.transit.stages,
        transit=-1 if way is None or way.transit is None else named("transit time", way.transit.mean_time),
        f=-1 if way is None else named("bioavailability", way.f),
        lag=-1 if way is None else named("lag", way.lag),
    )


def _amount(dose: Dose, drug: Drug, numbers: Numbers, library: Library) -> float:
    """Amount of free base in nmol; what had to be assumed about the salt is listed."""
    value, unit = units.magnitude(dose.amount, "dose"), units.canonical_unit(dose.amount, "dose")
    if unit.startswith("mg"):
        known = library.drug(dose.drug).salt_factor
        factor = known.value if known is not None and dose.salt == "salt" else 1.0
        told = None
        if dose.salt == "salt" and known is None:
            told = "counted as base, since the library does not know what the salt weighs", "no `salt_factor`"
        elif dose.salt == "unstated" and known is not None and known.value != 1.0:
            told = (
                f"counted as base; 'as salt' would make them {known.value:g} of it",
                "salt or base not stated",
            )
        if told is not None:
            numbers.register.assumptions.add(Assumption(f"doses of {dose.drug}", *told))
        value *= factor * 1e6 / drug.molar_mass.value
    return value * (numbers.weight if unit.endswith("/kg") else 1.0)
