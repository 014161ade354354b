"""The nonlinear path: its closed-form limits, conservation, and scipy's LSODA over random draws."""

import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.exposure.concentrations import concentrations
from gaddum.exposure.nonlinear import (
    kinetic_competition,
    saturable_concentrations,
    target_mediated_concentrations,
)
from gaddum.exposure.plan import Body, Input, Ligand, Plan
from reference.nonlinear import follow, saturable

TIMES = np.array([0.5, 2.0, 6.0, 12.0, 24.0, 48.0])
DOSES = {"amounts": jnp.array([2000.0, 1000.0]), "starts": [0.0, 12.0], "durations": [0.0, 1.5]}


ONE_DOSE = {**DOSES, "amounts": jnp.array([1000.0, 0.0])}
ALONE = {"v_c": np.full(8, 10.0), "cl": np.zeros(8), "v_p": np.full((1, 8), 10.0), "q": np.zeros((1, 8))}
"""A body whose peripheral is cut off, of the shape of the others, which share its compiled solver."""
NOTHING = np.zeros((0,))
ONE_COMPARTMENT = {"v_c": 10.0, "cl": 0.0, "v_p": NOTHING, "q": NOTHING}
BODIES = [ALONE, pytest.param(ONE_COMPARTMENT, marks=pytest.mark.slow)]


def lognormal(key, median, gsd, draws):
    return median * gsd ** np.random.default_rng(key).standard_normal(draws)


def body(draws, key=0):
    v_c, cl, v_1, q_1 = (lognormal((key, i), m, 1.5, draws) for i, m in enumerate([10.0, 2.0, 25.0, 6.0]))
    return {"v_c": v_c, "cl": cl, "v_p": v_1[None], "q": q_1[None]}


def printed(name, errors):
    print(f"{name}: 99.9th percentile {np.percentile(errors, 99.9):.1e}, maximum {errors.max():.1e}")
    return errors.max()


@pytest.mark.parametrize("k_a", [None, pytest.param(0.7, marks=pytest.mark.slow)])
def test_without_saturable_elimination_the_closed_form_is_met(k_a):
    given = body(8)
    found = saturable_concentrations(TIMES, **given, v_max=0.0, k_m=1.0, k_a=k_a, **DOSES)
    values = [given["v_c"], given["cl"], given["v_p"][0], given["q"][0], np.full(8, k_a or 1.0)]
    own, way = (
        Body(0, 1, -1, (2,), (3,), -1, -1),
        Input("sc", 0.0, 0.0, 0.0, 1, 0.0, False, -1, -1, 0, -1, -1, -1),
    )
    doses = zip(
        *(np.asarray(DOSES[name]).tolist() for name in ("amounts", "starts", "durations")), strict=True
    )
    inputs = tuple(
        way._replace(amount=amount, start=start, duration=duration, k_a=-1 if k_a is None else 4)
        for amount, start, duration in doses
    )
    plan = Plan((Ligand("x", "x", (own,), (), inputs, -1, -1, -1, -1, ()),))
    known = concentrations(plan, np.log(values), TIMES)[0]
    assert np.abs(found.values / known - 1).max() < 1e-6
    assert found.converged.all() and found.status == "converged"


def test_far_above_the_dose_k_m_makes_elimination_linear():
    given, k_m = body(8), 1e9
    found = saturable_concentrations(TIMES, **given, v_max=3.0 * k_m, k_m=k_m, **DOSES)
    linear = saturable_concentrations(
        TIMES, **{**given, "cl": given["cl"] + 3.0}, v_max=0.0, k_m=1.0, **DOSES
    )
    np.testing.assert_allclose(found.values, linear.values, rtol=1e-6)


@pytest.mark.parametrize("of", BODIES, ids=["cut off", "one compartment"])
def test_zero_order_elimination_falls_along_a_straight_line(of):
    found = saturable_concentrations(TIMES, **of, v_max=20.0, k_m=1e-9, **ONE_DOSE).values.T
    np.testing.assert_allclose(found, np.broadcast_to(100.0 - 2.0 * TIMES, found.shape), rtol=1e-8)


