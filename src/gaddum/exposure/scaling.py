"""Scaling: what is reported of a drug in one species -> parameters of a subject of some weight.

Where a species has no kinetics of its own, another lends them by allometry; that, and every weight or fraction that no
source says, joins the register's assumptions.
"""

import numpy as np

from gaddum import units
from gaddum.exposure.plan import Body, Input, Ligand
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.parameter_registry import Assumption, Register, name_of
from gaddum.parameters import Parameter, canonical_unit, log_spread
from gaddum.records.drug import Disposition, Drug, Metabolite
from gaddum.records.protocol import Subject
from gaddum.records.quantity import Quantity, Reported
from gaddum.records.species import Species

ADULT_WEIGHT = {"human": 70.0, "rat": 0.3, "mouse": 0.025, "monkey": 7.0, "dog": 10.0}
"""Body weight (kg) assumed where neither the subject nor the disposition states one; listed as an assumption."""


ALLOMETRIC_GSD = 2.0
"""Spread of a volume or clearance scaled from another species."""
UNKNOWN_GSD = 1.5
"""Spread of an unbound fraction or a Kp,uu that no source gives."""


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


def disposition(drug: Drug, species: Species) -> tuple[Species, Disposition]:
    """A drug's kinetics in a species, or in the one that lends them."""
    for lender in (species, *_LENDERS):
        if lender in drug.disposition:
            return lender, drug.disposition[lender]
    raise ValueError(
        f"{drug.name} must have a disposition in {species} to be dosed systemically there; got none in any species. "
        "Add one to the drug's file (allometry counts as derived)."
    )


def body_weight(
    subject: Subject, drug: Drug, place: tuple[Species, Disposition], register: Register
) -> float:
    """Weight of a subject (kg): its own, that of the kinetics, or the species' usual one, which is listed."""
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


class Numbers:
    """Turns what is reported of one drug in one species into parameters of a subject of some weight."""

    def __init__(self, register: Register, drug: Drug, species: Species, weight: float):
        self.register, self.drug, self.species, self.weight = register, drug, species, weight

    def body(self, lender: Species, body: Disposition) -> Body:
        """Kinetics of the drug, as the lending species has them."""

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
        """The drug in plasma and brain, behind the bodies that lead to it."""
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
        name = name_of(what, reported, drug=self.drug.name, species=self.species)
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
        medians, spreads, per_kg = [], [], False
        for quantity in reported:
            text = f"{quantity.value} {quantity.unit}"
            per_kg = units.canonical_unit(text, kind).endswith("/kg")
            medians.append(np.log(units.magnitude(text, kind) * (reference if per_kg else 1.0) * scaling))
            spreads.append(float(np.hypot(log_spread(quantity), extra)))
        unit = units.CANONICAL[kind][0]
        return self.register.report(
            name,
            reported,
            unit,
            reason,
            medians=np.array(medians),
            spreads=np.array(spreads),
            by_weight=True,
            log_weight=float(np.log(reference)) if per_kg else 0.0,
            log_subject=float(np.log(self.weight)),
        )

    def plain(self, what: str, reported: Reported | None) -> int:
        """A number that does not scale with weight."""
        if reported is None:
            return -1
        return self.register.report(
            name_of(what, reported, drug=self.drug.name, species=self.species),
            reported,
            canonical_unit(reported[0]),
            "sets the concentration curve",
            molar_mass=self.drug.molar_mass.value,
            log_subject=float(np.log(self.weight)),
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
        text = f"taken as 1 within a factor of {UNKNOWN_GSD:g}" + (", at most 1" if what == "f_u" else "")
        self.register.assumptions.add(Assumption(where, text, "not found"))
        nodes = np.log(UNKNOWN_GSD) * Z_GRID
        described = f"lognormal(median 1, gsd {UNKNOWN_GSD:g})"
        return self.register.add(Parameter(where, nodes, "1", described, "not found", "assumption"))

    def share(self, child: Metabolite) -> int:
        """Share of the drug's clearance that forms a metabolite."""
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
