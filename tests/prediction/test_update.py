"""Update: weights give what a refit gives, and say when they cannot; what is supposed; what is refused."""

import dataclasses
import json
import math
from pathlib import Path

import pytest

from gaddum import update
from gaddum.change_results import StudyUpdate
from gaddum.prediction.stored_run import StoredRun, read_run
from gaddum.records.experiment import Study
from gaddum.records.ledger import Ledger, LoadedCase
from gaddum.result_set import DRAWS, RESULT
from gaddum.sampling.settings import Settings
from gaddum.surface.cli import main
from gaddum.verdict.adjudicate import adjudicate
from letter import load_letter
from prediction.stored import NEW, prior_run

SHORT = Settings(particles=64, lanes=32, sweeps=24, warm_up=4, ess_per_dimension=1.0, r_hat=1.2)
SAID = """
    outcomes:
      - form: verdict
        endpoint: hours_3
        verdict: {verdict}
        roles: {{K: K, V: V, KA: KA}}
        agonist_effect_present: true
        source: {{how: assumption, reason: planned}}
"""

pytestmark = pytest.mark.slow


def study(verdict: str | None = None, **changed: str) -> Study:
    """The new study, with what came of it."""
    text = NEW.rstrip() + (SAID.format(verdict=verdict) if verdict else "\n")
    for old, new in changed.items():
        text = text.replace(old, new)
    return Ledger.parse([text]).studies[0]


@pytest.fixture(scope="module")
def loaded() -> LoadedCase:
    whole = load_letter(("zhang_hashimoto2019",))
    names = ("nmdar", "nmdar-permissive-opioid")
    chosen = tuple(one for one in whole.case.hypotheses if one.name in names)
    return dataclasses.replace(whole, case=whole.case.model_copy(update={"hypotheses": chosen}))


@pytest.fixture(scope="module")
def folder(loaded: LoadedCase, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found, path = adjudicate(loaded, settings=SHORT), tmp_path_factory.mktemp("run")
    found.draws.to_netcdf(path / DRAWS, engine="h5netcdf")
    (path / RESULT).write_text(found.result.to_json(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def run(folder: Path, loaded: LoadedCase) -> StoredRun:
    return read_run(folder, loaded)


@pytest.fixture(scope="module")
def updates(run: StoredRun, loaded: LoadedCase) -> dict[str, StudyUpdate]:
    return {one: update(loaded, study(one), run=run) for one in ("abolished", "not abolished")}


@pytest.fixture(scope="module")
def refitted(run: StoredRun, loaded: LoadedCase) -> StudyUpdate:
    """By a run whose draws, it says, are worth too few for the study."""
    few = run._replace(fits=tuple(fit._replace(effective_draws=100.0) for fit in run.fits))
    return update(loaded, study("abolished"), run=few, refit=True, seed=1, settings=SHORT)


def test_weights_give_what_a_refit_gives_within_the_errors_of_both(updates, refitted: StudyUpdate):
    found = updates["abolished"]
    assert (found.method, refitted.method) == ("weights", "refit")
    for rows, others in ((found.accounts, refitted.accounts), (found.propositions, refitted.propositions)):
        assert len(rows) == len(others) > 0
        by_name = {(x.name, getattr(x, "stratum", ""), getattr(x, "phase", "")): x for x in others}
        for one in rows:
            other = by_name[one.name, getattr(one, "stratum", ""), getattr(one, "phase", "")]
            assert one.before == pytest.approx(other.before, abs=1e-6)
            assert one.error is not None and other.error is not None
            assert one.after == pytest.approx(other.after, abs=4 * math.hypot(one.error, other.error) + 1e-9)


def test_a_study_that_says_abolished_and_one_that_says_not_move_opioid_signalling_apart(updates):
    def chance(verdict: str) -> float:
        rows = updates[verdict].propositions
        (row,) = [one for one in rows if one.name == "opioid signalling needed" and one.phase == "acute"]
        assert row.before is not None and row.after is not None
        return row.after - row.before

    assert chance("abolished") > 0.02
    assert chance("not abolished") < chance("abolished") - 0.05


def test_what_is_supposed_moves_as_the_mean_of_what_may_come(run: StoredRun, loaded: LoadedCase):
    """Chances before are those after, averaged over what may come of the study; the rest is "nothing to block"."""
    events = [
        update(loaded, study(), run=run, what_if=one) for one in ("abolished", "partial", "not_abolished")
    ]
    spent = sum(one.event_chance or 0.0 for one in events)
    assert 0 < spent < 1
    for place, row in enumerate(events[0].propositions):
        assert row.before is not None
        mean = sum((one.event_chance or 0.0) * (one.propositions[place].after or 0.0) for one in events)
        assert mean - 1e-9 <= row.before <= mean + (1 - spent) + 1e-9


def test_a_refit_of_an_earlier_run_keeps_the_protocols_of_later_reports(
    loaded: LoadedCase, monkeypatch: pytest.MonkeyPatch
):
    seen: list[LoadedCase] = []

    def instead(case: LoadedCase, **_: object) -> None:
        seen.append(case)
        raise InterruptedError

    monkeypatch.setattr("gaddum.verdict.adjudicate.adjudicate", instead)
    run = prior_run(loaded)
    early = run._replace(result=run.result.model_copy(update={"until": 2018}))
    with pytest.raises(InterruptedError):
        update(loaded, study("abolished"), run=early, refit=True)
    (weighed,) = seen
    later = weighed.ledger.study("zhang_hashimoto2019")
    assert [one.outcomes for one in later.experiments] == [()] * len(later.experiments)
    assert later.experiments[0].protocol == loaded.ledger.study(later.id).experiments[0].protocol
    assert weighed.ledger.study("new_study").experiments[0].outcomes


def test_a_study_of_great_weight_needs_a_refit_and_prints_no_number(run: StoredRun, loaded: LoadedCase):
    fits = tuple(fit._replace(effective_draws=120.0) for fit in run.fits)
    found = update(loaded, study("abolished"), run=run._replace(fits=fits))
    assert found.effective_draws < 100
    assert (found.method, found.accounts, found.propositions) == ("needs a refit", (), ())
    assert found.moved[0].startswith("Needs a refit: ") and "--refit" in found.moved[0]


def test_groups_too_small_for_the_drug_itself_are_named_as_why(run: StoredRun, loaded: LoadedCase):
    small = study("abolished", **{"n: 10": "n: 3"})
    told = " ".join(update(loaded, small, run=run).unmoved)
    assert "the drug's own effect is found with a chance of 0." in told and "K n = 3" in told
    assert "found with a chance" not in " ".join(
        update(loaded, study("abolished", **{"n: 10": "n: 60"}), run=run).unmoved
    )


def test_an_antagonist_that_has_left_is_named_as_why(run: StoredRun, loaded: LoadedCase):
    early = study(
        "abolished",
        **{"amount: 10 mg/kg, route: ip, time: -30 min": "amount: 10 mg/kg, route: ip, time: -300 h"},
    )
    assert "the antagonist engaged nothing that an account speaks of" in " ".join(
        update(loaded, early, run=run).unmoved
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"study": study()}, "none. Fill them in, or suppose"),
        (
            {"study": study("abolished"), "refit": True, "what_if": "partial"},
            "only supposed cannot be refitted",
        ),
    ],
)
def test_what_cannot_be_updated_by_is_refused(asked: dict, said: str, run: StoredRun, loaded: LoadedCase):
    with pytest.raises(ValueError, match=said):
        update(loaded, run=run, **asked)


