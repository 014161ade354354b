"""Drug and Mixture: one chemical species with its disposition and affinities, and a racemate made of such.

An enantiomer is a Drug of its own. Salt or base, arterial or venous, total or unbound are typed fields, because
each is a known trap of 1.2- to 2-fold.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from gaddum.records.base import Record, in_unit
from gaddum.records.dose import Route
from gaddum.records.quantity import Quantity, Reported
from gaddum.records.source import Source
from gaddum.records.species import Species
from gaddum.records.target import Affinity


class Peripheral(Record):
    """A peripheral compartment: volume and intercompartmental clearance."""

    v: Reported
    q: Reported


class Transit(Record):
    """A chain of equal first-order stages that the drug passes before it is absorbed."""

    stages: int = Field(gt=0, le=5)
    mean_time: Reported
    """Mean time to pass all stages."""


class Absorption(Record):
    """Input by one route: first-order (`k_a`), zero-order (`duration`), or zero-order release into a first-order depot.

    A lag delays the input; transit stages lie before it.
    """

    k_a: Reported | None = None
    duration: Reported | None = None
    """Length of a zero-order release."""
    transit: Transit | None = None
    f: Reported | None = None
    """Bioavailability (fraction); 1 where not given."""
    lag: Reported | None = None

    @model_validator(mode="after")
    def _some_input(self) -> "Absorption":
        if self.k_a is None and self.duration is None:
            raise ValueError(
                "Absorption must be first-order (`k_a`), zero-order (`duration`) or both; got neither."
            )
        return self


class Saturable(Record):
    """Michaelis-Menten elimination beside the linear one; sends the drug's kinetics down the nonlinear path."""

    v_max: Reported
    """Greatest rate (nmol/h, or nmol/h/kg)."""
    k_m: Reported
    """Total plasma concentration at half of it."""


class Disposition(Record):
    """Mammillary kinetics of a drug in one species, first-order but for `saturable` elimination.

    Either `cl`, or `half_life` (terminal half-life of a one-compartment body, from which
    cl = ln 2 * v_c / half_life) is given, or neither where all elimination is `saturable`. Values are
    per kg body weight (``L/kg``, ``L/h/kg``) or for `reference_weight` (``L``, ``L/h``).
    """

    sampling: Literal["arterial", "venous", "unstated"]
    reference_weight: Quantity | None = None
    apparent_by: Route | None = None
    """Route by whose bioavailability the volumes and clearances are divided (CL/F, V/F). The drug is followed after no
    other: its level would be wrong by the factor F."""
    v_c: Reported
    cl: Reported | None = None
    half_life: Reported | None = None
    peripherals: tuple[Peripheral, ...] = ()
    absorption: dict[Route, Absorption] = Field(default_factory=dict)
    saturable: Saturable | None = None
    k_e0: Reported | None = None
    """Rate of equilibration between plasma and unbound brain; immediate where not given."""
    k_venous: Reported | None = None
    """Rate of equilibration between arterial and sampled venous plasma; immediate where not given."""

    @model_validator(mode="after")
    def _one_elimination(self) -> "Disposition":
        given = (self.cl is not None) + (self.half_life is not None)
        if given == 2 or (given == 0 and self.saturable is None):
            raise ValueError(
                "A disposition must have either `cl` or `half_life`, or neither beside `saturable`; got "
                f"{'both' if given else 'neither'}."
            )
        return self


class Metabolite(Record):
    """A metabolite formed from the drug: which, and what fraction of the drug's clearance forms it."""

    drug: str
    fraction: Reported


class Drug(Record):
    """One chemical species."""

    kind: Literal["drug"] = "drug"
    name: str
    synonyms: tuple[str, ...] = ()
    molar_mass: Quantity
    """Of the free base."""
    salt_factor: Quantity | None = None
    """Mass of free base per mass of the usual salt."""
    f_u: dict[Species, Reported] = Field(default_factory=dict)
    """Unbound fraction in plasma."""
    kp_uu: dict[Species, Reported] = Field(default_factory=dict)
    """Unbound brain over unbound plasma at steady state."""
    disposition: dict[Species, Disposition] = Field(default_factory=dict)
    metabolites: dict[Species, tuple[Metabolite, ...]] = Field(default_factory=dict)
    affinities: tuple[Affinity, ...] = ()
    note: str | None = None

    @model_validator(mode="after")
    def _one_affinity_a_target(self) -> "Drug":
        targets = [one.target for one in self.affinities]
        if twice := sorted({name for name in targets if targets.count(name) > 1}):
            raise ValueError(
                f"A drug must bind a target in one mode; got several affinities at {', '.join(twice)}. Several reports "
                "of one constant are a list under its `k_i`."
            )
        return self


class Part(Record):
    """One component of a mixture."""

    drug: str
    fraction: float = in_unit("mol/mol", gt=0, le=1)


class Mixture(Record):
    """A racemate or other fixed mixture, given as one dose."""

    kind: Literal["mixture"]
    name: str
    synonyms: tuple[str, ...] = ()
    parts: Annotated[tuple[Part, ...], Field(min_length=2)]
    salt_factor: Quantity | None = None
    source: Source

    @model_validator(mode="after")
    def _whole(self) -> "Mixture":
        total = sum(part.fraction for part in self.parts)
        if abs(total - 1) > 1e-9:
            raise ValueError(f"Fractions of a mixture must sum to 1; got {total:g}.")
        return self
