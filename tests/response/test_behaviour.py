"""Quadrature of both behavioural states against an ordinary solver and closed forms."""

from collections.abc import Callable
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from gaddum.numerics.quadrature import gauss_legendre
from gaddum.response.behaviour import acute_effect, sustained_effect

RULE = gauss_legendre(5)
COURSES: dict[str, Callable] = {
    "decay": lambda t: np.exp(-0.4 * t),
    "hump": lambda t: 0.9 * (np.exp(-0.3 * t) - np.exp(-2.0 * t)),
    "steady": lambda t: 0.6 + 0.0 * t,
}


class Layout(NamedTuple):
    times: np.ndarray
    weights: np.ndarray
    before: np.ndarray
    width: np.ndarray


def layout(test: float, panels: int = 6) -> Layout:
    edges = np.concatenate([[0.0], np.geomspace(min(0.25, test / 4), test, panels)])
    width = np.diff(edges)
    times = (edges[:-1, None] + width[:, None] * RULE.nodes).ravel()
    weights = (width[:, None] * RULE.weights).ravel()
    return Layout(times[None], weights[None], (test - times)[None], width[None])


def acute(course: Callable, test: float, k_e: float) -> float:
    grid = layout(test)
    u = jnp.asarray(course(grid.times))[..., None]
    return float(acute_effect(u, grid.weights, grid.before, jnp.array([k_e]))[0, 0])


def sustained(
    course: Callable, test: float, k_on: float, k_off: float, start: float, panels: int = 6
) -> float:
    grid = layout(test, panels)
    u = jnp.asarray(course(grid.times))[..., None]
    rates = (jnp.array([k_on]), jnp.array([k_off]), jnp.array([start]))
    return float(sustained_effect(u, grid.width, RULE, grid.before, *rates)[0, 0])


def solved(rate: Callable, start: float, test: float) -> float:
    return float(solve_ivp(rate, (0, test), [start], method="DOP853", rtol=1e-11, atol=1e-13).y[0, -1])


@pytest.mark.parametrize("name", COURSES)
@pytest.mark.parametrize("k_e", [0.2, 1.0, 3.0])
def test_acute_effect_agrees_with_a_solver(name: str, k_e: float) -> None:
    course = COURSES[name]
    expected = solved(lambda t, x: k_e * (course(t) - x), 0.0, 3.0)
    assert acute(course, 3.0, k_e) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", COURSES)
@pytest.mark.parametrize(("k_on", "k_off", "start"), [(0.1, 0.01, 0.0), (0.5, 0.02, 0.3)])
def test_sustained_effect_agrees_with_a_solver(name: str, k_on: float, k_off: float, start: float) -> None:
    course = COURSES[name]
    expected = solved(lambda t, p: k_on * course(t) * (1 - p) - k_off * p, start, 24.0)
    assert sustained(course, 24.0, k_on, k_off, start) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", COURSES)
def test_fast_rates_converge_as_panels_narrow(name: str) -> None:
    course = COURSES[name]
    expected = solved(lambda t, p: course(t) * (1 - p) - 0.1 * p, 0.9, 24.0)
    assert sustained(course, 24.0, 1.0, 0.1, 0.9, panels=24) == pytest.approx(expected, abs=1e-6)
    assert sustained(course, 24.0, 1.0, 0.1, 0.9) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("k_e", [0.1, 1.0, 2.0])
def test_steady_drive_fills_the_effect_site_exponentially(k_e: float) -> None:
    assert acute(COURSES["steady"], 2.0, k_e) == pytest.approx(0.6 * -np.expm1(-2.0 * k_e), abs=1e-6)


@pytest.mark.parametrize("start", [0.0, 0.5, 1.0])
def test_steady_drive_relaxes_to_the_balance_of_rates(start: float) -> None:
    k_on, k_off = 0.2, 0.05
    total = 0.6 * k_on + k_off
    balance = 0.6 * k_on / total
    expected = balance + (start - balance) * np.exp(-total * 24)
    assert sustained(COURSES["steady"], 24.0, k_on, k_off, start) == pytest.approx(expected, abs=1e-5)


def test_without_drive_the_state_only_decays() -> None:
    assert sustained(lambda t: 0.0 * t, 24.0, 0.3, 0.02, 0.7) == pytest.approx(0.7 * np.exp(-0.48), rel=1e-12)


def test_start_at_the_balance_of_a_steady_drive_stays_there() -> None:
    balance = 0.6 * 0.2 / (0.6 * 0.2 + 0.05)
    assert sustained(COURSES["steady"], 24.0, 0.2, 0.05, balance) == pytest.approx(balance, abs=1e-6)


@settings(deadline=None)  # the first call compiles
@given(st.floats(0, 1), st.floats(0, 2), st.floats(0.001, 2), st.floats(0.001, 0.5), st.floats(0, 1))
def test_sustained_state_stays_between_0_and_1(
    level: float, slope: float, k_on: float, k_off: float, start: float
) -> None:
    state = sustained(lambda t: level * np.exp(-slope * t), 24.0, k_on, k_off, start)
    assert -1e-12 <= state <= 1 + 1e-3  # the rule of five nodes overshoots a little where k_on is fast


def test_readings_and_draws_do_not_mix() -> None:
    grids = [layout(2.0), layout(6.0)]
    u = jnp.stack([jnp.asarray(COURSES["hump"](g.times[0])) for g in grids])[..., None] * jnp.array(
        [1.0, 0.5]
    )
    stacked = [np.concatenate(parts) for parts in zip(*grids, strict=True)]
    both = acute_effect(u, stacked[1], stacked[2], jnp.array([1.0, 2.0]))
    half = lambda t: 0.5 * COURSES["hump"](t)  # noqa: E731
    apart = [[acute(COURSES["hump"], test, 1.0), acute(half, test, 2.0)] for test in (2.0, 6.0)]
    np.testing.assert_allclose(both, apart, rtol=1e-13)


@pytest.mark.parametrize("order", [2, 5, 8])
def test_cumulative_rows_integrate_polynomials_up_to_each_node(order: int) -> None:
    rule = gauss_legendre(order)
    for power in range(order):
        np.testing.assert_allclose(
            rule.cumulative @ rule.nodes**power, rule.nodes ** (power + 1) / (power + 1), atol=1e-10
        )
