"""The inverse questions, and what is derived from curves: doses, windows, selectivity, durations, equivalents."""

import numpy as np
import pytest

from gaddum.engagement.duration import time_above
from gaddum.engagement.effective_dose import LOWER, dose_for, window_for
from gaddum.engagement.engagement_courses import engage
from gaddum.engagement.equivalence import human_equivalent_dose, scale_by_weight
from gaddum.engagement.layout import lay_out
from gaddum.engagement.occupancy import band, follow, occupancy
from gaddum.engagement.selectivity import selectivity
from gaddum.records.dose import Dose
from reference.made_up import binds, drug, library, said


def body(v_c: float, cl: float, gsd: float = 1.0) -> dict:
    return {
        "sampling": "arterial",
        "reference_weight": said(1, "kg"),
        "v_c": said(v_c, "L", gsd),
        "cl": said(cl, "L/h", gsd),
        "absorption": {"sc": {"k_a": said(3.0, "1/h")}},
    }


EQUAL = {"rat": said(1, "1"), "human": said(1, "1")}
LIBRARY = library(
    drug(
        "fast",
        f_u=EQUAL,
        kp_uu=EQUAL,
        disposition={"rat": body(1, 0.5), "human": body(4, 0.5)},
        affinities=(binds("MOR", "competitive antagonist", 3), binds("KOR", "competitive antagonist", 60)),
    ),
    drug("loose", disposition={"rat": body(1, 0.5, 1.4)}, affinities=(binds("MOR", "agonist", 3, 1.6),)),
    drug(
        "slow",
        disposition={"rat": body(1, 0.5)},
        affinities=(binds("MOR", "competitive antagonist", 3, k_off=said(0.2, "1/h")),),
    ),
)


def laid(name: str, nmol: float = 20, route: str = "iv bolus", draws: int = 8, time: str = "0 h"):
    dose = Dose(drug=name, amount=f"{nmol} nmol", route=route, time=time)
    return lay_out([dose], species="rat", draws=draws, library=LIBRARY)


def test_dose_for_a_level_is_the_one_that_can_be_written_down():
    found = dose_for(laid("fast"), "MOR", 0.9, 2.0, library=LIBRARY)
    # C = 3 * 0.9 / 0.1 nM at 2 h, exp(-1) of what it was.
    assert found.multiple == pytest.approx(27 * np.exp(1) / 20, rel=1e-4)
    assert found.doses[0].amount == f"{20 * found.multiple:.4g} nmol"
    assert found.held == pytest.approx(0.9, abs=1e-5)


def test_certainty_asks_for_more_and_is_what_the_band_says():
    layout = laid("loose", draws=512)
    median, sure = (dose_for(layout, "MOR", 0.8, 1.0, certainty=c, library=LIBRARY) for c in (0.5, LOWER))
    assert sure.multiple > 2 * median.multiple
    again = lay_out(sure.doses, species="rat", draws=512, library=LIBRARY)
    assert band(follow(again, np.array([1.0])).targets["MOR"].occupied).lower[0] == pytest.approx(
        0.8, abs=1e-3
    )


@pytest.mark.slow
def test_slow_binding_is_followed_anew_for_every_dose():
    layout = laid("slow")
    found = dose_for(layout, "MOR", 0.5, 6.0, library=LIBRARY)
    held = engage(layout, np.array([6.0]), scale={"slow": found.multiple}).bound["MOR"].occupied
    assert held.min() == pytest.approx(0.5, abs=1e-4)


def test_unreachable_level_says_the_most_that_is_reached():
    with pytest.raises(ValueError, match=r"the most that a multiple .* reaches is 0\.\d+"):
        dose_for(laid("fast"), "MOR", 0.99, 40.0, library=LIBRARY)


def test_window_ends_are_those_that_can_be_written_down():
    found = window_for(laid("fast", 60), "MOR", 0.8, [0.0, 2.0], library=LIBRARY)
    ((early, late),) = found.spans
    # 60 exp(-0.5 (2 - t)) = 3 * 4 when it was given at t; a bolus works at once.
    assert early == pytest.approx(2 - 2 * np.log(5), abs=1e-3)
    assert late == pytest.approx(-1 / 60, abs=1e-3)


