"""Constants from an IC50: textbook values, and errors against simulation."""

import numpy as np
import pytest

from gaddum.concentration_response.binding_constants import (
    MeasuredNumber,
    antagonist_constant,
    binding_constant,
)


def test_label_at_its_dissociation_constant_halves_the_ic50():
    assert binding_constant(
        MeasuredNumber(10.0), MeasuredNumber(4.0), MeasuredNumber(4.0)
    ).value == pytest.approx(5.0)


def test_leff_dougall_with_hill_slope_one_is_cheng_prusoff():
    numbers = (MeasuredNumber(50.0, 0.05), MeasuredNumber(30.0), MeasuredNumber(7.0, 0.1))
    binding, functional = binding_constant(*numbers), antagonist_constant(*numbers)
    assert functional == pytest.approx(binding)


def test_constant_known_exactly_has_no_interval():
    found = binding_constant(MeasuredNumber(10.0), MeasuredNumber(4.0), MeasuredNumber(4.0))
    assert found.lower == found.value == found.upper and found.log_error == 0.0


@pytest.mark.parametrize(("level", "normal"), [(0.95, 1.959964), (0.9, 1.644854)])
def test_interval_of_a_constant_leaves_half_of_the_rest_at_each_end(level, normal):
    found = binding_constant(MeasuredNumber(10.0, 0.1), MeasuredNumber(4.0), MeasuredNumber(4.0), level=level)
    assert np.log10(found.upper / found.value) == pytest.approx(normal * 0.1, rel=1e-6)
    assert np.log10(found.value / found.lower) == pytest.approx(normal * 0.1, rel=1e-6)


def test_p_value_is_of_the_molar_constant():
    assert binding_constant(
        MeasuredNumber(2.0), MeasuredNumber(1.0), MeasuredNumber(1.0)
    ).p_value == pytest.approx(9.0)


def test_error_is_that_of_simulated_inputs():
    inputs = (
        MeasuredNumber(80.0, 0.04),
        MeasuredNumber(30.0, 0.02),
        MeasuredNumber(7.0, 0.05),
        MeasuredNumber(1.4, 0.03),
    )
    found = antagonist_constant(*inputs)
    draws = np.random.default_rng(0).standard_normal((4, 200_000))
    ic50, a, ec50, n = (one.value * 10 ** (one.log_error * z) for one, z in zip(inputs, draws, strict=True))
    simulated = np.log10(ic50 / ((2 + (a / ec50) ** n) ** (1 / n) - 1))
    # Monte-Carlo error of a standard deviation 0.2 %; the rest is the curvature that the delta method leaves out.
    assert found.log_error == pytest.approx(simulated.std(), rel=0.02)


@pytest.mark.parametrize(
    "bad",
    [MeasuredNumber(0.0), MeasuredNumber(-1.0), MeasuredNumber(1.0, -0.1), MeasuredNumber(float("nan"))],
)
def test_numbers_that_cannot_be_are_refused(bad):
    with pytest.raises(ValueError, match="positive with errors"):
        binding_constant(bad, MeasuredNumber(1.0), MeasuredNumber(1.0))
