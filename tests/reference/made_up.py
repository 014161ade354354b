"""Made-up drugs and targets, whose constants a test sets."""

from typing import Any

from gaddum.records.drug import Drug
from gaddum.records.library import Library
from gaddum.records.target import Target

SOURCE = {"how": "assumption", "reason": "made up for a test"}


def said(value: float, unit: str, gsd: float = 1.0) -> dict[str, Any]:
    """A reported number; exact unless a spread is given."""
    return {"value": value, "unit": unit, "spread": {"kind": "GSD", "value": gsd}, "source": SOURCE}


def drug(name: str, **fields: Any) -> Drug:
    """A drug of 250 g/mol, wholly unbound."""
    plain = {"f_u": {"rat": said(1, "1")}, "kp_uu": {"rat": said(1, "1")}}
    return Drug(name=name, molar_mass=said(250, "g/mol"), **(plain | fields))


def binds(target: str, mode: str, k_i: float, gsd: float = 1.0, **more: Any) -> dict[str, Any]:
    """An affinity (nM)."""
    return {"target": target, "mode": mode, "k_i": said(k_i, "nM", gsd), **more}


def target(name: str) -> Target:
    return Target(name=name, full_name=name, family="test", features=("tone",), source=SOURCE)


def library(*drugs: Drug) -> Library:
    names = {one.target: target(one.target) for found in drugs for one in found.affinities}
    return Library(names, {found.name: found for found in drugs})
