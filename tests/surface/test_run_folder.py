"""Run folder: what an interrupted run leaves, who may go on with it, and what becomes of the results."""

from pathlib import Path

import pytest

from gaddum.result_reader import read_result
from gaddum.result_set import digests
from gaddum.surface.run_folder import finished, run_folder, run_id

ASKED = {"case": "small", "seed": 0, "case_hash": "a" * 64}


@pytest.fixture
def told():
    return []


@pytest.fixture
def run(tmp_path, told):
    """Open the folder of a run into `case`."""

    def opened(asked=ASKED, *, resume=False):
        out = tmp_path / "case"
        return run_folder(out, asked, resume=resume, again="gaddum again", say=told.append)

    return opened


def interrupt(run, **choices):
    with pytest.raises(KeyboardInterrupt), run(**choices) as place:
        (place.fits / "one.npz").write_text("state")
        (place.results / "run.log").write_text("how far it came\n")
        raise KeyboardInterrupt


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_interrupted_run_is_kept_and_the_way_on_is_said(run, told, tmp_path):
    interrupt(run)
    assert told == [f"What was computed is kept in {tmp_path / '.case.run'}; go on with: gaddum again"]
    assert contents(tmp_path / "case") == {"failed.log": "how far it came\n"}


def test_resumed_run_finds_its_states_and_its_log(run, told, tmp_path):
    interrupt(run)
    with run(resume=True) as place:
        assert contents(place.fits) == {"one.npz": "state"}
        with (place.results / "run.log").open("a") as log:
            log.write("and to the end\n")
    assert "Going on with the run of" in told[-1]
    assert contents(tmp_path / "case") == {"run.log": "how far it came\nand to the end\n"}
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


def test_new_run_says_that_it_replaces_an_interrupted_one(run, told):
    interrupt(run)
    with run() as place:
        assert list(place.fits.iterdir()) == []
    assert "--resume would have gone on" in told[-1]


def test_nothing_to_go_on_with_is_said(run, told):
    with run(resume=True):
        pass
    assert told == ["There is no interrupted run to go on with; a new one starts."]


def test_run_that_was_asked_something_else_is_refused_and_kept(run):
    interrupt(run)
    with pytest.raises(ValueError, match="seed was 0 and is 1; case hash was aaaa"):
        run(ASKED | {"seed": 1, "case_hash": "b" * 64}, resume=True).__enter__()
    with run(resume=True) as place:
        assert contents(place.fits) == {"one.npz": "state"}


def test_run_that_fails_before_its_first_state_leaves_only_its_log(run, told, tmp_path):
    with pytest.raises(ValueError), run() as place:
        (place.results / "run.log").write_text("at once")
        raise ValueError
    assert told == []
    assert [path.name for path in tmp_path.iterdir()] == ["case"]
    assert contents(tmp_path / "case") == {"failed.log": "at once"}


def test_success_removes_the_log_of_an_earlier_failure(run, tmp_path):
    interrupt(run)
    with run() as place:
        (place.results / "run.log").write_text("fine")
    assert contents(tmp_path / "case") == {"run.log": "fine"}


def test_results_that_cannot_be_moved_are_kept_and_moved_later(run, told, tmp_path):
    out = tmp_path / "case"
    with pytest.raises(OSError, match="could not be moved"), run() as place:
        write_result(place.results)
        out.write_text("in the way")
    assert "gaddum again" in told[-1]
    out.unlink()
    found = finished(out, run_id(ASKED))
    assert found is not None and found.to_json() == (out / "result.json").read_text()
    assert finished(out, run_id(ASKED | {"seed": 1})) is None


@pytest.mark.parametrize("lost", ["report.html", "posterior.nc"])
def test_run_whose_files_are_not_all_there_is_not_finished(run, tmp_path, lost):
    with run() as place:
        write_result(place.results)
    assert finished(tmp_path / "case", run_id(ASKED)) is not None
    (tmp_path / "case" / lost).unlink()
    assert finished(tmp_path / "case", run_id(ASKED)) is None


@pytest.mark.parametrize("text", ["x", "{}", "[]"])
def test_foreign_result_is_no_finished_run(tmp_path, text):
    (tmp_path / "result.json").write_text(text)
    assert finished(tmp_path, run_id(ASKED)) is None


def write_result(folder):
    """The files of a finished run."""
    for name in ("report.html", "posterior.nc"):
        (folder / name).write_text(name)
    result = read_result(Path(__file__).parent / "document.json")
    files = digests(folder, "report.html", "posterior.nc")
    (folder / "result.json").write_text(result.with_manifest(run=run_id(ASKED), files=files).to_json())
