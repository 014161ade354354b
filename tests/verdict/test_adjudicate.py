"""The whole chain on reduced records: what it decides, what it leaves open, and what the result must not depend on."""

import dataclasses
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from distributed import Client

from gaddum.records.ledger import Ledger
from gaddum.records.outcome import is_scored
from gaddum.records.outcome.verdict import Verdict
from gaddum.records.source import Source
from gaddum.result_reader import read_result
from gaddum.sampling.settings import Settings
from gaddum.verdict.adjudicate import adjudicate
from letter import load_letter

SMALL = Settings(particles=50, lanes=25, sweeps=12, warm_up=4, ess_per_dimension=4.0)
"""Short fits: errors near 0.05 nats, enough for identities and for gross effects."""
HERE = Source(how="assumption", reason="made up for a test")


def only(loaded, hypotheses, studies):
    """The case with some hypotheses; studies that are not named keep their protocols and lose their outcomes."""
    case = loaded.case.model_copy(
        update={"hypotheses": tuple(h for h in loaded.case.hypotheses if h.name in hypotheses)}
    )
    loaded = dataclasses.replace(loaded, case=case)
    return with_outcomes(loaded, lambda s, e: [o for o in e.outcomes if s.id in studies or not is_scored(o)])


def with_outcomes(loaded, choose):
    studies = tuple(
        study.model_copy(
            update={
                "experiments": tuple(
                    e.model_copy(update={"outcomes": tuple(choose(study, e))}) for e in study.experiments
                )
            }
        )
        for study in loaded.ledger.studies
    )
    return dataclasses.replace(loaded, ledger=Ledger(studies))


def with_hypotheses(loaded, hypotheses):
    return dataclasses.replace(loaded, case=loaded.case.model_copy(update={"hypotheses": tuple(hypotheses)}))


def positive_controls(loaded):
    def effective(study, experiment):
        return [
            Verdict(
                form="verdict",
                verdict="effective",
                endpoint=a.endpoint,
                roles={"K": a.arm, "V": "V"},
                source=HERE,
            )
            for a in loaded.case.anchors
            if (a.study, a.experiment) == (study.id, experiment.id) and "V" in experiment.protocol.arms
        ]

    return with_outcomes(loaded, effective)


PAIR = ("yoon2019", "zhang_hashimoto2019")


def reduced():
    """Three hypotheses and two small studies, the first made a year older so that a year lies between them."""
    loaded = only(load_letter(PAIR), ("nmdar", "nmdar-or-mor", "nothing-specific"), PAIR)
    first, second = loaded.ledger.studies
    assert (first.id, second.id) == PAIR
    older = first.model_copy(update={"year": second.year - 1})
    return dataclasses.replace(loaded, ledger=Ledger((older, second)))


# Nothing to decide


@pytest.fixture(scope="module")
def of_nothing():
    """Results of records without a scored outcome."""
    ketamine = load_letter()
    empty = dataclasses.replace(ketamine, ledger=Ledger())
    narrative = with_outcomes(ketamine, lambda s, e: [o for o in e.outcomes if o.form == "narrative"])
    return {
        name: adjudicate(case, settings=SMALL).result
        for name, case in (("empty", empty), ("narrative", narrative))
    }


@pytest.mark.slow
@pytest.mark.parametrize("record", ["empty", "narrative"])
def test_record_without_scored_outcomes_decides_nothing(of_nothing, record, tmp_path):
    result = of_nothing[record]
    assert "The record does not decide." in result.verdict
    names = {p.name for p in result.propositions}
    assert {"opioid signalling needed", "NMDAR block needed", "NMDAR block sufficient"} <= names
    assert {p.verdict for p in result.propositions} == {"undecided"}
    assert {p.leaning for p in result.propositions} == {None}
    weighed = [c for c in result.claims if all(a.basis == "posterior" for a in c.answers)]
    assert len(weighed) > 3
    assert {c.verdict for c in weighed} <= {"undecided", "not testable"}
    (tmp_path / "result.json").write_text(result.to_json(), encoding="utf-8")
    assert read_result(tmp_path) == result


@pytest.mark.slow
@pytest.mark.parametrize("record", ["empty", "narrative"])
def test_record_without_scored_outcomes_leaves_every_prior(of_nothing, record):
    result = of_nothing[record]
    for row in (*result.hypotheses, *result.propositions):
        assert row.probability == pytest.approx(row.prior, abs=1e-12)
    assert all(h.log_ml == 0 and h.log_bf == 0 for h in result.hypotheses)


@pytest.mark.slow
def test_anchors_without_studies_still_name_their_propositions(of_nothing):
    asked = {(p.stratum, p.phase) for p in of_nothing["empty"].propositions}
    assert ("human, stressed, behaving", "sustained") in asked


@pytest.mark.slow
def test_positive_controls_alone_decide_no_proposition():
    result = adjudicate(positive_controls(load_letter()), settings=SMALL).result
    about = [p for p in result.propositions if "opioid" in p.name or "R " in p.name]
    assert len(about) > 10
    assert {p.verdict for p in about} == {"undecided"}
    logs = [h.log_ml for h in result.hypotheses if h.gate != "0"]
    assert np.ptp(logs) < 0.2
    assert all(h.log_ml > result.account("nothing-specific").log_ml + 0.5 for h in result.hypotheses[:3])


# What the result must not depend on


@pytest.fixture(scope="module")
def small():
    return adjudicate(reduced(), settings=SMALL, workers=2)


