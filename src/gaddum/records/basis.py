"""Basis: whether a drug's binding in the living is predicted, or calibrated on occupancies that were read of it.

*Predicted*: no occupancy by the drug is used, in whatever species. *Calibrated*: a number of its binding or of its
entry into the brain was drawn from one, as its source says (`occupancies_of`).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from gaddum.records.drug import Drug
from gaddum.records.library import Library
from gaddum.records.quantity import Quantity, Reported
from gaddum.records.species import Species
from gaddum.records.target import Affinity

Basis = Literal["predicted", "calibrated"]


def basis_of(library: Library, name: str, target: str, species: Species) -> Basis | None:
    """Whether what a drug occupies of a target in a species is predicted or calibrated; None where it does not bind."""
    used = [
        _is_own(library, name, one)
        for drug, _ in library.species(name)
        for affinity in drug.affinities
        if affinity.target == target
        for one in _binding(drug, affinity, species)
    ]
    return None if not used else "calibrated" if any(used) else "predicted"


def without_own_occupancies(library: Library, name: str) -> Library:
    """The library with every number left out that was drawn from occupancies of a drug; others stay.

    Raises
    ------
    ValueError
        Where nothing else is known of how it binds.
    """
    drugs = dict(library.drugs)
    for drug, _ in library.species(name):

        def kept(reported: Reported | None) -> Reported | None:
            return tuple(one for one in reported or () if not _is_own(library, name, one)) or None

        def by_species(of: dict[Species, Reported]) -> dict[Species, Reported]:
            return {species: left for species, one in of.items() if (left := kept(one)) is not None}

        affinities = []
        for one in drug.affinities:
            shift = one.in_vivo_shift
            affinities.append(
                Affinity.model_validate(
                    {
                        **{field: getattr(one, field) for field in Affinity.model_fields},
                        "k_i": kept(one.k_i),
                        "in_vivo_shift": by_species(shift) if isinstance(shift, dict) else kept(shift),
                        "k_in_vivo": by_species(one.k_in_vivo),
                        "ec50_plasma": by_species(one.ec50_plasma),
                    }
                )
            )
        drugs[drug.name] = drug.model_copy(
            update={"affinities": tuple(affinities), "kp_uu": by_species(drug.kp_uu)}
        )
    return replace(library, drugs=drugs)


def _binding(drug: Drug, affinity: Affinity, species: Species) -> Iterator[Quantity]:
    """Numbers that set which concentration occupies a target in the living."""
    direct = affinity.direct_in(species, "behaving")
    if direct is not None:
        yield from direct[1]
    else:
        yield from affinity.k_i or affinity.k_on or ()
        yield from affinity.shift_in(species, "behaving") or ()
    if direct is None or direct[0] == "brain":
        yield from drug.kp_uu.get(species, ())


def _is_own(library: Library, name: str, one: Quantity) -> bool:
    """Whether a number was drawn from occupancies of a drug, or of a mixture that it is part of or made of."""
    mine = {part.name for part, _ in library.species(name)} | {name}
    return any(
        other in mine or any(part.name in mine for part, _ in library.species(other))
        for other in one.source.occupancies_of
    )
