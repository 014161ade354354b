import copy

import pytest

from gaddum.records.check import check_records
from gaddum.records.ledger import bundled_cases, load_case


def findings_of(folder):
    return check_records(load_case(folder.write()))


@pytest.mark.parametrize("name", bundled_cases())
def test_bundled_cases_have_no_errors(name):
    assert [str(finding) for finding in check_records(load_case(name)) if finding.level == "error"] == []


def test_a_clean_case_has_no_findings(folder):
    assert findings_of(folder) == []


def outcome(folder, index=0):
    return folder.experiment["outcomes"][index]


def spoil_test_drug(folder):
    folder.case["test_drug"] = "testin"


def spoil_dose(folder):
    folder.experiment["protocol"]["arms"]["K"]["doses"][0]["drug"] = "testin"


def spoil_manipulation(folder):
    folder.experiment["protocol"]["arms"]["K"]["manipulations"] = [{"kind": "lesion", "target": "TEST-Q"}]


def spoil_gate_target(folder):
    folder.case["hypotheses"][1]["gate"] = "TEST-Q.agonism"


def spoil_gate_feature(folder):
    folder.case["hypotheses"][1]["gate"] = "TEST-R.block"


def spoil_gate_word(folder):
    folder.case["hypotheses"][1]["gate"] = "TEST-R.agonist"


def spoil_graded(folder):
    folder.case["hypotheses"][1]["graded"] = ["TEST-R.tone"]


def repeat_hypothesis(folder):
    folder.case["hypotheses"][0]["name"] = "direct"


def repeat_experiment(folder):
    folder.studies["one_2001"]["experiments"].append(copy.deepcopy(folder.experiment))


def spoil_endpoint(folder):
    outcome(folder)["endpoint"] = "scor"


def spoil_means_arm(folder):
    outcome(folder)["arms"]["KAA"] = outcome(folder)["arms"].pop("K")


def spoil_role(folder):
    outcome(folder, 1)["roles"]["KA"] = "KAA"


def spoil_contrast(folder):
    fields = {key: outcome(folder)[key] for key in ("endpoint", "source")}
    folder.experiment["outcomes"][0] = {
        **fields,
        "form": "p-value",
        "p": 0.03,
        "contrast": ["K", "W"],
        "better": "first",
    }


def drop_anchor(folder):
    folder.case["anchors"] = []


def repeat_anchor(folder):
    folder.case["anchors"] *= 2


def spoil_anchor(field, value):
    def spoil(folder):
        folder.case["anchors"][0][field] = value

    return spoil


def spoil_cohort(folder):
    second = folder.a_study("two_2001", cohort="one")
    second["experiments"][0]["protocol"]["subject"] = {"species": "mouse", "paradigm": "test"}
    folder.studies["two_2001"] = second
    folder.case["anchors"].append(
        folder.case["anchors"][0] | {"stratum": "mouse, unstated, behaving", "study": "two_2001"}
    )


def spoil_risk_of_bias(folder):
    folder.studies["one_2001"]["risk_of_bias"] = {"sequence generatoin": "low"}


def spoil_reporting(folder):
    folder.studies["one_2001"]["reporting"] = {"blindin": True}


def spoil_weight(folder):
    weight = {"value": 0.3, "unit": "L", "source": folder.source}
    folder.experiment["protocol"]["subject"]["weight"] = weight


def spoil_availability(folder):
    left = {"value": 0.1, "unit": "mg/kg", "source": folder.source}
    knock_out = {"kind": "knock-out", "target": "TEST-R", "availability": left}
    folder.experiment["protocol"]["arms"]["K"]["manipulations"] = [knock_out]


def spoil_claim(folder):
    folder.case["claims"] = [{"id": "c", "text": "t", "studies": ["one_2002"], "source": folder.source}]


def spoil_ligand(folder):
    folder.case["unnamed_targets"] = [{"name": "U", "ligands": {"testine": "u.k_i"}, "says": "u"}]


