"""The solver of small stiff systems: its order, its limits, its error, and what it says where it fails."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.numerics import radau
from gaddum.numerics.stiff import integrate


class Decay(NamedTuple):
    """Falls onto a cosine at the rate of its argument."""

    def forcing(self, since, panel, args):
        return panel + since

    def rate(self, y, forcing, args):
        return [-args * (y[0] - jnp.cos(forcing)) - jnp.sin(forcing)]


class Cascade(NamedTuple):
    """Six states in series, from one rate."""

    def forcing(self, since, panel, args):
        return None

    def rate(self, y, forcing, args):
        return [-args * y[0], *(args * (a - b) for a, b in zip(y, y[1:], strict=False))]


class Blow(NamedTuple):
    """Grows without bound in finite time."""

    def forcing(self, since, panel, args):
        return None

    def rate(self, y, forcing, args):
        return [args * y[0] * y[0]]


def decayed(rate, edges, **options):
    edges = np.asarray(edges, float)[:, None]
    rate = np.asarray(rate, float)
    jumps = np.zeros((len(edges) - 1, 1, rate.size))
    return integrate(
        Decay(), np.zeros((1, rate.size)), edges, jumps, edges[:-1], rate, np.ones_like(jumps[0]), **options
    )


@jax.jit
def stepped(length, lacking):
    step, one = jnp.full((1,), length), jnp.ones((1, 1))
    return radau.step(
        lambda y, t: [-y[0] + 0 * t], one, lacking * one, radau.times(jnp.zeros(1), step), step,
        jnp.zeros((5, 1, 1)), step, one, 1e-15, jnp.zeros(1, bool),
    )  # fmt: skip


def one_step(length, lacking=0.0):
    """What the end of one step of y' = -y from 1 lacks, and its estimate."""
    tried = stepped(length, lacking)
    return (1 + lacking) * np.exp(-length) - float(tried.end[0, 0]), float(tried.lacking[0, 0])


def test_the_method_is_of_order_nine():
    # The error of one step goes with the tenth power of its length, as that becomes short.
    assert 9.0 < np.log2(abs(one_step(1.0)[0] / one_step(0.5)[0])) < 10.5


def test_the_error_of_a_step_is_estimated_from_its_own_and_that_of_its_beginning():
    for length, lacking in ((1.0, 0.0), (2.0, 0.0), (1.0, 1e-7), (2.0, -1e-3)):
        true, estimate = one_step(length, lacking)
        assert 0.5 < true / estimate < 1.02


def test_the_estimated_error_of_a_long_step_is_too_high_and_not_too_low():
    for length in (10.0, 100.0, 1e4):
        true, estimate = one_step(length)
        assert 1.0 < estimate / true


def test_a_stiff_decay_onto_a_moving_target_is_followed():
    found = decayed([1.0, 1e4, 1e9], [0.0, 1.0, 2.0])
    assert found.converged.all()
    np.testing.assert_allclose(found.states[1:, 0, 1:], np.cos([[1.0], [2.0]]) * np.ones((1, 2)), rtol=1e-6)
    known = np.cos([1.0, 2.0]) - np.exp([-1.0, -2.0])
    np.testing.assert_allclose(found.states[1:, 0, 0], known, rtol=1e-6)


@pytest.mark.slow
def test_six_states_in_series_that_start_from_nothing_follow_their_closed_form():
    rate, t = np.array([0.3, 2.0]), np.array([0.2, 1.0, 5.0])
    edges, jumps = np.array([0.0, *t])[:, None], np.zeros((3, 6, 2))
    jumps[0, 0] = 1.0
    found = integrate(Cascade(), np.zeros((6, 2)), edges, jumps, edges[:-1], rate, np.ones_like(jumps[0]))
    x = rate * t[:, None]
    known = np.stack([x**k / np.prod(np.arange(1, k + 1)) * np.exp(-x) for k in range(6)], axis=1)
    assert found.converged.all()
    error = np.abs(found.states[1:] - known) / np.maximum(known, 1e-4 * known.max(axis=0))
    assert error.max() < 1e-7


