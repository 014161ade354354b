"""Files: what a command writes appears whole or not at all, and replaces what was there as one set."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from gaddum.result_set import settle
from gaddum.surface import files
from gaddum.surface.files import as_json, staged, write_atomically

NAMES = ("posterior.nc", "report.html", "result.json", "run.log")


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_files_move_when_the_block_ends(tmp_path):
    out = tmp_path / "runs" / "case"
    with staged(out) as work:
        (work / "result.json").write_text("{}")
        assert not out.exists()
    assert contents(out) == {"result.json": "{}"}
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, SystemExit])
def test_failure_leaves_what_was_there(tmp_path, failure):
    out = tmp_path / "case"
    with staged(out) as work:
        (work / "result.json").write_text("old")
    with pytest.raises(failure), staged(out) as work:
        (work / "result.json").write_text("half")
        raise failure
    assert contents(out) == {"result.json": "old"}
    assert list(tmp_path.iterdir()) == [out]


def test_failure_leaves_no_new_folder(tmp_path):
    with pytest.raises(ValueError), staged(tmp_path / "new" / "runs" / "case"):
        raise ValueError
    assert list(tmp_path.iterdir()) == []


def test_files_of_others_stay(tmp_path):
    (tmp_path / "case").mkdir()
    (tmp_path / "case" / "notes.txt").write_text("mine")
    with staged(tmp_path / "case") as work:
        (work / "result.json").write_text("new")
    assert contents(tmp_path / "case") == {"notes.txt": "mine", "result.json": "new"}


def test_folder_that_is_deleted_meanwhile_is_made_again(tmp_path):
    out = tmp_path / "case"
    out.mkdir()
    with staged(out) as work:
        (work / "result.json").write_text("new")
        out.rmdir()
    assert contents(out) == {"result.json": "new"}


def started(program: str, *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


STAGING = """
import pathlib, sys, time
from gaddum.surface.files import staged
with staged(pathlib.Path(sys.argv[1])) as work:
    (work / 'result.json').write_text('half')
    print('ready', flush=True)
    time.sleep(60)
"""


@pytest.fixture
def busy(tmp_path):
    """A process that is about to write into a folder."""
    with started(STAGING, tmp_path / "case") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


@pytest.mark.skipif(os.name != "posix", reason="files are locked by POSIX calls")
def test_second_command_into_a_folder_is_told_of_the_first(busy, tmp_path):
    with pytest.raises(ValueError, match=f"process {busy.pid} on .* since"), staged(tmp_path / "case"):
        pass


def test_folder_is_free_and_tidy_after_a_kill(busy, tmp_path):
    busy.kill()
    busy.wait(10)
    with staged(tmp_path / "case") as work:
        (work / "result.json").write_text("whole")
    assert contents(tmp_path / "case") == {"result.json": "whole"}
    assert [path.name for path in tmp_path.iterdir()] == ["case"]


SWITCHING = """
import pathlib, sys
from gaddum.surface.files import staged
names = sys.argv[2].split()
for turn in range(10_000):
    with staged(pathlib.Path(sys.argv[1])) as work:
        for name in names:
            (work / name).write_text(str(turn))
    print(turn, flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_kill_leaves_the_old_set_or_the_new_to_the_next_reader(tmp_path):
    out, random = tmp_path / "case", np.random.default_rng(0)
    for _ in range(5):
        with started(SWITCHING, out, " ".join(NAMES)) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.uniform(0, 0.05))
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        settle(out)
        found = contents(out)
        assert set(found) == set(NAMES)
        assert len(set(found.values())) == 1


def test_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "case").write_text("mine")
    with pytest.raises(ValueError, match="--out"), staged(tmp_path / "case"):
        pass
    assert (tmp_path / "case").read_text() == "mine"


def test_full_disk_is_found_before_anything_is_computed(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "ROOM", 1e30)
    with pytest.raises(ValueError, match="free space"), staged(tmp_path / "new" / "case"):
        raise AssertionError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a file system that nobody can write to")
def test_folder_where_nothing_can_be_written_is_refused():
    with pytest.raises(ValueError, match="can be written"), staged(Path("/proc/gaddum")):
        raise AssertionError


def test_file_is_replaced_whole(tmp_path):
    path = tmp_path / "a.txt"
    write_atomically(path, "one")
    write_atomically(path, b"two")
    assert contents(tmp_path) == {"a.txt": "two"}


def test_json_holds_standard_numbers_only():
    text = as_json(
        {"a": np.float64(0.5), "b": np.array([1.0, np.nan]), "c": (float("inf"), "\u00b5"), "d": None}
    )
    assert json.loads(text) == {"a": 0.5, "b": [1.0, None], "c": [None, "\u00b5"], "d": None}
    assert "\u00b5" in text
