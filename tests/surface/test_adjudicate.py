"""The command: what it prints and where, its exit codes, and what it leaves behind.

The chain itself is replaced by one that returns the fictional result at once.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
import xarray as xr

from gaddum.result_reader import read_result
from gaddum.surface.cli import main
from gaddum.surface.report.answers import first_screen
from gaddum.verdict import adjudicate as chain

FILES = {"posterior.nc", "report.html", "result.json", "run.log"}


@pytest.fixture(scope="module")
def result():
    return read_result(Path(__file__).parent / "document.json")


@pytest.fixture
def answer(monkeypatch, result):
    """Let the chain return the result; gives the list of its calls."""
    calls = []

    def weigh(case, *, progress, checkpoints, **choices):
        progress("weighing the hypotheses", 0.5)
        calls.append(choices)
        draws = xr.DataTree.from_dict({"/gate-matched/ar1": xr.Dataset({"z": ("draw", [0.0, 1.0])})})
        return chain.Adjudication(result, draws)

    monkeypatch.setattr(chain, "adjudicate", weigh)
    monkeypatch.setattr("gaddum.surface.accelerator.configure_jax", lambda **given: None)
    return calls


def test_run_writes_all_files_and_prints_what_is_said_first(answer, result, tmp_path, capsys):
    assert main(["adjudicate", "morphine", "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr().out
    assert first_screen(result).sentences[0] in " ".join(shown.split())
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    with xr.open_datatree(tmp_path / "out" / "posterior.nc", engine="h5netcdf") as tree:
        assert tree["/gate-matched/ar1"]["z"].shape == (2,)


@pytest.mark.slow
def test_json_is_all_that_standard_output_holds(answer, tmp_path, capsys):
    assert main(["adjudicate", "morphine", "--out", str(tmp_path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_options_reach_the_chain_and_the_command_to_repeat_it(answer, tmp_path):
    options = ["--until", "1990", "--hypotheses", "mor, dor", "--seed", "3", "--link", "0.5"]
    assert main(["adjudicate", "morphine", "--out", str(tmp_path), *options]) == 0
    assert answer == [
        {
            "until": 1990,
            "hypotheses": ["mor", "dor"],
            "seed": 3,
            "link": 0.5,
            "comparator": False,
            "workers": 2,
        }
    ]
    command = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["manifest"]["command"]
    assert command == "gaddum adjudicate morphine --seed 3 --until 1990 --hypotheses 'mor, dor' --link 0.5"


@pytest.mark.parametrize(
    "arguments",
    [
        ["nowhere"],
        ["morphine", "--seed", "-1"],
        ["morphine", "--seed", "12345678901234567890123"],
        ["morphine", "--link", "2"],
        ["morphine", "--workers", "0"],
        ["morphine", "--out", ""],
    ],
)
def test_unusable_input_is_code_2_with_a_sentence(answer, tmp_path, capsys, arguments):
    assert main(["adjudicate", "--out", str(tmp_path), *arguments]) == 2
    caught = capsys.readouterr()
    assert caught.out == ""
    assert caught.err
    assert "Traceback" not in caught.err


def test_refusal_by_the_chain_is_code_2_and_stays_in_the_log(answer, monkeypatch, tmp_path, capsys):
    def refuse(case, **choices):
        raise ValueError("Hypotheses must be among mor, dor; got none.")

    monkeypatch.setattr(chain, "adjudicate", refuse)
    assert main(["adjudicate", "morphine", "--out", str(tmp_path)]) == 2
    assert "Hypotheses must be among" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["failed.log"]


def test_interrupt_is_code_130_and_leaves_earlier_results(answer, monkeypatch, tmp_path):
    assert main(["adjudicate", "morphine", "--out", str(tmp_path / "out")]) == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def interrupted(case, **choices):
        raise KeyboardInterrupt

    monkeypatch.setattr(chain, "adjudicate", interrupted)
    assert main(["adjudicate", "morphine", "--out", str(tmp_path / "out")]) == 130
    after = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    after.pop("failed.log")
    assert after == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_files_of_a_run_name_it_and_the_result_holds_their_digests(answer, tmp_path):
    assert main(["adjudicate", "morphine", "--out", str(tmp_path)]) == 0
    manifest = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["manifest"]
    with xr.open_datatree(tmp_path / "posterior.nc", engine="h5netcdf") as tree:
        assert tree.attrs["run"] == manifest["run"]
    for name in ("report.html", "run.log"):
        assert manifest["run"] in (tmp_path / name).read_text(encoding="utf-8")
    for name in ("report.html", "posterior.nc"):
        assert manifest["files"][name] == sha256((tmp_path / name).read_bytes()).hexdigest()


def test_resume_of_a_finished_run_computes_nothing(answer, tmp_path, capsys):
    assert main(["adjudicate", "morphine", "--out", str(tmp_path)]) == 0
    shown = capsys.readouterr()
    assert main(["adjudicate", "morphine", "--out", str(tmp_path), "--resume"]) == 0
    assert len(answer) == 1
    again = capsys.readouterr()
    assert again.out == shown.out
    assert "nothing is left to compute" in again.err


def test_resume_of_another_request_is_code_2_and_says_what_differs(answer, monkeypatch, tmp_path, capsys):
    def interrupted(case, *, checkpoints, **choices):
        (checkpoints / "one.npz").touch()
        raise KeyboardInterrupt

    out = str(tmp_path / "out")
    monkeypatch.setattr(chain, "adjudicate", interrupted)
    assert main(["adjudicate", "morphine", "--out", out]) == 130
    assert f"go on with: gaddum adjudicate morphine --seed 0 --out {out} --resume" in capsys.readouterr().err
    assert main(["adjudicate", "morphine", "--out", out, "--seed", "1", "--resume"]) == 2
    assert "seed was 0 and is 1" in capsys.readouterr().err


STOPPED = """
import sys, time
from gaddum.surface.cli import main
from gaddum.verdict import adjudicate as chain
def weigh(case, *, checkpoints, **choices):
    (checkpoints / "one.npz").touch()
    print("ready", flush=True)
    time.sleep(60)
