"""Receptor: what every mode must do, alone, beside an agonist and over time, whatever the numbers."""

import jax
import jax.numpy as jnp
import numpy as np
import pint
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.engagement.binding import bound_fractions, receptor_of
from gaddum.engagement.engagement_courses import bind, engage
from gaddum.engagement.layout import lay_out
from gaddum.engagement.occupancy import occupancy
from gaddum.engagement.receptor import FEATURES, Receptor, held, spared
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug
from gaddum.records.vocabulary import MODES, Mode, at_rest
from gaddum.records.yaml import parse_document, to_record
from reference.made_up import binds, drug, library, said

K, K_AGONIST, EFFICACY = 20.0, 10.0, 0.5
KINETICS = {
    "sampling": "arterial",
    "reference_weight": said(0.3, "kg"),
    "v_c": said(1, "L"),
    "cl": said(2, "L/h"),
}
EXACT = 1e-7
"""Relative error that is left of a spread of nothing (1e-9 of the logarithm)."""
modes = pytest.mark.parametrize("mode", MODES)
reversible = pytest.mark.parametrize("mode", [name for name, one in MODES.items() if one.reversible])
amount = st.just(0.0) | st.floats(1e-9, 1e6)


def affinity(mode: str, **more):
    """Of the ligand under test."""
    if not MODES[mode].reversible:
        return {"target": "T", "mode": mode, "k_on": said(0.1, "1/(nM h)"), **more}
    return binds("T", mode, K, efficacy=said(EFFICACY, "1"), **more) | more


def drugs(mode: str, **more):
    return library(
        drug("ligand", disposition={"rat": KINETICS}, affinities=(affinity(mode, **more),)),
        drug("agonist", disposition={"rat": KINETICS}, affinities=(binds("T", "agonist", K_AGONIST),)),
    )


def levels(mode: str, ligand: float, agonist: float = 0.0, **more) -> dict[str, float]:
    """Features at concentrations (nM) of ligand and agonist that have stood for long."""
    doses = [
        Dose(drug=name, amount=f"{nanomolar!r} nM", route="bath", time="-500 h")
        for name, nanomolar in (("ligand", ligand), ("agonist", agonist))
        if nanomolar
    ]
    found = occupancy(doses, species="rat", times=[0.0], draws=2, library=drugs(mode, **more), targets=["T"])
    course = found.targets["T"]
    parts = (course.blocked, course.activated, course.tone, course.occupied)
    return dict(zip(("block", "agonism", "tone", "engagement"), (float(x[0, 0]) for x in parts), strict=True))


@modes
def test_no_drug_is_rest(mode):
    for name, level in levels(mode, 1e-12).items():
        assert abs(level - at_rest(name)) < 1e-9


@modes
def test_at_saturation_every_receptor_does_what_the_mode_says(mode):
    acts = MODES[mode]
    found = levels(mode, 1e10)
    left = EFFICACY if acts.activates else 0.0
    assert found["engagement"] == pytest.approx(1.0, abs=1e-6)
    assert found["block"] == pytest.approx(float(acts.blocks), abs=1e-6)
    assert found["agonism"] == pytest.approx(left, abs=1e-6)
    assert found["tone"] == pytest.approx(left if acts.silences else 1.0, abs=1e-6)


@reversible
def test_at_its_constant_a_ligand_holds_half(mode):
    assert levels(mode, K)["engagement"] == pytest.approx(0.5, rel=EXACT)


@modes
def test_more_of_a_ligand_never_undoes_what_it_does(mode):
    acts, found = MODES[mode], [levels(mode, c) for c in (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0)]
    for name, sign in (
        ("engagement", 1),
        ("block", acts.blocks),
        ("agonism", acts.activates),
        ("tone", -acts.silences),
    ):
        steps = np.diff([one[name] for one in found])
        moved = (steps * sign > -1e-9).all() and (steps * sign).sum() > 0.4
        assert moved if sign else np.abs(steps).max() == 0


@modes
def test_beside_an_agonist_only_ligands_of_its_site_take_its_place(mode):
    alone = levels(mode, 0.0, K_AGONIST)["agonism"]
    both = levels(mode, 50.0, K_AGONIST)["agonism"]
    assert alone == pytest.approx(0.5, rel=EXACT)
    if MODES[mode].site != "orthosteric":
        assert both == pytest.approx(alone, rel=EXACT)
    elif not MODES[mode].activates:
        assert both < 0.9 * alone


@modes
def test_a_vanishing_ligand_leaves_the_agonist_alone(mode):
    alone, beside = levels(mode, 0.0, 30.0), levels(mode, 1e-12, 30.0)
    assert beside == pytest.approx(alone, abs=1e-9)


@reversible
def test_gaddum_is_a_shift_of_the_agonist_by_one_plus_b_over_k(mode):
    acts = MODES[mode]
    shift = 1 + 50.0 / K if acts.site == "orthosteric" else 1.0
    both, own = levels(mode, 50.0, 30.0), levels(mode, 50.0, 30.0 * 1e-12)
    given = both["agonism"] - (EFFICACY * (50.0 / K) / (1 + 50.0 / K + 3.0) if acts.activates else 0.0)
    assert given == pytest.approx(30.0 / (K_AGONIST * shift + 30.0), rel=1e-6)
    assert own["engagement"] == pytest.approx(50.0 / (K + 50.0), rel=1e-6)


@reversible
def test_a_fast_offset_is_equilibrium(mode):
    slow = levels(mode, 35.0, 12.0, k_off=said(1e4, "1/h"))
    assert slow == pytest.approx(levels(mode, 35.0, 12.0), abs=1e-6)


