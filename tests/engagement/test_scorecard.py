"""Benchmarks: every kind of reading against its closed form, and the count of hits and misses."""

import numpy as np
import pytest

from gaddum.engagement.benchmark_readings import predict
from gaddum.engagement.scorecard import benchmarks
from gaddum.records.curve import Curve
from gaddum.records.drug import Drug, Mixture
from gaddum.records.library import Library
from reference.made_up import SOURCE, binds, drug, library, said

BODY = {
    "sampling": "arterial",
    "reference_weight": said(0.3, "kg"),
    "v_c": said(2, "L"),
    "cl": said(0.5, "L/h"),
}
K = 0.25
"""Rate of elimination (1/h)."""


def made() -> Library:
    child = drug("child", disposition={"rat": {**BODY, "cl": said(0.2, "L/h")}})
    heavy = Drug.model_validate(child.model_dump() | {"molar_mass": said(500, "g/mol")})
    plain = library(
        drug(
            "parent",
            disposition={"rat": {**BODY, "absorption": {"sc": {"k_a": said(3, "1/h"), "f": said(1, "1")}}}},
            metabolites={"rat": ({"drug": "child", "fraction": said(0.6, "1")},)},
            affinities=(
                binds("MOR", "competitive antagonist", 10),
                binds("KOR", "competitive antagonist", 70),
            ),
            kp_uu={"rat": said(0.5, "1")},
        ),
        heavy,
        drug(
            "twin",
            disposition={"rat": BODY},
            affinities=(binds("MOR", "competitive antagonist", 40),),
            kp_uu={"rat": said(0.5, "1")},
        ),
        drug(
            "slow",
            disposition={"rat": BODY},
            affinities=(binds("MOR", "competitive antagonist", 3, k_off=said(0.2, "1/h")),),
        ),
    )
    parts = ({"drug": "parent", "fraction": 0.5}, {"drug": "twin", "fraction": 0.5})
    pair = Mixture.model_validate({"kind": "mixture", "name": "pair", "parts": parts, "source": SOURCE})
    return Library(plain.targets, plain.drugs | {"pair": pair})


LIBRARY = made()


def measured(kind: str, value: float = 1.0, unit: str = "1", **fields) -> dict:
    """A reading: a series of one value where it has a time, a printed number otherwise."""
    source = {"how": "abstract", "cites": "made up for a test"}
    time = fields.pop("time", None)
    if time is None:
        return {"kind": kind, "published": {"value": value, "unit": unit, "source": source}, **fields}
    return {"kind": kind, "times": [time], "values": [value], "unit": unit, "source": source, **fields}


def benchmark(
    reading: dict, *, name: str = "parent", amount: str = "20 nmol", route: str = "iv bolus", **more
):
    fields = {
        "id": "made-up",
        "title": "made up",
        "paper": "made up",
        "species": "rat",
        "doses": [{"drug": name, "amount": amount, "route": route}],
        "readings": [reading],
        "tolerance": {"kind": "fold", "value": 1.2, "reason": "made up"},
    }
    return Curve.model_validate(fields | more)


def median(reading: dict, **options) -> float:
    (found,) = predict(benchmark(reading, **options), LIBRARY, draws=4)
    return float(np.median(found))


def test_a_concentration_is_total_plasma_in_the_unit_published():
    found = median(measured("concentration", unit="ug/L", drug="parent", time="2 h", sampling="venous"))
    assert found == pytest.approx(20 / 2 * np.exp(-K * 2) * 250 / 1e3, rel=1e-6)


def test_a_mean_over_a_window_is_the_integral_over_its_length():
    window = {"start": "1 h", "end": "5 h", "reads": "mean"}
    found = median(measured("concentration", unit="nM", drug="parent", time=window, sampling="venous"))
    assert found == pytest.approx(20 / 2 * (np.exp(-K) - np.exp(-K * 5)) / (4 * K), rel=1e-4)


def test_an_unknown_hour_is_spread_evenly_over_its_window():
    window = {"start": "1 h", "end": "5 h", "reads": "unknown hour"}
    reading = measured("concentration", unit="nM", drug="parent", time=window, sampling="venous")
    (found,) = predict(benchmark(reading), LIBRARY, draws=400)
    hours = np.sort(-np.log(found / 10) / K)
    np.testing.assert_allclose(hours, np.linspace(1, 5, 400), atol=0.06)


def test_percent_are_hundredths_of_an_occupancy():
    part, percent = (median(measured("occupancy", unit=unit, target="MOR", time="2 h")) for unit in "1%")
    assert percent == pytest.approx(100 * part)


def test_total_brain_is_no_unbound_brain():
    reading = measured("concentration", unit="nM", drug="parent", time="2 h", sampling="brain tissue")
    (one,) = benchmarks([benchmark(reading)], draws=4, library=LIBRARY).compared
    assert one.refusal is not None and "unbound in brain" in one.refusal