@pytest.mark.slow
def test_draws_are_the_same_alone_and_in_company():
    rates = np.geomspace(0.1, 1e4, 300)
    together, alone = decayed(rates, [0.0, 0.3, 4.0]), decayed(rates[:3], [0.0, 0.3, 4.0])
    np.testing.assert_allclose(together.states[..., :3], alone.states, rtol=1e-7)
    assert together.converged.all() and together.steps[0] < together.steps[-1]


def test_draws_may_have_panels_of_their_own_some_of_no_length():
    rate = np.array([1.0, 1.0, 30.0])
    edges = np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 2.0], [2.0, 2.0, 2.0]])
    jumps = np.zeros((2, 1, 3))
    jumps[1, 0, 0] = 1.0
    found = integrate(Decay(), np.zeros((1, 3)), edges, jumps, edges[:-1], rate, np.ones_like(jumps[0]))
    known = np.cos(2.0) - np.exp(-2 * rate)
    known[0] += np.exp(-1.0)
    np.testing.assert_allclose(found.states[2, 0], known, rtol=1e-7)


@pytest.mark.parametrize("draws", [3, pytest.param(40, marks=pytest.mark.slow)])
def test_the_error_is_estimated_honestly_and_not_much_too_high(draws):
    rates = np.geomspace(0.5, 500.0, draws)
    found = decayed(rates, [0.0, 0.4, 3.0], tolerance=1e-5)
    t = np.array([0.4, 3.0])[:, None]
    known = np.cos(t) - np.exp(-rates * t)
    true = np.abs(found.states[1:, 0] / known - 1).max(axis=0)
    assert (true < found.error).all() and found.converged.all()


def test_missed_target_is_a_status_and_not_an_exception():
    found = decayed([10.0, 1.0, 0.1], [0.0, 0.0, 50.0], most=2, courses=1)
    assert not found.converged.any()
    assert "3 of 3 draws missed the target 1e-07" in found.status


def test_a_draw_that_did_not_arrive_gets_more_steps():
    assert decayed([10.0, 1.0, 0.1], [0.0, 0.0, 50.0], most=2).converged.all()


@pytest.mark.slow
def test_a_draw_that_cannot_be_followed_is_reported_and_leaves_the_others_alone():
    edges, rate = np.array([0.0, 1.0])[:, None], np.array([0.5, 2.0, 0.1])
    found = integrate(Blow(), np.ones((1, 3)), edges, np.zeros((1, 1, 3)), edges[:-1], rate, np.ones((1, 3)))
    np.testing.assert_array_equal(found.converged, [True, False, True])
    np.testing.assert_allclose(found.states[1, 0, [0, 2]], [2.0, 1 / 0.9], rtol=1e-7)
    assert "1 of 3 draws" in found.status and np.isinf(found.error[1])


def test_more_than_six_states_are_refused():
    edges, seven = np.array([0.0, 1.0])[:, None], np.ones((7, 1))
    with pytest.raises(ValueError, match="At most six states"):
        integrate(Decay(), seven, edges, seven[None], edges[:-1], np.ones(1), seven)


def test_the_jacobian_of_a_step_needs_no_more_than_the_rates():
    from gaddum.numerics.sparse_lu import jacobian

    y = tuple(jnp.full((2,), k + 1.0) for k in range(3))
    rows = jacobian(lambda x: [x[0] * x[1], 2 * x[1], x[2] - x[0]], y)
    assert [[x is not None for x in row] for row in rows] == [
        [True, True, False],
        [False, True, False],
        [True, False, True],
    ]
    present = [float(x[0]) for row in rows for x in row if x is not None]
    assert present == [2.0, 1.0, 2.0, -1.0, 1.0]
