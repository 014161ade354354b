"""Live occupancy: whatever was changed before, it is what `occupancy` says of the protocol as it stands."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gaddum
from gaddum.exposure import unit_curves

TIMES = np.linspace(0.0, 24.0, 9)
PROTOCOLS = [
    "naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min",
    "naltrexone 5 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min",
    "naltrexone 50 mg po at -2 h + ketamine 0.5 mg/kg iv over 40 min",
    "naltrexone 50 mg po at -2 h + ketamine 0.5 mg/kg iv over 60 min",
    "morphine 10 mg iv + morphine 5 mg iv at 4 h",
    "buprenorphine 8 mg sl at -1 h + morphine 10 mg iv",
    "buprenorphine 2 mg sl at -3 h + morphine 10 mg iv",
    "naltrexone 50 mg po every 24 h x 3",
]


def agree(now: Any, **settings_: Any) -> None:
    alone = gaddum.occupancy(now.protocol, times=TIMES, draws=40, **settings_)
    assert now.targets.keys() == alone.targets.keys()
    for name, course in alone.targets.items():
        np.testing.assert_allclose(now.targets[name].occupied, course.occupied, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(now.targets[name].tone, course.tone, rtol=1e-9, atol=1e-11)
    for name, level in alone.concentrations.items():
        np.testing.assert_allclose(now.concentrations[name], level, rtol=1e-9, atol=1e-9)


@given(st.lists(st.sampled_from(PROTOCOLS), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None)
def test_any_sequence_of_changes_gives_what_a_new_calculation_gives(protocols):
    live = gaddum.live(PROTOCOLS[0], times=TIMES, draws=40)
    for protocol in protocols:
        agree(live.change(protocol))


def test_species_weight_and_draws_are_not_mixed_up():
    dose = "naltrexone 1 mg/kg sc at -1 h"
    live = gaddum.live(dose, times=TIMES, draws=40, species="rat")
    agree(live.occupancy, species="rat")
    agree(live.change(species="mouse"), species="mouse")
    agree(live.change(weight="40 g"), species="mouse", weight="40 g")
    agree(live.change(seed=1), species="mouse", weight="40 g", seed=1)


def test_a_bath_follows_the_number_of_draws():
    slices = {"preparation": "slice", "species": "rat", "times": ["1 h"]}
    live = gaddum.live("ketamine 10 uM bath for 2 h", draws=40, **slices)
    assert live.change(draws=60).concentrations["S-ketamine"].shape == (1, 60)


def test_a_change_that_fails_leaves_all_as_it_was():
    live = gaddum.live(PROTOCOLS[0], times=TIMES, draws=40)
    with pytest.raises(ValueError, match="naltrexine"):
        live.change("naltrexine 50 mg po")
    assert live.protocol == PROTOCOLS[0]
    agree(live.change())


def test_what_is_kept_is_bounded_and_what_was_dropped_is_computed_again(monkeypatch):
    monkeypatch.setattr(unit_curves, "MOST", 0)
    live = gaddum.live(PROTOCOLS[0], times=TIMES, draws=40)
    agree(live.change(PROTOCOLS[1]))


def test_a_change_of_dose_computes_no_curve_anew(monkeypatch):
    live = gaddum.live(PROTOCOLS[0], times=TIMES, draws=40)
    monkeypatch.setattr(unit_curves, "levels", None)
    agree(live.change(PROTOCOLS[1]))
