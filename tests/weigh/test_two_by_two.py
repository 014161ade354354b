"""A two-by-two of means, V K KA A: from YAML or a spreadsheet through the audit to what it says of the accounts."""

import dataclasses

import jax
import numpy as np
import pytest

from gaddum import export_studies, import_studies
from gaddum.records.check import check_records
from gaddum.records.ledger import Ledger, LoadedCase
from gaddum.referee.audit import audit
from gaddum.response.assemble import assemble
from gaddum.response.response import account
from gaddum.verdict.missing import missing
from gaddum.weigh.likelihood import build_problem, log_likelihood, setting
from gaddum.weigh.predictive import FOR_FEW_DRAWS
from letter import load_letter

MEAN = "{{mean: {mean}, spread: 12, spread_kind: SD, n: 12}}"
KETAMINE = "{drug: ketamine, amount: 10 mg/kg, route: ip, time: 0 h}"
NALTREXONE = "{drug: naltrexone, amount: 10 mg/kg, route: ip, time: -30 min}"


def study(*, blocked: float) -> str:
    """Immobility of 150 s on vehicle and antagonist alone, 138 s on ketamine."""
    means = {"V": 150, "K": 138, "KA": blocked, "A": 150}
    arms = ", ".join(f"{name}: {MEAN.format(mean=mean)}" for name, mean in means.items())
    return f"""
id: zhang_hashimoto2019
title: A made-up two-by-two
year: 2019
cohort: zhang_hashimoto2019
source: {{how: abstract, cites: a made-up paper}}
experiments:
  - id: tail_suspension
    protocol:
      subject: {{species: mouse, sex: male, paradigm: social defeat, stress: stressed}}
      arms:
        V: {{doses: []}}
        K: {{doses: [{KETAMINE}]}}
        KA: {{doses: [{NALTREXONE}, {KETAMINE}]}}
        A: {{doses: [{NALTREXONE}]}}
      endpoints:
        hours_3: {{name: immobility, family: immobility, test_time: 3 h, phase: acute, improvement: decrease}}
      design: parallel
      source: {{how: abstract, cites: a made-up paper}}
    outcomes:
      - form: means
        endpoint: hours_3
        arms: {{{arms}}}
        source: {{how: abstract, cites: a made-up paper}}
"""


def case(*, blocked: float) -> LoadedCase:
    loaded = load_letter(("zhang_hashimoto2019",))
    ledger = Ledger.parse([study(blocked=blocked)])
    (experiment,) = ledger.studies[0].experiments
    place = {
        "experiment": experiment.id,
        "endpoint": "hours_3",
        "stratum": experiment.protocol.subject.stratum,
    }
    anchor = next(one for one in loaded.case.anchors if one.phase == "acute").model_copy(update=place)
    changed = loaded.case.model_copy(update={"anchors": (anchor,), "claims": ()})
    return dataclasses.replace(loaded, case=changed, ledger=ledger, documents={})


ABOLISHED, SPARED = case(blocked=150), case(blocked=138)


def test_it_is_a_sound_study():
    assert [str(one) for one in check_records(ABOLISHED) if one.level == "error"] == []


@pytest.mark.parametrize("name", ["t.csv", "t.xlsx"])
def test_it_comes_back_from_a_spreadsheet_as_it_was(name, tmp_path):
    (tmp_path / name).write_bytes(export_studies(ABOLISHED.ledger, name))
    assert Ledger(import_studies(tmp_path / name)).studies == ABOLISHED.ledger.studies


@pytest.mark.parametrize(("loaded", "answer"), [(ABOLISHED, "weakened"), (SPARED, "spared")])
def test_the_audit_reads_effect_control_and_answer_from_the_means(loaded, answer):
    (found,) = audit(loaded, draws=32).studies[0].experiments[0].blockades
    assert found.arms[:4] == ("KA", "K", "V", "A")
    assert found.agonist_effect is True
    assert [one.answer for one in found.answers] == [answer]


def test_nothing_is_counted_as_missing():
    problem = build_problem(ABOLISHED, assemble(ABOLISHED))
    assert len(problem.scored) == 1
    assert missing(ABOLISHED, problem.scored, []) == []


def test_an_experiment_without_the_antagonist_alone_is_counted_by_its_arms():
    text = study(blocked=150).replace(f"        A: {{doses: [{NALTREXONE}]}}\n", "")
    text = text.replace(", A: " + MEAN.format(mean=150), "")
    three = dataclasses.replace(ABOLISHED, ledger=Ledger.parse([text]))
    problem = build_problem(three, assemble(three))
    (told,) = missing(three, problem.scored, [])
    assert told.startswith("1 of 1 blockade outcomes come without an antagonist-alone arm")


def log_evidence(loaded: LoadedCase, names: list[str]) -> dict[str, float]:
    """Mean likelihood over draws of the priors."""
    assembly = assemble(loaded)
    problem = build_problem(loaded, assembly)
    z = np.random.default_rng(0).standard_normal((assembly.dimension, 1000))
    function = jax.jit(log_likelihood(problem), compiler_options=FOR_FEW_DRAWS)
    accounts = {
        one.name: account(one, assembly, phase="both") for one in loaded.case.hypotheses if one.name in names
    }
    logs = {name: np.asarray(function(z, setting(problem, one))) for name, one in accounts.items()}
    return {name: float(np.logaddexp.reduce(log) - np.log(log.size)) for name, log in logs.items()}


def test_complete_abolition_with_an_inert_antagonist_speaks_for_need_and_a_spared_effect_against():
    names = ["nmdar", "nmdar-permissive-opioid"]  # without need of opioid signalling, and with it
    for loaded, sign in ((ABOLISHED, 1), (SPARED, -1)):
        found = log_evidence(loaded, names)
        assert sign * (found["nmdar-permissive-opioid"] - found["nmdar"]) > 0.5
