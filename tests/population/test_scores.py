"""The table of left-out scores is that of the kept scores, and these are of the curves as they are."""

import json

from benchmarks.population_scores import BEGIN, END, KEPT, PAGE, table

from gaddum.population.drug_fit import curves_of
from gaddum.population.new_study import digest
from gaddum.population.readings import population_data
from gaddum.records.curve import load_curves
from gaddum.records.library import load_library
from gaddum.records.species import known_species


def test_the_page_shows_the_scores_that_are_kept() -> None:
    shown = PAGE.read_text().split(BEGIN)[1].split(END)[0].strip()
    assert shown == table(json.loads(KEPT.read_text()))


def test_scores_are_of_the_curves_of_the_library_as_they_are() -> None:
    library = load_library()
    curves = load_curves(library)
    for name, kept in json.loads(KEPT.read_text()).items():
        drug, species = name.split(", ")
        mine = curves_of(drug, curves, library)
        data = population_data(mine, known_species(species), library)
        used = [one for one in mine if one.id in data.used]
        assert digest(used) == kept["digest"], f"Renew it: python -m benchmarks.population_scores {drug}"
