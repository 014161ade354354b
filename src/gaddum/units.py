"""Units: one small grammar, used at the boundary only.

Outside, numbers come as text with a unit ("10 mg/kg"). Inside, they are floats in canonical units: h, nM, kg, L, and
for doses nmol or nmol/kg (mass is turned into amount by the molar mass). `magnitude` is the one door. The units are a
closed list, with exponents from -3 to 3, in the ways in which papers write them: ``mg/kg``, ``mg kg-1``,
``mL/(min kg)``, ``3x10-7 M``. Case matters: mM and MM are two things.
"""

import math
import re
from functools import lru_cache
from typing import Literal, NamedTuple

from gaddum.text import plain

Kind = Literal[
    "time",
    "dose",
    "concentration",
    "curve area",
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
    "curve area": ("nM h", "ng h/mL"),
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


MAX_LENGTH = 100
"""Longest text of a quantity: no quantity needs more, and what is read takes time."""


@lru_cache(maxsize=4096)
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


@lru_cache(maxsize=4096)
def canonical_unit(text: str, kind: Kind) -> str:
    """Name the canonical unit in which `magnitude` returns this text.

    Examples
    --------
    >>> canonical_unit("10 mg/kg", "dose")
    'mg/kg'
    """
    return _convert(text, kind)[1]


def _convert(text: str, kind: Kind) -> tuple[float, str]:
    if len(text) > MAX_LENGTH:
        raise ValueError(f"A {kind} must be written in at most {MAX_LENGTH} characters; got {len(text)}.")
    line = plain(text).strip()
    match = _QUANTITY.fullmatch(line)
    if match is None:
        comma = re.match(r"[-+]?[0-9.]*,[0-9]", line)
        raise ValueError(
            f"A {kind} must be a number with a unit, such as {_EXAMPLES[kind]!r}; got {text!r}."
            + (" A comma may mark decimals or thousands: write a point, or nothing." if comma else "")
        )
    mantissa, power = match["number"] or "1", match["scientific"] or match["power"] or match["lone"]
    number = float(mantissa if power is None else f"{mantissa}e{power}")
    fault, factor, unit = _factor(" ".join(match["unit"].split()), kind)
    if fault is not None:
        raise ValueError(
            f"A {kind} must be in units of {_wanted(kind)}; got {text!r}{fault}. {_advice(kind)}"
        )
    if not math.isfinite(number * factor):
        raise ValueError(f"A {kind} must be finite; got {text!r}.")
    return number * factor, unit


@lru_cache(maxsize=4096)
def _factor(unit_text: str, kind: Kind) -> tuple[str | None, float, str]:
    """What is wrong with a unit (None if nothing), its size in the canonical unit, and that unit's name."""
    if (kind == "number") != (unit_text in _PURE):
        return (" (without a unit)" if unit_text in ("", "1") else ""), 0.0, ""
    if kind == "number":
        return None, _PURE[unit_text], ""
    try:
        found = _size(unit_text)
    except ValueError as error:
        return str(error), 0.0, ""
    for unit in CANONICAL[kind]:
        wanted = _size(unit)
        if found.dimensions == wanted.dimensions:
            return None, found.times * wanted.over / (found.over * wanted.times), unit
    return "", 0.0, ""


class _Size(NamedTuple):
    """A unit as a ratio of whole numbers, so that no conversion is rounded twice, and what it measures."""

    times: int
    over: int
    dimensions: tuple[int, ...]
    """Exponents of time (s), mass (fg), amount of substance (fmol) and length (um)."""


@lru_cache(maxsize=4096)
def _size(unit_text: str) -> _Size:
    """Size of a unit; ValueError says what cannot be read, as words that follow the unit."""
    times = over = 1
    dimensions, measured = [0, 0, 0, 0], [False] * 4
    for symbol, exponent in _symbols(unit_text):
        one = _SYMBOLS[symbol]
        up, down = (one.times, one.over) if exponent > 0 else (one.over, one.times)
        times, over = times * up ** abs(exponent), over * down ** abs(exponent)
        for place, dimension in enumerate(one.dimensions):
            dimensions[place] += exponent * dimension
            measured[place] |= dimension != 0
    if any(measured[place] and not dimensions[place] for place in (0, 2, 3)):  # a mass may: mg/kg
        raise ValueError(", whose unit cancels itself")
    return _Size(times, over, tuple(dimensions))


def _symbols(unit_text: str) -> list[tuple[str, int]]:
    """Symbols of a unit with their exponents, read from the left."""
    line, found, place = _BODY_WEIGHT.sub("kg", unit_text).replace("µ", "u"), [], 0
    before, inside, divided = "start", False, False
    line = re.sub(r"^1 ?(?=/)|\bper\b", lambda one: "" if one[0].startswith("1") else "/", line)
    while place < len(line):
        token = _TOKEN.match(line, place)
        if token is None:
            raise ValueError(", whose unit cannot be read")
        place, mark, symbol = token.end(), token["mark"], token["symbol"]
        if symbol is None:
            if (before, mark, inside) not in _MAY_FOLLOW:
                raise ValueError(", whose unit cannot be read")
            before, inside = mark, mark == "(" or (inside and mark != ")")
            divided |= mark == "/"
            continue
        if symbol not in _SYMBOLS:
            raise ValueError(f", where {symbol!r} is not a known unit{_near(symbol)}")
        exponent = int(re.sub(r"[^-0-9]", "", token["power"] or "1"))
        if before == "/" or inside:
            exponent = -exponent
        elif divided and exponent > 0:
            raise ValueError(
                f", where {symbol!r} may multiply or divide: give each divisor a slash of its own"
            )
        found.append((symbol, exponent))
        before = "symbol"
    if inside or before not in ("symbol", ")"):
        raise ValueError(", whose unit cannot be read")
    return found


def _near(symbol: str) -> str:
    from difflib import get_close_matches  # not needed until something is wrong

    other_case = [known for known in _SYMBOLS if known.casefold() == symbol.casefold()]
    near = other_case or get_close_matches(symbol, _SYMBOLS, n=1, cutoff=0.5)
    return f" (near: {', '.join(map(repr, near))})" if near else ""


def _wanted(kind: Kind) -> str:
    return " or ".join(unit or "1" for unit in CANONICAL[kind])


def _advice(kind: Kind) -> str:
    return f"Write for example {_EXAMPLES[kind]!r}."


_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_POWER = r" ?[x×*·] ?10 ?(?:(?:\^|\*\*) ?(?=[-+0-9])|(?=[-+]))(?P<power>[-+]?[0-9]{1,3})"
_QUANTITY = re.compile(
    rf"(?:10 ?(?:\^|\*\*) ?(?P<lone>[-+]?[0-9]{{1,3}})|(?P<number>{_NUMBER})"
    rf"(?:[eE](?P<scientific>[-+]?[0-9]{{1,4}})|{_POWER})?)"
    r"(?P<unit>(?: *| +1)(?=[ /A-Za-zµ%]|$)[ A-Za-zµ%/*^().·0-9-]*)"
)
"""A number, perhaps with a power of ten (1e-7, 3x10-7, 10^-7), and what is left as its unit."""

_PURE = {"": 1.0, "1": 1.0, "%": 0.01, "percent": 0.01, "mol/mol": 1.0, "g/g": 1.0, "mg/mg": 1.0}
"""Units of pure numbers. Any other ratio (mg/kg) is a dose or the like, although its dimensions cancel."""

_BODY_WEIGHT = re.compile(r"\bkg (?:b\.?w\.?|BW|body ?weight)(?![A-Za-z])")
_TOKEN = re.compile(
    r" ?(?:(?P<mark>[/*·.()])|(?P<symbol>[^\W\d_]+)"
    r"(?P<power> ?- ?[1-3](?![0-9])|[1-3](?![0-9])|(?:\^|\*\*) ?(?:[-+]?[1-3]|\([-+]?[1-3]\))(?![0-9]))?)"
)
_MAY_FOLLOW = {
    ("start", "/", False),
    ("/", "(", False),
    ("symbol", ")", True),
    *((before, mark, False) for before in ("symbol", ")") for mark in "/*·."),
    *(("symbol", mark, True) for mark in "*·."),
}
"""What stood before, a mark that may follow it, and whether that is within brackets."""

_PREFIXES = {"k": 18, "": 15, "d": 14, "c": 13, "m": 12, "u": 9, "n": 6, "p": 3, "f": 0}
"""Powers of ten over femto."""


def _listed() -> dict[str, _Size]:
    """Every symbol that may be written, so and not otherwise spelt."""
    listed = {}
    for seconds, names in _TIMES.items():
        listed |= dict.fromkeys(names.split(), _Size(seconds, 1, (1, 0, 0, 0)))
    for prefix, power in _PREFIXES.items():
        size = 10**power
        if prefix not in ("d", "c"):
            listed[f"{prefix}g"] = _Size(size, 1, (0, 1, 0, 0))
        if prefix not in ("k", "d", "c"):
            listed[f"{prefix}mol"] = _Size(size, 1, (0, 0, 1, 0))
            listed[f"{prefix}M"] = _Size(size, 10**15, (0, 0, 1, -3))
        if prefix in ("", "d", "m", "u", "n"):
            listed[f"{prefix}L"] = listed[f"{prefix}l"] = _Size(size, 1, (0, 0, 0, 3))
        if prefix in ("", "c", "m"):
            listed[f"{prefix}m"] = _Size(10 ** (power - 9), 1, (0, 0, 0, 1))
    for prefix, size in {"": 1, "k": 1000}.items():
        listed[f"{prefix}Da"] = _Size(size, 1, (0, 1, -1, 0))  # as papers state a molar mass
    words = {name: listed[symbol] for symbol, names in _WORDS.items() for name in names.split()}
    return listed | words


_WORDS = {
    "ug": "mcg microgram micrograms",
    "mg": "milligram milligrams",
    "L": "litre litres liter liters",
    "mol": "mole moles",
    "mmol": "mmole mmoles",
    "umol": "umole umoles",
    "nmol": "nmole nmoles",
}
"""Units that papers write out, by their symbols."""


_TIMES = {
    1: "s sec secs second seconds",
    60: "min mins minute minutes",
    3600: "h hr hrs hour hours",
    86400: "d day days",
    604800: "week weeks wk wks",
}
_SYMBOLS = _listed()

_EXAMPLES: dict[Kind, str] = {
    "time": "30 min",
    "dose": "10 mg/kg",
    "concentration": "0.3 uM",
    "curve area": "12 ng h/mL",
    "volume": "3 L/kg",
    "clearance": "1.2 L/h/kg",
    "rate": "0.7 1/h",
    "association rate": "0.15 1/uM/s",
    "elimination rate": "3 umol/h/kg",
    "mass": "70 kg",
    "molar mass": "237.7 g/mol",
    "number": "0.65",
}
