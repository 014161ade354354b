"""The harness that scores the model asks of each run what it may know, on invented studies and runs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.prediction import runs
from benchmarks.prediction.__main__ import check_look, check_rivals, main
from benchmarks.prediction.forecasts import WAYS
from benchmarks.prediction.model import leave_out, model_forecasts, row_chances
from benchmarks.prediction.rows import EVENTS, blockade_record
from benchmarks.prediction.runs import TrainedRun, TrainedRuns, Training, later_cohorts, without
from scipy.stats import norm

from gaddum.prediction.stored_run import StoredRun
from gaddum.records.ledger import LoadedCase
from gaddum.sampling.settings import Settings
from invented import invented_case, invented_study, word
from prediction.stored import prior_run

ACCOUNTS = ("nmdar", "nmdar-permissive-opioid")
STUDIES = (
    invented_study("elm_2018", word("abolished"), year=2018, lab="Elm"),
    invented_study("ash_2020", word("partial"), year=2020, lab="Ash"),
    invented_study("elm_2021", word("not abolished"), year=2021, lab="Elm"),
)


@pytest.fixture(scope="module")
def case() -> LoadedCase:
    return invented_case(*STUDIES, accounts=ACCOUNTS)


def sure_of(account: str, run: StoredRun) -> StoredRun:
    """The run, all of whose probability lies on one account."""
    mine = [fit.variant.hypothesis.name == account for fit in run.fits]
    fits = (fit._replace(probability=one / sum(mine)) for fit, one in zip(run.fits, mine, strict=True))
    return run._replace(fits=tuple(fits))


def normal_run(run: StoredRun, seen: float, noise: float, draws: int) -> TrainedRun:
    """Two fits of theta ~ N(0, 1): of one cohort's y = theta + error, and of one that says nothing of theta."""
    random = np.random.default_rng(3)
    narrow = 1 / (1 + 1 / noise**2)
    theta = narrow * seen / noise**2 + np.sqrt(narrow) * random.standard_normal(draws)
    logs = norm.logpdf(seen, theta, noise)[None]
    fits = [
        run.fits[0]._replace(probability=0.5, scores={"theta": theta}),
        run.fits[1]._replace(probability=0.5, scores={"theta": random.standard_normal(draws)}),
    ]
    return TrainedRun(run._replace(fits=tuple(fits), cohorts=("elm",)), (logs, np.zeros((1, draws))))


def test_leaving_a_cohort_out_by_weights_gives_what_was_known_before_it(case: LoadedCase):
    trained = normal_run(prior_run(case), seen=1.0, noise=1.5, draws=20_000)
    left = leave_out(trained, frozenset({"elm"}))
    assert left.trusted and left.draws > 1000
    theta = left.run.fits[0].scores["theta"]
    assert (theta.mean(), theta.std()) == pytest.approx((0.0, 1.0), abs=0.05)
    # The cohort had moved the odds by its marginal likelihood, which leaving it out takes back.
    odds = left.run.fits[0].probability / left.run.fits[1].probability
    assert odds == pytest.approx(1 / norm.pdf(1.0, 0, np.hypot(1, 1.5)), rel=0.05)


def test_weights_that_cannot_be_trusted_have_a_large_k_hat(case: LoadedCase):
    trained = normal_run(prior_run(case), seen=4.0, noise=0.1, draws=2000)
    assert not leave_out(trained, frozenset({"elm"})).trusted


def test_few_effective_draws_are_not_trusted(case: LoadedCase):
    trained = normal_run(prior_run(case), seen=1.0, noise=1.5, draws=90)
    left = leave_out(trained, frozenset({"elm"}))
    assert left.draws < 100 and not left.trusted


def test_a_cohort_that_no_run_weighed_changes_nothing(case: LoadedCase):
    trained = normal_run(prior_run(case), seen=1.0, noise=1.0, draws=200)
    left = leave_out(trained, frozenset({"ash"}))
    np.testing.assert_array_equal(left.run.fits[0].scores["theta"], trained.run.fits[0].scores["theta"])
    assert [fit.probability for fit in left.run.fits] == [0.5, 0.5]


@pytest.mark.slow
@pytest.mark.parametrize("trusted", [True, False])
def test_the_case_is_run_again_only_where_weights_cannot_be_trusted(case: LoadedCase, trusted: bool):
    asked = []
    run = prior_run(case, draws=400)._replace(cohorts=("elm_2018",))
    random = np.random.default_rng(1)
    # Heavy tails of the weights where they shall not be trusted.
    logs = np.zeros((1, 400)) if trusted else -random.standard_cauchy((1, 400)).clip(-100, 100)

    def run_of(training: Training) -> TrainedRun:
        asked.append(training)
        return TrainedRun(run, (logs,) * len(run.fits))

    found = model_forecasts(case, blockade_record(case), run_of)
    refits = [] if trusted else [Training(until=2017), Training(without="Elm")]
    assert asked == [Training(), *refits]
    for way in WAYS:
        assert found[way].shape == (3, 3) and found[way].sum(axis=1) == pytest.approx(1)


def test_a_forecast_does_not_see_what_came(case: LoadedCase):
    shuffled = zip(STUDIES, STUDIES[::-1], strict=True)
    turned = invented_case(*(s.model_copy(update={"experiments": o.experiments}) for s, o in shuffled))
    turned = type(case)(case.case, case.library, turned.ledger, case.folder)
    run = prior_run(case)
    rows, others = blockade_record(case).scored[:1], blockade_record(turned).scored[:1]
    assert rows[0].shares.tolist() != others[0].shares.tolist()
    np.testing.assert_array_equal(row_chances(case, run, rows), row_chances(turned, run, others))


