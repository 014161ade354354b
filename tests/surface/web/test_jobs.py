"""Jobs: one runs, five wait, a stop leaves nothing, and a server that starts again finds them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gaddum.surface.web import child
from gaddum.surface.web.door import Door
from gaddum.surface.web.jobs import MOST_WAITING, Job, JobQueue

QUICK = ("gaddum", "--version")
SLOW = """
import pathlib, time
out = pathlib.Path(OUT)
out.mkdir(exist_ok=True)
(out.parent / ".lock").touch()
print("begun", flush=True)
time.sleep(600)
"""


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that take until they are stopped and write in between."""

    def start(words: tuple[str, ...], folder: Path, *, out, err, **_: object) -> "subprocess.Popen[str]":
        code = SLOW.replace("OUT", repr(words[-1]))
        return subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=folder,
            stdout=out,
            stderr=err,
            text=True,
            start_new_session=True,
        )

    monkeypatch.setattr("gaddum.surface.web.jobs.start", start)


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[JobQueue]:
    found = JobQueue(tmp_path)
    yield found
    found.close()


def when(queue: JobQueue, name: str, holds: Callable[[Job], bool]) -> Job:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        job = queue.find(name)
        if holds(job):
            return job
        time.sleep(0.02)
    raise AssertionError(queue.find(name))


def begun(queue: JobQueue) -> Callable[[Job], bool]:
    return lambda job: job.state == "running" and "begun" in queue.log(job)


def test_a_job_is_the_command_and_where_its_results_go(queue: JobQueue):
    job = queue.add(("gaddum", "audit", "klein2020", "--draws", "4"), "/audit?what=klein2020", "klein2020")
    assert job.words[-2:] == ("--out", ".gaddum/jobs/1/klein2020")
    assert (
        when(queue, "1", lambda one: not one.open).state == "failed"
    )  # it has serious concerns: exit code 1
    assert "klein2020" in queue.log(job)


def test_a_command_that_cannot_do_what_it_is_asked_fails_with_its_sentence(queue: JobQueue):
    queue.add(("gaddum", "audit", "nobody1900"), "/audit", "nobody")
    assert "must be a study" in queue.log(when(queue, "1", lambda one: one.state == "failed"))


def test_one_runs_and_five_wait_and_the_same_waits_once(queue: JobQueue, slow: None):
    first = queue.add(QUICK, "/a", "a")
    when(queue, first.id, begun(queue))
    waiting = [queue.add(QUICK, f"/{number}", "a") for number in range(MOST_WAITING)]
    assert {queue.find(one.id).state for one in waiting} == {"waiting"}
    assert queue.add(QUICK, "/0", "a").id == waiting[0].id
    with pytest.raises(ValueError, match="At most 5 jobs may wait"):
        queue.add(QUICK, "/more", "a")


def test_a_stopped_job_ends_within_ten_seconds_and_leaves_no_folder(
    queue: JobQueue, slow: None, tmp_path: Path
):
    when(queue, queue.add(QUICK, "/a", "a").id, begun(queue))
    place = tmp_path / ".gaddum" / "jobs" / "1"
    assert (place / "a").is_dir()
    pid, start = queue.find("1").pid, time.monotonic()
    assert queue.stop("1").state == "stopped" and time.monotonic() - start < 10
    assert sorted(one.name for one in place.iterdir()) == ["job.json", "log.txt"]
    when(queue, "1", lambda _: not Path(f"/proc/{pid}").exists())
    assert when(queue, queue.add(QUICK, "/b", "b").id, begun(queue)).id == "2"  # the next one runs


def test_one_that_waits_is_stopped_before_it_begins(queue: JobQueue, slow: None):
    when(queue, queue.add(QUICK, "/a", "a").id, begun(queue))
    queue.add(QUICK, "/b", "b")
    assert queue.stop("2").state == "stopped"
    queue.stop("1")
    third = queue.add(QUICK, "/c", "c")
    when(queue, third.id, begun(queue))
    assert queue.find("2").state == "stopped"


def test_another_server_finds_the_jobs_and_says_what_was_interrupted(
    tmp_path: Path, queue: JobQueue, slow: None
):
    job = when(queue, queue.add(QUICK, "/a", "a").id, begun(queue))
    again = JobQueue(tmp_path)  # as after a kill: the process still runs
    assert again.find("1").state == "running"
    os.killpg(job.pid, signal.SIGKILL)
    assert when(again, "1", lambda one: not one.open).state == "failed"
    place = tmp_path / ".gaddum" / "jobs" / "1" / "job.json"
    gone = json.loads(place.read_text()) | {"state": "running", "born": "0"}
    place.write_text(json.dumps(gone))
    third = JobQueue(tmp_path)
    assert third.find("1").state == "interrupted"
    for one in (again, third):
        one.close()


