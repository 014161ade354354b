"""Units: one registry, used at the boundary only.

Outside, numbers come as text with a unit ("10 mg/kg"). Inside, they are floats in canonical units: h, nM, kg, L, and
for doses nmol or nmol/kg (mass is turned into amount by the molar mass). `magnitude` is the one door.
"""

from functools import cache
from typing import Any, Literal

Kind = Literal[
    "time", "dose", "concentration", "volume", "clearance", "rate", "association rate", "mass", "molar mass", "number"
]

CANONICAL: dict[Kind, tuple[str, ...]] = {
    "time": ("h",),
    "dose": ("mg", "mg/kg", "nmol", "nmol/kg"),
    "concentration": ("nM", "ng/mL"),
    "volume": ("L", "L/kg"),
    "clearance": ("L/h", "L/h/kg"),
    "rate": ("1/h",),
    "association rate": ("1/nM/h",),
    "mass": ("kg",),
    "molar mass": ("g/mol",),
    "number": ("",),
}
"""Canonical units of each kind of quantity, tried in this order."""


@cache
def registry() -> Any:
    """The one pint registry (loaded at first use)."""
    import pint

    ureg: Any = pint.UnitRegistry(cache_folder=None)
    ureg.define("percent_ = 0.01 = %") if "%" not in ureg else None
    return ureg


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


@cache
def _convert(text: str, kind: Kind) -> tuple[float, str]:
    import pint

    ureg = registry()
    try:
        quantity = ureg.Quantity(text)
    except Exception as error:  # pint raises many kinds; all mean the same to a reader
        raise ValueError(
            f"A {kind} must be a number with a unit, such as {_EXAMPLES[kind]!r}; got {text!r} ({error})."
        ) from None
    for unit in CANONICAL[kind]:
        try:
            value = float(quantity.to(unit or "dimensionless").magnitude)
        except pint.DimensionalityError:
            continue
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"A {kind} must be finite; got {text!r}.")
        return value, unit
    raise ValueError(
        f"A {kind} must be in units of {' or '.join(CANONICAL[kind])}; got {text!r}. "
        f"Write for example {_EXAMPLES[kind]!r}."
    )


_EXAMPLES: dict[Kind, str] = {
    "time": "30 min",
    "dose": "10 mg/kg",
    "concentration": "0.3 uM",
    "volume": "3 L/kg",
    "clearance": "1.2 L/h/kg",
    "rate": "0.7 1/h",
    "association rate": "0.15 1/uM/s",
    "mass": "70 kg",
    "molar mass": "237.7 g/mol",
    "number": "0.65",
}