@pytest.mark.parametrize(
    ("spoil", "where", "message"),
    [
        (spoil_test_drug, "test_drug", "Did you mean 'testine'"),
        (spoil_dose, "experiments[0].protocol.arms.K.doses[0].drug", "Did you mean 'testine'"),
        (
            spoil_manipulation,
            "experiments[0].protocol.arms.K.manipulations[0].target",
            "Did you mean 'TEST-R'",
        ),
        (spoil_gate_target, "hypotheses[1].gate", "got 'TEST-Q'"),
        (spoil_gate_feature, "hypotheses[1].gate", "TEST-R has tone, agonism, engagement"),
        (spoil_gate_word, "hypotheses[1].gate", "Did you mean 'agonism'"),
        (spoil_graded, "hypotheses[1].graded[0]", "must name inputs of the gate"),
        (repeat_hypothesis, "hypotheses", "got 'direct' again"),
        (repeat_experiment, "experiments", "got 'first' again"),
        (spoil_endpoint, "experiments[0].outcomes[0].endpoint", "Did you mean 'score'"),
        (spoil_means_arm, "experiments[0].outcomes[0].arms.KAA", "got 'KAA'"),
        (spoil_role, "experiments[0].outcomes[1].roles.KA", "Did you mean 'KA'"),
        (spoil_contrast, "experiments[0].outcomes[0].contrast[1]", "got 'W'"),
        (drop_anchor, "anchors", "got none for stratum 'rat, unstated, behaving', phase 'acute'"),
        (repeat_anchor, "anchors", "must have one anchor"),
        (spoil_anchor("study", "one_2002"), "anchors[0].study", "Did you mean 'one_2001'"),
        (spoil_anchor("experiment", "fist"), "anchors[0].experiment", "Did you mean 'first'"),
        (spoil_anchor("endpoint", "scores"), "anchors[0].endpoint", "Did you mean 'score'"),
        (spoil_anchor("arm", "Q"), "anchors[0].arm", "got 'Q'"),
        (spoil_anchor("arm", "V"), "anchors[0].arm", "gets nothing"),
        (spoil_anchor("stratum", "rat"), "anchors[0].stratum", "got 'rat'"),
        (spoil_anchor("phase", "sustained"), "anchors[0].phase", "got 'sustained'"),
        (spoil_cohort, "cohort", "share no species"),
        (spoil_risk_of_bias, "risk_of_bias.sequence generatoin", "Did you mean 'sequence generation'"),
        (spoil_reporting, "reporting.blindin", "Did you mean 'blinding'"),
        (spoil_weight, "experiments[0].protocol.subject.weight.unit", "must be in units of kg"),
        (
            spoil_availability,
            "experiments[0].protocol.arms.K.manipulations[0].availability[0].unit",
            "A number must be",
        ),
        (spoil_claim, "claims[0].studies[0]", "Did you mean 'one_2001'"),
        (spoil_ligand, "unnamed_targets[0].ligands.testine", "must be a row of `priors`"),
    ],
)
def test_parts_that_disagree_are_errors(folder, spoil, where, message):
    spoil(folder)
    found = [one for one in findings_of(folder) if one.level == "error" and one.where == where]
    assert any(message in one.message for one in found), findings_of(folder)
    assert all(one.line and one.file.endswith(".yaml") for one in found)


def empty_ledger(folder):
    folder.studies, folder.case["anchors"] = {}, []


def unbound_target(folder):
    folder.targets["TEST-S"] = folder.a_target("TEST-S")
    folder.case["hypotheses"][1]["gate"] = "TEST-S.agonism"


def unvaried_feature(folder):
    """Every arm gets the same agonist, so nothing speaks about agonism... except the antagonist."""
    folder.experiment["protocol"]["arms"]["KA"]["doses"].pop()
    folder.experiment["protocol"]["arms"]["V"]["doses"] = folder.experiment["protocol"]["arms"]["K"]["doses"]


def constant_gate(folder):
    folder.case["hypotheses"][1]["gate"] = "TEST-R.tone | !TEST-R.tone"


def sem_called_sd(folder):
    outcome(folder)["arms"]["V"]["spread"] = outcome(folder)["arms"]["K"]["spread"] = 0.2


def sd_called_sem(folder):
    for arm in outcome(folder)["arms"].values():
        arm |= {"spread": 80.0, "spread_kind": "SEM"}


def no_effect_to_block(folder):
    outcome(folder, 1)["agonist_effect_present"] = False


def more_than_enrolled(folder):
    outcome(folder)["arms"]["K"]["n"] = 9


def other_lab(folder):
    folder.studies["two_2001"] = folder.a_study("two_2001", cohort="one") | {"lab": "elsewhere"}


def difference_in_points(folder):
    fields = {key: outcome(folder)[key] for key in ("endpoint", "source")}
    numbers = {"contrast": ["K", "V"], "value": 9.5, "ci": [3.0, 16.0]}
    folder.experiment["outcomes"][0] = {**fields, "form": "difference", **numbers}


def a_test(folder, design, **fields):
    folder.experiment["protocol"]["design"] = design
    shared = {key: outcome(folder)[key] for key in ("endpoint", "source")}
    said = {"form": "test", "statistic": "t", "value": 2.5, "contrast": ["K", "V"], "better": "first"}
    folder.experiment["outcomes"][0] = shared | said | fields


def paired_in_parallel_groups(folder):
    a_test(folder, "parallel", paired=True)


def unpaired_in_a_crossover(folder):
    a_test(folder, "crossover", paired=False)