def test_window_after_injection_leaves_time_for_absorption():
    layout = laid("fast", 60, "sc")
    ((_, late),) = window_for(layout, "MOR", 0.8, [0.0], library=LIBRARY).spans
    held = engage(layout, np.array([-late, -late - 0.01])).bound["MOR"].occupied[:, 0]
    assert held[0] == pytest.approx(0.8, abs=1e-4) and held[1] < held[0]
    assert late < -1 / 60


@pytest.mark.slow
def test_window_of_a_slow_antagonist_reaches_further_back():
    (fast, slow) = (
        window_for(laid(name, 60), "MOR", 0.8, [0.0], library=LIBRARY).spans[0][0]
        for name in ("fast", "slow")
    )
    assert slow < fast


def test_no_window_says_the_most_that_is_reached():
    with pytest.raises(ValueError, match=r"the most is 0\.\d+, when it is given at"):
        window_for(laid("fast", 5), "MOR", 0.95, [0.0], library=LIBRARY)


def test_other_doses_stay_where_they_are():
    doses = [
        Dose(drug="fast", amount="60 nmol", route="iv bolus", time="-1 h"),
        Dose(drug="loose", amount="1 umol", route="iv bolus", time="1 h"),
    ]
    layout = lay_out(doses, species="rat", draws=8, targets=["MOR"], library=LIBRARY)
    found = window_for(layout, "MOR", 0.8, [0.0], measure="blocked", library=LIBRARY)
    assert found.drug == "fast"
    assert found.spans[0][0] == pytest.approx(-2 * np.log(5), abs=1e-3)


def test_fold_selectivity_of_one_ligand_is_the_ratio_of_its_constants():
    found = follow(laid("fast"), np.array([0.0, 5.0]))
    np.testing.assert_allclose(selectivity(found, "MOR", "KOR"), 20, rtol=1e-6)
    np.testing.assert_allclose(selectivity(found, "KOR", "MOR", ligand="fast"), 1 / 20, rtol=1e-6)


def test_selectivity_of_nothing_held_is_not_a_number():
    found = follow(laid("fast"), np.array([-1.0]))
    assert np.isnan(selectivity(found, "MOR", "KOR")).all()


def test_time_above_agrees_with_the_closed_form():
    times = np.linspace(0, 24, 4001)
    found = occupancy(laid("fast").doses, species="rat", times=times, draws=4, library=LIBRARY)
    hours = time_above(times, found.targets["MOR"].occupied, 0.5)
    np.testing.assert_allclose(hours, 2 * np.log(20 / 3), atol=1e-4)


def test_time_above_is_all_or_nothing_for_a_flat_course():
    times = np.array([0.0, 1.0, 3.0])
    assert time_above(times, np.full((3, 2), 0.4), 0.4).tolist() == [3.0, 3.0]
    assert time_above(times, np.full((3, 2), 0.4), 0.41).tolist() == [0.0, 0.0]
    assert time_above(times, np.zeros((3, 1)), 0.0).tolist() == [3.0]


def test_doses_scale_by_weight_as_in_the_reference_tables():
    # doi:10.4103/0976-0105.177703, Table 1: mg/kg of a 20 g mouse over 12.3, of a 150 g rat over 6.2, for 60 kg.
    # That table rounds body-surface factors, so that it is met within a few per cent.
    assert 1 / scale_by_weight(1, 0.02, 60) == pytest.approx(12.3, rel=0.15)
    assert 1 / scale_by_weight(1, 0.15, 60) == pytest.approx(6.2, rel=0.2)


def test_human_equivalent_by_engagement_is_what_kinetics_say():
    dose = Dose(drug="fast", amount="20 nmol/kg", route="iv bolus")
    found = human_equivalent_dose(
        [dose], "MOR", species="rat", weight="1 kg", human_weight="1 kg", at=2.0, library=LIBRARY, draws=4
    )
    # Equal weights; the human volume is four times as large, the rate constant a quarter.
    ratio = 4 * np.exp(-0.5 * 2) / np.exp(-0.125 * 2)
    amount = float(found.by_engagement[0].amount.split()[0])
    assert amount == pytest.approx(20 * ratio, rel=1e-3)
    assert found.by_weight[0].amount == "20 nmol/kg"


def test_human_equivalent_of_a_human_dose_is_refused():
    dose = Dose(drug="fast", amount="20 nmol/kg", route="iv bolus")
    with pytest.raises(ValueError, match="animal"):
        human_equivalent_dose([dose], "MOR", species="human", library=LIBRARY)
