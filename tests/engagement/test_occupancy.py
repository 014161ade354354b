"""Occupancy: what a protocol does at the receptors, against closed forms, a stiff solver and its own limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from gaddum.engagement.engagement_courses import engage
from gaddum.engagement.layout import lay_out
from gaddum.engagement.occupancy import band, occupancy
from gaddum.engagement.selectivity import selectivity
from gaddum.records.dose import Dose
from gaddum.records.finding import RecordError
from gaddum.records.protocol import Manipulation
from reference.made_up import binds, drug, library, said

ONE = {
    "sampling": "arterial",
    "reference_weight": said(0.3, "kg"),
    "v_c": said(1, "L"),
    "cl": said(0.5, "L/h"),
}
LOOSE = {**ONE, "v_c": said(1, "L", 1.5), "cl": said(0.5, "L/h", 1.5)}
LIBRARY = library(
    drug(
        "agonist",
        disposition={"rat": ONE},
        affinities=(binds("MOR", "agonist", 10, efficacy=said(0.5, "1")), binds("KOR", "agonist", 80)),
    ),
    drug("antagonist", disposition={"rat": ONE}, affinities=(binds("MOR", "competitive antagonist", 3),)),
    drug(
        "slow",
        disposition={"rat": ONE},
        affinities=(binds("MOR", "competitive antagonist", 3, k_off=said(0.2, "1/h")),),
    ),
    drug("loose", disposition={"rat": LOOSE}, affinities=(binds("MOR", "competitive antagonist", 3, 2.0),)),
    drug("blocker", disposition={"rat": ONE}, affinities=(binds("NMDAR", "channel blocker", 100),)),
    drug("site", affinities=(binds("NMDAR", "glutamate-site antagonist", 40),)),
)


TIGHT = 1e-7
"""Relative error that is left of a spread of nothing (1e-9 of the logarithm)."""


def bath(name: str, nanomolar: float) -> Dose:
    return Dose(drug=name, amount=f"{nanomolar} nM", route="bath", time="-1 h")


def shot(name: str, nmol: float, time: str = "0 h", **more) -> Dose:
    return Dose(drug=name, amount=f"{nmol} nmol", route="iv bolus", time=time, **more)


def follow(*doses: Dose, **options):
    options = {"species": "rat", "draws": 4, "library": LIBRARY, "times": [0.0]} | options
    return occupancy(doses, **options)


def test_one_ligand_holds_what_gaddum_says():
    course = follow(bath("agonist", 30)).targets["MOR"]
    np.testing.assert_allclose(course.occupied, 30 / (30 + 10), rtol=TIGHT)
    np.testing.assert_allclose(course.activated, 0.5 * 30 / (30 + 10), rtol=TIGHT)
    assert not course.blocked.any()


def test_two_ligands_share_what_gaddum_says():
    course = follow(bath("agonist", 30), bath("antagonist", 6)).targets["MOR"]
    np.testing.assert_allclose(course.by_ligand["agonist"], 3 / (1 + 3 + 2), rtol=TIGHT)
    np.testing.assert_allclose(course.blocked, 2 / (1 + 3 + 2), rtol=TIGHT)
    np.testing.assert_allclose(course.occupied, 5 / (1 + 3 + 2), rtol=TIGHT)


def test_two_sites_of_one_receptor_are_independent():
    course = follow(bath("blocker", 100), bath("site", 40)).targets["NMDAR"]
    np.testing.assert_allclose(course.blocked, 1 - 0.5 * 0.5, rtol=TIGHT)


def test_vanishing_antagonist_leaves_the_agonist_alone():
    alone = follow(bath("agonist", 30)).targets["MOR"]
    beside = follow(bath("agonist", 30), bath("antagonist", 1e-9)).targets["MOR"]
    np.testing.assert_allclose(beside.activated, alone.activated, rtol=1e-8)


@pytest.mark.parametrize(("counted", "share"), [("salt", 0.8), ("unstated", 1.0), ("base", 1.0)])
def test_a_mass_of_salt_holds_the_base_in_it(counted, share):
    salty = drug(
        "salty",
        salt_factor=said(0.8, "1"),
        disposition={"rat": ONE},
        affinities=(binds("MOR", "competitive antagonist", 3),),
    )
    dose = Dose(drug="salty", amount="0.5 mg", route="iv bolus", salt=counted)
    found = occupancy([dose], species="rat", times=[0.0], draws=4, library=library(salty))
    np.testing.assert_allclose(found.concentrations["salty"], share * 0.5e6 / 250, rtol=TIGHT)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("morphine 10 mg sc", "counted as base; 'as salt' would make them 0.853 of it"),
        ("morphine sulfate 10 mg sc", None),
        ("morphine 10 mg sc as salt", None),
        ("morphine 10 mg sc as base", None),
        (
            "nalmefene 1 mg iv as salt",
            "counted as base, since the library does not know what the salt weighs",
        ),
    ],
)
def test_what_is_taken_of_a_salt_is_listed(text, said):
    found = occupancy(text, times=[1.0], draws=4, targets=["MOR"])
    assert [one.what for one in found.assumptions if one.where.startswith("doses of")] == (
        [said] if said else []
    )


@pytest.mark.parametrize("mass", ["10 mg", "0.1 mg/kg"])
def test_the_name_of_a_salt_states_the_salt(mass):
    named, said, bare = (
        occupancy(f"{drug} {mass} sc{salt}", times=[1.0], draws=4).concentrations["morphine"]
        for drug, salt in (("Morphine sulphate", ""), ("morphine", " as salt"), ("morphine", ""))
    )
    np.testing.assert_array_equal(named, said)
    np.testing.assert_allclose(named / bare, 0.853, rtol=1e-9)


def test_a_shift_by_species_holds_in_its_species_only():
    shifts = {"human": said(1, "1"), "rat": said(4, "1")}
    shifted = drug("shifted", affinities=(binds("MOR", "agonist", 10, in_vivo_shift=shifts),))
    for species, k in (("human", 10), ("rat", 40), ("mouse", 10)):
        found = occupancy(
            [bath("shifted", 40)], species=species, times=[0.0], draws=4, library=library(shifted)
        )
        np.testing.assert_allclose(found.targets["MOR"].occupied, 40 / (40 + k), rtol=TIGHT)


@given(st.floats(1.1, 3), st.floats(0.01, 1), st.floats(0.01, 10))
@settings(max_examples=10, deadline=None)
def test_an_ec50_in_plasma_holds_whatever_is_unbound_there_and_in_the_brain(gsd, f_u, kp_uu):
    """Half of the receptors at 20 nM of total plasma, and a share c / (c + 20) elsewhere, in every draw."""
    free = {"f_u": {"rat": said(f_u, "1", gsd)}, "kp_uu": {"rat": said(kp_uu, "1", gsd)}}
    direct = binds("MOR", "competitive antagonist", 3, ec50_plasma={"rat": said(20, "nM")})
    named = drug("direct", disposition={"rat": ONE}, affinities=(direct,), **free)
    found = follow(shot("direct", 60), times=[0.0, 1.0, 3.0], draws=50, library=library(named)).targets["MOR"]
    plasma = 60 * np.exp(-0.5 * np.array([0.0, 1.0, 3.0]))[:, None]
    np.testing.assert_allclose(found.blocked, np.broadcast_to(plasma / (plasma + 20), (3, 50)), rtol=1e-6)


def test_an_ec50_in_plasma_may_be_a_mass_and_have_an_error():
    direct = binds("MOR", "competitive antagonist", 3, ec50_plasma={"rat": said(5, "ng/mL", 1.5)})
    exact = binds("MOR", "competitive antagonist", 20, 1.5)
    drugs = (drug("one", disposition={"rat": ONE}, affinities=(one,)) for one in (direct, exact))
    spread = [
        np.log(1 / follow(shot("one", 20), draws=500, library=library(one)).targets["MOR"].blocked[0] - 1)
        for one in drugs
    ]
    for found in spread:  # 5 ng/mL of 250 g/mol are 20 nM
        assert abs(np.median(found)) < 0.05 and abs(found.std() - np.log(1.5)) < 0.05


def test_a_constant_of_the_living_brain_stands_for_k_i_and_shift_in_its_species_and_not_in_a_slice():
    shifts = {"human": said(5, "1"), "rat": said(5, "1")}
    direct = binds("MOR", "agonist", 10, in_vivo_shift=shifts, k_in_vivo={"rat": said(40, "nM")})
    named = library(drug("direct", affinities=(direct,)))
    for where, k in (({"species": "rat"}, 40), ({"species": "human"}, 50), ({"preparation": "slice"}, 10)):
        course = follow(bath("direct", 40), library=named, **where).targets["MOR"]
        np.testing.assert_allclose(course.occupied, 40 / (40 + k), rtol=TIGHT)


def test_a_concentration_held_at_the_receptor_is_not_compared_with_plasma():
    direct = binds("MOR", "agonist", 10, ec50_plasma={"rat": said(4000, "nM")})
    course = follow(bath("direct", 10), library=library(drug("direct", affinities=(direct,)))).targets["MOR"]
    np.testing.assert_allclose(course.occupied, 0.5, rtol=TIGHT)


def test_a_slow_ligand_settles_at_its_constant_of_plasma():
    slow = {"ec50_plasma": {"rat": said(20, "nM")}, "k_off": said(2, "1/h")}
    free = {"f_u": {"rat": said(0.1, "1", 2)}, "kp_uu": {"rat": said(0.5, "1", 2)}}
    direct = drug(
        "direct", disposition={"rat": ONE}, affinities=(binds("MOR", "agonist", 3, **slow),), **free
    )
    doses = [shot("direct", 10, "-40 h", interval="1 h", repeats=40)]
    found = follow(*doses, times=[0.0], draws=20, library=library(direct)).targets["MOR"].occupied
    assert np.ptp(found) < 1e-4 and 0.4 < found[0, 0] < 0.6


def test_a_drug_known_in_another_living_species_alone_is_refused_with_what_to_add():
    only = {"target": "MOR", "mode": "agonist", "ec50_plasma": {"human": said(20, "nM")}}
    named = library(drug("only", disposition={"rat": ONE}, affinities=(only,)))
    with pytest.raises(
        ValueError, match="only must have its `k_i` at MOR, or a constant in vivo of rat; got those of human"
    ):
        follow(shot("only", 10), library=named)


IRREVERSIBLE = {"mode": "irreversible antagonist", "k_i": None, "k_on": said(1, "1/(nM h)")}


@pytest.mark.parametrize(
    ("fields", "said_"),
    [
        ({"k_i": None}, "must have its `k_i`"),
        ({"k_in_vivo": {"rat": said(1, "nM")}, "ec50_plasma": {"rat": said(1, "nM")}}, "got both in rat"),
        (IRREVERSIBLE | {"k_in_vivo": {"rat": said(1, "nM")}}, "k_on"),
    ],
)
def test_constants_that_do_not_go_together_are_refused(fields, said_):
    with pytest.raises(ValueError, match=said_):
        drug("any", affinities=(binds("MOR", "agonist", 10) | fields,))


def test_endogenous_agonist_competes_with_what_is_given():
    course = follow(bath("agonist", 30), bath("antagonist", 6), tone={"MOR": 2.0}).targets["MOR"]
    np.testing.assert_allclose(course.by_ligand["agonist"], 3 / (1 + 2 + 3 + 2), rtol=TIGHT)
    np.testing.assert_allclose(course.tone, 1 - 2 / (1 + 2 + 3 + 2), rtol=TIGHT)


def test_tone_of_nothing_is_as_good_as_none():
    told = follow(bath("antagonist", 6), tone={"MOR": 0.0}).targets["MOR"]
    np.testing.assert_allclose(told.blocked, follow(bath("antagonist", 6)).targets["MOR"].blocked, rtol=1e-8)


def test_a_slow_antagonist_settles_where_a_fast_one_does_beside_tone():
    held = follow(bath("slow", 6), tone={"MOR": 2.0}, times=[200.0]).targets["MOR"].blocked
    np.testing.assert_allclose(held, 2 / (1 + 2 + 2), rtol=1e-6)


def test_what_manipulations_leave_scales_agonism_and_signalling():
    half = Manipulation(kind="knock-out", target="MOR", availability=said(0.5, "1"), tone=said(25, "%"))
    course = follow(bath("agonist", 30), bath("antagonist", 6), tone={"MOR": 2.0}, manipulations=(half,))
    (mor,) = (course.targets["MOR"],)
    np.testing.assert_allclose(mor.activated, 0.5 * 0.5 * 3 / (1 + 0.5 + 3 + 2), rtol=TIGHT)
    np.testing.assert_allclose(mor.tone, 0.5 * 0.25 * (1 - 2 / (1 + 0.5 + 3 + 2)), rtol=TIGHT)


def test_two_manipulations_of_one_target_multiply():
    gone = [
        Manipulation(kind=kind, target="MOR", availability=said(x, "1"))
        for kind, x in (("knock-out", 0.5), ("lesion", 0.4), ("lesion", 0.5))
    ]
    mor = follow(bath("agonist", 30), manipulations=tuple(gone)).targets["MOR"]
    np.testing.assert_allclose(mor.activated, 0.5 * 0.4 * 0.5 * 0.5 * 3 / (1 + 3), rtol=TIGHT)


def test_held_over_free_is_the_concentration_over_k_whatever_else_is_bound():
    mor = follow(bath("agonist", 30), bath("antagonist", 6), tone={"MOR": 2.0}).targets["MOR"]
    np.testing.assert_allclose(mor.by_ligand["agonist"] / mor.free, 3.0, rtol=TIGHT)


def test_selectivity_does_not_depend_on_tone():
    found = [follow(bath("agonist", 30), tone=tone) for tone in ({}, {"MOR": 1.0})]
    for one in found:
        np.testing.assert_allclose(selectivity(one, "MOR", "KOR"), 8.0, rtol=TIGHT)


@pytest.mark.parametrize(
    ("value", "spread"),
    [(-0.1, None), (0.0, {"kind": "GSD", "value": 2}), (0.0, {"kind": "SD", "value": 0.0})],
)
def test_a_fraction_that_cannot_be_left_is_refused(value, spread):
    quantity = {**said(value, "1"), "spread": spread}
    gone = Manipulation(kind="lesion", target="MOR", availability=quantity)
    with pytest.raises(ValueError, match="fraction"):
        follow(bath("agonist", 30), manipulations=(gone,))


@pytest.mark.parametrize("tone", [{"MOR": -1.0}, {"MOR": np.inf}, {"mu": 0.3}])
def test_a_tone_that_cannot_be_is_refused(tone):
    with pytest.raises(ValueError, match="[Tt]one"):
        follow(bath("agonist", 30), tone=tone)


def test_targets_are_those_that_the_drugs_bind():
    assert list(follow(bath("agonist", 1)).targets) == ["MOR", "KOR"]
    assert list(follow(bath("agonist", 1), targets=["KOR"]).targets) == ["KOR"]


def test_bolus_decays_in_plasma_and_saturates_the_receptor():
    found = follow(shot("antagonist", 900), times=["0 h", "4 h"])
    level = found.concentrations["antagonist"]
    np.testing.assert_allclose(level[:, 0], [900, 900 * np.exp(-2)], rtol=TIGHT)
    np.testing.assert_allclose(found.targets["MOR"].occupied, level / (level + 3), rtol=TIGHT)


@settings(max_examples=20, deadline=None)
@given(st.floats(1e-3, 1e7), st.floats(1e-3, 1e7), st.floats(0.001, 200))
def test_fractions_lie_between_0_and_1_and_rise_with_the_dose(small, more, time):
    doses = [shot("loose", nmol, "-1 min") for nmol in (small, small + more)]
    low, high = (follow(dose, times=[time], draws=64).targets["MOR"] for dose in doses)
    for course in (low, high):
        for part in (course.occupied, course.blocked, course.activated):
            assert part.min() >= 0 and part.max() <= 1
    assert (high.occupied >= low.occupied - 1e-12).all()


def test_a_seed_gives_the_same_draws_and_another_gives_others():
    dose = shot("loose", 10)
    first, again, other = (follow(dose, draws=64, seed=seed).targets["MOR"].occupied for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_numbers_do_not_depend_on_which_targets_are_asked_for():
    both = follow(shot("loose", 10), shot("agonist", 5), targets=["KOR", "MOR"])
    one = follow(shot("loose", 10), shot("agonist", 5), targets=["MOR"])
    np.testing.assert_array_equal(both.targets["MOR"].occupied, one.targets["MOR"].occupied)
    np.testing.assert_array_equal(both.concentrations["loose"], one.concentrations["loose"])


def test_the_band_is_that_of_the_distribution_it_draws_from():
    draws = follow(shot("loose", 10), draws=4096).targets["MOR"].occupied
    found = band(draws)
    spread = np.hypot(np.log(1.5), np.log(2.0))
    exact = 1 / (1 + 3 / 10 * np.exp(spread * np.array([1.959964, 0.0, -1.959964])))
    # Quantiles of independent draws have these standard errors; even draws smaller ones.
    tolerance = 4 * np.array([0.02, 0.006, 0.005])
    assert (np.abs(np.ravel([found.lower, found.median, found.upper]) - exact) < tolerance).all()


@pytest.mark.slow
@pytest.mark.parametrize("series", [{}, {"repeats": 3, "interval": "6 h"}])
def test_slow_antagonist_agrees_with_a_stiff_solver(series):
    doses = (shot("slow", 40, "-1 h", **series), shot("agonist", 60, "2 h"))
    times = np.array([-1.0, -0.5, 0.3, 2.0, 2.1, 4.9, 5.0, 5.5, 9.0, 20.0, 40.0])
    course = follow(*doses, times=times).targets["MOR"]
    k_off, k_on = 0.2, 0.2 / 3
    starts = [-1.0 + 6 * place for place in range(series.get("repeats", 1))]

    def antagonist(t):
        return sum(40 * np.exp(-0.5 * (t - s)) for s in starts if t >= s)

    def agonist(t):
        return 60 * np.exp(-0.5 * (t - 2.0)) if t >= 2.0 else 0.0

    def slope(t, rho):
        return k_on * antagonist(t) / (1 + agonist(t) / 10) * (1 - rho) - k_off * rho

    rho, now, expected = 0.0, -1.0, {-1.0: 0.0}
    for stop in np.unique([*starts[1:], *times[1:], 2.0]):
        # Just past a dose, so that each stretch is smooth.
        one = solve_ivp(slope, (now + 1e-12, stop - 1e-12), [rho], method="Radau", rtol=1e-11, atol=1e-13)
        rho, now = one.y[0, -1], stop
        expected[float(stop)] = rho
    held = np.array([expected[float(t)] for t in times])
    np.testing.assert_allclose(course.blocked[:, 0], held, atol=1e-6)
    free = np.array([agonist(t) / 10 for t in times])
    np.testing.assert_allclose(course.by_ligand["agonist"][:, 0], (1 - held) * free / (1 + free), atol=1e-6)


@pytest.mark.parametrize(
    "series",
    [
        [shot("loose", 10)],
        pytest.param([shot("slow", 40, "-1 h"), shot("loose", 60)], marks=pytest.mark.slow),
    ],
)
def test_a_draw_does_not_depend_on_how_many_there_are(series):
    # XLA has miscompiled for large batches only.
    layout = lay_out(series, species="rat", draws=3000, library=LIBRARY)
    times = np.linspace(-1, 12, 40)
    many = engage(layout, times).bound["MOR"].occupied
    few = engage(layout._replace(theta=layout.theta[:, 1000:1050]), times).bound["MOR"].occupied
    np.testing.assert_allclose(many[:, 1000:1050], few, rtol=1e-10)


def test_slow_antagonist_outlasts_its_plasma_level():
    late = {"times": [24.0]}
    slow, fast = (
        follow(shot(name, 40), **late).targets["MOR"].blocked.min() for name in ("slow", "antagonist")
    )
    assert slow > 100 * fast


@pytest.mark.slow
def test_slow_antagonist_at_steady_state_repeats_after_an_interval():
    dose = shot("slow", 40, interval="8 h", steady_state=True)
    again = shot("slow", 40, "0 h", interval="8 h", repeats=40)
    steady = follow(dose, times=[0.0, 3.0, 8.0, 12.0]).targets["MOR"].blocked
    given = follow(again, times=[312.0, 315.0, 320.0, 324.0]).targets["MOR"].blocked
    np.testing.assert_allclose(steady, given, atol=1e-6)
    np.testing.assert_allclose(steady[0], steady[2], atol=1e-9)


def test_a_dose_in_the_first_interval_of_a_steady_state_is_refused_where_it_would_be_repeated():
    steady = shot("slow", 40, "0 h", interval="8 h", steady_state=True)
    with pytest.raises(ValueError, match="first interval"):
        follow(steady, shot("agonist", 60, "3 h"), times=[4.0])


def test_a_slow_drug_beside_the_steady_state_of_another_starts_from_nothing():
    other = shot("blocker", 5, "-4 h", interval="8 h", steady_state=True)
    late = shot("slow", 40, "1 h")
    alone = follow(late, times=[0.5, 3.0]).targets["MOR"].blocked
    beside = follow(other, late, times=[0.5, 3.0]).targets["MOR"].blocked
    np.testing.assert_allclose(beside, alone, rtol=1e-6)


def test_two_slow_ligands_at_one_target_are_refused():
    twin = drug(
        "slower",
        affinities=(binds("MOR", "competitive antagonist", 1, k_off=said(0.1, "1/h")),),
    )
    with pytest.raises(ValueError, match="One slowly dissociating ligand"):
        occupancy(
            [bath("slow", 1), bath("slower", 1)],
            species="rat",
            times=[1.0],
            library=library(*LIBRARY.drugs.values(), twin),
        )


def test_shift_between_glass_and_brain_does_not_hold_in_slices():
    shifted = drug("shifted", affinities=(binds("MOR", "agonist", 10, in_vivo_shift=said(4, "1")),))
    held = [
        occupancy(
            [bath("shifted", 40)], species="rat", times=[0.0], library=library(shifted), preparation=where
        )
        .targets["MOR"]
        .occupied.max()
        for where in ("behaving", "slice")
    ]
    np.testing.assert_allclose(held, [0.5, 0.8], rtol=TIGHT)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"protocol": "naltrexon 50 mg po"}, "naltrexone"),
        ({"protocol": []}, "at least one dose"),
        ({"protocol": "naltrexone 50 mg po", "targets": ["MORE"]}, "MOR"),
        ({"protocol": "naltrexone 50 mg po", "weight": "0 kg"}, "between 1 g and 1000 kg"),
        ({"protocol": "naltrexone 50 mg po", "draws": 1}, "at least 2 draws"),
        ({"protocol": "naltrexone 50 mg po", "times": []}, "at least one"),
        ({"protocol": "naltrexone 50 mg po", "times": ["4 mg"]}, "time"),
        ({"protocol": "naltrexone 50 mg inhaled"}, "concentration"),
    ],
)
def test_unusable_arguments_are_refused_with_a_sentence(arguments, sentence):
    with pytest.raises((ValueError, RecordError), match=sentence):
        occupancy(**arguments)


def test_synonyms_and_shorthand_lead_to_the_library():
    found = occupancy("Naltrexone 50 mg po at -45 min", targets=["MOR"], times=["4 h"], draws=8)
    assert found.protocol == "naltrexone 50 mg po at -45 min"
    assert {"naltrexone", "6-beta-naltrexol"} == set(found.concentrations)


def test_one_time_may_be_given_as_text():
    asked = {"targets": ["MOR"], "draws": 16}
    one, listed = (occupancy("naltrexone 50 mg po", times=t, **asked) for t in ("2 h", ["2 h"]))
    assert one.times.tolist() == listed.times.tolist() == [2.0]


@pytest.mark.parametrize("weight", ["1e-300 kg", "0 kg", "1e9 kg", "-70 kg"])
def test_a_body_weight_that_nobody_has_is_refused(weight):
    with pytest.raises(ValueError, match="between 1 g and 1000 kg"):
        occupancy("naltrexone 50 mg po", weight=weight, times="2 h", draws=16)
