"""How a drug's curves are met: counted by papers that its constants do not rest on, predicted or calibrated."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaddum.engagement.benchmark_readings import predict
from gaddum.engagement.curves_met import curves_met, is_used, met
from gaddum.records.curve import Curve, curves_of, load_curves
from gaddum.records.library import load_library
from gaddum.records.quantity import Quantity
from gaddum.records.source import Source

LIBRARY = load_library()
SOURCE = {"how": "abstract", "doi": "10.1000/made-up"}


def made_up(values, **more):
    reading = {"kind": "occupancy", "target": "MOR", "times": ["1 h", "4 h", "12 h"], "values": values}
    reading |= {"unit": "1", "n": 8, "source": SOURCE}
    record = {
        "id": "made-up",
        "title": "made up",
        "paper": "made up",
        "species": "human",
        "readings": [reading],
    }
    return Curve.model_validate(
        record | {"doses": [{"drug": "naltrexone", "amount": "20 mg", "route": "po"}]} | more
    )


def medians():
    return [float(np.median(one)) for one in predict(made_up([0.5, 0.5, 0.5]), LIBRARY, draws=256)]


def test_readings_that_are_as_foretold_lie_in_the_band_and_are_not_off():
    curve = made_up(medians())
    found = met([(curve, one) for one in curve.measured], LIBRARY)
    assert found is not None
    assert (found.inside, found.readings, found.studies) == (3, 3, 1)
    assert found.off < 0.01


def test_readings_that_are_not_as_foretold_are_off_by_their_distance():
    curve = made_up([one - 1.0 if one > 0.6 else one + 0.6 for one in medians()])
    found = met([(curve, one) for one in curve.measured], LIBRARY)
    assert found is not None and found.off > 0.55


def test_percent_and_fractions_count_alike():
    whole = made_up(medians())
    first_reading: Any = whole.readings[0]
    reading = first_reading.model_copy(
        update={"values": tuple(100 * one for one in first_reading.values), "unit": "%"}
    )
    percent = whole.model_copy(update={"readings": (reading,)})
    first, second = (met([(one, row) for row in one.measured], LIBRARY) for one in (whole, percent))
    assert first is not None and second is not None
    assert first.off == pytest.approx(second.off, abs=1e-9)


def test_an_occupancy_is_used_only_by_a_number_drawn_from_occupancies_of_its_paper():
    drug = LIBRARY.drugs["naltrexone"]
    curve = made_up([0.5, 0.5, 0.5])
    assert not is_used(curve, LIBRARY)
    for drawn_from, used in (((), False), (("naltrexone",), True)):
        source = Source.model_validate(SOURCE | {"occupancies_of": drawn_from})
        entry = {"human": (Quantity(value=1.0, unit="1", source=source),)}
        changed = replace(
            LIBRARY, drugs={**LIBRARY.drugs, drug.name: drug.model_copy(update={"kp_uu": entry})}
        )
        assert is_used(curve, changed) is used


def test_a_level_is_used_by_kinetics_that_cite_its_paper():
    by_id = {one.id: one for one in curves_of("ketamine", LIBRARY) + curves_of("S-ketamine", LIBRARY)}
    assert is_used(by_id["B10a-Hasan-S-ketamine"], LIBRARY)
    assert not is_used(by_id["B10d-Kamp-S-ketamine"], LIBRARY)
    labels = ("naltrexone-Swiss-label", "haloperidol-Swiss-label", "flumazenil-labels")
    for curve in load_curves(LIBRARY):
        assert curve.id not in labels or is_used(curve, LIBRARY)


@pytest.mark.parametrize(("drug", "points"), [("naltrexone", 10), ("naloxone", 13)])
def test_peoples_opioid_antagonists_are_foretold_within_hours(drug, points):
    papers = ("Rabiner 2011", "Mayberg and Frost 1990 or Kim 1997", "Frost 1985", "Villemagne 1994")
    by_paper = {}
    for curve in curves_of(drug, LIBRARY):
        for reading in curve.readings if curve.paper in papers and curve.tolerance is None else ():
            part = curve.model_copy(update={"readings": (reading,), "doses": reading.doses or curve.doses})
            for one, values in zip(part.measured, predict(part, LIBRARY), strict=True):
                by_paper.setdefault(curve.paper, []).append(abs(np.median(values) - one.published.value))
    assert np.mean([np.mean(offs) for offs in by_paper.values()]) < points


def test_readings_of_peoples_opioid_antagonists_lie_in_the_band_of_a_reading():
    rows = [
        one
        for drug in ("naltrexone", "naloxone")
        for one in curves_met(drug, ["MOR", "DOR"], "human", LIBRARY)
        if one.occupancy is not None
    ]
    assert all(one.basis == "predicted" for one in rows)
    inside, readings = (sum(getattr(one.occupancy, key) for one in rows) for key in ("inside", "readings"))
    assert readings >= 25
    assert inside / readings >= 0.85


@pytest.mark.parametrize(
    ("drug", "target"), [("haloperidol", "D2"), ("olanzapine", "D2"), ("escitalopram", "SERT")]
)
def test_occupancies_that_a_constant_was_drawn_from_score_only_the_drug_without_them(drug: str, target: str):
    (row,) = curves_met(drug, [target], "human", LIBRARY)
    assert row.basis == "calibrated"
    assert row.occupancy is None
    assert row.predicted is not None and row.predicted.readings >= 2


def test_levels_of_a_label_that_the_absorption_was_taken_from_test_nothing():
    (row,) = curves_met("naltrexone", ["MOR"], "human", LIBRARY)
    assert row.plasma is None


def test_the_left_out_scores_of_a_fit_stand_for_levels_in_plasma():
    (row,) = curves_met("haloperidol", ["D2"], "human", LIBRARY)
    (fit,) = (one for one in LIBRARY.fits if one.drug == "haloperidol" and one.species == "human")
    assert row.plasma is not None
    assert row.plasma.readings == sum(one.readings for one in fit.left_out)