@pytest.mark.parametrize("of", BODIES, ids=["cut off", "one compartment"])
def test_saturable_elimination_alone_keeps_its_implicit_solution(of):
    # (C0 - C) + K_m ln(C0 / C) = V_max t / V
    found = saturable_concentrations(TIMES, **of, v_max=40.0, k_m=20.0, **ONE_DOSE).values.T
    lost = 100 - found + 20 * np.log(100 / found)
    np.testing.assert_allclose(lost, np.broadcast_to(4.0 * TIMES, found.shape), rtol=1e-7)


@pytest.mark.slow
def test_one_slow_ligand_at_constant_concentration_approaches_its_share_exponentially():
    k_on, k_off = np.array([0.02, 0.5]), np.array([0.1, 0.01])
    found = kinetic_competition(
        np.array([0.0, *TIMES]), lambda t: jnp.full((1, 2), 8.0), k_on[None], k_off[None]
    ).values[:, 0]
    rate = 8.0 * k_on + k_off
    known = 8.0 * k_on / rate * -np.expm1(-rate * np.array([0.0, *TIMES])[:, None])
    np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-12)


@pytest.mark.slow
def test_after_long_at_constant_concentrations_slow_ligands_reach_gaddums_equilibrium():
    c, k_on, k_off = np.array([3.0, 50.0]), np.array([0.5, 0.02]), np.array([1.0, 0.4])
    found = kinetic_competition([0.0, 500.0], lambda t: jnp.asarray(c), k_on, k_off).values[1]
    np.testing.assert_allclose(found, c * k_on / k_off / (1 + (c * k_on / k_off).sum()), rtol=1e-7)


@pytest.mark.slow
def test_a_fast_ligand_slows_binding_by_its_share():
    slow = kinetic_competition([0.0, 3.0], lambda t: jnp.full((1,), 6.0), [0.05], [0.2]).values
    beside = kinetic_competition(
        [0.0, 3.0], lambda t: jnp.full((1,), 18.0), [0.05], [0.2], fast=lambda t: jnp.asarray(2.0)
    ).values
    np.testing.assert_allclose(slow, beside, rtol=1e-9)


TARGET = {"v_c": 3.0, "cl": 0.1, "k_on": 0.5, "k_off": 0.02, "k_syn": 0.4, "k_deg": 0.1, "k_int": 0.05}


@pytest.mark.slow
def test_without_binding_a_target_leaves_the_drug_alone():
    found = target_mediated_concentrations(TIMES, **{**TARGET, "k_on": 0.0}, amounts=[300.0], starts=[0.0])
    np.testing.assert_allclose(found.drug, 100.0 * np.exp(-0.1 / 3.0 * TIMES), rtol=1e-7)
    np.testing.assert_allclose(found.target, 4.0, rtol=1e-9)


@pytest.mark.slow
def test_nothing_is_lost_where_nothing_is_eliminated():
    closed = {**TARGET, "cl": 0.0, "k_syn": 1e-9, "k_deg": 1e-9, "k_int": 0.0}
    found = target_mediated_concentrations(TIMES, **closed, amounts=[300.0], starts=[0.0])
    np.testing.assert_allclose(found.drug + found.complex, 100.0, rtol=1e-10)


def test_mass_in_a_closed_saturable_body_is_kept():
    given, times = {**body(8), "cl": np.zeros(8)}, [*TIMES[:-1], 400.0]
    found = saturable_concentrations(times, **given, v_max=0.0, k_m=1.0, **DOSES)
    np.testing.assert_allclose(found.values[-1] * (given["v_c"] + given["v_p"][0]), 3000.0, rtol=1e-10)


def test_reading_before_any_dose_is_zero():
    times = [-1.0, 0.0, 2.0, 6.0, 13.0, 48.0]
    found = saturable_concentrations(times, **body(8), v_max=5.0, k_m=2.0, **DOSES)
    assert (found.values[:2] == 0).all() and (found.values[2:] > 0).all()


def test_estimated_error_is_no_smaller_than_a_tenth_of_the_true_one():
    given = body(8)
    options = {"v_max": 60.0, "k_m": 20.0, **DOSES}
    rough = saturable_concentrations(TIMES, **given, tolerance=1e-3, **options)
    exact = saturable_concentrations(TIMES, **given, tolerance=1e-10, **options)
    true = np.abs(rough.values / exact.values - 1).max(axis=0)
    assert (rough.error > true / 10).all()


def test_unequal_numbers_of_ligands_are_refused():
    with pytest.raises(ValueError, match="same ligands"):
        kinetic_competition([0.0, 1.0], lambda t: jnp.ones((2,)), [1.0], [1.0])


