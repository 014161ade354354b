"""Audit of hand-made experiments with known answers, and of the bundled cases."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from gaddum.outcomes.power import detectable_effect
from gaddum.records.blockade import is_antagonist
from gaddum.records.ledger import Ledger, LoadedCase, load_case
from gaddum.records.prior import LogNormal
from gaddum.records.vocabulary import MODES
from gaddum.referee.audit import Audit, StudyAudit, audit
from gaddum.referee.disagreement import compare, conclude

SOURCE = "{how: assumption, reason: made for a test}"
READ = "{how: abstract, cites: a made-up paper}"
KETAMINE = "{drug: ketamine, amount: 20 uM, route: bath, duration: 30 min}"
VERDICT = "{form: verdict, endpoint: e, verdict: abolished, roles: {K: K, V: V, KA: KA}, agonist_effect_present: true"


def naltrexone(time: str = "-15 min", duration: str = "1 h", amount: str = "1 uM") -> str:
    return f"{{drug: naltrexone, amount: {amount}, route: bath, time: {time}, duration: {duration}}}"


def made(
    *,
    study: str = "made",
    blocker: str | None = None,
    alone: bool = False,
    test_time: str = "20 min",
    n: str = "n: 10, ",
    outcomes: str | None = None,
    extra: str = "",
    subject: str = "species: rat, sex: male, paradigm: slices, stress: stressed, preparation: slice",
    about: str = "",
) -> str:
    blocker = blocker or naltrexone()
    a = f"A: {{{n}doses: [{blocker}]}}" if alone else ""
    return f"""
id: {study}
title: A made-up study
year: 2020
cohort: {study}
source: {READ}
{about}
experiments:
  - id: one
    protocol:
      subject: {{{subject}}}
      arms:
        V: {{{n}doses: []}}
        K: {{{n}doses: [{KETAMINE}]}}
        KA: {{{n}doses: [{blocker}, {KETAMINE}]}}
        {a}
      endpoints:
        e: {{name: firing, family: firing, test_time: {test_time}, phase: acute, improvement: decrease}}
      design: parallel
      {extra}
      source: {READ}
    outcomes:
      - {outcomes or VERDICT + ", source: " + READ + "}"}
