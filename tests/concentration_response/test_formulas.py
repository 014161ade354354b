"""Formulas of the organ bath: identities to rounding, limits, dimensions, and that they agree with the receptor."""

import jax
import jax.numpy as jnp
import numpy as np
import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaddum.concentration_response.formulas import (
    cheng_prusoff,
    furchgott,
    gaddum_ec50_shift,
    leff_dougall,
    operational,
    schild_dose_ratio,
)
from gaddum.engagement.receptor import Receptor, at_equilibrium

EXACT = 1e-12
positive = st.floats(1e-3, 1e4)
amount = st.just(0.0) | st.floats(1e-9, 1e6)


def occupancy(c, k):
    """Fraction of one site that each ligand holds, as the chain has it."""
    ratios = c / k
    return at_equilibrium(Receptor(("orthosteric",), lambda *_: ratios.sum()), "orthosteric", ratios)


@given(st.lists(st.tuples(amount, positive), min_size=1, max_size=5))
def test_occupancies_are_fractions_and_leave_free_receptor(ligands):
    c, k = (np.array(x) for x in zip(*ligands, strict=True))
    rho = occupancy(c, k)
    assert ((rho >= 0) & (rho <= 1)).all()
    free = 1 / (1 + (c / k).sum())
    np.testing.assert_allclose(rho.sum() + free, 1.0, rtol=EXACT)
    np.testing.assert_allclose(rho * k, c * free, rtol=EXACT)  # the law of mass action, ligand by ligand


@given(amount, positive, amount, positive)
def test_gaddum_is_a_schild_shift_of_the_agonist(a, k_a, b, k_b):
    with_b = occupancy(np.array([a, b]), np.array([k_a, k_b]))[0]
    shifted = occupancy(np.array([a]), np.array([k_a * schild_dose_ratio(b, k_b)]))[0]
    np.testing.assert_allclose(with_b, shifted, rtol=EXACT)


@given(amount, positive, positive)
def test_no_antagonist_leaves_the_agonist_alone(a, k_a, k_b):
    alone = occupancy(np.array([a]), np.array([k_a]))[0]
    assert occupancy(np.array([a, 0.0]), np.array([k_a, k_b]))[0] == alone
    assert schild_dose_ratio(0.0, k_b) == 1


@given(amount, amount, positive, positive)
def test_agonist_occupancy_rises_with_agonist_and_falls_with_antagonist(first, second, k_a, k_b):
    low, high = sorted((first, second))
    k = np.array([k_a, k_b])
    assert occupancy(np.array([low, 5.0]), k)[0] <= occupancy(np.array([high, 5.0]), k)[0] * (1 + EXACT)
    assert occupancy(np.array([5.0, high]), k)[0] <= occupancy(np.array([5.0, low]), k)[0] * (1 + EXACT)


@given(positive, st.floats(0.3, 3), positive)
def test_schild_plot_is_a_line_through_the_pa2(b, slope, k_b):
    ratio = schild_dose_ratio(b, k_b, slope)
    np.testing.assert_allclose(ratio - 1, (b / k_b) ** slope, rtol=1e-9, atol=EXACT)
    np.testing.assert_allclose(schild_dose_ratio(k_b, k_b, slope), 2.0, rtol=EXACT)


@given(positive, positive, positive, positive, st.floats(0.5, 2), st.floats(0.5, 2))
def test_prism_form_is_the_hill_curve_at_the_shifted_ec50(a, b, ec50, k_b, slope, hill):
    ours = gaddum_ec50_shift(a, b, ec50, k_b, slope=slope, hill=hill, bottom=5.0, top=90.0)
    log_ec50 = np.log10(ec50 * (1 + (b / 10 ** np.log10(k_b)) ** slope))  # as Prism writes it
    theirs = 5.0 + 85.0 / (1 + 10 ** ((log_ec50 - np.log10(a)) * hill))
    np.testing.assert_allclose(ours, theirs, rtol=1e-11)


