import math

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
    ],
)
def test_text_that_means_something_else_is_refused(text, kind):
    with pytest.raises(ValueError, match=f"A {kind} must be"):
        magnitude(text, kind)


def test_a_misspelt_unit_lists_the_near_one():
    with pytest.raises(ValueError, match="'minn' is not a known unit .near: 'min'"):
        magnitude("3 minn", "time")


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