"""


def case_of(*studies: str) -> LoadedCase:
    return replace(load_case("ketamine"), ledger=Ledger.parse(studies))


def audited(**choices) -> StudyAudit:
    return audit(case_of(made(**choices)), draws=64).studies[0]


def topics(study: StudyAudit, grade: str) -> list[str]:
    return [one.topic for one in study.concerns if one.grade == grade]


INTERACTION = (
    "{form: interaction, endpoint: e, statistic: F, value: 9.0, df: 36, arms: [K, V, KA, A], source: "
    + (READ + "}")
)
EFFECT = (
    "{form: p-threshold, endpoint: e, significant: true, contrast: [K, V], better: first, source: "
    + READ
    + "}"
)
COMPLETE = {"alone": True, "outcomes": f"{EFFECT}\n      - {INTERACTION}"}


def test_missing_antagonist_alone_is_serious_where_the_effect_was_abolished():
    assert any("alone" in one.found for one in audited().concerns if one.grade == "serious")


def test_missing_antagonist_alone_is_a_caution_where_the_effect_was_spared():
    spared = VERDICT.replace("verdict: abolished", "verdict: not abolished") + ", source: " + READ + "}"
    found = [one for one in audited(outcomes=spared).concerns if "naltrexone alone" in one.found]
    assert [one.grade for one in found] == ["caution"]


def test_complete_two_by_two_lacks_no_control_and_no_interaction():
    study = audited(**COMPLETE)
    assert not {"controls", "interaction", "agonist effect"} & {one.topic for one in study.concerns}
    assert topics(study, "serious") == []


def test_antagonist_alone_counts_whenever_it_was_given():
    text = made(**COMPLETE)
    late = text.replace(
        f"A: {{n: 10, doses: [{naltrexone()}]}}", f"A: {{n: 10, doses: [{naltrexone('0 h')}]}}"
    )
    assert late != text
    assert "controls" not in {one.topic for one in audit(case_of(late), draws=64).studies[0].concerns}


def test_antagonist_washed_out_before_the_test_drug_is_serious():
    study = audited(blocker=naltrexone("-10 h", "1 h"))
    assert "antagonist at induction" in topics(study, "serious")


def test_antagonist_at_a_trifling_concentration_is_the_weak_point():
    study = audited(blocker=naltrexone(amount="0.05 nM"))
    assert study.line.startswith("Engagement is the weak point")


def test_low_engagement_is_serious_where_the_effect_was_spared_and_a_caution_where_it_was_not():
    low = naltrexone(amount="0.05 nM")
    assert "antagonist at induction" in topics(audited(blocker=low, outcomes=SPARED), "serious")
    assert "antagonist at induction" in topics(audited(blocker=low), "caution")


def test_antagonists_of_different_targets_do_not_disagree():
    kappa = naltrexone().replace("naltrexone", "norbinaltorphimine")
    texts = made(study="first"), made(study="second", blocker=kappa, outcomes=SPARED)
    assert audit(case_of(*texts), draws=64).pairs == ()


def test_antagonist_gone_by_the_test_is_a_caution_about_expression():
    study = audited(test_time="24 h")
    assert "antagonist at the test" in topics(study, "caution")
    assert "antagonist at induction" not in {one.topic for one in study.concerns}


def test_engagement_is_told_at_every_hour_at_which_a_test_may_have_been_read():
    study = audited(blocker=naltrexone(duration="1 h"), test_time="20 min or 24 h")
    rows = [row for one in study.experiments[0].engagement for row in one.held if row.role == "antagonist"]
    assert {tuple(row.expression) for row in rows} == {("e, if at 0.333 h", "e, if at 24 h")}
    early, late = rows[0].expression.values()
    assert early.together.median > 0.9 and late.together.median < 0.1
    assert "test time" in topics(study, "caution")
    (told,) = (one for one in study.concerns if one.topic == "antagonist at the test")
    assert "e, if at 24 h" in told.found and "0.333" not in told.found


def test_disagreements_take_an_unknown_hour_at_every_hour_that_it_may_be():
    spared = VERDICT.replace("abolished", "not abolished") + ", source: " + READ + "}"
    loaded = case_of(made(), made(study="other", test_time="20 min or 24 h", outcomes=spared))
    (pair,) = audit(loaded, draws=64).pairs
    assert "test time" in pair.unknown
    assert pair.expression.spared.lower < 0.1 < 0.9 < pair.expression.spared.upper


def test_antagonist_that_stays_raises_nothing_about_engagement():
    study = audited()
    assert study.line.startswith("Engagement is not the weak point")
    assert not any(one.topic.startswith("antagonist at") for one in study.concerns)


def test_naltrexone_that_fills_kappa_and_delta_too_is_not_selective():
    found = [one.found for one in audited().concerns if one.topic == "selectivity"]
    assert len(found) == 1 and "KOR" in found[0] and "DOR" in found[0]


def test_selective_antagonist_raises_nothing_about_selectivity():
    ctap = naltrexone().replace("naltrexone", "CTAP")
    assert "selectivity" not in {one.topic for one in audited(blocker=ctap).concerns}


def test_antagonist_holds_more_alone_than_beside_the_test_drug():
    (presence,) = [p for p in audited().experiments[0].engagement if p.arm == "KA"]
    (row,) = [row for row in presence.held if (row.drug, row.target) == ("naltrexone", "MOR")]
    assert row.induction.alone.median > row.induction.together.median


def test_detectable_effect_of_a_design_is_that_of_its_n():
    rows = audited(**COMPLETE).experiments[0].blockades[0].detectable
    assert rows[1].effect.median == pytest.approx(detectable_effect(10))
    assert rows[1].stated and rows[1].effect.lower == rows[1].effect.upper
    assert rows[2].effect.median == pytest.approx(np.sqrt(2) * rows[1].effect.median, rel=0.05)


def test_unknown_n_is_averaged_over_the_prior_and_marked():
    study = audited(n="")
    row = study.experiments[0].blockades[0].detectable[0]
    assert not row.stated and row.effect.lower < row.effect.median < row.effect.upper
    assert "reporting" in topics(study, "caution")


def test_effect_that_was_not_there_cannot_be_blocked():
    lost = VERDICT.replace("present: true", "present: false") + ", source: " + READ + "}"
    assert "agonist effect" in topics(audited(outcomes=lost), "serious")


def test_subset_chosen_on_response_is_serious():
    retest = (
        "{form: responders, endpoint: e, criterion: half, counts: {K: {responders: 6, n: 10}}, "
        "retest: {arm: KA, among_responders_of: K, responders: 0, n: 6}, source: " + READ + "}"
    )
    assert "selection" in topics(audited(outcomes=retest), "serious")


@pytest.mark.slow
def test_open_trial_in_people_is_serious_and_open_slices_are_a_note():
    people = "species: human, sex: male, paradigm: depression, stress: stressed"
    assert "masking" in topics(audited(subject=people, extra="masking: open"), "serious")
    assert "masking" in topics(audited(extra="masking: open"), "note")


def test_cells_without_animals_are_a_caution():
    assert "replication" in topics(audited(), "caution")


def test_study_without_a_blockade_is_audited_for_its_design():
    text = made(outcomes=EFFECT).replace(f"KA: {{n: 10, doses: [{naltrexone()}, {KETAMINE}]}}", "")
    study = audit(case_of(text), draws=64).studies[0]
    assert study.line.startswith("Nothing was blocked")
    assert [row.arms for row in study.experiments[0].detectable] == [("K", "V")]


def test_knock_out_counts_as_removal_of_its_target():
    knock_out = (
        "manipulations: [{kind: knock-out, target: MOR, availability: {value: 0, unit: '1', source: "
        + SOURCE
        + "}}]"
    )
    text = made().replace(f"KA: {{n: 10, doses: [{naltrexone()}, ", f"KA: {{n: 10, {knock_out}, doses: [")
    study = audit(case_of(text), draws=64).studies[0]
    held = [row for p in study.experiments[0].engagement for row in p.held if row.role == "manipulation"]
    assert [row.target for row in held] == ["MOR"]
    assert held[0].induction.together.median == pytest.approx(1 - 0.01 * 0.6745, abs=0.003)  # within its SD


@pytest.mark.parametrize(
    ("reported", "left"), [("{value: 25, unit: '%'", 0.25), ("{value: 0.25, unit: '1'", 0.25)]
)
def test_what_an_antibody_leaves_is_read_as_a_case_reads_it(reported: str, left: float):
    antibody = f"manipulations: [{{kind: antibody, target: MOR, tone: {reported}, source: {SOURCE}}}}}]"
    text = made().replace(f"KA: {{n: 10, doses: [{naltrexone()}, ", f"KA: {{n: 10, {antibody}, doses: [")
    study = audit(case_of(text), draws=64).studies[0]
    (held,) = [row for p in study.experiments[0].engagement for row in p.held if row.role == "manipulation"]
    assert held.induction.together.median == pytest.approx(1 - left, abs=0.04)


def test_an_antagonist_holds_less_beside_the_endogenous_agonist_of_its_case():
    def alone(tone: dict[str, object]) -> float:
        loaded = case_of(made(blocker=naltrexone(amount="1 nM")))
        priors = [p for p in loaded.case.priors if p.name != "endogenous_tone"]
        row = next(p for p in loaded.case.priors if p.name == "endogenous_tone")
        priors.append(row.model_copy(update={"distribution": LogNormal(family="lognormal", **tone)}))
        case = loaded.case.model_copy(update={"priors": tuple(priors)})
        (presence,) = [
            p
            for p in audit(replace(loaded, case=case), draws=256).studies[0].experiments[0].engagement
            if p.arm == "KA"
        ]
        (held,) = [row for row in presence.held if row.drug == "naltrexone" and row.target == "MOR"]
        return held.induction.alone.median

    without, beside = alone({"median": 1e-9, "gsd": 1.001}), alone({"median": 2.0, "gsd": 1.001})
    r = without / (1 - without)
    assert beside == pytest.approx(r / (1 + 2.0 + r), abs=0.02)


@pytest.mark.slow
def test_an_audit_does_not_depend_on_how_names_are_hashed():
    """Six ligands of a racemate at one site: sums over a set of their names once differed in their last digits."""
    code = (
        "from gaddum.referee.audit import audit\n"
        "(study,) = audit('ketamine', 'zhang_hashimoto2019', draws=16).studies\n"
        "print(repr([one.held for made in study.experiments for one in made.engagement]))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1 and len(said.pop()) > 1000


def test_drug_that_cannot_be_followed_is_reported_not_raised():
    text = made().replace(naltrexone(), "{drug: CTAP, amount: 1 mg/kg, route: ip, time: -30 min}")
    study = audit(case_of(text), draws=64).studies[0]
    assert [gap.arm for gap in study.experiments[0].not_followed] == ["KA"]


SPARED = VERDICT.replace("verdict: abolished", "verdict: not abolished") + ", source: " + READ + "}"


def conclusion(**choices) -> str:
    texts = made(study="first"), made(study="second", outcomes=SPARED, **choices)
    (pair,) = audit(case_of(*texts), draws=64).pairs
    return pair.conclusion


def test_opposite_results_of_one_design_are_a_real_disagreement():
    assert conclusion() == "same engagement and design: a real disagreement"


def test_opposite_results_in_another_species_leave_another_factor():
    mouse = "species: mouse, sex: male, paradigm: slices, stress: stressed, preparation: slice"
    assert conclusion(subject=mouse) == "same engagement, other factors differ"


def test_opposite_results_at_a_hundredth_of_the_dose_are_told_apart():
    assert conclusion(blocker=naltrexone(amount="0.05 nM")) == "different engagement"


def test_an_effect_spared_at_higher_engagement_sharpens_the_disagreement():
    low, high = compare(np.full(20, 0.95), np.full(20, 0.3)), compare(np.full(20, 0.3), np.full(20, 0.95))
    assert conclude(high, high, differs=True) == "spared at higher engagement: a sharper disagreement"
    assert conclude(low, high, differs=True) == "different engagement"


def means(k: float, ka: float = 150.0) -> str:
    """Firing after each arm, 12 subjects each, SEM 9; fewer spikes are better."""
    arms = {"V": 150.0, "K": k, "KA": ka, "A": 150.0}
    rows = ", ".join(f"{name}: {{mean: {x}, spread: 9, spread_kind: SEM, n: 12}}" for name, x in arms.items())
    return f"{{form: means, endpoint: e, arms: {{{rows}}}, source: {READ}}}"


def test_means_that_show_the_test_drug_working_count():
    study = audited(alone=True, n="n: 12, ", outcomes=means(95.0))
    assert "agonist effect" not in topics(study, "serious")
    (blockade,) = study.experiments[0].blockades
    assert blockade.agonist_effect is True
    assert [one.answer for one in blockade.answers] == ["weakened"]


def test_means_without_an_effect_of_the_test_drug_are_held_against_it():
    assert "agonist effect" in topics(audited(alone=True, n="n: 12, ", outcomes=means(145.0)), "serious")


def test_wide_bands_do_not_decide():
    wide = compare(np.linspace(0, 1, 50), np.full(50, 0.9))
    assert conclude(wide, wide, differs=True) == "cannot tell (bands too wide)"


@pytest.mark.parametrize("wide_at_induction", [True, False])
def test_one_moment_that_cannot_tell_is_enough_not_to_decide(wide_at_induction):
    wide = compare(np.linspace(0, 1, 50), np.full(50, 0.9))
    alike = compare(np.full(50, 0.9), np.full(50, 0.9))
    moments = (wide, alike) if wide_at_induction else (alike, wide)
    assert conclude(*moments, differs=True) == "cannot tell (bands too wide)"


def test_document_holds_plain_values_only():
    def plain(value) -> bool:
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(one) for key, one in value.items())
        if isinstance(value, list):
            return all(plain(one) for one in value)
        return value is None or isinstance(value, str | int | float | bool)

    document = audit(case_of(made()), draws=64).document
    assert plain(document)
    assert {"case", "studies", "pairs", "manifest", "serious", "line"} <= set(document)


def test_same_seed_gives_the_same_audit():
    assert audit(case_of(made()), draws=64).document == audit(case_of(made()), draws=64).document


def test_unknown_study_lists_the_near_ones():
    with pytest.raises(ValueError, match="klein2020"):
        audit("ketamine", "klein2021")


BUNDLED = 128
"""Draws of the bundled case's audits; with one number of them they share their compiled functions."""


