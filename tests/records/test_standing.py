"""Which numbers are measured, borrowed or guessed."""

import pytest

from gaddum.records.library import load_library
from gaddum.records.standing import standing_words, standings

LIBRARY = load_library()


def rows(name, species, targets, routes=(), lender=None):
    ((drug, _),) = LIBRARY.species(name)
    place = None if lender is None else (lender, drug.disposition[lender])
    return {one.number: one.standing for one in standings(drug, species, targets, routes, lender=place)}


def test_what_another_species_lends_is_borrowed():
    own = rows("naltrexone", "human", ["MOR"], ["po"], "human")
    lent = rows("naltrexone", "dog", ["MOR"], ["po"], "human")
    assert own["clearance"] == own["F by po"] == "measured"
    assert lent["clearance"] == lent["volume"] == lent["F by po"] == "borrowed"


def test_what_nobody_says_is_guessed():
    assert rows("naltrexone", "dog", ["MOR"], [], "human")["f_u"] == "guessed"
    assert rows("naltrexone", "human", ["DOR"])["in-vivo/in-vitro ratio at DOR"] == "guessed"


def test_a_ratio_drawn_from_rats_is_borrowed_in_people_and_measured_in_rats():
    number = "in-vivo/in-vitro ratio at NMDAR"
    assert rows("S-ketamine", "human", ["NMDAR"])[number] == "borrowed"
    assert rows("S-ketamine", "rat", ["NMDAR"])[number] == "measured"


@pytest.mark.parametrize("name", sorted(LIBRARY.drugs))
def test_words_name_every_number_once(name):
    for drug, _ in LIBRARY.species(name):
        found = standings(drug, "human", [one.target for one in drug.affinities])
        assert len({one.number for one in found}) == len(found)
        assert all(one.number in standing_words(found) for one in found)
