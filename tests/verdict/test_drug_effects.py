"""Cells: drugs compared by their own outcomes."""

import numpy as np
import pytest

from gaddum.outcomes.reduce import reduce_outcome
from gaddum.records.claim import RelativeEffect
from gaddum.records.ledger import load_case
from gaddum.records.outcome import is_scored
from gaddum.response.assemble import ArmReading
from gaddum.verdict.drug_effects import compare_drugs
from gaddum.weigh.likelihood import ScoredOutcome


@pytest.fixture(scope="module")
def ketamine():
    return load_case("ketamine")


def scored(ketamine, *studies):
    """Scored outcomes of some studies, a cohort each."""
    priors = {prior.name: prior.distribution for prior in ketamine.case.priors}
    found = []
    for cohort, name in enumerate(studies):
        for experiment in ketamine.ledger.study(name).experiments:
            for outcome in filter(is_scored, experiment.outcomes):
                reduced = reduce_outcome(experiment, outcome, priors)
                assert reduced is not None
                found.append(
                    ScoredOutcome(ketamine.ledger.study(name), experiment, outcome, reduced, cohort, 1.0)
                )
    return found


def compared(ketamine, outcomes, features=None, readings=(), **given):
    ask = RelativeEffect.model_validate(
        {
            "kind": "relative_effect",
            "reference": "ketamine",
            "target": "NMDAR",
            "species": ["human"],
            "share": 0.5,
            "reached_by": "none",
        }
        | given
    )
    priors = {prior.name: prior.distribution for prior in ketamine.case.priors}
    return compare_drugs(ask, outcomes, ketamine.library, priors, features or {}, readings)


@pytest.fixture(scope="module")
def trials(ketamine):
    """A trial of ketamine that found an effect, one of memantine that found none."""
    return scored(ketamine, "murrough2013", "zarate2006_memantine")


def test_a_drug_that_failed_reaches_half_of_one_that_worked_less_often_than_before(ketamine, trials):
    found = compared(ketamine, trials)
    assert [row["drug"] for row in found.rows] == ["ketamine", "memantine"]
    assert found.judged.probability > found.judged.prior + 0.1
    assert found.rows[0]["effect"]["median"] > 0.5 > found.rows[1]["effect"]["median"]


def test_reached_by_some_is_the_complement_of_reached_by_none(ketamine, trials):
    none = compared(ketamine, trials).judged.probability
    some = compared(ketamine, trials, reached_by="some").judged.probability
    assert none + some == pytest.approx(1)


def test_range_covers_the_main_answer_and_each_study_left_out(ketamine, trials):
    judged = compared(ketamine, trials).judged
    assert judged.lower < judged.probability <= judged.upper


def test_without_outcomes_of_reference_or_others_there_is_no_answer(ketamine, trials):
    assert compared(ketamine, [s for s in trials if s.study.id == "murrough2013"]) is None
    assert compared(ketamine, [s for s in trials if s.study.id != "murrough2013"]) is None
    assert compared(ketamine, trials, species=["mouse"]) is None


def test_arms_with_an_antagonist_beside_the_drug_do_not_count(ketamine):
    outcomes = scored(ketamine, "murrough2013", "williams2018", "zarate2006_memantine")
    assert compared(ketamine, outcomes).rows[0]["studies"] == ["murrough2013", "williams2018"]
    drugs = {row["drug"] for row in compared(ketamine, outcomes).rows}
    assert drugs == {"ketamine", "memantine"}


def test_parts_of_the_reference_are_not_other_drugs(ketamine):
    outcomes = scored(ketamine, "murrough2013", "pcn101_2023", "zarate2006_memantine")
    assert "R-ketamine" not in {row["drug"] for row in compared(ketamine, outcomes).rows}


def test_together_leaves_out_experiments_that_gave_only_one_of_them(ketamine):
    outcomes = scored(ketamine, "zhang2014", "crs_prophylaxis2022")
    choice = {"reference": "S-ketamine", "drugs": ["R-ketamine"], "target": None, "species": ["mouse"]}
    both = compared(ketamine, outcomes, **choice)
    alone = compared(ketamine, outcomes, **choice, together=True)
    assert both.rows[1]["studies"] == ["crs_prophylaxis2022", "zhang2014"]
    assert alone.rows[1]["studies"] == ["zhang2014"]


def test_block_is_set_beside_the_reference_drug_s(ketamine, trials):
    readings = [
        ArmReading(s.study.id, s.experiment.id, arm, s.outcome.endpoint, "any", "sustained", row)
        for row, (s, arm) in enumerate(zip(trials, ("K", "X"), strict=True))
    ]
    level = np.array([[[0.6], [0.1]], [[0.3], [0.2]]])  # rows, nodes, draws
    found = compared(ketamine, trials, {"NMDAR.block": level}, readings)
    reference, other = found.rows
    assert reference["block"]["median"] == pytest.approx(0.6)
    assert other["block_at_test"]["median"] == pytest.approx(0.2)
    assert other["block_over_reference"]["median"] == pytest.approx(0.5)
