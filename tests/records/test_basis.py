"""Predicted or calibrated: computed from what sources say of the drugs whose occupancies a number was drawn from."""

import pytest

from gaddum.records.basis import basis_of, without_own_occupancies
from gaddum.records.curve import curves_of
from gaddum.records.drug import Drug
from gaddum.records.drug_quantities import quantities
from gaddum.records.library import load_library
from gaddum.records.papers import cites_paper, paper_keys
from gaddum.records.reading import HalfTime, Occupancy

LIBRARY = load_library()


@pytest.mark.parametrize(
    ("drug", "target", "species", "basis"),
    [
        ("naltrexone", "MOR", "human", "predicted"),
        ("naltrexone", "MOR", "rat", "calibrated"),
        ("naloxone", "MOR", "human", "predicted"),
        ("naloxone", "MOR", "monkey", "calibrated"),
        ("nalmefene", "MOR", "human", "calibrated"),
        ("citalopram", "SERT", "human", "calibrated"),
        ("sertraline", "SERT", "human", "predicted"),
        ("ketamine", "NMDAR", "rat", "calibrated"),
        ("ketamine", "MOR", "human", "predicted"),
        ("naltrexone", "SERT", "human", None),
    ],
)
def test_a_drug_is_calibrated_where_its_own_occupancies_are_used(drug, target, species, basis):
    assert basis_of(LIBRARY, drug, target, species) == basis


@pytest.mark.parametrize(
    "drug", ["nalmefene", "haloperidol", "naloxone", "naltrexone", "buprenorphine", "ketamine"]
)
def test_without_its_own_occupancies_a_drug_is_predicted_everywhere(drug):
    left = without_own_occupancies(LIBRARY, drug)
    for part, _ in left.species(drug):
        for affinity in part.affinities:
            for species in ("human", "rat", "mouse", "monkey"):
                assert basis_of(left, drug, affinity.target, species) == "predicted"


def test_what_is_drawn_from_other_drugs_stays():
    left = without_own_occupancies(LIBRARY, "haloperidol")
    assert left.drugs["sertraline"] == LIBRARY.drugs["sertraline"]


def test_every_binding_number_of_a_paper_that_read_the_drugs_occupancy_says_so():
    for drug in LIBRARY.drugs.values():
        if not isinstance(drug, Drug):
            continue
        read = [
            one.published.source
            for curve in curves_of(drug.name, LIBRARY)
            for one in curve.measured
            if isinstance(one.reading, (Occupancy, HalfTime))
        ]
        keys = paper_keys(read)
        for path, one, _ in quantities(drug):
            if path[0] == "affinities" and cites_paper(one.source, keys):
                assert one.source.occupancies_of, f"{drug.name} {path}"
