"""Run folder: the working folder of an adjudication, which stays when the run does not finish.

It lies beside the output folder as ``.NAME.run`` and holds `run.json` (what was asked, and of what), the states of the
fits, and the results as far as they are made. With the same request the run goes on from there.
"""

import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from gaddum.result_set import FAILED_LOG, LOG, RESULT, beside, digests, settle
from gaddum.surface.files import replace_results, reserved, write_atomically

if TYPE_CHECKING:
    from gaddum.results import AdjudicationResult


class RunFolder(NamedTuple):
    """Where a run works."""

    results: Path
    """Folder of the files that will replace the earlier results."""
    fits: Path
    """Folder of the states of its fits."""


def run_id(asked: Mapping[str, Any]) -> str:
    """Name of a run by what was asked of what, so that equal runs give equal files."""
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]


def finished(folder: Path, run: str) -> "AdjudicationResult | None":
    """Result of a run that an output folder holds already."""
    settle(folder)
    if not (folder / RESULT).is_file():
        return None
    from gaddum.result_reader import read_result

    try:
        found = read_result(folder / RESULT)
    except ValueError:  # not ours, or an earlier one's: to be replaced
        return None
    more = found.manifest.model_extra or {}
    files = more.get("files", {})
    whole = all((folder / name).is_file() for name in files) and files == digests(folder, *files)
    return found if more.get("run") == run and whole else None


@contextmanager
def run_folder(
    folder: Path, asked: Mapping[str, Any], *, resume: bool, again: str, say: Callable[[str], None]
) -> Iterator[RunFolder]:
    """Give a run its working folder, and replace the results when the block ends well.

    Parameters
    ----------
    folder : Path
        Output folder, made if absent. If the block raises, nothing in it changes, but for the log, which is kept as
        ``failed.log``.
    asked : mapping
        What the numbers depend on: name -> JSON value.
    resume : bool
        Whether to go on with an interrupted run; it must have been asked the same.
    again : str
        Command that goes on with this run.
    say : callable
        Tells the user a sentence.
    """
    with reserved(folder):
        place = beside(folder, "run")
        here = RunFolder(place / "results", place / "fits")
        left = _left(place) if here.results.is_dir() else None  # without results it had just finished
        if resume and left is not None:
            _same(left["asked"], asked, place)
            say(f"Going on with the run of {left['start']}.")
        else:
            if resume:
                say("There is no interrupted run to go on with; a new one starts.")
            elif left is not None:
                same = (
                    "of the same request, which --resume would have gone on with,"
                    if left["asked"] == asked
                    else ""
                )
                say(f"An interrupted run {same} is replaced by a new one.".replace("  ", " "))
            shutil.rmtree(place, ignore_errors=True)
            here.results.mkdir(parents=True)
            here.fits.mkdir()
            told = {"run": run_id(asked), "start": time.strftime("%Y-%m-%d %H:%M:%S"), "pid": os.getpid()}
            told |= {"host": socket.gethostname(), "asked": dict(asked)}
            write_atomically(place / "run.json", json.dumps(told, indent=2, ensure_ascii=False) + "\n")
        try:
            yield here
        except BaseException:
            with suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
                shutil.copy(here.results / LOG, folder / FAILED_LOG)
            if any(here.fits.glob("*.npz")):
                say(f"What was computed is kept in {place}; go on with: {again}")
            else:
                shutil.rmtree(place, ignore_errors=True)
            raise
        try:
            replace_results(here.results, folder)
        except OSError as error:
            say(f"The results are made and kept beside {folder}; when they can be moved there: {again}")
            raise OSError(f"The results could not be moved into {str(folder)!r}: {error}") from None
        shutil.rmtree(place, ignore_errors=True)


def _left(place: Path) -> dict[str, Any] | None:
    """What an interrupted run was asked, if one is there."""
    path = place / "run.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _same(then: Mapping[str, Any], now: Mapping[str, Any], place: Path) -> None:
    """Refuse to go on with a run that was asked something else."""
    differing = [
        f"{name.replace('_', ' ')} was {_short(then.get(name))} and is {_short(now.get(name))}"
        for name in dict.fromkeys([*then, *now])
        if then.get(name) != now.get(name)
    ]
    if differing:
        raise ValueError(
            f"A run goes on only as it was begun; of the interrupted one in {str(place)!r}, {'; '.join(differing)}. "
            "Ask the same again, or start anew without --resume."
        )


def _short(value: Any) -> str:
    return "not given" if value is None else str(value)[:20]