@given(amount, positive, st.floats(0.01, 100), st.floats(0.3, 3))
def test_operational_model_is_black_and_leffs_equation(a, k_a, tau, n):
    ours = operational(a, k_a, tau, 100.0, n)
    theirs = 100.0 * tau**n * a**n / ((k_a + a) ** n + tau**n * a**n)
    np.testing.assert_allclose(ours, theirs, rtol=EXACT, atol=1e-300)


@given(positive, st.floats(0.01, 100))
def test_operational_maximum_and_ec50(k_a, tau):
    maximum = tau / (1 + tau)
    np.testing.assert_allclose(operational(1e18 * k_a, k_a, tau), maximum, rtol=EXACT)
    np.testing.assert_allclose(operational(k_a / (1 + tau), k_a, tau), maximum / 2, rtol=EXACT)


@given(positive, positive, st.floats(0.5, 100), st.floats(0.05, 1))
def test_furchgotts_line_holds_between_equieffective_concentrations(a, k_a, tau, q):
    """1/A = 1/(q A') + (1 - q)/(q K_A) for concentrations with equal effect before and after inactivation."""
    before = 1 / (1 / (q * a) + (1 - q) / (q * k_a))
    np.testing.assert_allclose(
        operational(before, k_a, tau), operational(a, k_a, furchgott(tau, q)), rtol=EXACT
    )


@given(positive, positive, positive)
def test_cheng_prusoff_inverts_the_binding_assay(c, k, k_i):
    ic50 = k_i * (1 + c / k)
    half = occupancy(np.array([c, ic50]), np.array([k, k_i]))[0]
    np.testing.assert_allclose(half, occupancy(np.array([c]), np.array([k]))[0] / 2, rtol=EXACT)
    np.testing.assert_allclose(cheng_prusoff(ic50, c, k), k_i, rtol=EXACT)


@given(positive, positive, st.floats(0.5, 3))
def test_leff_dougall_inverts_the_functional_assay(a, ec50, n):
    k_b = leff_dougall(7.0, a, ec50, n)
    half = gaddum_ec50_shift(a, 7.0, ec50, k_b, hill=n)
    np.testing.assert_allclose(half, gaddum_ec50_shift(a, 0.0, ec50, k_b, hill=n) / 2, rtol=1e-9)
    np.testing.assert_allclose(leff_dougall(7.0, a, ec50), cheng_prusoff(7.0, a, ec50), rtol=1e-9)


def test_formulas_have_the_dimensions_that_they_claim():
    unit = pint.UnitRegistry(cache_folder=None)
    low, high, effect = 300.0 * unit.nM, 2.0 * unit.uM, 90.0 * unit.percent
    both = occupancy(np.array([0.3, 2.0]) * unit.uM, np.array([300.0, 500.0]) * unit.nM).to("")
    np.testing.assert_allclose(both.magnitude, [1 / 6, 4 / 6], rtol=EXACT)
    np.testing.assert_allclose(schild_dose_ratio(high, low, 0.9).to("").magnitude, 1 + (20 / 3) ** 0.9)
    assert gaddum_ec50_shift(high, low, low, high, hill=1.3, bottom=0 * effect, top=effect).check(
        effect.dimensionality
    )
    assert operational(high, low, 3.0, effect, 1.3).check(effect.dimensionality)
    for constant in (
        cheng_prusoff(low, high, low),
        leff_dougall(low, high, low, 1.2),
    ):
        assert constant.check("[concentration]")
    with pytest.raises(pint.DimensionalityError):
        schild_dose_ratio(high, 3.0 * unit.mV)


def test_gradients_are_finite_without_ligand():
    def read(x):
        return operational(x[0], x[1] * schild_dose_ratio(x[4], x[5]), x[2], 1.0, x[3])

    for a, b in ((0.0, 0.0), (0.0, 2.0), (3.0, 0.0)):
        assert jnp.isfinite(jax.grad(read)(jnp.array([a, 2.0, 3.0, 1.0, b, 4.0]))).all()