chain.adjudicate = weigh
sys.exit(main(["adjudicate", "morphine", "--out", sys.argv[1]]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs SIGHUP")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_signal_keeps_what_was_computed_and_the_log(tmp_path, name, code):
    command = [sys.executable, "-c", STOPPED, str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(getattr(signal, name))
        _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert "go on with: gaddum adjudicate morphine" in said
    assert "ended early" in (tmp_path / "out" / "failed.log").read_text(encoding="utf-8")
    assert (tmp_path / ".out.run" / "fits" / "one.npz").exists()


@pytest.mark.skipif(os.name != "posix", reason="needs limits of the process")
def test_too_little_virtual_memory_is_said_before_anything_is_computed(answer, monkeypatch, tmp_path, capsys):
    import resource

    monkeypatch.setattr(resource, "getrlimit", lambda which: (10**9, resource.RLIM_INFINITY))
    assert main(["adjudicate", "morphine", "--out", str(tmp_path / "out")]) == 2
    assert "1.0 GB" in capsys.readouterr().err
    assert answer == [] and list(tmp_path.iterdir()) == []


def test_broken_case_is_code_2(answer, tmp_path, capsys):
    import gaddum

    shutil.copytree(Path(gaddum.__file__).parent / "library" / "cases" / "morphine", tmp_path / "morphine")
    with (tmp_path / "morphine" / "case.yaml").open("a", encoding="utf-8") as file:
        file.write("unheard_of: 1\n")
    assert main(["adjudicate", str(tmp_path / "morphine"), "--out", str(tmp_path / "out")]) == 2
    assert "unheard_of" in capsys.readouterr().err
