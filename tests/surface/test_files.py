"""Files: a run's results appear whole or not at all."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from gaddum.surface.files import as_json, staged, write_atomically


def contents(folder):
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_files_move_when_the_block_ends(tmp_path):
    out = tmp_path / "runs" / "case"
    with staged(out) as work:
        (work / "result.json").write_text("{}")
        assert contents(out) == {}
    assert contents(out) == {"result.json": "{}"}
    assert list(out.parent.iterdir()) == [out]


@pytest.mark.parametrize("failure", [KeyboardInterrupt, ValueError, SystemExit])
def test_failure_leaves_earlier_results_and_keeps_the_log(tmp_path, failure):
    out = tmp_path / "case"
    with staged(out) as work:
        (work / "result.json").write_text("old")
        (work / "run.log").write_text("old log")
    with pytest.raises(failure), staged(out) as work:
        (work / "result.json").write_text("half")
        (work / "run.log").write_text("how it failed")
        raise failure
    assert contents(out) == {"result.json": "old", "run.log": "old log", "failed.log": "how it failed"}
    assert list(tmp_path.iterdir()) == [out]


def test_success_removes_the_log_of_an_earlier_failure(tmp_path):
    out = tmp_path / "case"
    with pytest.raises(ValueError), staged(out) as work:
        (work / "run.log").write_text("how it failed")
        raise ValueError
    with staged(out) as work:
        (work / "run.log").write_text("fine")
    assert contents(out) == {"run.log": "fine"}


def test_kill_leaves_earlier_results_whole(tmp_path):
    out = tmp_path / "case"
    with staged(out) as work:
        (work / "result.json").write_text("old")
    code = (
        "import pathlib, sys, time\n"
        "from gaddum.surface.files import staged\n"
        "with staged(pathlib.Path(sys.argv[1])) as work:\n"
        "    (work / 'result.json').write_text('half')\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        process.wait(10)
    assert contents(out) == {"result.json": "old"}


def test_working_folder_of_a_killed_run_is_swept_when_old(tmp_path):
    old, young = tmp_path / ".case.a.part", tmp_path / ".case.b.part"
    for folder in (old, young):
        folder.mkdir()
    long_ago = time.time() - 2 * 24 * 3600
    os.utime(old, (long_ago, long_ago))
    with staged(tmp_path / "case"):
        pass
    assert not old.exists()
    assert young.exists()


def test_output_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "case").write_text("mine")
    with pytest.raises(ValueError, match="--out"), staged(tmp_path / "case"):
        pass
    assert (tmp_path / "case").read_text() == "mine"


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
