"""Result set: the files that one run wrote, replaced together, and how a reader knows that they belong together.

A run makes its files in a working folder beside its output folder. When all are there and on disk, one rename of their
folder to ``.NAME.done`` makes them the results; then they move into the output folder, where what is not ours stays.
A run that is killed in between leaves the rest in ``.NAME.done``, and whoever reads or writes next moves it.
``result.json`` moves last and holds the digests of its siblings.
"""

import json
import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

RESULT = "result.json"
REPORT = "report.html"
DRAWS = "posterior.nc"
LOG = "run.log"
FAILED_LOG = "failed.log"


def beside(folder: Path, what: str) -> Path:
    """Hidden folder beside an output folder, or in it where nothing can be moved or made beside it."""
    target = folder.resolve()
    inside = target.is_dir() and (os.path.ismount(target) or not os.access(target.parent, os.W_OK))
    return (target if inside else target.parent) / f".{target.name}.{what}"


def commit(made: Path, folder: Path) -> None:
    """Replace the results in a folder by those of another folder, which goes."""
    for path in made.iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    sync(made)
    settle(folder)
    os.replace(made, beside(folder, "done"))
    settle(folder)


def settle(folder: Path) -> bool:
    """Finish a replacement that was begun, in an output folder that is made if absent; whether there was one."""
    done = beside(folder, "done")
    try:
        made = sorted(done.iterdir(), key=lambda path: (path.name == RESULT, path.name))
    except (FileNotFoundError, NotADirectoryError):  # none, or another process has just finished it
        return False
    sync(done.parent)
    folder.mkdir(parents=True, exist_ok=True)
    for path in made:
        with suppress(FileNotFoundError):  # another process moves it too
            os.replace(path, folder / path.name)
    (folder / FAILED_LOG).unlink(missing_ok=True)
    sync(folder)
    with suppress(FileNotFoundError):
        done.rmdir()
    return True


def digests(folder: Path, *names: str) -> dict[str, str]:
    """Digest of each file."""
    return {name: sha256((folder / name).read_bytes()).hexdigest() for name in names}


def read_result_of_draws(folder: Path) -> dict[str, Any]:
    """Read the result of a run whose posterior is about to be read too.

    Raises
    ------
    ValueError
        If the folder is no run, or its posterior is not the one that its result was written with.
    """
    with suppress(PermissionError):  # then the digests tell
        settle(folder)
    if not ((folder / RESULT).is_file() and (folder / DRAWS).is_file()):
        raise ValueError(
            f"A run must be a folder with {RESULT} and {DRAWS}; got {str(folder)!r}. "
            "Make one with `gaddum adjudicate CASE --out FOLDER`."
        )
    said = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    written = said.get("manifest", {}).get("files", {}).get(DRAWS)
    if written is not None and {DRAWS: written} != digests(folder, DRAWS):
        raise ValueError(
            f"Files of a run must be of one run; {DRAWS} in {str(folder)!r} is not the one that {RESULT} was written "
            "with. Run the case again."
        )
    return said


def sync(folder: Path) -> None:
    """See that names in a folder outlast a loss of power."""
    if os.name != "posix":  # elsewhere a folder cannot be opened
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