@pytest.mark.slow
def test_permuting_and_renaming_hypotheses_permutes_the_result(small):
    case = reduced()
    turned = [
        h.model_copy(update={"name": f"renamed-{h.name}", "title": "another"})
        for h in reversed(case.case.hypotheses)
    ]
    other = adjudicate(with_hypotheses(case, turned), settings=SMALL).result
    for one in small.result.hypotheses:
        found = other.account(f"renamed-{one.name}")
        assert found.log_ml == one.log_ml
        assert found.absolute.log_ml == one.absolute.log_ml
        assert found.probability == pytest.approx(one.probability, abs=1e-12)


@pytest.mark.slow
def test_workers_do_not_change_the_result(small):
    other = adjudicate(reduced(), settings=SMALL, workers=1)
    assert other.result == small.result
    assert other.draws.identical(small.draws)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["threads", "dask"])
def test_an_executor_of_the_callers_does_not_change_the_result_and_stays_open(small, kind):
    with (
        ThreadPoolExecutor(2)
        if kind == "threads"
        else Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None)
    ) as given:
        executor = given if isinstance(given, ThreadPoolExecutor) else given.get_executor()
        other = adjudicate(reduced(), settings=SMALL, executor=executor)
        assert executor.submit(abs, -1).result() == 1
    assert other.result == small.result


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["weighing the hypotheses", "summarising"])
def test_interrupted_run_goes_on_to_the_same_numbers(small, tmp_path, stage):
    def interrupt(task, fraction):
        if task == stage and (fraction > 0.4 or stage == "summarising"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        adjudicate(reduced(), settings=SMALL, progress=interrupt, checkpoints=tmp_path)
    resumed = adjudicate(reduced(), settings=SMALL, checkpoints=tmp_path)
    assert resumed.result == small.result
    assert resumed.draws.identical(small.draws)


@pytest.mark.slow
def test_result_is_in_double_precision_whatever_the_process_default(small, tmp_path):
    """A process that never enables 64-bit numbers gets the same result, in both threads."""
    program = (
        "import json, sys; from gaddum.verdict.adjudicate import adjudicate; "
        "sys.path[:0] = sys.argv[1:]; import test_adjudicate as t; import jax; "
        "assert not jax.config.jax_enable_x64; "
        "found = adjudicate(t.reduced(), settings=t.SMALL, workers=2); "
        "print(json.dumps([h.log_ml for h in found.result.hypotheses]))"
    )
    folder = Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-c", program, str(folder), str(folder.parent)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert json.loads(run.stdout) == [h.log_ml for h in small.result.hypotheses]
    assert all(x != float(np.float32(x)) for x in json.loads(run.stdout))


@pytest.mark.slow
def test_hypothesis_entered_twice_shares_its_mass_and_evidence(small):
    case = reduced()
    first = case.case.hypotheses[0]
    twin = first.model_copy(update={"name": "twin"})
    found = adjudicate(with_hypotheses(case, [*case.case.hypotheses, twin]), settings=SMALL).result
    assert (first.name, "twin") in found.equivalence
    one, other = found.account(first.name), found.account("twin")
    assert one.log_ml == other.log_ml and one.prior == other.prior
    assert one.probability == pytest.approx(small.result.account(first.name).probability / 2, abs=1e-12)
    mine = {(p.name, p.stratum, p.phase): p.probability for p in found.propositions}
    for p in small.result.propositions:
        assert mine[p.name, p.stratum, p.phase] == pytest.approx(p.probability, abs=1e-9)


@pytest.mark.slow
def test_two_seeds_agree_within_their_errors(small):
    other = adjudicate(reduced(), settings=SMALL, seed=1).result
    for one in small.result.hypotheses:
        found = other.account(one.name)
        error = np.hypot(one.log_ml_mcse, found.log_ml_mcse)
        assert abs(one.log_ml - found.log_ml) < 4 * error + 0.05


# Weights


@pytest.mark.slow
def test_importance_weights_agree_with_a_refit(small):
    """Without the mouse cohort: by importance weights, and from the record as it was a year before that came."""
    (_, mice) = reduced().ledger.studies
    refit = adjudicate(reduced(), until=mice.year - 1, settings=SMALL).result
    assert [row.id for row in refit.studies] == ["yoon2019"]
    row = next(s for s in small.result.sensitivity if s.name == "without zhang_hashimoto2019")
    for hypothesis in refit.hypotheses:
        here, there = hypothesis.probability, row.probabilities[hypothesis.name]
        assert abs(np.log(here / (1 - here)) - np.log(there / (1 - there))) < 0.3


@pytest.mark.slow
def test_until_before_everything_is_prior():
    result = adjudicate(reduced(), until=1900, settings=SMALL).result
    assert "The record does not decide." in result.verdict
    assert result.studies == ()
    for row in result.hypotheses:
        assert row.probability == pytest.approx(row.prior, abs=1e-12)


# A settled question


@pytest.mark.slow
def test_morphine_acts_through_mu_and_not_through_delta():
    result = adjudicate("morphine", hypotheses=["mor", "dor"], settings=SMALL).result
    assert result.account("mor").probability > 0.95


# Arguments


def test_an_unknown_sampler_is_refused_before_anything_is_read():
    with pytest.raises(ValueError, match="sampler must be one of tempering"):
        adjudicate("no such case", settings=SMALL._replace(sampler="dice"))


def test_unknown_hypotheses_and_links_are_refused():
    with pytest.raises(ValueError, match="nonsense"):
        adjudicate("ketamine", hypotheses=["nonsense"])
    with pytest.raises(ValueError, match="link"):
        adjudicate("ketamine", link=1.5)
