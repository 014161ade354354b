"""Usual dose: the most of a drug that any bundled study or curve gave a species, beside which a slip of units shows."""

from collections.abc import Iterator
from functools import cache

from gaddum import units
from gaddum.records.curve import load_curves
from gaddum.records.dose import HELD, Dose
from gaddum.records.ledger import bundled_cases, load_case
from gaddum.records.library import Library
from gaddum.records.species import Species

FAR = 100.0
"""How many times the largest dose is questioned: three digits are a slip of a unit, not a study."""
_SMALL = {"mg": 100.0, "mg/kg": 1.0, "nmol": 1e5, "nmol/kg": 1e3, "nM": 1e3, "ng/mL": 1e3}
"""Amounts up to which nothing is looked up, by canonical unit."""


def doubtful_doses(doses: tuple[Dose, ...], species: Species, library: Library) -> list[str]:
    """Say which doses are far beyond any that the bundled studies and curves gave this species.

    Examples
    --------
    >>> from gaddum.records.library import load_library
    >>> from gaddum.records.shorthand import parse_doses
    >>> [told] = doubtful_doses(parse_doses("ketamine 50 g/kg ip"), "rat", load_library())
    >>> told.endswith("is the unit right?")
    True
    """
    told = []
    for dose in doses:
        amount, unit = _amount(dose)
        most = _largest().get((library.drug_key(dose.drug), species, unit)) if amount > _SMALL[unit] else None
        if most is not None and amount > FAR * most:
            told.append(
                f"{dose.drug} {dose.amount} is {amount / most:.0f} times the largest dose of any bundled study "
                f"({most:g} {unit}, {species}): is the unit right?"
            )
    return told


def _amount(dose: Dose) -> tuple[float, str]:
    kind = "concentration" if dose.route in HELD else "dose"
    return units.magnitude(dose.amount, kind), units.canonical_unit(dose.amount, kind)


@cache
def _largest() -> dict[tuple[str, str, str], float]:
    """Largest amount by drug, species and canonical unit."""
    found: dict[tuple[str, str, str], float] = {}
    for dose, species in _given():
        amount, unit = _amount(dose)
        key = (dose.drug, species, unit)
        found[key] = max(amount, found.get(key, 0.0))
    return found


def _given() -> Iterator[tuple[Dose, str]]:
    for name in bundled_cases():
        for _, experiment in load_case(name).ledger.experiments():
            for arm in experiment.protocol.arms.values():
                yield from ((dose, experiment.protocol.subject.species) for dose in arm.doses)
    for curve in load_curves():
        for reading in curve.readings:
            yield from ((dose, curve.species) for dose in reading.doses or curve.doses)
