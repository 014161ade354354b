"""What every drug of the library with kinetics in people keeps, whatever its numbers."""

import numpy as np
import pytest

from gaddum.engagement.occupancy import occupancy
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug
from gaddum.records.library import load_library

LIBRARY = load_library()
HOURS = [2.0, 6.0, 24.0]
PEOPLE = {
    name: one
    for name, one in LIBRARY.drugs.items()
    if isinstance(one, Drug) and one.affinities and "human" in one.disposition
}
FORMED = {child.drug for one in PEOPLE.values() for child in one.metabolites.get("human", ())}


def routes(name: str) -> list[str]:
    """Every way in which a drug can be given to people."""
    body = PEOPLE[name].disposition["human"]
    return [*body.absorption, *([] if body.apparent_by else ["iv bolus"])]


WAYS = [(name, route) for name in PEOPLE for route in routes(name)]


def occupied(name: str, route: str, amount: str, **more) -> np.ndarray:
    """Draws of what a dose holds of each target, after each of some hours."""
    dose = Dose(drug=name, amount=amount, route=route, **more)
    found = occupancy([dose], species="human", times=HOURS, draws=16)
    return np.stack([each.occupied for each in found.targets.values()])


@pytest.mark.parametrize(("name", "route"), WAYS)
def test_a_dose_in_people_holds_some_receptors_and_a_greater_one_more(name: str, route: str):
    less, more = occupied(name, route, "1 mg"), occupied(name, route, "3 mg")
    assert np.isfinite(more).all() and (more < 1).all()
    assert ((0 < less) & (less < more)).all()


@pytest.mark.parametrize(("name", "route"), dict(WAYS).items())
def test_a_milligram_is_as_many_nanomoles_as_the_molar_mass_says(name: str, route: str):
    amount = f"{1e6 / PEOPLE[name].molar_mass.value!r} nmol"
    by_mass = occupied(name, route, "1 mg", salt="base")
    np.testing.assert_allclose(occupied(name, route, amount), by_mass, rtol=1e-9)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_drug_with_kinetics_in_people_can_be_given_or_is_formed(name: str):
    assert routes(name) or name in FORMED


def test_a_base_is_part_of_the_mass_of_its_salt():
    factors = [one.salt_factor.value for one in LIBRARY.drugs.values() if one.salt_factor is not None]
    assert factors and all(0.4 < factor < 1 for factor in factors)
