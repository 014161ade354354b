"""Verdicts that were computed before: of the very inputs, or of others and then said to be stale."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gaddum.results import AdjudicationResult

STATE = ".gaddum"
"""Folder, in the one that is served, of what the workbench keeps."""


def kept(asked: Any, folder: Path) -> "AdjudicationResult | None":
    """A verdict on the very inputs of a request, by the version that runs; None where there is none."""
    from gaddum.records.ledger import load_case
    from gaddum.surface.adjudicate import asked_of
    from gaddum.surface.run_folder import finished, run_id

    loaded = load_case(asked.case)
    run = run_id(asked_of(loaded, asked))
    found = (finished(place, run) for place in _places(folder, loaded.case.name))
    return next((one for one in found if one is not None), None)


def stale(asked: Any, folder: Path) -> "AdjudicationResult | None":
    """The latest verdict on the case by another version, or on other inputs."""
    from gaddum.result_reader import read_result
    from gaddum.result_set import RESULT

    for place in sorted(_places(folder, asked.case), key=lambda one: -(one / RESULT).stat().st_mtime):
        try:
            return read_result(place)
        except ValueError:
            continue
    return None


def _places(folder: Path, case: str) -> list[Path]:
    """Folders with a result: where `make run` writes, and where jobs do."""
    from gaddum.result_set import RESULT

    kept = (folder / STATE / "jobs").glob(f"*/{case}")
    return [
        one for one in (folder / "runs" / case, *kept) if (one / RESULT).is_file() and not one.is_symlink()
    ]