def test_a_study_that_was_weighed_already_is_refused(run: StoredRun, loaded: LoadedCase):
    with pytest.raises(ValueError, match="must be new to the run"):
        update(loaded, "zhang_hashimoto2019", run=run)


def test_an_earlier_run_without_what_is_true_in_its_draws_is_refused(
    folder: Path, loaded: LoadedCase, tmp_path: Path
):
    import h5py

    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with h5py.File(tmp_path / DRAWS, "a") as file:
        for fit in file["gate-matched"].values():  # pyright: ignore[reportAttributeAccessIssue]
            del fit["propositions"]
    said = json.loads((tmp_path / RESULT).read_text())
    said["manifest"].pop("files", None)
    (tmp_path / RESULT).write_text(json.dumps(said))
    with pytest.raises(ValueError, match="by an earlier gaddum. Run the case again"):
        update(loaded, study("abolished"), run=read_run(tmp_path, loaded))


def test_stored_truths_are_those_that_the_result_counted(run: StoredRun, updates):
    stored = {(one.name, one.stratum, one.phase): one.probability for one in run.result.propositions}
    for row in updates["abolished"].propositions:
        assert row.before == pytest.approx(stored[row.name, row.stratum, row.phase], abs=1e-9)


def test_an_update_is_read_as_it_was_written(updates):
    assert StudyUpdate.model_validate_json(updates["abolished"].to_json()) == updates["abolished"]


def test_the_command_tells_what_moved_and_what_could_not(
    folder: Path, loaded: LoadedCase, tmp_path: Path, monkeypatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("gaddum.prediction.update.load_case", lambda name: loaded)
    path = tmp_path / "new.yaml"
    path.write_text(NEW.rstrip() + SAID.format(verdict="abolished"), encoding="utf-8")
    words = ["update", "ketamine", str(path), "--run", str(folder)]
    assert main(words) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "By importance weights: " in said and "opioid signalling needed: moved in" in said
    assert main([*words[:2], str(path), "--run", str(folder), "--what-if", "partial", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["what_if"] == "partial"
