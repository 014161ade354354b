import itertools
import math

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaddum.units import CANONICAL, canonical_unit, magnitude

numbers = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False).map(lambda x: float(f"{x:.6g}"))


@pytest.mark.parametrize(
    ("text", "kind", "value", "unit"),
    [
        ("40 min", "time", 2 / 3, "h"),
        ("-30 min", "time", -0.5, "h"),
        ("2 weeks", "time", 336, "h"),
        ("10mg/kg", "dose", 10, "mg/kg"),
        ("0.5 g", "dose", 500, "mg"),
        ("3 mg/g", "dose", 3000, "mg/kg"),
        ("1 umol/kg", "dose", 1000, "nmol/kg"),
        ("5 µM", "concentration", 5000, "nM"),
        ("20 ng/ml", "concentration", 20, "ng/mL"),
        ("5 mL/min/kg", "clearance", 0.3, "L/h/kg"),
        ("0.7/h", "rate", 0.7, "1/h"),
        ("5 min^-1", "rate", 300, "1/h"),
        ("0.15 1/uM/s", "association rate", 0.54, "1/nM/h"),
        ("0.65", "number", 0.65, ""),
        ("0.65 1", "number", 0.65, ""),
        ("12 %", "number", 0.12, ""),
        ("3 L/kg", "volume", 3, "L/kg"),
        ("10 mg kg-1", "dose", 10, "mg/kg"),
        ("10 mg·kg⁻¹", "dose", 10, "mg/kg"),
        ("10 mg.kg-1", "dose", 10, "mg/kg"),
        ("10\u00a0mg\u2009kg\u22121", "dose", 10, "mg/kg"),
        ("10 mg/kg body weight", "dose", 10, "mg/kg"),
        ("10 mg per kg", "dose", 10, "mg/kg"),
        ("100 mcg/kg", "dose", 0.1, "mg/kg"),
        ("100 \u03bcg/kg", "dose", 0.1, "mg/kg"),
        ("20 nmol l-1", "concentration", 20, "nM"),
        ("0.01 umol/L", "concentration", 10, "nM"),
        ("3x10-7 M", "concentration", 300, "nM"),
        ("3 × 10⁻⁷ mol l⁻¹", "concentration", 300, "nM"),
        ("10^-6 M", "concentration", 1000, "nM"),
        ("0.7 h-1", "rate", 0.7, "1/h"),
        ("5 mL min-1 kg-1", "clearance", 0.3, "L/h/kg"),
        ("5 mL/(min kg)", "clearance", 0.3, "L/h/kg"),
        ("\u221230 min", "time", -0.5, "h"),
        ("2 hrs", "time", 2, "h"),
        ("237.7 Da", "molar mass", 237.7, "g/mol"),
    ],
)
def test_text_is_read_in_canonical_units(text, kind, value, unit):
    assert magnitude(text, kind) == pytest.approx(value, rel=1e-12)
    assert canonical_unit(text, kind) == unit


@pytest.mark.parametrize("kind", [kind for kind in CANONICAL if kind != "number"])
@pytest.mark.parametrize("text", ["0.65", "0", "0.65 1", "12 %", "1 kg/m"])
def test_a_bare_number_is_only_a_number(text, kind):
    with pytest.raises(ValueError, match=f"A {kind} must be in units of"):
        magnitude(text, kind)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("1 mg/kg", "number"),
        ("3 L/L", "volume"),
        ("10 Mg/kg", "dose"),
        ("10**10", "dose"),
        ("9**9**9 h", "time"),
        ("1e999 h", "time"),
        ("nan h", "time"),
        ("3 minn", "time"),
        ("1 (", "time"),
        ("h", "time"),
        ("", "time"),
        ("1 g/kg/kg", "dose"),
        ("10 mg", "time"),
        ("1 h" + "*h" * 1000, "time"),
        ("10 mg/kg**9**9**9", "dose"),
        ("10 mg/kg h", "dose"),
        ("1,234 mg", "dose"),
        ("0,5 mg/kg", "dose"),
        ("10 MM", "concentration"),
        ("3x102 M", "concentration"),
        ("10-7 M", "concentration"),
        ("5 h/h", "dose"),
        ("10 mg/m2", "dose"),
        ("10 mg kg-4", "dose"),
        ("10 mg//kg", "dose"),
        ("10 mg/(kg", "dose"),
    ],
)
def test_text_that_means_something_else_is_refused(text, kind):
    with pytest.raises(ValueError, match=f"A {kind} must be"):
        magnitude(text, kind)


def test_a_misspelt_unit_lists_the_near_one():
    with pytest.raises(ValueError, match="'minn' is not a known unit .near: 'min'"):
        magnitude("3 minn", "time")


def test_a_decimal_comma_is_asked_about():
    with pytest.raises(ValueError, match="comma may mark decimals or thousands"):
        magnitude("1,234 mg", "dose")


