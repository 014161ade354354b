"""Target and Affinity: what a drug can act on, and how tightly and in which way it binds there.

A target is named by its IUPHAR abbreviation; its features and the modes of drugs are those of `vocabulary`.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gaddum.records.base import Record
from gaddum.records.finding import nearest
from gaddum.records.protocol import Preparation
from gaddum.records.quantity import Reported
from gaddum.records.source import Source
from gaddum.records.species import Species
from gaddum.records.vocabulary import FEATURES, MODES


def _one_of(known: Mapping[str, object], what: str) -> AfterValidator:
    """Accept names of the vocabulary, which may have grown since this was read."""

    def check(name: str) -> str:
        if name not in known:
            raise ValueError(
                f"{what} must be one of {', '.join(known)}; got {name!r}. {nearest(name, known)}"
            )
        return name

    return AfterValidator(check)


ModeName = Annotated[str, _one_of(MODES, "A mode"), Field(json_schema_extra={"enum": [*MODES]})]
FeatureName = Annotated[str, _one_of(FEATURES, "A feature"), Field(json_schema_extra={"enum": [*FEATURES]})]


class Target(Record):
    """A receptor, by its IUPHAR abbreviation."""

    name: str
    full_name: str
    synonyms: tuple[str, ...] = ()
    """Other names under which papers and people speak of it."""
    family: str
    uniprot_human: str | None = None
    features: tuple[FeatureName, ...]
    opioid: bool = False
    """Whether the target counts as opioid in propositions such as "opioid signalling needed"."""
    source: Source


class Affinity(Record):
    """How a drug binds a target: dissociation constant, mode, efficacy."""

    target: str
    mode: ModeName
    k_i: Reported | None = None
    """Equilibrium dissociation constant (molar); an IC50 where the source says so; none if irreversible."""
    efficacy: Reported | None = None
    """Intrinsic efficacy of an agonist relative to a full agonist (1), dimensionless."""
    in_vivo_shift: Reported | dict[Species, Reported] | None = None
    """In-vivo K (unbound) divided by the K_i given here; applies to living subjects, behaving or imaged, not to slices.
    By species where the sources speak of one; a species that is not named has none."""
    k_in_vivo: dict[Species, Reported] = Field(default_factory=dict)
    """Unbound concentration in the living brain at half occupancy, by species; there in place of k_i and its shift."""
    ec50_plasma: dict[Species, Reported] = Field(default_factory=dict)
    """Total concentration in plasma at half occupancy, in equilibrium with the brain; likewise. What is unbound in the
    brain then follows from `f_u` and `kp_uu`, whose errors cancel."""
    k_on: Reported | None = None
    k_off: Reported | None = None
    """Rate of dissociation; where it is given the ligand binds kinetically (slow offset), else at equilibrium. The rate
    of association is `k_on`, or k_off over the K in vivo. What an irreversible antagonist holds is lost until receptors
    are made anew; where the rate of that is known, it stands here."""

    @model_validator(mode="after")
    def _bindable(self) -> "Affinity":
        if twice := sorted(self.k_in_vivo.keys() & self.ec50_plasma.keys()):
            raise ValueError(
                f"One species must have `k_in_vivo` or `ec50_plasma`; got both in {', '.join(twice)} at {self.target}."
            )
        given = self.k_i is not None or bool(self.k_in_vivo or self.ec50_plasma)
        if MODES[self.mode].reversible:
            if not given:
                raise ValueError(
                    f"A ligand that binds reversibly must have its `k_i`; got none at {self.target}. A constant of the "
                    "living brain is `k_in_vivo` or `ec50_plasma`."
                )
        elif self.k_on is None or given:
            raise ValueError(
                f"An irreversible antagonist must have its rate of binding, `k_on`, and no `k_i`, at {self.target}: "
                "k_inact over K_I where the source gives those two."
            )
        return self

    def direct_in(
        self, species: Species, preparation: Preparation
    ) -> tuple[Literal["brain", "plasma"], Reported] | None:
        """Where half occupancy was measured in the living animal, and at which concentration; none in a slice."""
        if preparation == "slice":
            return None
        if species in self.k_in_vivo:
            return "brain", self.k_in_vivo[species]
        return ("plasma", self.ec50_plasma[species]) if species in self.ec50_plasma else None

    def shift_in(self, species: Species, preparation: Preparation) -> Reported | None:
        """In-vivo shift in one species, if any is known; none in a slice, which is not in vivo."""
        if preparation == "slice":
            return None
        if isinstance(self.in_vivo_shift, dict):
            return self.in_vivo_shift.get(species)
        return self.in_vivo_shift
