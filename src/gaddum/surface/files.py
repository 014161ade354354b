"""Files: what a command writes is there whole or not at all.

A command works in a hidden folder beside its output folder, which it has to itself. Only when everything is there do
its files replace the earlier ones, together (`gaddum.result_set`).
"""

import json
import math
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from gaddum.result_set import beside, commit, settle, sync

STOPS = [
    number for name in ("SIGINT", "SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None
]
"""Signals that end a command in good order."""
ROOM = 200e6
"""Free space (bytes) without which nothing is begun."""


def asset(name: str) -> str:
    """Text of a file of `templates`."""
    return (files("gaddum.surface") / "templates" / name).read_text(encoding="utf-8")


def write_atomically(path: Path, content: str | bytes) -> None:
    """Write a file so that a reader, or a crash, sees the old content or the new, never a part."""
    raw = content.encode() if isinstance(content, str) else content
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, permitted(0o666))
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
    sync(path.parent)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give a working folder whose files move into `folder`, made if absent, when the block ends well."""
    with reserved(folder):
        name = beside(folder, "")
        for left in name.parent.glob(f"{name.name}*.part"):  # of a killed command
            shutil.rmtree(left, ignore_errors=True)
        work = Path(tempfile.mkdtemp(dir=name.parent, prefix=name.name, suffix=".part"))
        try:
            yield work
            replace_results(work, folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def replace_results(work: Path, folder: Path) -> None:
    """Replace the results in a folder by what a working folder holds, which goes; signals wait until it is done."""
    came: list[int] = []
    for path in work.iterdir():
        path.chmod(permitted(0o666))
    with handling_stops(lambda number, _: came.append(number)):
        commit(work, folder)
    for number in came:
        signal.raise_signal(number)


@contextmanager
def reserved(folder: Path) -> Iterator[None]:
    """Keep an output folder for one process, after a look whether it can be written, and tidy after a killed one."""
    if folder.is_symlink() and not folder.exists():
        raise ValueError(
            f"The output must be a folder; {str(folder)!r} is a link to nothing. Name another with --out."
        )
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"The output must be a folder; {str(folder)!r} is a file. Name another with --out.")
    lock = beside(folder, "lock")
    new = [one for one in (lock.parent, *lock.parent.parents) if not one.exists()]
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        for place in {lock.parent, folder} if folder.exists() else {lock.parent}:
            tempfile.TemporaryFile(dir=place).close()
        free = shutil.disk_usage(lock.parent).free
    except OSError as error:
        raise ValueError(
            f"The output folder must be one that can be written; {str(folder)!r} cannot ({error.strerror}). "
            "Name another with --out."
        ) from None
    try:
        if free < ROOM:
            raise ValueError(
                f"A command that writes needs {ROOM / 1e6:.0f} MB of free space; at {str(folder)!r} are "
                f"{free / 1e6:.0f} MB. Make room, or name another folder with --out."
            )
        with _locked(lock, folder):
            settle(folder)
            yield
    finally:
        for one in new:
            with suppress(OSError):  # in use
                one.rmdir()


@contextmanager
def _locked(lock: Path, folder: Path) -> Iterator[None]:
    """Hold a lock that the system releases when the process ends, however it does."""
    if os.name != "posix":
        yield
        return
    import fcntl

    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if lock.exists() and os.path.samestat(os.fstat(handle), lock.stat()):
                break
            os.close(handle)  # of a command that has just ended
        except BlockingIOError:
            holder = os.read(handle, 200).decode() or "another process"
            os.close(handle)
            raise ValueError(
                f"One command at a time may write into {str(folder)!r}; {holder} does. Wait for it, or name another "
                "folder with --out."
            ) from None
    try:
        now = time.strftime("%Y-%m-%d %H:%M:%S")
        os.ftruncate(handle, 0)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()} since {now}".encode())
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


@contextmanager
def handling_stops(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Let a function handle what ends a command until the block has ended; in the main thread, where signals arrive.

    What the process was started to ignore, as by nohup, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in STOPS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in heard}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def as_json(document: Mapping[str, Any]) -> str:
    """Write a document as JSON: standard numbers only, what is not finite becomes null.

    Examples
    --------
    >>> print(as_json({"a": (1.5, float("inf"))}))
    {
      "a": [
        1.5,
        null
      ]
    }
    """
    return json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False)


def permitted(mode: int) -> int:
    """What the user's mask leaves of the permissions of a new file or folder."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mode & ~mask


def plain(value: Any) -> Any:
    """Give a value as JSON knows it; what is not finite becomes None."""
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)
