"""Recording: numbers under stable keys, the results of the runs, and what is known of each arm.

A number's key is ``study/experiment/arm/endpoint/side/quantity/subject/time``. Side is calculator or inference;
quantity is concentration (nM, unbound in brain), constant (nM, dissociation constant in vivo), occupied, blocked,
activated or feature (fractions); subject is a ligand, ``target:ligand``, a target or a feature; time is hours from the
test drug, and ``-`` for constants, which have none. Each key holds four numbers: at all medians, and three quantiles
over the draws.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.result_reader import read_result
from gaddum.results import AdjudicationResult

QUANTILES = (0.025, 0.5, 0.975)
COLUMNS = ("all medians", "2.5 %", "50 %", "97.5 %")


class Key(NamedTuple):
    """Which number it is; names are the records' own and stay when modules and classes are renamed."""

    study: str
    experiment: str
    arm: str
    endpoint: str
    side: str
    quantity: str
    subject: str
    time: str

    def __str__(self) -> str:
        """Write as text, from which `read` makes it again."""
        if any("/" in part for part in self):
            raise ValueError(f"No part of a key may hold a slash; got {tuple(self)}. Rename it in the case.")
        return "/".join(self)

    @property
    def where(self) -> str:
        """Arm that it is of."""
        return "/".join(self[:3])


class Recording(NamedTuple):
    """What the chain says of one case."""

    numbers: dict[Key, Float[np.ndarray, " columns"]]
    arms: dict[str, dict[str, Any]]
    """Arm -> `dosed`, the drugs given; `refused`, why the calculator cannot follow it, or None."""
    targets: tuple[str, ...]
    """Targets of the library; those of a case that nobody has named are not among them."""
    result: AdjudicationResult | None
    """Of the run; None where that was left out."""


def write(folder: Path, case: str, recording: Recording) -> None:
    """Write one case; a result is written by its run and stays where that put it."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"arms": recording.arms, "targets": recording.targets}
    np.savez_compressed(
        folder / f"{case}.npz",
        keys=np.frombuffer("\n".join(map(str, recording.numbers)).encode(), np.uint8),
        values=np.array(list(recording.numbers.values())),
        about=np.frombuffer(json.dumps(about, ensure_ascii=False).encode(), np.uint8),
    )


def read(folder: Path) -> dict[str, Recording]:
    """Read all cases of a folder."""
    found = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as stored:
            texts = stored["keys"].tobytes().decode().split("\n")
            about = json.loads(stored["about"].tobytes())
            values = stored["values"]
        keys = [Key(*text.split("/")) for text in texts]
        result = result_path(folder, path.stem)
        made = read_result(result) if result.exists() else None
        numbers = dict(zip(keys, values, strict=True))
        found[path.stem] = Recording(numbers, about["arms"], tuple(about["targets"]), made)
    if not found:
        raise SystemExit(f"A recording must be a folder that `record` wrote; {folder} holds none.")
    return found


def result_path(folder: Path, case: str) -> Path:
    """Where the run of a case leaves its result."""
    return folder / "runs" / case / "result.json"
