"""Fits of the library belong to the curves that it holds now."""

import pytest

from gaddum.population.new_study import digest
from gaddum.records.curve import load_curves
from gaddum.records.fit import KineticFit
from gaddum.records.library import load_library


@pytest.mark.parametrize("fit", load_library().fits, ids=lambda fit: f"{fit.drug}-{fit.species}")
def test_a_bundled_fit_is_of_the_curves_as_they_are(fit: KineticFit) -> None:
    curves = {one.id: one for one in load_curves()}
    assert digest([curves[name] for name in fit.curves]) == fit.digest, "Renew it: make library"
    assert fit.note is None
    assert fit.r_hat < 1.03
