"""Published models: the typical course of each can be drawn by the chain that the library's own kinetics go through."""

import numpy as np
import pytest

from gaddum.engagement.layout import lay_out
from gaddum.exposure.concentrations import concentrations
from gaddum.records.curve import Curve, load_curves
from gaddum.records.drug import Drug
from gaddum.records.library import Library, load_library
from gaddum.records.reading import PublishedModel

LIBRARY = load_library()
MODELS = [
    (one, reading)
    for one in load_curves()
    for reading in one.readings
    if isinstance(reading, PublishedModel) and reading.drug in LIBRARY.drugs
]


@pytest.mark.parametrize(("curve", "model"), MODELS, ids=[one.id for one, _ in MODELS])
def test_the_typical_course_of_a_published_model_can_be_drawn(curve: Curve, model: PublishedModel):
    drug = LIBRARY.drugs[model.drug]
    assert isinstance(drug, Drug)
    told = drug.model_copy(update={"disposition": {curve.species: model.disposition}, "metabolites": {}})
    library = Library(LIBRARY.targets, LIBRARY.drugs | {model.drug: told})
    layout = lay_out(curve.doses, species=curve.species, targets=["MOR"], draws=8, library=library)
    found = concentrations(layout.plan, layout.theta, np.array([2.0, 4.0, 12.0]), site="venous")
    assert np.all(np.asarray(found[0]) > 0)


def test_the_course_of_a_model_of_one_compartment_is_its_exponential():
    curve = next(one for one in load_curves() if one.id == "S-ketamine-Fanta-2015")
    model = curve.readings[0]
    assert isinstance(model, PublishedModel)
    body = model.disposition.model_copy(update={"peripherals": ()})
    told = LIBRARY.drugs["S-ketamine"].model_copy(update={"disposition": {"human": body}, "metabolites": {}})
    library = Library(LIBRARY.targets, LIBRARY.drugs | {"S-ketamine": told})
    layout = lay_out(
        curve.doses, species="human", targets=["NMDAR"], draws=64, library=library, weight="70 kg"
    )
    found = np.asarray(concentrations(layout.plan, layout.theta, np.array([1.0, 3.0]), site="venous"))[0]
    rates = np.log(found[0] / found[1]) / 2
    assert np.median(rates) == pytest.approx(95.2 / 133, rel=0.02)
