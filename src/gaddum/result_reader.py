"""Result reader: ``result.json`` of this version or of an earlier one -> the result of an adjudication."""

import json
from pathlib import Path
from typing import Any

from gaddum.results import SCHEMA_VERSION, AdjudicationResult


def read_result(path: str | Path) -> AdjudicationResult:
    """Read the result of an adjudication, of this version or of an earlier one.

    Parameters
    ----------
    path : str or Path
        The file ``result.json``, or the folder that ``gaddum adjudicate --out`` wrote.

    Returns
    -------
    AdjudicationResult
        The same as `adjudicate` gave.

    Raises
    ------
    ValueError
        If it is no result of an adjudication, or of a schema that is not known.
    """
    path = Path(path)
    found = json.loads((path / "result.json" if path.is_dir() else path).read_text(encoding="utf-8"))
    version = found.get("schema_version", 1) if isinstance(found, dict) and "hypotheses" in found else None
    if version not in (1, SCHEMA_VERSION):
        raise ValueError(
            f"A result must be of an adjudication, of schema 1 or {SCHEMA_VERSION}; got schema {version!r}. Read it "
            "with the version of gaddum that wrote it, or run the case again."
        )
    return AdjudicationResult.model_validate(_upgraded(found) if version == 1 else found)


def _upgraded(old: dict[str, Any]) -> dict[str, Any]:
    """A document of schema 1, which had no number, in that of schema 2; numbers stay as they are."""
    log_ml = next(row["log_ml"] for row in old["hypotheses"] if row["reference"])
    selection, held_out = old.get("selection", {}), old.get("held_out", {})
    moved = {"held_out", "selection", "yardstick"}
    return {key: value for key, value in old.items() if key not in moved} | {
        "hypotheses": [_hypothesis(row, log_ml) for row in old["hypotheses"]],
        "forest": [_contrast(row) for row in old["forest"]],
        "timeline": [_year(row) for row in old.get("timeline", ())],
        "yardstick": old["yardstick"]["log_ml"],
        "held_out": held_out.get("outcomes", ()),
        "scored": selection.get("scored", 0),
        "flagged": selection.get("flagged", 0),
    }


def _hypothesis(old: dict[str, Any], log_ml: float) -> dict[str, Any]:
    variants = {
        one["phase"]: {key: one[key] for key in ("log_ml", "log_ml_mcse", "probability")}
        | {"log_bf": one["log_ml"] - log_ml, "log_bf_mcse": None}
        for one in old["variants"]
    }
    return {key: value for key, value in old.items() if key != "smc_log_ml"} | {"variants": variants}


def _year(old: dict[str, Any]) -> dict[str, Any]:
    unsaid = {"log_ml": None, "log_ml_mcse": None}
    return old | {"hypotheses": {name: one | unsaid for name, one in old["hypotheses"].items()}}


def _contrast(old: dict[str, Any]) -> dict[str, Any]:
    seen, second = old["observed"], old.get("second") or {}
    return old | {
        "observed": seen and {"median": seen["effect"], "lower": seen["lower"], "upper": seen["upper"]},
        "second": second.get("contrast"),
        "second_predicted": second.get("predicted"),
        "second_prior_predicted": second.get("prior_predicted"),
    }
