"""A gate's activity is the multilinear extension of its truth table."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.records.gate import monotone_gates
from gaddum.response.gate_activity import activity

LEVEL = st.floats(0, 1)
MONOTONE = [(k, corners) for k in range(4) for corners in monotone_gates(k)]


def evaluate(corners: tuple[int, ...], levels: list[float]) -> float:
    return float(activity(jnp.asarray(corners, float), [jnp.asarray(level) for level in levels]))


@settings(deadline=None)  # the first call compiles
@given(LEVEL, LEVEL)
def test_and_is_the_product(a: float, b: float) -> None:
    assert evaluate((0, 0, 0, 1), [a, b]) == pytest.approx(a * b, abs=1e-15)


@settings(deadline=None)  # the first call compiles
@given(LEVEL, LEVEL)
def test_or_is_the_probability_of_a_union(a: float, b: float) -> None:
    assert evaluate((0, 1, 1, 1), [a, b]) == pytest.approx(a + b - a * b, abs=1e-15)


@settings(deadline=None)  # the first call compiles
@given(LEVEL, LEVEL)
def test_first_input_is_the_lowest_bit(a: float, b: float) -> None:
    assert evaluate((0, 1, 0, 1), [a, b]) == pytest.approx(a, abs=1e-15)


@pytest.mark.parametrize(("k", "corners"), MONOTONE)
def test_corners_are_reproduced(k: int, corners: tuple[int, ...]) -> None:
    inputs = [jnp.array([float(index >> bit & 1) for index in range(2**k)]) for bit in range(k)]
    np.testing.assert_array_equal(activity(jnp.asarray(corners, float), inputs), corners if k else corners[0])


@settings(deadline=None)  # the first call compiles
@given(st.sampled_from(MONOTONE), st.lists(LEVEL, min_size=3, max_size=3))
def test_monotone_gates_stay_between_0_and_1(gate: tuple[int, tuple[int, ...]], levels: list[float]) -> None:
    k, corners = gate
    assert -1e-15 <= evaluate(corners, levels[:k]) <= 1 + 1e-15


@settings(deadline=None)  # the first call compiles
@given(st.sampled_from(MONOTONE[2:]), st.lists(LEVEL, min_size=3, max_size=3), st.integers(0, 2), LEVEL)
def test_monotone_gates_rise_with_each_input(
    gate: tuple[int, tuple[int, ...]], levels: list[float], which: int, other: float
) -> None:
    k, corners = gate
    low, high = levels[:k], levels[:k]
    place = which % k
    low[place], high[place] = sorted((levels[place], other))
    assert evaluate(corners, low) <= evaluate(corners, high) + 1e-15


def test_wrong_number_of_corners_is_refused() -> None:
    with pytest.raises(ValueError, match="must have 4 corner values; got 2"):
        evaluate((0, 1), [0.5, 0.5])