def pulse(mode: str, times: list[float], **more) -> np.ndarray:
    """Fraction held after a dose that is soon cleared."""
    dose = Dose(drug="ligand", amount="40 nmol", route="iv bolus", time="0 h")
    found = occupancy([dose], species="rat", times=times, draws=2, library=drugs(mode, **more), targets=["T"])
    return found.targets["T"].occupied[:, 0]


@modes
def test_without_offset_what_is_bound_stays_bound(mode):
    offset = {"k_off": said(1e-12, "1/h"), "k_on": said(0.1, "1/(nM h)")} if MODES[mode].reversible else {}
    found = pulse(mode, [0.2, 24.0, 96.0], **offset)
    assert 0 < found[0] < found[1] < 1
    assert found[2] == pytest.approx(found[1], rel=1e-9)
    # All of the dose passes: the integral of its concentration is 40 nmol over 2 L/h.
    assert found[1] == pytest.approx(1 - np.exp(-0.1 * 40 / 2), abs=1e-5)


def test_receptors_made_anew_end_an_irreversible_block():
    found = pulse("irreversible antagonist", [24.0, 48.0], k_off=said(0.02, "1/h"))
    assert found[1] == pytest.approx(found[0] * np.exp(-0.02 * 24), rel=1e-6)


@modes
def test_numpy_and_jax_give_the_same(mode):
    doses = [Dose(drug=name, amount="9 nmol", route="iv bolus", time="0 h") for name in ("ligand", "agonist")]
    slow = {"k_off": said(0.3, "1/h")} if MODES[mode].reversible else {}
    layout = lay_out(doses, species="rat", targets=["T"], draws=3, library=drugs(mode, **slow))
    found = engage(layout, np.array([0.5, 3.0]))
    at, values = layout.bonds["T"], np.exp(layout.theta)
    course = found.bound["T"].by_ligand[[one.is_slow for one in at].index(True)]
    given = (at, jnp.asarray(found.levels), jnp.asarray(values), jnp.asarray(course))
    again = bound_fractions(receptor_of(*given), *given)
    for ours, theirs in zip(found.bound["T"], again, strict=True):
        assert isinstance(ours, np.ndarray) and isinstance(theirs, jax.Array)
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@given(st.lists(st.tuples(st.sampled_from(sorted(MODES)), amount, st.floats(1e-3, 1e4)), max_size=5), amount)
@settings(max_examples=50)
def test_fractions_are_fractions_and_complete_each_other_for_any_ligands(ligands, tone):
    def load(site, action):
        return sum(
            c / k * MODES[m].share(action, EFFICACY)
            for m, c, k in ligands
            if MODES[m].site == site and MODES[m].counts(action)
        )

    sites = tuple(dict.fromkeys(("orthosteric", *(MODES[m].site for m, *_ in ligands))))
    mine = Receptor(sites, load, tone=tone)
    for name, feature in FEATURES.items():
        assert -1e-12 <= feature(mine) <= 1 + 1e-12, name
    for site in sites:
        for action in ("binds", "activates", "silences", "blocks"):
            assert held(mine, site, action) + spared(mine, site, action) == pytest.approx(1.0, abs=1e-12)
    assert FEATURES["block"](mine) + FEATURES["reserve"](mine) == pytest.approx(1.0, abs=1e-12)


def test_features_take_ratios_and_refuse_concentrations():
    unit = pint.UnitRegistry()
    c, k = 30 * unit.nM, 0.01 * unit.micromolar
    ratio = Receptor(("orthosteric",), lambda site, action: c / k)
    assert FEATURES["engagement"](ratio).to("").magnitude == pytest.approx(0.75)
    with pytest.raises(pint.DimensionalityError):
        FEATURES["engagement"](Receptor(("orthosteric",), lambda site, action: c))


ALLOSTERIC = """
name: newcomer
molar_mass: {value: 250, unit: g/mol, source: {how: assumption, reason: made up}}
affinities:
- target: T
  mode: pore potentiator
  k_i: {value: 20, unit: nM, spread: {kind: GSD, value: 1}, source: {how: assumption, reason: made up}}
"""


def test_a_new_mode_is_one_line(monkeypatch):
    monkeypatch.setitem(MODES, "pore potentiator", Mode("pore", activates=True))
    newcomer = to_record(parse_document(ALLOSTERIC), Drug)
    dose = Dose(drug="newcomer", amount="60 nM", route="bath", time="-1 h")
    course = occupancy([dose], species="rat", times=[0.0], draws=2, library=library(newcomer)).targets["T"]
    assert float(course.activated[0, 0]) == pytest.approx(0.75, rel=EXACT)
    assert float(course.tone[0, 0]) == 1.0


def test_an_unknown_mode_is_refused_with_the_near_ones():
    with pytest.raises(ValueError, match="inverse agonist"):
        drugs_of = binds("T", "invers agonist", 3)
        drug("one", affinities=(drugs_of,))


def test_a_reversible_ligand_needs_a_constant_and_an_irreversible_one_a_rate():
    with pytest.raises(ValueError, match="k_i"):
        drug("one", affinities=({"target": "T", "mode": "agonist"},))
    with pytest.raises(ValueError, match="k_on"):
        drug("one", affinities=(binds("T", "irreversible antagonist", 3),))


def test_a_drug_binds_a_target_in_one_mode():
    with pytest.raises(ValueError, match="one mode"):
        drug("one", affinities=(binds("T", "agonist", 3), binds("T", "competitive antagonist", 3)))


def test_an_irreversible_antagonist_has_no_equilibrium():
    dose = Dose(drug="ligand", amount="9 nmol", route="iv bolus", time="0 h")
    layout = lay_out([dose], species="rat", targets=["T"], draws=2, library=drugs("irreversible antagonist"))
    with pytest.raises(ValueError, match="no equilibrium"):
        bind(layout, "T", np.ones((1, 1, 2)))