def test_a_unit_in_the_other_case_is_named():
    with pytest.raises(ValueError, match="'MG' is not a known unit .near: 'mg'"):
        magnitude("10 MG/kg", "dose")


_MASSES, _AMOUNTS = (
    ["kg", "g", "mg", "ug", "µg", "ng", "pg", "fg"],
    ["mol", "mmol", "umol", "nmol", "pmol", "fmol"],
)
_VOLUMES = ["L", "l", "dL", "dl", "mL", "ml", "uL", "µl", "nL", "nl"]
_PERIODS = ["s", "sec", "second", "min", "minutes", "h", "hr", "hours", "d", "day", "days", "week", "weeks"]
_MOLAR = ["M", "mM", "uM", "µM", "nM", "pM", "fM"]
_WRITTEN: dict[str, list[tuple[tuple[str, int], ...]]] = {
    "time": [((one, 1),) for one in _PERIODS],
    "dose": [
        *(((one, 1),) for one in _MASSES + _AMOUNTS),
        *(((one, 1), (weight, -1)) for one in ["mg", "µg", "ng", *_AMOUNTS] for weight in ("kg", "g")),
    ],
    "concentration": [
        *(((one, 1),) for one in _MOLAR),
        *(((one, 1), (volume, -1)) for one in _MASSES + _AMOUNTS for volume in _VOLUMES),
        *(((one, 1), (length, -3)) for one in _AMOUNTS for length in ("m", "cm", "mm")),
    ],
    "volume": [
        *(((one, 1),) for one in _VOLUMES),
        (("cm", 3),),
        *(((one, 1), ("kg", -1)) for one in _VOLUMES),
    ],
    "clearance": [
        ((one, 1), (time, -1), *weight)
        for one in _VOLUMES
        for time in _PERIODS
        for weight in ((), (("kg", -1),))
    ],
    "rate": [((one, -1),) for one in _PERIODS],
    "association rate": [((one, -1), (time, -1)) for one in _MOLAR for time in _PERIODS],
    "elimination rate": [((one, 1), (time, -1)) for one in _AMOUNTS for time in _PERIODS],
    "mass": [((one, 1),) for one in _MASSES],
    "molar mass": [((one, 1), (amount, -1)) for one in _MASSES for amount in _AMOUNTS],
}
"""Units that papers write for each kind, as symbols with exponents."""


def _styles(unit: tuple[tuple[str, int], ...]) -> list[str]:
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    powers = [(one, "" if power == 1 else str(power)) for one, power in unit]
    over = [f"{one}{-power if power < -1 else ''}" for one, power in unit if power < 0]
    top = " ".join(one + ("" if power == 1 else f"^{power}") for one, power in unit if power > 0) or "1"
    return [
        " ".join(one + power for one, power in powers),
        "·".join(one + power.translate(raised) for one, power in powers),
        " ".join(one + power.replace("-", "\u2212") for one, power in powers),
        "*".join(one + (f"**({power})" if power else "") for one, power in powers),
        "/".join([top, *over]),
        f"{top}/({' '.join(over)})" if over else top,
    ]


@pytest.mark.parametrize("kind", sorted(_WRITTEN))
def test_every_listed_unit_means_what_pint_says_in_every_style(kind):
    oracle = pint.UnitRegistry(cache_folder=None)
    for unit in _WRITTEN[kind]:
        plainly = "*".join(f"{one}**({power})" for one, power in unit)
        readings = {
            (magnitude(f"3.7 {text}", kind), canonical_unit(f"3.7 {text}", kind)) for text in _styles(unit)
        }
        assert len(readings) == 1, plainly
        value, canonical = readings.pop()
        wanted = oracle.Quantity(3.7, plainly).to(canonical).magnitude
        assert value == pytest.approx(wanted, rel=1e-12), plainly


def test_a_unit_is_read_as_one_kind_only():
    for (kind, written), other in itertools.product(_WRITTEN.items(), _WRITTEN):
        if {kind, other} not in ({kind}, {"dose", "mass"}):  # a body weight and a dose may both be in g
            with pytest.raises(ValueError, match=f"A {other} must be"):
                magnitude(f"1 {_styles(written[0])[0]}", other)


@given(numbers)
def test_minutes_and_hours_agree(value):
    assert math.isclose(
        magnitude(f"{value!r} min", "time") * 60, magnitude(f"{value!r} h", "time"), abs_tol=1e-12
    )


@given(st.text(max_size=30), st.sampled_from(sorted(CANONICAL)))
def test_any_text_is_read_or_refused_with_a_value_error(text, kind):
    try:
        assert math.isfinite(magnitude(text, kind))
    except ValueError as error:
        assert "must be" in str(error)


@given(numbers, st.sampled_from([(kind, unit) for kind, units in CANONICAL.items() for unit in units]))
def test_canonical_units_are_fixed_points(value, kind_and_unit):
    kind, unit = kind_and_unit
    assert magnitude(f"{value!r} {unit}", kind) == value
    assert canonical_unit(f"{value!r} {unit}", kind) == unit
