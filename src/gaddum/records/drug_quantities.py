"""Quantities of a drug: each with the path to its field and the kind of quantity that it must be."""

from collections.abc import Iterator

from gaddum import units
from gaddum.records.drug import Disposition, Drug, Mixture
from gaddum.records.quantity import Quantity

_Found = tuple[tuple[str | int, ...], Quantity, units.Kind]


def quantities(drug: Drug | Mixture) -> Iterator[_Found]:
    """Every Quantity of a drug with its field path and the kind of quantity that it must be."""
    yield from _each(("salt_factor",), drug.salt_factor, "number")
    if isinstance(drug, Mixture):
        return
    yield from _each(("molar_mass",), drug.molar_mass, "molar mass")
    for name in ("f_u", "kp_uu"):
        for species, reported in getattr(drug, name).items():
            yield from _each((name, species), reported, "number")
    for species, disposition in drug.disposition.items():
        yield from disposition_quantities(("disposition", species), disposition)
    for species, metabolites in drug.metabolites.items():
        for index, metabolite in enumerate(metabolites):
            yield from _each(("metabolites", species, index, "fraction"), metabolite.fraction, "number")
    for index, affinity in enumerate(drug.affinities):
        for name, kind in _AFFINITY.items():
            yield from _each(("affinities", index, name), getattr(affinity, name), kind)
        for name in ("k_in_vivo", "ec50_plasma"):
            for species, reported in getattr(affinity, name).items():
                yield from _each(("affinities", index, name, species), reported, "concentration")
        shifts = affinity.in_vivo_shift
        for place, reported in shifts.items() if isinstance(shifts, dict) else [((), shifts)]:
            here = ("affinities", index, "in_vivo_shift", *([place] if place else []))
            yield from _each(here, reported, "number")


def disposition_quantities(here: tuple[str | int, ...], disposition: Disposition) -> Iterator[_Found]:
    """Every Quantity of a disposition, the paths beginning with `here`."""
    for name, kind in _DISPOSITION.items():
        yield from _each((*here, name), getattr(disposition, name), kind)
    if disposition.saturable is not None:
        yield from _each((*here, "saturable", "v_max"), disposition.saturable.v_max, "elimination rate")
        yield from _each((*here, "saturable", "k_m"), disposition.saturable.k_m, "concentration")
    for index, peripheral in enumerate(disposition.peripherals):
        yield from _each((*here, "peripherals", index, "v"), peripheral.v, "volume")
        yield from _each((*here, "peripherals", index, "q"), peripheral.q, "clearance")
    for route, absorption in disposition.absorption.items():
        for name, kind in _ABSORPTION.items():
            yield from _each((*here, "absorption", route, name), getattr(absorption, name), kind)
        if absorption.transit is not None:
            there = (*here, "absorption", route, "transit", "mean_time")
            yield from _each(there, absorption.transit.mean_time, "time")


def _each(path: tuple[str | int, ...], reported: object, kind: units.Kind) -> Iterator[_Found]:
    if isinstance(reported, Quantity):
        yield path, reported, kind
    elif isinstance(reported, tuple):
        for index, quantity in enumerate(reported):
            yield (*path, index), quantity, kind


_DISPOSITION: dict[str, units.Kind] = {
    "reference_weight": "mass",
    "v_c": "volume",
    "cl": "clearance",
    "half_life": "time",
    "k_e0": "rate",
    "k_venous": "rate",
}
_ABSORPTION: dict[str, units.Kind] = {"k_a": "rate", "duration": "time", "f": "number", "lag": "time"}
_AFFINITY: dict[str, units.Kind] = {
    "k_i": "concentration",
    "efficacy": "number",
    "k_on": "association rate",
    "k_off": "rate",
}
