"""The drive is the fall in firing relative to the greatest possible fall."""

import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.response.circuit import drive

DEPTHS = [0.0, 1e-6, 9e-5, 1.1e-4, 0.1, 1.0, 3.0, 10.0]
ACTIVITY = jnp.linspace(0.0, 1.0, 41)


@pytest.mark.parametrize("depth", DEPTHS)
def test_ends_are_fixed_whatever_the_depth(depth: float) -> None:
    ends = drive(jnp.array([0.0, 1.0]), jnp.array([depth]))
    np.testing.assert_allclose(ends, [0.0, 1.0], atol=1e-15)


@pytest.mark.parametrize("depth", DEPTHS)
def test_drive_rises_with_activity(depth: float) -> None:
    assert np.all(np.diff(drive(ACTIVITY, jnp.array([depth]))) > 0)


@pytest.mark.parametrize("depth", [0.0, 1e-8, 1e-5])
def test_no_depth_is_the_linear_limit(depth: float) -> None:
    np.testing.assert_allclose(drive(ACTIVITY, jnp.array([depth])), ACTIVITY, atol=depth)


def test_limit_joins_the_quotient() -> None:
    below, above = (drive(ACTIVITY, jnp.array([depth])) for depth in (0.99999e-4, 1.00001e-4))
    np.testing.assert_allclose(below, above, atol=2e-5)  # the linear limit is short of the curve by depth / 8


@settings(deadline=None)  # the first call compiles
@given(st.floats(0, 1), st.floats(0.01, 10))
def test_drive_is_the_fall_in_firing_over_the_full_fall(a: float, depth: float) -> None:
    fall, full = (1 - np.exp(-depth * level) for level in (a, 1.0))
    assert float(drive(jnp.array(a), jnp.array(depth))) == pytest.approx(fall / full, abs=1e-12)