def test_an_account_without_opioids_foretells_no_blockade_by_naltrexone_and_one_with_them_does(
    case: LoadedCase,
):
    run, rows = prior_run(case), blockade_record(case).scored[:1]
    ((spared,), (needed,)) = (row_chances(case, sure_of(account, run), rows) for account in ACCOUNTS)
    assert spared[EVENTS.index("not_abolished")] > 0.85
    assert needed[EVENTS.index("abolished")] > 3 * spared[EVENTS.index("abolished")]


def test_a_control_that_was_not_run_is_added_to_the_forecast():
    retest = {"arm": "KA", "among_responders_of": "K", "responders": 0, "n": 7}
    counts = {
        "form": "responders",
        "criterion": "half",
        "counts": {"K": {"responders": 7, "n": 12}},
        "retest": retest,
    }
    study = invented_study("one", counts, arms="K KA", n=12, design="crossover")
    whole = invented_study("two", word("abolished"), n=12, design="crossover", subject={"strain": "another"})
    case = invented_case(study, whole, accounts=ACCOUNTS)
    one, two = row_chances(case, prior_run(case), blockade_record(case).scored)
    assert one == pytest.approx(two, abs=0.05)


def test_the_antagonist_alone_is_the_control_where_no_other_was_run():
    bare = invented_study(
        "one",
        {"form": "test", "statistic": "t", "value": 3.0, "contrast": ["K", "KA"], "better": "first"},
        arms="K KA A",
    )
    whole = invented_study("two", word("abolished"), subject={"strain": "another"})
    case = invented_case(bare, whole, accounts=ACCOUNTS)
    one, two = row_chances(case, prior_run(case), blockade_record(case).scored)
    assert one == pytest.approx(two, abs=0.08)


def test_what_a_row_does_not_ask_of_is_not_followed():
    asked, other = (
        invented_study("one", word("abolished"), subject={"sex": sex}) for sex in ("male", "female")
    )
    (experiment,), (beside,) = asked.experiments, other.experiments
    beside = beside.model_copy(update={"id": "beside", "outcomes": ()})
    study = asked.model_copy(update={"experiments": (experiment, beside)})
    case = invented_case(study, accounts=ACCOUNTS)
    stratum = experiment.protocol.subject.stratum
    anchors = tuple(one for one in case.case.anchors if one.stratum == stratum)
    alone = type(case)(
        case.case.model_copy(update={"anchors": anchors}), case.library, case.ledger, case.folder
    )
    run = prior_run(case)._replace(
        loaded=alone
    )  # the other population has no reference, which would be refused
    assert row_chances(case, run, blockade_record(case).scored).shape == (1, 3)


def test_later_cohorts_are_those_first_reported_then(case: LoadedCase):
    assert later_cohorts(case, 2020) == {"ash_2020", "elm_2021"}
    again = invented_study("again", word("partial"), cohort="elm_2018", year=2022)
    assert later_cohorts(invented_case(*STUDIES, again), 2021) is None
    assert later_cohorts(invented_case(*STUDIES, again), 2018) == {"elm_2018", "ash_2020", "elm_2021"}


def test_a_laboratory_left_out_keeps_its_protocols_and_no_outcome(case: LoadedCase):
    left = without(case, "Elm")
    kept = {study.id: len(study.experiments[0].outcomes) for study in left.ledger.studies}
    assert kept == {"elm_2018": 0, "ash_2020": 1, "elm_2021": 0}
    assert left.ledger.study("elm_2018").experiments[0].protocol == STUDIES[0].experiments[0].protocol


def test_a_look_that_is_not_written_down_is_refused():
    decision = "| Row | 7 |\n\n| Look | What was asked | Result |\n|---|---|---|\n| 1 | The model | |\n"
    check_look(1, decision)
    with pytest.raises(SystemExit, match="look 7 is not among 1"):
        check_look(7, decision)


def test_a_look_is_taken_once():
    with pytest.raises(SystemExit, match="must be taken once; look 1 has its result"):
        check_look(1, "| Look | What was asked | Result |\n|---|---|---|\n| 1 | The model | -1.04 (.05) |\n")


def test_the_command_refuses_a_look_that_is_not_written_down():
    with pytest.raises(SystemExit, match="look 1000 is not among"):
        main(["--model", "1000"])


def test_rivals_of_another_record_are_refused(case: LoadedCase):
    record = blockade_record(case)
    assert check_rivals({"record": record.digest}, record) == {"record": record.digest}
    for found in (None, {"record": "another"}):
        with pytest.raises(SystemExit, match="--rivals"):
            check_rivals(found, record)


SMALL = Settings(
    particles=64, lanes=32, sweeps=12, warm_up=4, ess_per_dimension=1.0, r_hat=1.2, largest_mcse=1.0
)


@pytest.mark.slow
def test_runs_are_made_once_and_know_what_they_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    case = invented_case(*STUDIES, accounts=("nmdar",))
    told: list[tuple[str, str, float]] = []
    kept = TrainedRuns(case, tmp_path, settings=SMALL, progress=lambda *words: told.append(words))
    early = kept.of(Training(until=2019))
    assert early.run.cohorts == ("elm_2018",) and early.cohort_logs[0].shape[0] == 1
    assert {training for training, _, _ in told} == {"until 2019"}

    def never(*given: Any, **settings: Any) -> None:
        raise AssertionError("A run that is there was made again.")

    monkeypatch.setattr(runs, "adjudicate", never)
    again = kept.of(Training(until=2019))
    np.testing.assert_array_equal(again.cohort_logs[0], early.cohort_logs[0])
    with pytest.raises(AssertionError):
        kept._replace(seed=1).of(Training(until=2019))
