"""What the chart draws is what `gaddum occupancy` prints, and a dragged dose is the dose that is written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum import parse_doses
from gaddum.surface.occupancy.command import run
from gaddum.surface.occupancy.evidence import NOT_KNOWN, said
from gaddum.surface.occupancy.request import OccupancyRequest
from gaddum.surface.web.live import bands, handles, sentence, shorthand

PAIR = "naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min"
KEYS = ("time_h", "median", "lower", "upper")


@pytest.mark.parametrize(
    "asked",
    [
        OccupancyRequest((PAIR,), draws=64),
        OccupancyRequest((PAIR, "naltrexone 5 mg po"), draws=64, targets="MOR", at=("1 h, 1 d",)),
        OccupancyRequest(("ketamine:klein2020/behaviour/KA",), draws=64, seed=3),
        OccupancyRequest(("buprenorphine 8 mg sl",), draws=64, until="3 d"),
        OccupancyRequest(
            ("ketamine 0.5 mg/kg iv", "ketamine 2 mg/kg iv"), species="human,rat", draws=64, targets="NMDAR"
        ),
    ],
    ids=lambda asked: asked.command(),
)
def test_bands_at_rest_are_those_of_the_command(asked: OccupancyRequest):
    drawn, printed = bands(asked)["parts"], run(asked)["protocols"]
    assert len(drawn) == len(printed)
    for mine, theirs in zip(drawn, printed, strict=True):
        assert (mine["label"], mine["species"]) == (theirs["label"], theirs["species"])
        for kind in ("curves", "table"):
            assert mine[kind].keys() == theirs[kind].keys()
            for name, one in theirs[kind].items():
                for key in KEYS:
                    np.testing.assert_allclose(mine[kind][name][key], one[key], rtol=0, atol=1e-9)


def test_bands_after_many_moves_are_those_of_the_command():
    for amount in (10, 20, 30):
        bands(OccupancyRequest((PAIR.replace("50 mg", f"{amount} mg"),), draws=64), dragging=True)
    bands(OccupancyRequest((PAIR.replace("-45 min", "-2 h"),), draws=64), dragging=True)
    asked = OccupancyRequest((PAIR,), draws=64)
    (mine,), (theirs,) = bands(asked)["parts"], run(asked)["protocols"]
    for name, one in theirs["curves"].items():
        np.testing.assert_allclose(mine["curves"][name]["lower"], one["lower"], rtol=0, atol=1e-9)


def test_a_drag_reads_fewer_times_and_the_same_table():
    asked = OccupancyRequest((PAIR,), draws=64)
    (rest,), (drag,) = bands(asked)["parts"], bands(asked, dragging=True)["parts"]
    assert drag["table"] == rest["table"]
    assert len(drag["curves"]["MOR"]["time_h"]) < 0.6 * len(rest["curves"]["MOR"]["time_h"])


def test_what_the_table_does_not_know_is_no_number_in_the_sentence_or_under_the_mouse():
    asked = OccupancyRequest(("naltrexone 5 mg po",), targets="MOR", draws=200)
    (part,) = run(asked)["protocols"]
    cells = [said(part["table"]["MOR"], at) for at in range(len(part["table"]["MOR"]["time_h"]))]
    found = bands(asked, dragging=True)
    assert NOT_KNOWN in cells and [row[1] for row in found["table"]["rows"]] == cells
    wide = {"time_h": [-0.00092, 1.0], "median": [0.9, 0.8], "lower": [0.1, 0.1], "upper": [1.0, 1.0]}
    for one in (wide, wide | {"reading_lower": [0.0, 0.0]}):
        assert sentence({"curves": {"KOR": one}}).endswith("KOR not known at 0 h.")


def test_a_drag_moves_the_dose_in_every_species():
    first, second = (
        bands(
            OccupancyRequest((f"ketamine {amount} mg/kg iv",), species="human,rat", draws=64), dragging=True
        )
        for amount in (1, 2)
    )
    for before, after in zip(first["parts"], second["parts"], strict=True):
        assert max(after["curves"]["NMDAR"]["median"]) > max(before["curves"]["NMDAR"]["median"])
        assert len(before["curves"]["NMDAR"]["time_h"]) == len(first["parts"][0]["curves"]["NMDAR"]["time_h"])


@settings(deadline=None, max_examples=50)
@given(
    amount=st.floats(0.001, 1000).map(lambda x: float(f"{x:.4g}")),
    minutes=st.integers(-6000, 6000),
    form=st.sampled_from(
        ["{} mg po", "{} mg/kg iv over 40 min", "{} mg sc every 12 h x 3", "{} ug/kg im", "{} mg po as salt"]
    ),
)
def test_a_handle_writes_the_dose_that_it_stands_for(amount: float, minutes: int, form: str):
    base = form.format(f"{amount:g}").removesuffix(" as salt")
    text = f"naltrexone {base} {'from' if 'x 3' in base else 'at'} {minutes} min"
    text += " as salt" if "salt" in form else ""
    (one,) = handles(text)
    assert parse_doses(shorthand(one)) == parse_doses(text)
    moved = one._replace(amount=2 * amount, time=minutes + 15.0)
    (dose,) = parse_doses(shorthand(moved))
    assert dose.time_h == pytest.approx((minutes + 15) / 60)
    assert float(dose.amount.split()[0]) == pytest.approx(2 * amount, rel=1e-5)


@pytest.mark.parametrize("text", ["ketamine:klein2020/behaviour/KA", "nothing", "naltrexone 1x10-3 g po"])
def test_what_cannot_be_written_back_has_no_handle(text: str):
    assert handles(text) == ()
