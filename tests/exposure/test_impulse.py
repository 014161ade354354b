"""Responses from poles and zeros, and poles that nearly coincide."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.exposure.impulse import Impulse, mammillary_poles, parted, response
from reference.kinetics import Compartments

TIMES = np.linspace(0.0, 12.0, 49)


def course(impulse: Impulse) -> np.ndarray:
    """Response over time, [times, *batch]."""
    rates, weights = (np.asarray(x)[:, None] for x in impulse)
    return (weights * np.exp(-rates * TIMES.reshape((1, -1) + (1,) * (rates.ndim - 2)))).sum(0)


def no_zeros(poles: np.ndarray) -> np.ndarray:
    return np.zeros((0, *poles.shape[1:]))


def test_a_response_of_two_poles_is_the_bateman_function() -> None:
    found = course(response(np.array([[3.0], [0.5]]), np.zeros((0, 1)), np.array([3.0 / 10.0])))
    expected = 3.0 / 10.0 / (3.0 - 0.5) * (np.exp(-0.5 * TIMES) - np.exp(-3.0 * TIMES))
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-12, atol=1e-16)


def test_a_zero_on_a_pole_takes_it_away() -> None:
    found = response(np.array([[3.0], [0.5]]), np.array([[3.0]]), np.array([2.0]))
    np.testing.assert_allclose(found.weights[:, 0], [0.0, 2.0], atol=1e-15)


@pytest.mark.parametrize("peripherals", [0, 1, 2])
def test_links_in_series_are_their_poles_and_zeros_put_together(peripherals: int) -> None:
    v_p, q = np.array([[5.0], [20.0]])[:peripherals], np.array([[4.0], [0.7]])[:peripherals]
    v_c, cl, k_a = np.array([3.0]), np.array([2.0]), np.array([1.3])
    poles, zeros = mammillary_poles(v_c, cl / v_c, v_p, q)
    assert poles.shape == (peripherals + 1, 1) and zeros.shape == (peripherals, 1)
    together = response(np.concatenate([k_a[None], poles]), zeros, k_a / v_c)
    names = ("gut", "plasma", "shallow", "deep")[: peripherals + 2]
    flows = [("gut", "plasma", float(k_a[0])), ("plasma", None, float(cl[0] / v_c[0]))]
    for name, v, flow in zip(names[2:], v_p[:, 0], q[:, 0], strict=True):
        flows += [("plasma", name, flow / v_c[0]), (name, "plasma", flow / v)]
    expected = Compartments(names, flows).amount("plasma", TIMES, [("gut", 1.0, 0.0, 0.0)]) / v_c
    np.testing.assert_allclose(course(together)[:, 0], expected, rtol=1e-10, atol=1e-14)


def test_poles_that_lie_apart_stay_where_they_are() -> None:
    poles = np.array([[3.0], [1.0], [1.02]])
    np.testing.assert_array_equal(parted(poles, 1e-2), poles)


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(-1e-2, 1e-2), st.floats(2e-2, 10.0))
def test_a_pair_is_moved_apart_about_its_centre_and_no_other_pole_is(
    k: float, gap: float, far: float
) -> None:
    poles = np.array([[k], [k * (1 + gap)], [k * (1 + 2 * far)]])
    moved, least = parted(poles, 1e-2), 1e-2
    np.testing.assert_allclose(moved[:2].mean(), poles[:2].mean(), rtol=1e-14)
    assert abs(moved[0, 0] - moved[1, 0]) >= least * moved[:2].mean() * (1 - 1e-12)
    assert moved[2] == poles[2]
    np.testing.assert_array_equal(parted(jnp.asarray(poles), 1e-2), moved)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_equal_poles_are_moved_apart_evenly(count: int) -> None:
    moved = np.sort(parted(np.full((count, 1), 0.7), 1e-3)[:, 0])
    np.testing.assert_allclose(np.diff(moved), 0.7e-3, rtol=1e-9)
    assert moved.mean() == pytest.approx(0.7)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0.98, 1.02), min_size=3, max_size=3))
def test_of_three_poles_no_two_stay_nearer_than_half_the_least_distance(at: list[float]) -> None:
    moved = np.sort(parted(np.array(at)[:, None], 1e-2)[:, 0])
    assert np.diff(moved).min() > 0.48e-2


@pytest.mark.parametrize("least", [1e-4, 1e-2])
@pytest.mark.parametrize("gap", [0.0, 1e-15, -1e-9, 3e-5, 0.9])
def test_the_response_of_a_pair_is_kept_to_second_order(gap: float, least: float) -> None:
    """Of two poles at distance d the response is k t exp(-k t) sinh(d t / 2) / (d t / 2) about their centre."""
    k, apart = 0.8, gap * least * 0.8
    moved = parted(np.array([[k + apart / 2], [k - apart / 2]]), least)
    x = np.maximum(np.abs(apart * TIMES / 2), 1e-9)
    expected = k * TIMES * np.exp(-k * TIMES) * np.sinh(x) / x
    found = course(response(moved, no_zeros(moved), np.array([k])))[:, 0]
    bound = expected * (least * k * TIMES) ** 2 / 24
    np.testing.assert_array_less(np.abs(found - expected), bound * 1.01 + 1e-15 / least)
    assert np.abs(found - expected)[1:].max() > 0.01 * bound.max()
