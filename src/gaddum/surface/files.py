"""Files: a run's results, each written whole or not at all.

A run works in a hidden folder beside its output folder. Only when everything is there do its files move, one by one
and `result.json` last, so that an interrupted run leaves the earlier results as they were.
"""

import json
import math
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

RESULT = "result.json"
REPORT = "report.html"
DRAWS = "posterior.nc"
LOG = "run.log"
FAILED_LOG = "failed.log"
_LEFTOVER_AGE = 24 * 3600.0
"""Age (s) from which the working folder of a killed run is swept away; a live run is never that old."""


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
    _sync_folder(path.parent)


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Give a working folder whose files move into `folder`, made if absent, when the block ends well.

    If the block raises, nothing in `folder` changes, but for the log, which is kept as ``failed.log``.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"The output must be a folder; {str(folder)!r} is a file. Name another with --out.")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder.resolve()
    _sweep(target)
    work = Path(tempfile.mkdtemp(dir=target.parent, prefix=_prefix(target), suffix=".part"))
    try:
        yield work
    except BaseException:
        if (work / LOG).exists():
            os.replace(work / LOG, target / FAILED_LOG)
        raise
    else:
        _move(work, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@contextmanager
def handling_stops(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Let a function handle SIGINT and SIGTERM until the block has ended; in the main thread, where they arrive."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
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


def _move(work: Path, target: Path) -> None:
    """Move the files, the result last: whoever reads a new result finds the new files beside it."""
    made = sorted(work.iterdir(), key=lambda path: (path.name == RESULT, path.name))
    for path in made:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
        path.chmod(permitted(0o666))
    with _undisturbed():
        for path in made:
            os.replace(path, target / path.name)
        (target / FAILED_LOG).unlink(missing_ok=True)
    _sync_folder(target)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Put SIGINT and SIGTERM off until the block has ended."""
    came: list[int] = []
    with handling_stops(lambda number, _: came.append(number)):
        yield
    for number in came:
        signal.raise_signal(number)


def _sweep(target: Path) -> None:
    for path in target.parent.glob(f"{_prefix(target)}*.part"):
        if time.time() - path.stat().st_mtime > _LEFTOVER_AGE:
            shutil.rmtree(path, ignore_errors=True)


def _prefix(target: Path) -> str:
    return f".{target.name}."


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


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