def more_df_than_subjects(folder):
    a_test(folder, "parallel", df=30)


def df_of_independent_groups_in_a_crossover(folder):
    a_test(folder, "crossover", df=21)


def df_of_fewer_subjects(folder):
    a_test(folder, "parallel", df=3)


def crossover_of_unequal_arms(folder):
    folder.experiment["protocol"]["design"] = "crossover"
    outcome(folder)["arms"]["K"]["n"] = 7


def retest_of_too_many(folder):
    fields = {key: outcome(folder)[key] for key in ("endpoint", "source")}
    counts = {"K": {"responders": 3, "n": 8}}
    retest = {"arm": "KA", "among_responders_of": "K", "responders": 1, "n": 5}
    folder.experiment["outcomes"][0] = {
        **fields,
        "form": "responders",
        "criterion": "half",
        "counts": counts,
        "retest": retest,
    }


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (empty_ledger, "it is empty"),
        (unbound_target, "no arm of the ledger differs from another in TEST-S.agonism"),
        (unvaried_feature, "no arm of the ledger differs from another in TEST-R.agonism"),
        (constant_gate, "is always 1"),
        (sem_called_sd, "10 SD apart. If the spread is a SEM"),
        (sd_called_sem, "an implied SD of 226 in V. If the spread is an SD"),
        (no_effect_to_block, "presupposes an effect to block"),
        (more_than_enrolled, "at most the arm's n = 8; got 9"),
        (other_lab, "should come from one lab"),
        (difference_in_points, "Name the `sd`"),
        (retest_of_too_many, "among the 3 responder"),
        (paired_in_parallel_groups, "got paired in `design: parallel`"),
        (unpaired_in_a_crossover, "got not paired in `design: crossover`"),
        (more_df_than_subjects, "should have 7 to 21 degrees of freedom; got 30"),
        (df_of_fewer_subjects, "should have 7 to 21 degrees of freedom; got 3"),
        (df_of_independent_groups_in_a_crossover, "should have 6 to 14 degrees of freedom; got 21"),
        (crossover_of_unequal_arms, "should have one n; got V 8, K 7"),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(folder, spoil, message):
    spoil(folder)
    found = findings_of(folder)
    assert any(one.level == "warning" and message in one.message for one in found), found
    assert all(one.level != "error" for one in found)


@pytest.mark.parametrize(
    ("design", "df"), [("parallel", 14), ("parallel", 21), ("crossover", 7), ("unstated", 99)]
)
def test_degrees_of_freedom_that_the_design_allows_are_not_asked_about(folder, design, df):
    a_test(folder, design, df=df)
    assert findings_of(folder) == []


def test_counts_of_more_arms_than_are_scored_are_an_error(folder):
    fields = {key: outcome(folder)[key] for key in ("endpoint", "source")}
    arms = folder.experiment["protocol"]["arms"]
    arms["K2"] = arms["K"] | {"doses": [arms["K"]["doses"][0] | {"amount": "20 mg/kg"}]}
    counts = {name: {"responders": 3, "n": 8} for name in arms}
    folder.experiment["outcomes"][0] = fields | {"form": "responders", "criterion": "half", "counts": counts}
    (found,) = findings_of(folder)
    assert found.level == "error" and "one or two arms beside vehicle; got 3 (K, KA, K2)" in found.message


def test_unknown_n_and_narratives_are_notes(folder):
    folder.experiment["protocol"]["arms"]["KA"]["n"] = None
    fields = {key: outcome(folder)[key] for key in ("endpoint", "source")}
    folder.experiment["outcomes"].append({**fields, "form": "narrative", "text": "t", "why": "w"})
    found = findings_of(folder)
    assert {one.level for one in found} == {"note"}
    assert any("1 scored outcome" in one.message for one in found)
    assert any("1 narrative" in one.message for one in found)


def test_means_that_do_not_differ_are_no_sign_of_a_wrong_spread(folder):
    for arm in outcome(folder)["arms"].values():
        arm |= {"mean": 10.0, "spread": 0.7, "spread_kind": "SEM"}
    assert findings_of(folder) == []


def test_an_unnamed_target_may_be_in_a_gate(folder):
    assumption = {"family": "lognormal", "median": 10, "gsd": 3}
    folder.case["priors"] += [{"name": "u.k_i", "unit": "nM", "distribution": assumption, "reason": "test"}]
    folder.case["unnamed_targets"] = [{"name": "U", "ligands": {"testine": "u.k_i"}, "says": "u"}]
    folder.case["hypotheses"][1]["gate"] = "U.engagement"
    assert findings_of(folder) == []


def test_errors_come_before_warnings(folder):
    sem_called_sd(folder)
    spoil_role(folder)
    assert [one.level for one in findings_of(folder)] == ["error", "warning"]
