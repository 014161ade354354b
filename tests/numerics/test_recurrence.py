"""Courses over many intervals against a stiff solver, however fast the state is beside the intervals."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from gaddum.numerics.quadrature import gauss_legendre
from gaddum.numerics.recurrence import turnover

RULE = gauss_legendre(5)
EDGES = np.concatenate([[0.0], np.geomspace(0.1, 24.0, 30)])
WIDTH = np.diff(EDGES)
NODES = (EDGES[:-1, None] + WIDTH[:, None] * RULE.nodes).ravel()
STRENGTH, K_OFF = (x.ravel() for x in np.meshgrid([0.01, 1.0, 30.0, 1e3, 1e6], [0.02, 1.0, 20.0]))


def drive(t):
    """A dose's rate of build-up per unit of strength: up within the hour, down over half a day."""
    return np.exp(-t / 6.0) - 0.9 * np.exp(-3.0 * t)


def followed(**options) -> np.ndarray:
    rate = (STRENGTH * drive(NODES)[:, None]).reshape(WIDTH.size, -1, STRENGTH.size)
    return np.asarray(turnover(jnp.asarray(rate), WIDTH, RULE, jnp.asarray(K_OFF), **options))


def solved(start: np.ndarray) -> np.ndarray:
    courses = [
        solve_ivp(
            lambda t, p, strength=strength, k_off=k_off: strength * drive(t) * (1 - p) - k_off * p,
            (0.0, EDGES[-1]),
            [first],
            method="LSODA",
            t_eval=EDGES,
            rtol=1e-8,
            atol=1e-10,
        ).y[0]
        for strength, k_off, first in zip(STRENGTH, K_OFF, start, strict=True)
    ]
    return np.stack(courses, axis=1)


@pytest.mark.slow
def test_turnover_agrees_with_a_stiff_solver_from_slow_to_very_fast():
    np.testing.assert_allclose(followed(), solved(np.zeros(STRENGTH.size)), atol=2e-3)


@pytest.mark.slow
def test_a_steady_state_returns_to_its_start_and_agrees_with_a_stiff_solver():
    course = followed(cycle=WIDTH.size)
    np.testing.assert_allclose(course[-1], course[0], atol=1e-12)
    np.testing.assert_allclose(course, solved(course[0]), atol=2e-3)


@pytest.mark.slow
def test_a_faster_build_up_holds_more_at_every_time():
    courses = followed()[1:].reshape(WIDTH.size, 3, 5)
    assert (np.diff(courses, axis=2) > 0).all()


@given(
    st.lists(st.tuples(*(st.floats(-2, 2), st.floats(-3, 4), st.floats(-2, 3))), min_size=1, max_size=5),
    st.floats(-3, 2),
)
def test_a_fraction_stays_one_however_steep_the_drive_and_wide_the_interval(intervals, log_k_off):
    width, height, steepness = (10.0 ** np.array(x) for x in zip(*intervals, strict=True))
    drive = height[:, None, None] * np.exp(-steepness[:, None, None] * RULE.nodes[:, None])
    found = turnover(drive, width, RULE, np.array([10.0**log_k_off]))
    assert np.all((found >= 0) & (found <= 1))