def test_times_out_of_order_are_refused():
    with pytest.raises(ValueError, match="ascending"):
        kinetic_competition([1.0, 0.0], lambda t: jnp.ones((1,)), [1.0], [1.0])


@pytest.mark.slow
@pytest.mark.parametrize("k_a", [None, 0.8])
def test_random_saturable_draws_agree_with_lsoda_to_a_millionth(k_a):
    draws = 60
    given, v_max, k_m = body(draws, 5), lognormal(7, 60.0, 2.0, draws), lognormal(8, 20.0, 2.5, draws)
    doses = [(2000.0, 0.0, 0.0), (1000.0, 12.0, 1.5)]
    found = saturable_concentrations(TIMES, **given, v_max=v_max, k_m=k_m, k_a=k_a, **DOSES)
    assert found.converged.all()
    known = np.stack(
        [
            saturable(
                TIMES.tolist(),
                {"v_c": given["v_c"][i], "cl": given["cl"][i], "v_max": v_max[i], "k_m": k_m[i]},
                given["v_p"][:, i], given["q"][:, i], doses, k_a,
            )
            for i in range(draws)
        ],
        axis=1,
    )  # fmt: skip
    # Concentrations below a 1e-4th of the peak are read on that scale.
    error = np.abs(found.values - known) / np.maximum(known, 1e-4 * known.max(axis=0))
    assert printed(f"saturable, k_a {k_a}", error.max(axis=0)) < 1e-6


@pytest.mark.slow
def test_random_competition_of_two_slow_ligands_agrees_with_lsoda_to_a_millionth():
    draws, times = 60, [0.0, 1.0, 4.0, 12.0, 24.0, 72.0]
    k_on = np.stack([lognormal((1, i), 0.3, 3.0, draws) for i in range(2)])
    k_off = np.stack([lognormal((2, i), 0.1, 4.0, draws) for i in range(2)])
    decay = np.stack([lognormal((3, i), 0.3, 2.0, draws) for i in range(2)])

    def level(t):  # the first from the beginning, the second from 4 h
        return jnp.stack(
            [20 * jnp.exp(-decay[0] * t), jnp.where(t >= 4, 50 * jnp.exp(-decay[1] * (t - 4)), 0.0)]
        )

    found = kinetic_competition(times, level, k_on, k_off, edges=[4.0])
    assert found.converged.all()

    def known(i):
        def rate(t, y):
            c = np.array(
                [20 * np.exp(-decay[0, i] * t), 50 * np.exp(-decay[1, i] * (t - 4)) if t >= 4 else 0.0]
            )
            return k_on[:, i] * c * (1 - y.sum()) - k_off[:, i] * y

        return follow(rate, np.zeros(2), times)

    wanted = np.stack([known(i) for i in range(draws)], axis=2)
    error = np.abs(found.values - wanted) / np.maximum(wanted, 1e-4 * wanted.max(axis=0).clip(1e-300))
    assert printed("competition", error.max(axis=(0, 1))) < 1e-6


@pytest.mark.slow
def test_random_target_mediated_draws_agree_with_lsoda_to_a_millionth():
    draws = 40
    given = {name: lognormal((9, i), value, 1.6, draws) for i, (name, value) in enumerate(TARGET.items())}
    found = target_mediated_concentrations(TIMES, **given, amounts=[30.0], starts=[0.0])
    assert found.converged.all()

    def known(i):
        p = {name: value[i] for name, value in given.items()}

        def rate(t, y):
            bind = p["k_on"] * y[0] * y[1] - p["k_off"] * y[2]
            return np.array([
                -p["cl"] / p["v_c"] * y[0] - bind, p["k_syn"] - p["k_deg"] * y[1] - bind, bind - p["k_int"] * y[2]
            ])  # fmt: skip

        return follow(rate, np.array([30.0 / p["v_c"], p["k_syn"] / p["k_deg"], 0.0]), TIMES.tolist())

    wanted = np.stack([known(i) for i in range(draws)], axis=2)
    values = np.stack([found.drug, found.target, found.complex], axis=1)
    error = np.abs(values - wanted) / np.maximum(wanted, 1e-4 * wanted.max(axis=0))
    assert printed("target-mediated", error.max(axis=(0, 1))) < 1e-6