def test_a_curve_without_a_tolerance_is_no_benchmark():
    reading = measured("concentration", unit="nM", drug="parent", time="2 h", sampling="venous")
    with pytest.raises(ValueError, match="must have a tolerance"):
        benchmarks([benchmark(reading, tolerance=None)], draws=4, library=LIBRARY)


@pytest.mark.slow  # compiles several structures
def test_a_peak_and_its_time_are_those_of_bateman():
    top = np.log(3 / K) / (3 - K)
    shot = {"route": "sc"}
    found = median(measured("time of maximum", unit="min", target="MOR"), **shot)
    assert found == pytest.approx(60 * top, rel=0.03)
    found = median(measured("time of peak", unit="min", drug="parent", sampling="venous"), **shot)
    assert found == pytest.approx(60 * top, rel=0.03)
    found = median(measured("peak", unit="nM", drug="parent", sampling="brain"), **shot)
    assert found == pytest.approx(0.5 * 20 / 2 * np.exp(-K * top), rel=1e-3)


def test_occupancy_falls_to_half_of_its_maximum_by_gaddum():
    top = 0.5 * 10 / 10
    later = (top / (1 + top) / 2) / (1 - top / (1 + top) / 2)
    found = median(measured("half-time", unit="h", target="MOR"))
    assert found == pytest.approx(np.log(top / later) / K, rel=1e-3)


def test_areas_by_mass_are_in_the_ratio_of_formation_to_clearance():
    found = median(measured("area ratio", drug="child", over="parent"))
    assert found == pytest.approx(0.6 * 0.5 / 0.2 * 500 / 250, rel=1e-6)


@pytest.mark.slow  # compiles several structures
def test_half_maximal_concentration_of_a_mixture_is_that_of_its_parts_together():
    alone = median(measured("half-maximal concentration", unit="nM", target="MOR", drug="parent"))
    assert alone == pytest.approx(10 / 0.5, rel=1e-6)
    both = median(measured("half-maximal concentration", unit="nM", target="MOR", drug="pair"), name="pair")
    assert both == pytest.approx(1 / (0.5 * 0.5 / 10 + 0.5 * 0.5 / 40), rel=1e-6)


@pytest.mark.slow  # compiles several structures
def test_doses_of_one_drug_at_two_targets_are_in_the_ratio_of_the_constants():
    over = {"drug": "parent", "amount": "5 nmol", "route": "sc"}
    reading = measured("dose ratio", target="KOR", over=over, over_target="MOR")
    assert median(reading, route="sc", amount="300 nmol") == pytest.approx(7, rel=1e-6)


@pytest.mark.slow  # compiles several structures
def test_doses_of_one_drug_share_its_draws_so_that_kinetics_cancel():
    loose = LIBRARY.drugs["parent"].model_dump()
    loose["disposition"]["rat"]["v_c"] = [said(2, "L", 2.0)]
    spread = library(Drug.model_validate(loose), LIBRARY.drugs["child"])
    over = {"drug": "parent", "amount": "5 nmol", "route": "iv bolus"}
    reading = measured("dose ratio", target="KOR", over=over, over_target="MOR")
    (found,) = predict(benchmark(reading), spread, draws=16)
    np.testing.assert_allclose(found, 7, rtol=1e-6)


def test_hits_are_counted_by_tolerance_and_apart_from_what_is_not_counted():
    near, far = (
        measured("concentration", value, "nM", drug="parent", time="0 h", sampling="arterial")
        for value in (11, 13)
    )
    idle = {"counted": False, "reason": "made up"}
    score = benchmarks([benchmark(near), benchmark(far), benchmark(near, **idle)], draws=4, library=LIBRARY)
    assert [one.verdict for one in score.compared] == ["hit", "miss", "hit"]
    assert (score.count("hit"), score.count("miss"), score.count("hit", counted=False)) == (1, 1, 1)
    assert score.compared[1].off == pytest.approx(1.3)


def test_what_cannot_be_expressed_is_a_miss_that_says_why():
    over = {"drug": "slow", "amount": "5 nmol", "route": "iv bolus"}
    reading = measured("dose ratio", target="MOR", over=over, over_target="MOR")
    (one,) = benchmarks([benchmark(reading)], draws=4, library=LIBRARY).compared
    assert (one.verdict, one.readings) == ("miss", ())
    assert one.refusal is not None and "at equilibrium" in one.refusal


def test_a_level_never_fallen_to_half_is_a_miss():
    stays = drug(
        "stays",
        disposition={"rat": {**BODY, "cl": said(1e-6, "L/h")}},
        affinities=(binds("MOR", "competitive antagonist", 10),),
    )
    reading = measured("half-time", 90, "h", target="MOR")
    (one,) = benchmarks([benchmark(reading, name="stays")], draws=4, library=library(stays)).compared
    assert one.verdict == "miss" and one.readings[0].median == np.inf
