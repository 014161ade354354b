"""Units: one registry, used at the boundary only.

Outside, numbers come as text with a unit ("10 mg/kg"). Inside, they are floats in canonical units: h, nM, kg, L, and
for doses nmol or nmol/kg (mass is turned into amount by the molar mass). `magnitude` is the one door.
"""

import re
from difflib import get_close_matches
from functools import cache
from typing import Any, Literal

Kind = Literal[
    "time",
    "dose",
    "concentration",
    "volume",
    "clearance",
    "rate",
    "association rate",
    "elimination rate",
    "mass",
    "molar mass",
    "number",
]

CANONICAL: dict[Kind, tuple[str, ...]] = {
    "time": ("h",),
    "dose": ("mg", "mg/kg", "nmol", "nmol/kg"),
    "concentration": ("nM", "ng/mL"),
    "volume": ("L", "L/kg"),
    "clearance": ("L/h", "L/h/kg"),
    "rate": ("1/h",),
    "association rate": ("1/nM/h",),
    "elimination rate": ("nmol/h", "nmol/h/kg"),
    "mass": ("kg",),
    "molar mass": ("g/mol",),
    "number": ("",),
}
"""Canonical units of each kind of quantity, tried in this order."""


@cache
def registry() -> Any:
    """The one pint registry (loaded at first use): what records may use, since reading all of pint's units is slow."""
    import pint

    lines: Any = _DEFINITIONS.splitlines()  # pint takes them, although it asks for the name of a file
    return pint.UnitRegistry(lines, cache_folder=None)


@cache
def magnitude(text: str, kind: Kind) -> float:
    """Read a number with unit and return it in the canonical unit of its kind.

    Parameters
    ----------
    text : str
        For example ``"40 min"`` or ``"0.3 uM"``.
    kind : Kind
        What the number must be.

    Returns
    -------
    float
        Magnitude in the canonical unit that `canonical_unit` names.

    Examples
    --------
    >>> magnitude("40 min", "time")
    0.6666666666666666
    >>> round(magnitude("0.3 uM", "concentration"), 9)
    300.0
    """
    return _convert(text, kind)[0]


@cache
def canonical_unit(text: str, kind: Kind) -> str:
    """Name the canonical unit in which `magnitude` returns this text.

    Examples
    --------
    >>> canonical_unit("10 mg/kg", "dose")
    'mg/kg'
    """
    return _convert(text, kind)[1]


def _convert(text: str, kind: Kind) -> tuple[float, str]:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f"A {kind} must be a number with a unit, such as {_EXAMPLES[kind]!r}; got {text!r}.")
    number, unit_text = float(match["number"]), " ".join(match["unit"].split())
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"A {kind} must be finite; got {text!r}.")
    fault, factor, unit = _factor(unit_text, kind)
    if fault is not None:
        raise ValueError(
            f"A {kind} must be in units of {_wanted(kind)}; got {text!r}{fault}. {_advice(kind)}"
        )
    return number * factor, unit


@cache
def _factor(unit_text: str, kind: Kind) -> tuple[str | None, float, str]:
    """What is wrong with a unit (None if nothing), its size in the canonical unit, and that unit's name."""
    if (kind == "number") != (unit_text in _PURE):
        return (" (without a unit)" if unit_text in ("", "1") else ""), 0.0, ""
    if kind == "number":
        return None, _PURE[unit_text], ""
    unknown = [symbol for symbol in re.findall(r"[^\W\d]+|%", unit_text) if symbol not in _SYMBOLS]
    if unknown:
        near = get_close_matches(unknown[0], _SYMBOLS, n=1, cutoff=0.5)
        return (
            f", where {unknown[0]!r} is not a known unit" + (f" (near: {near[0]!r})" if near else ""),
            0.0,
            "",
        )
    import pint

    try:
        quantity = registry().Quantity(1.0, re.sub(r"^\s*/", "1/", unit_text).replace("mcg", "ug"))
    except Exception:  # pint raises many kinds; all mean the same to a reader
        return ", whose unit cannot be read", 0.0, ""
    for unit in CANONICAL[kind]:
        try:
            return None, _tidy(float(quantity.to(unit).magnitude)), unit
        except pint.DimensionalityError:
            continue
    return "", 0.0, ""


def _tidy(factor: float) -> float:
    """Undo rounding in a product of powers of ten and 60: 999.9999999999999 is 1000."""
    if factor >= 1 and abs(factor - round(factor)) < 1e-12 * factor:
        return float(round(factor))
    if 0 < factor < 1 and abs(1 / factor - round(1 / factor)) < 1e-12 / factor:
        return 1 / round(1 / factor)
    return factor


def _wanted(kind: Kind) -> str:
    return " or ".join(unit or "1" for unit in CANONICAL[kind])


def _advice(kind: Kind) -> str:
    return f"Write for example {_EXAMPLES[kind]!r}."


_QUANTITY = re.compile(
    r"\s*(?P<number>[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d{1,4})?)"
    r"(?P<unit>(\s*|\s+1)(?=[\s/A-Za-zµμ%]|$)[\sA-Za-zµμ%/*^().0-9-]{0,60}?)\s*"
)

_PURE = {"": 1.0, "1": 1.0, "%": 0.01, "mol/mol": 1.0, "g/g": 1.0, "mg/mg": 1.0}
"""Units of pure numbers. Any other ratio (mg/kg) is a dose or the like, although its dimensions cancel."""

_DEFINITIONS = """
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = µ- = μ- = u-
milli- = 1e-3 = m-
deci- = 1e-1 = d-
kilo- = 1e3 = k-
second = [time] = s = sec
minute = 60 * second = min
hour = 60 * minute = h = hr
day = 24 * hour = d
week = 7 * day
meter = [length] = m
liter = decimeter ** 3 = L = l
gram = [mass] = g
dalton = 1.66053906892e-27 * kilogram = Da
mole = [substance] = mol
molar = mole / liter = M
"""
"""Units of `_SYMBOLS` in pint's terms."""

_SYMBOLS = frozenset(
    "s sec second seconds min minute minutes h hr hour hours d day days week weeks kg g mg ug µg μg mcg ng pg "
    "mol mmol umol µmol μmol nmol pmol M mM uM µM μM nM pM L l dL dl mL ml uL ul µL μL kDa Da".split()
)
"""Unit symbols a record may use, exactly so written: pint would read Mg as megagram."""

_EXAMPLES: dict[Kind, str] = {
    "time": "30 min",
    "dose": "10 mg/kg",
    "concentration": "0.3 uM",
    "volume": "3 L/kg",
    "clearance": "1.2 L/h/kg",
    "rate": "0.7 1/h",
    "association rate": "0.15 1/uM/s",
    "elimination rate": "3 umol/h/kg",
    "mass": "70 kg",
    "molar mass": "237.7 g/mol",
    "number": "0.65",
}