def test_a_server_that_ends_leaves_the_job_of_another_running(tmp_path: Path, queue: JobQueue, slow: None):
    job = when(queue, queue.add(QUICK, "/a", "a").id, begun(queue))
    JobQueue(tmp_path).close()
    assert queue.find("1").state == "running"
    os.killpg(job.pid, 0)  # raises where it is gone


def test_what_is_damaged_or_half_made_is_no_job_and_stops_none(tmp_path: Path):
    place = tmp_path / ".gaddum" / "jobs"
    for name, content in (("1", "{"), ("2", '{"id": "2"}'), ("3", "[]"), ("x", '{"id": "x"}'), ("4", None)):
        (place / name).mkdir(parents=True)
        if content is not None:
            (place / name / "job.json").write_text(content)
    queue = JobQueue(tmp_path)
    assert queue.all() == []
    assert queue.add(QUICK, "/a", "a").id == "5"
    queue.close()


def test_what_was_interrupted_goes_on_in_its_folder(queue: JobQueue, slow: None, tmp_path: Path):
    job = when(queue, queue.add(QUICK, "/a", "a").id, begun(queue))
    os.killpg(job.pid, signal.SIGKILL)
    when(queue, "1", lambda one: one.state == "failed")
    assert queue.go_on("1").words == (*job.words, "--resume")
    when(queue, "1", begun(queue))
    assert queue.go_on("1").words == (*job.words, "--resume")  # while it runs, as it is


def test_a_child_is_nice_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    bound = "resource.getrlimit(resource.RLIMIT_DATA)[0]"
    told = f"import os, resource; print(os.nice(0), {bound}, os.getpgid(0) == os.getpid())"
    monkeypatch.setattr(child, "_START", re.sub(r"from gaddum.*", told, child._START, flags=re.S))
    before = os.nice(0)
    process = child.start(QUICK, tmp_path, memory=2e9, seconds=60, nice=5)
    assert process.communicate()[0].split() == [str(min(before + 5, 19)), "2000000000", "True"]


def test_what_reads_a_file_has_little_memory_and_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(child, "READING_TIME", 0.01)
    with pytest.raises(ValueError, match="read within 0.01 s"):
        child.answer(("gaddum", "drugs"), tmp_path)


def test_a_word_of_a_command_is_no_command_of_a_shell(tmp_path: Path):
    with pytest.raises(ValueError, match="must be a study"):
        child.answer(("gaddum", "audit", "x; touch here"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_page_of_jobs_starts_shows_and_stops(workbench: TestClient, door: Door, slow: None):
    sent = workbench.post(
        "/jobs", data={"key": door.form_key, "verb": "adjudicate", "query": "case=morphine"}
    )
    assert (sent.status_code, sent.headers["location"]) == (303, "/jobs")
    (job,) = workbench.get("/jobs.json").json()["jobs"]
    assert job["command"] == "gaddum adjudicate morphine --seed 0 --out .gaddum/jobs/1/morphine"
    assert job["page"] == "/adjudicate?case=morphine&seed=0"
    assert "Stop: job 1" in workbench.get("/jobs").text
    assert workbench.post("/jobs/1/stop", data={"key": door.form_key}).status_code == 303
    assert workbench.get("/jobs.json").json()["jobs"][0]["state"] == "stopped"
    assert workbench.get("/jobs/1").status_code == 200
    assert workbench.get("/jobs/..%2F1").status_code in (404, 405)


@pytest.mark.parametrize(
    "said",
    [
        {"verb": "fit", "query": "drug=ketamine"},
        {"verb": "adjudicate", "query": "case=/etc"},
        {"verb": "adjudicate", "query": "case=ketamine&out=/tmp"},
        {"verb": "adjudicate", "query": ""},
    ],
)
def test_only_a_verdict_on_a_listed_case_is_a_job(workbench: TestClient, door: Door, said: dict[str, str]):
    assert workbench.post("/jobs", data={"key": door.form_key} | said).status_code == 422
    assert workbench.get("/jobs.json").json() == {"jobs": []}
