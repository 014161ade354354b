"""Jobs: commands that take minutes, one at a time and five in waiting, which outlive the page and the server.

A job is a folder: `job.json` says the command and how it stands, `log.txt` what it prints, and a folder named after
the case holds its results. A server that starts again finds a job that still runs, or says that it was interrupted.
"""

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, NamedTuple

from gaddum.surface.files import write_atomically
from gaddum.surface.web.child import start
from gaddum.surface.web.verdicts import STATE

MOST_WAITING = 5
"""Jobs in waiting."""
GRACE = 6.0
"""Time that a job has to end when it is stopped (s)."""
MEMORY, TIME = 8e9, 4 * 3600.0
"""Most that a job may hold (bytes), and how long the processor may work for it (s)."""
Standing = Literal["waiting", "running", "done", "failed", "stopped", "interrupted"]


class Job(NamedTuple):
    """A command and how it stands."""

    id: str
    words: tuple[str, ...]
    """The command; `gaddum` first."""
    page: str
    """Address of the page that shows its answer."""
    state: Standing = "waiting"
    began: float = 0.0
    ended: float = 0.0
    pid: int = 0
    born: str = ""
    """When the system started the process, by which another with its number is told apart."""

    @property
    def open(self) -> bool:
        """Whether it has not ended."""
        return self.state in ("waiting", "running")


class JobQueue:
    """The jobs of a folder that is served; one thread runs them in turn."""

    def __init__(self, root: Path, *, most: int = MOST_WAITING) -> None:
        self._root, self._folder, self._most = root, root / STATE / "jobs", most
        self._lock, self._news = threading.RLock(), threading.Condition()
        self._closed = False
        self._own = set[str]()
        for job in self.all():
            if job.state == "running" and not _lives(job):
                self._write(job._replace(state="interrupted", ended=time.time()))
        self._thread = threading.Thread(target=self._work, daemon=True, name="jobs")
        self._thread.start()

    def all(self) -> list[Job]:
        """Every job, the latest first; what is damaged or half made is none."""
        found = []
        for place in self._places():
            with suppress(OSError, ValueError, TypeError, KeyError):
                said = json.loads((place / "job.json").read_text(encoding="utf-8"))
                found.append(Job(**said | {"words": tuple(said["words"]), "id": place.name}))
        return sorted(found, key=lambda one: -int(one.id))

    def find(self, name: str) -> Job:
        """A job by its number."""
        for job in self.all():
            if job.id == name:
                return job
        raise ValueError(f"A job must be one of the list; got {name[:20]!r}. Open the list of jobs.")

    def add(self, words: Sequence[str], page: str, out: str) -> Job:
        """Put a command in waiting, whose results go into a folder of that name; the same one waits once.

        Raises
        ------
        ValueError
            If too many wait.
        """
        with self._lock:
            there = self.all()
            for job in there:
                if job.open and job.page == page:
                    return job
            if sum(job.state == "waiting" for job in there) >= self._most:
                raise ValueError(f"At most {self._most} jobs may wait; as many do. Stop one, or wait for it.")
            name = str(1 + max((int(place.name) for place in self._places()), default=0))
            place = self._folder / name
            place.mkdir(parents=True)
            job = Job(name, (*words, "--out", str(Path(STATE, "jobs", name, out))), page)
            self._write(job)
        with self._news:
            self._news.notify_all()
        return job

    def go_on(self, name: str) -> Job:
        """Put a job that was interrupted, or failed, in waiting again, to go on from what it had computed."""
        with self._lock:
            job = self.find(name)
            if job.state in ("interrupted", "failed"):
                words = job.words if job.words[-1] == "--resume" else (*job.words, "--resume")
                job = self._write(
                    job._replace(words=words, state="waiting", began=0.0, ended=0.0, pid=0, born="")
                )
        with self._news:
            self._news.notify_all()
        return job

    def stop(self, name: str) -> Job:
        """End a job within seconds; what it had begun to write goes."""
        with self._lock:
            job = self.find(name)
            if not job.open:
                return job
            job = self._write(job._replace(state="stopped", ended=time.time()))
        if job.pid:
            _end(job)
        self._tidy(job)
        return job

    def log(self, job: Job, most: int = 4000) -> str:
        """The end of what a job printed."""
        path = self._folder / job.id / "log.txt"
        if not path.is_file():
            return ""
        return path.read_bytes()[-most:].decode("utf-8", "replace")

    def close(self) -> None:
        """End the thread, and the job that it runs, which keeps what it can go on from; another server's runs on."""
        self._closed = True
        with self._news:
            self._news.notify_all()
        for job in self.all():
            if job.state == "running" and job.id in self._own:
                self._write(job._replace(state="interrupted", ended=time.time()))
                _end(job)
        self._thread.join(GRACE + 4)

    def _places(self) -> list[Path]:
        return [one for one in self._folder.glob("*") if one.name.isdecimal()]

    def _work(self) -> None:
        while not self._closed:
            running = next((job for job in self.all() if job.state == "running"), None)
            waiting = [job for job in self.all() if job.state == "waiting"]
            if running is not None:
                self._watch(running)
            elif waiting:
                self._run(waiting[-1])
            else:
                with self._news:
                    self._news.wait(timeout=1.0)

    def _run(self, job: Job) -> None:
        with (self._folder / job.id / "log.txt").open("w", encoding="utf-8") as log:
            with self._lock:
                if self.find(job.id).state != "waiting":
                    return
                self._own.add(job.id)
                process = start(job.words, self._root, memory=MEMORY, seconds=TIME, out=log, err=log)
                self._write(
                    job._replace(state="running", began=time.time(), pid=process.pid, born=_born(process.pid))
                )
            code = process.wait()
        self._settle(job.id, "done" if code == 0 else "failed")

    def _watch(self, job: Job) -> None:
        """Wait for a job that an earlier server started, whose exit code nobody hears."""
        while _lives(job) and not self._closed:
            time.sleep(0.5)
        if not self._closed:
            done = any((self._folder / job.id).glob("*/result.json"))
            self._settle(job.id, "done" if done else "failed")

    def _settle(self, name: str, state: Standing) -> None:
        with self._lock:
            job = self.find(name)
            if job.state == "running":
                self._write(job._replace(state=state, ended=time.time()))

    def _write(self, job: Job) -> Job:
        write_atomically(self._folder / job.id / "job.json", json.dumps(job._asdict(), indent=2))
        return job

    def _tidy(self, job: Job) -> None:
        for left in (self._folder / job.id).iterdir():
            if left.is_dir():
                shutil.rmtree(left, ignore_errors=True)
            elif left.name not in ("job.json", "log.txt"):  # the lock of a killed command
                left.unlink(missing_ok=True)