@pytest.fixture(scope="module")
def klein() -> Audit:
    return audit("ketamine", "klein2020", draws=BUNDLED)


@pytest.mark.slow
def test_both_laboratories_of_the_dispute_hold_mu_receptors_at_induction(klein: Audit):
    held = {
        pair.spared.study: pair.induction for pair in klein.pairs if pair.weakened.experiment == "behaviour"
    }
    assert held["zhang_hashimoto2019"].weakened.median > 0.9
    assert held["zhang_hashimoto2019"].spared.median > 0.9


@pytest.mark.slow
def test_audit_of_one_study_shows_only_its_own_pairs(klein: Audit):
    assert klein.pairs
    assert all("klein2020" in (pair.weakened.study, pair.spared.study) for pair in klein.pairs)


@pytest.mark.slow
def test_selected_responders_of_the_crossover_are_serious():
    study = audit("ketamine", "williams2018", draws=BUNDLED).studies[0]
    assert "selection" in topics(study, "serious")


@pytest.mark.parametrize("mode", [name for name, one in MODES.items() if one.reversible])
def test_only_ligands_that_do_not_activate_count_as_antagonists(mode):
    loaded = load_case("ketamine")
    old = loaded.library.drug("naltrexone")
    acts = tuple(one.model_copy(update={"mode": mode}) for one in old.affinities)
    drugs = loaded.library.drugs | {"naltrexone": old.model_copy(update={"affinities": acts})}
    changed = replace(loaded, library=replace(loaded.library, drugs=drugs))
    assert is_antagonist("naltrexone", changed) == (not MODES[mode].activates)
