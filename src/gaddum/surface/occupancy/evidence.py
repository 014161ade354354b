"""Evidence: beside an occupancy, what its bands mean, how the drugs' curves are met, and what stands on what."""

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from gaddum import __version__
from gaddum.engagement.layout import Layout
from gaddum.engagement.reading_band import GROUP
from gaddum.records.drug import Drug
from gaddum.records.library import Library
from gaddum.records.species import Species

BANDS = {
    "truth": "95 % band of the truth: the mean of a new group in a new study, as far as all constants leave it open.",
    "reading": (
        f"95 % band of a reading: what one such study of {GROUP} people or animals would read; individuals and the "
        "method are added."
    ),
}
"""What each band means."""
UNKNOWN = 0.6
"""Width of a band of an occupancy (fraction of receptors) beyond which it is said not to be known."""

NOT_KNOWN = "not known"


def unknown(part: dict[str, Any]) -> bool:
    """Whether anything of a protocol's table is not known."""
    return any(
        said(one, at) == NOT_KNOWN for one in part["table"].values() for at in range(len(one["median"]))
    )


def said(curve: dict[str, Any], place: int) -> str:
    """An occupancy in words for the screen: median and band, or that it is not known; the numbers are in the JSON.

    Examples
    --------
    >>> said({"median": [0.5], "lower": [0.4], "upper": [0.6]}, 0)
    '0.50 (0.40\u20130.60)'
    >>> said({"median": [0.5], "lower": [0.1], "upper": [0.9], "reading_lower": [0.0]}, 0)
    'not known'
    """
    median, lower, upper = (curve[key][place] for key in ("median", "lower", "upper"))
    if "reading_lower" in curve and too_wide(curve, place):
        return NOT_KNOWN
    return f"{median:.2f} ({lower:.2f}\u2013{upper:.2f})"


def too_wide(curve: dict[str, Any], place: int) -> bool:
    """Whether an occupancy is not known."""
    return curve["upper"][place] - curve["lower"][place] > UNKNOWN


def met_rows(
    drugs: Iterable[str], targets: Sequence[str], species: Species, library: Library
) -> list[dict[str, Any]]:
    """How the curves of drugs are met; kept from one command to the next."""
    from gaddum.engagement.curves_met import curves_met

    rows = []
    for name in drugs:
        kept = _place(name, targets, species, library)
        with suppress(OSError, ValueError):
            rows += json.loads(kept.read_text(encoding="utf-8"))
            continue
        found = [
            one._asdict()
            | {
                key: (value := getattr(one, key)) and value._asdict()
                for key in ("plasma", "occupancy", "predicted")
            }
            for one in curves_met(name, targets, species, library)
        ]
        _keep(kept, found)
        rows += found
    return rows


def _place(name: str, targets: Sequence[str], species: Species, library: Library) -> Path:
    """File in which what was found of a drug is kept: another whenever its numbers, its curves or the code change."""
    from gaddum.records.library import bundled

    asked = sha256(repr((__version__, name, tuple(targets), species)).encode())
    for one in library.family(name, species):
        asked.update(library.drugs[one].model_dump_json().encode())
    for fit in library.fits:
        if fit.drug == name and fit.species == species:
            asked.update(fit.digest.encode())
    package = Path(str(bundled())).parent
    folders = (package / "library" / "curves" / name, *(package / one for one in _CODE))
    for path in sorted(
        path for folder in folders if folder.is_dir() for path in folder.iterdir() if path.is_file()
    ):
        state = path.stat()
        asked.update(f"{path.name} {state.st_size} {state.st_mtime_ns}".encode())
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "gaddum" / "curves_met" / f"{asked.hexdigest()[:32]}.json"


_CODE = ("engagement", "exposure", "records", "numerics")
"""Packages whose code decides."""


def _keep(path: Path, rows: list[dict[str, Any]]) -> None:
    from gaddum.surface.files import write_atomically

    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(rows))


def met_words(rows: Sequence[dict[str, Any]], species: str) -> list[str]:
    """One line a drug: predicted or calibrated, and how its curves are met."""
    lines = []
    for drug in dict.fromkeys(row["drug"] for row in rows):
        mine = [row for row in rows if row["drug"] == drug]
        parts = [_at_target(row, species) for row in mine]
        plasma = mine[0]["plasma"]
        levels = "no level in plasma of a study that the constants do not rest on"
        if plasma is not None:
            levels = f"levels in plasma: {_met(plasma)}, median off {plasma['off']:.2g}-fold"
        lines.append(f"{drug}: {'; '.join([*parts, levels])}")
    return lines


def _at_target(row: dict[str, Any], species: str) -> str:
    head = f"{row['target']} {row['basis']}"
    beyond = " that its constants do not rest on" if row["basis"] == "calibrated" else ""
    text = f"{head}, no occupancy was read in {species}{beyond}"
    if row["occupancy"] is not None:
        text = f"{head}, {_met(row['occupancy'])}, median off {_off(row['occupancy'])}"
    if row["predicted"] is not None:
        text += (
            f" (without its own occupancies: {_met(row['predicted'])}, median off {_off(row['predicted'])})"
        )
    return text


def _met(one: dict[str, Any]) -> str:
    studies = "1 study" if one["studies"] == 1 else f"{one['studies']} studies"
    return f"{one['inside']} of {one['readings']} readings of {studies} in the 95 % band"


def _off(one: dict[str, Any]) -> str:
    return f"{100 * one['off']:.0f} points" if one["off"] < 1 else f"{one['off']:.2g}-fold"


def standing_rows(layout: Layout, library: Library) -> list[dict[str, str]]:
    """Which numbers of every drug and metabolite that is followed are measured, borrowed or guessed."""
    from gaddum.exposure.scaling import disposition
    from gaddum.records.standing import standings

    rows: dict[str, list[dict[str, str]]] = {}
    for ligand in layout.plan.ligands:
        drug = library.drug(ligand.drug)
        if not isinstance(drug, Drug):
            continue
        dosed = dict.fromkeys(dose.route for dose in layout.doses) if ligand.drug == ligand.parent else ()
        lender = disposition(drug, layout.species) if ligand.bodies else None
        fitted = any(fit.species == layout.species and drug.name == fit.drug for fit in library.fits)
        found = standings(drug, layout.species, layout.bonds, dosed, lender=lender, fitted=fitted)
        rows.setdefault(drug.name, [one._asdict() for one in found])
    return [one for those in rows.values() for one in those]