def _end(job: Job) -> None:
    """Ask the process and all that it started to end, and insist after a while."""
    for number, patience in ((signal.SIGINT, GRACE), (getattr(signal, "SIGKILL", signal.SIGTERM), 2.0)):
        if not _lives(job):
            return
        try:
            os.killpg(job.pid, number) if hasattr(os, "killpg") else os.kill(job.pid, number)
        except ProcessLookupError:
            return
        until = time.monotonic() + patience
        while _lives(job) and time.monotonic() < until:
            time.sleep(0.05)


def _lives(job: Job) -> bool:
    born = _born(job.pid)
    return born != "" and born == job.born


def _born(pid: int) -> str:
    """When a process was started; empty where there is none, or it has ended and is not waited for."""
    if not Path("/proc").is_dir():  # no Linux: whether there is one must do
        try:
            os.kill(pid, 0)
        except OSError:
            return ""
        return "there"
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if told[0] in ("Z", "X") else told[19]


def described(job: Job, log: str) -> dict[str, Any]:
    """A job as a page and its JSON say it."""
    import shlex

    lines = [line for line in log.splitlines() if line.strip()]
    until = job.ended or time.time()
    return {
        "id": job.id,
        "command": shlex.join(job.words),
        "page": job.page,
        "state": job.state,
        "open": job.open,
        "seconds": round(until - job.began) if job.began else 0,
        "says": lines[-1][:200] if lines else "",
    }
