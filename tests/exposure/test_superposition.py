"""Closed forms against matrix exponentials, a stiff solver and the identities of linear kinetics."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gaddum.exposure import impulse as impulses
from gaddum.exposure import superposition
from gaddum.exposure.impulse import Impulse, area_under_curve, transit
from gaddum.exposure.superposition import profile
from reference.kinetics import Compartments

V_C, CL, V_P, Q, K_A, K_E0, LAG, F = 3.0, 2.0, (5.0, 20.0), (4.0, 0.7), 1.3, 0.35, 0.4, 0.6
V_M, CL_M, FRACTION = 8.0, 1.1, 0.45
TIMES = np.array([0.0, 0.05, 0.4, 0.5, 1.0, 2.0, 3.7, 8.0, 24.0, 60.0])
RADAU = np.array([0.5, 2.0, 8.0, 30.0])

concentration, steady_state, superpose, mammillary, cascade, through = (
    jax.jit(f)
    for f in (
        superposition.concentration,
        superposition.steady_state,
        superposition.superpose,
        impulses.mammillary,
        impulses.cascade,
        impulses.through,
    )
)

SYSTEM = Compartments(
    ("gut", "plasma", "shallow", "deep", "site", "metabolite", "second"),
    [
        ("gut", "plasma", K_A),
        ("plasma", None, (1 - FRACTION) * CL / V_C),
        ("plasma", "metabolite", FRACTION * CL / V_C),
        ("plasma", "shallow", Q[0] / V_C),
        ("shallow", "plasma", Q[0] / V_P[0]),
        ("plasma", "deep", Q[1] / V_C),
        ("deep", "plasma", Q[1] / V_P[1]),
        ("site", None, K_E0),
        ("metabolite", "second", CL_M / V_M),
        ("second", None, 0.9),
    ],
    [("plasma", "site", K_E0)],
)


def _plasma() -> Impulse:
    return mammillary(V_C, CL, jnp.array(V_P), jnp.array(Q))


def _one(v: float, cl: float) -> Impulse:
    return mammillary(v, cl, jnp.zeros(0), jnp.zeros(0))


@cache
def oral() -> Impulse:
    return through(_plasma(), K_A, F)


@cache
def metabolite() -> Impulse:
    return cascade(_plasma(), _one(V_M, CL_M), FRACTION * CL)


ROUTES = {
    "bolus": (_plasma, "plasma", "plasma", V_C, 1.0),
    "oral": (oral, "gut", "plasma", V_C, F),
    "site": (lambda: through(oral(), K_E0), "gut", "site", V_C, F),
    "metabolite": (metabolite, "plasma", "metabolite", V_M, 1.0),
    "oral metabolite": (lambda: through(metabolite(), K_A, F), "gut", "metabolite", V_M, F),
    "second metabolite": (lambda: cascade(metabolite(), _one(1.0, 0.9), CL_M), "plasma", "second", 1.0, 1.0),
}


@cache
def impulse_of(route: str) -> Impulse:
    return ROUTES[route][0]()


@pytest.mark.parametrize("duration", [0.0, 0.5, 6.0])
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_agrees_with_the_matrix_exponential(route, duration):
    impulse, (into, read, volume, gain) = impulse_of(route), ROUTES[route][1:]
    ours = concentration(impulse, TIMES, 7.0, start=0.3, duration=duration, lag=LAG)
    theirs = SYSTEM.amount(read, TIMES, [(into, 7.0, 0.3 + LAG, duration)]) * gain / volume
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 * theirs.max())


@pytest.mark.slow
@pytest.mark.parametrize("duration", [0.0, 6.0])
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_agrees_with_a_stiff_solver(route, duration):
    impulse, (into, read, volume, gain) = impulse_of(route), ROUTES[route][1:]
    ours = concentration(impulse, RADAU, 7.0, duration=duration)
    theirs = SYSTEM.amount(read, RADAU, [(into, 7.0, 0.0, duration)], "Radau") * gain / volume
    np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_several_doses_add_up():
    doses = [("gut", 5.0, 0.0, 0.0), ("gut", 2.0, 3.0, 1.5), ("gut", 9.0, 3.5, 0.0)]
    _, amounts, starts, durations = zip(*doses, strict=True)
    ours = superpose(
        oral(), TIMES, jnp.array(amounts), starts=jnp.array(starts), durations=jnp.array(durations), lag=LAG
    )
    lagged = [(into, amount, start + LAG, duration) for into, amount, start, duration in doses]
    theirs = SYSTEM.amount("plasma", TIMES, lagged) * F / V_C
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("lag", [0.0, 0.7])
@pytest.mark.parametrize("duration", [0.0, 2.0, 6.0, 12.0, 15.0, 31.0])
def test_steady_state_is_the_limit_of_many_doses(duration, lag):
    times = np.array([0.0, 0.5, 1.0, 3.0, 5.9, 11.0, 13.0, 30.0, 60.0])
    ours = steady_state(oral(), times, 5.0, 6.0, duration, lag=lag)
    many = superpose(oral(), times, 5.0, starts=-6.0 * jnp.arange(200), durations=duration, lag=lag)
    np.testing.assert_allclose(ours, many, rtol=1e-11)


@pytest.mark.parametrize("duration", [0.0, 2.0, 15.0])
def test_steady_state_repeats_and_averages_dose_over_clearance(duration):
    edges = steady_state(oral(), jnp.array([0.0, 6.0]), 5.0, 6.0, duration)
    next_dose = concentration(oral(), jnp.array([0.0]), 5.0, duration=duration)
    edges, later = edges[0], edges[1] + next_dose[0]
    np.testing.assert_allclose(edges, later, rtol=1e-12)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    pieces = [(0.0, duration % 6.0), (duration % 6.0, 6.0)]
    mean = sum(
        float(steady_state(oral(), jnp.array(a + (b - a) * (1 + nodes) / 2), 5.0, 6.0, duration) @ weights)
        * (b - a) / 2
        for a, b in pieces
    ) / 6.0  # fmt: skip
    np.testing.assert_allclose(mean, F * 5.0 / (CL * 6.0), rtol=1e-10)


def test_area_under_curve_is_dose_over_clearance():
    np.testing.assert_allclose(area_under_curve(oral(), 5.0), F * 5.0 / CL, rtol=1e-12)
    np.testing.assert_allclose(
        area_under_curve(through(oral(), K_E0, 0.4), 5.0), 0.4 * F * 5 / CL, rtol=1e-12
    )
    np.testing.assert_allclose(area_under_curve(metabolite(), 5.0), FRACTION * 5.0 / CL_M, rtol=1e-12)


def test_mass_is_balanced():
    """Amount in plasma, in both peripherals and eliminated adds up to the dose."""
    plasma, times = _plasma(), jnp.array([0.1, 1.0, 10.0, 50.0])
    inside = V_C * concentration(plasma, times, 1.0)
    for v, q in zip(V_P, Q, strict=True):
        inside += v * concentration(through(plasma, q / v), times, 1.0)
    weights, rates = plasma.weights[:, None], plasma.rates[:, None]
    gone = CL * jnp.sum(weights / rates * -jnp.expm1(-rates * times[None]), axis=0)
    np.testing.assert_allclose(inside + gone, 1.0, rtol=1e-10)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-2.5, 2.5), min_size=6, max_size=6), st.integers(0, 2))
def test_mammillary_agrees_with_the_matrix_exponential(logs, peripherals):
    v_c, cl, *rest = np.exp(np.array(logs) * 2)
    v_p, q = np.array(rest[:peripherals]), np.array(rest[2 : 2 + peripherals])
    names = ("plasma", "shallow", "deep")[: peripherals + 1]
    flows = [("plasma", None, cl / v_c)]
    for name, v, flow in zip(names[1:], v_p, q, strict=True):
        flows += [("plasma", name, flow / v_c), (name, "plasma", flow / v)]
    system = Compartments(names, flows)
    ours = mammillary(v_c, cl, jnp.array(v_p), jnp.array(q))
    times = np.array([0.0, 0.1, 1.0, 10.0]) * v_c / cl
    theirs = system.amount("plasma", times, [("plasma", 1.0, 0.0, 0.0)])
    np.testing.assert_allclose(v_c * concentration(ours, times, 1.0), theirs, rtol=1e-7, atol=1e-10)
    eigenvalues = np.sort(-np.linalg.eigvals(system.matrix()).real)[::-1]
    np.testing.assert_allclose(ours.rates, eigenvalues, rtol=1e-9, atol=1e-13 * eigenvalues[0])
    np.testing.assert_allclose(area_under_curve(ours, 1.0), 1 / cl, rtol=1e-9)


@pytest.mark.parametrize("v_c", [1e-3, 1e3])
def test_poles_keep_their_digits_when_they_lie_far_apart(v_c):
    mpmath = pytest.importorskip("mpmath")
    cl, v_p, q = 2.0, (300.0, 1e5), (5.0, 0.01)
    rates = mammillary(v_c, cl, jnp.array(v_p), jnp.array(q)).rates
    with mpmath.workdps(60):
        k_10, k_12, k_13 = (mpmath.mpf(x) / mpmath.mpf(v_c) for x in (cl, *q))
        k_21, k_31 = (mpmath.mpf(x) / mpmath.mpf(y) for x, y in zip(q, v_p, strict=True))
        coefficients = [
            -k_10 * k_21 * k_31,
            k_10 * k_21 + k_13 * k_21 + k_21 * k_31 + k_10 * k_31 + k_31 * k_12,
            -(k_10 + k_12 + k_13 + k_21 + k_31),
            1,
        ]
        roots = mpmath.polyroots(coefficients, maxsteps=500, extraprec=400, asc=True)
        exact = sorted((float(mpmath.re(x)) for x in roots), reverse=True)
    np.testing.assert_allclose(rates, exact, rtol=1e-12)


@pytest.mark.slow
def test_an_absent_peripheral_changes_nothing():
    padded = mammillary(V_C, CL, jnp.array([5.0, 20.0]), jnp.array([4.0, 0.0]))
    plain = mammillary(V_C, CL, jnp.array([5.0]), jnp.array([4.0]))
    np.testing.assert_allclose(
        concentration(padded, TIMES, 1.0), concentration(plain, TIMES, 1.0), rtol=1e-12
    )
    np.testing.assert_allclose(area_under_curve(padded, 1.0), 1 / CL, rtol=1e-12)
    slopes = jax.grad(lambda cl: area_under_curve(mammillary(V_C, cl, jnp.ones(2), jnp.zeros(2)), 1.0))(CL)
    np.testing.assert_allclose(slopes, -1 / CL**2, rtol=1e-9)


@jax.jit
@jax.grad
def _slope(rate):
    return concentration(through(_plasma(), rate), jnp.array([2.0]), 1.0)[0]


GAPS = [0.0, 1e-15, 1e-12, -1e-9, 1e-7, 1e-6, -1e-6, 3e-6, 9.9e-6, 1.01e-5, -1.01e-5, 1e-4, 1e-3]


@pytest.mark.parametrize("gap", GAPS)
@pytest.mark.parametrize("pole", [0, 1, 2])
def test_nearly_coincident_poles_stay_accurate(pole, gap):
    plasma = _plasma()
    rate = float(plasma.rates[pole]) * (1 + gap)
    system = Compartments(SYSTEM.names, [("gut", "plasma", rate), *SYSTEM.flows[1:]], SYSTEM.copies)
    times = TIMES[1:]
    theirs = system.amount("plasma", times, [("gut", 1.0, 0.0, 0.0)]) / V_C
    np.testing.assert_allclose(concentration(through(plasma, rate), times, 1.0), theirs, rtol=1e-6)

    def reference(rate):
        flows = [("gut", "plasma", rate), *SYSTEM.flows[1:]]
        return (
            Compartments(SYSTEM.names, flows).amount("plasma", np.array([2.0]), [("gut", 1, 0, 0)])[0] / V_C
        )

    step = 1e-4 * rate
    numeric = (reference(rate + step) - reference(rate - step)) / (2 * step)
    np.testing.assert_allclose(_slope(rate), numeric, rtol=1e-4)


def test_a_metabolite_that_decays_like_its_parent_stays_accurate():
    parent, times = _one(V_C, CL), TIMES[1:]
    k = CL / V_C
    ours = concentration(cascade(parent, _one(V_M, k * V_M), CL), times, 1.0)
    np.testing.assert_allclose(ours, k * times * np.exp(-k * times) / V_M, rtol=1e-6)


@pytest.mark.slow
def test_three_poles_at_one_place_lose_digits_and_no_more():
    times = jnp.linspace(0.0, 20.0, 81)
    ours = concentration(through(through(_one(1.0, 1.0), 1.0), 1.0), times, 1.0)
    exact = times**2 / 2 * jnp.exp(-times)
    np.testing.assert_allclose(ours, exact, atol=1e-4 * exact.max())


@pytest.mark.parametrize("stages", [1, 2, 3, 4, 5])
def test_a_transit_chain_is_a_chain_of_compartments(stages):
    rate, times = 1.7, np.linspace(0.0, 20.0, 41)
    names = tuple(f"transit {i}" for i in range(stages)) + ("plasma",)
    flows = [(names[i], names[i + 1], rate) for i in range(stages)] + [("plasma", None, CL / V_C)]
    theirs = Compartments(names, flows).amount("plasma", times, [("transit 0", 1.0, 0.0, 0.0)]) * F / V_C
    ours = concentration(cascade(transit(rate, stages, F), _one(V_C, CL)), times, 1.0)
    np.testing.assert_allclose(ours, theirs, atol=1e-8 * theirs.max())


def test_transit_refuses_chains_that_it_cannot_resolve():
    with pytest.raises(ValueError, match="stages must be 1 to 5; got 9"):
        transit(1.0, 9)


@pytest.mark.slow
def test_batches_equal_one_draw_at_a_time():
    draws = 5
    v_c, k_a = jnp.linspace(1.0, 4.0, draws), jnp.linspace(0.2, 3.0, draws)
    v_p, q = jnp.stack([v_c * 2, v_c * 5]), jnp.array([3.0, 0.5])
    amount, lag = jnp.linspace(1.0, 2.0, draws), jnp.linspace(0.0, 1.0, draws)
    batch = through(mammillary(v_c, CL, v_p, q), k_a)
    curves = concentration(batch, TIMES, amount, duration=0.7, lag=lag)
    steady = steady_state(batch, TIMES, amount, 5.0, 0.7, lag=lag)
    many = superpose(batch, TIMES, jnp.array([1.0, 2.0]), starts=jnp.array([0.0, 4.0]), lag=lag)
    assert curves.shape == steady.shape == many.shape == (len(TIMES), draws)
    for i in range(draws):
        one = through(mammillary(v_c[i], CL, v_p[:, i], q), k_a[i])
        single = concentration(one, TIMES, amount[i], duration=0.7, lag=lag[i])
        np.testing.assert_allclose(curves[:, i], single, rtol=1e-12)
        single = steady_state(one, TIMES, amount[i], 5.0, 0.7, lag=lag[i])
        np.testing.assert_allclose(steady[:, i], single, rtol=1e-12)


def test_nothing_is_there_before_the_dose():
    assert not concentration(oral(), jnp.array([-1.0, 0.0, 0.69]), 5.0, start=0.3, lag=0.4).any()
    assert not steady_state(oral(), jnp.array([-0.1]), 5.0, 6.0).any()


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 50), st.floats(0, 10), st.floats(0, 100), st.floats(0, 100))
@example(0.0, 8e-307, 0.0, 1.0)
@example(1.0, 5e-324, 1.0, 2.0)
def test_concentration_is_positive_and_rises_with_the_dose(time, duration, first, second):
    low, high = sorted((first, second))
    less = concentration(oral(), jnp.array([time]), low, duration=duration)
    more = concentration(oral(), jnp.array([time]), high, duration=duration)
    assert 0 <= less[0] <= more[0]


@pytest.mark.parametrize("duration", [5e-324, 8e-307, 1e-13])
def test_an_input_too_short_to_have_a_rate_is_a_bolus(duration):
    bolus, regular = concentration(oral(), TIMES, 5.0), steady_state(oral(), TIMES, 5.0, 6.0)
    np.testing.assert_allclose(concentration(oral(), TIMES, 5.0, duration=duration), bolus, rtol=1e-11)
    np.testing.assert_allclose(steady_state(oral(), TIMES, 5.0, 6.0, duration), regular, rtol=1e-11)
    times = np.sort(np.asarray(TIMES))
    short, none = (profile(oral(), times, 5.0, duration=x) for x in (duration, 0.0))
    np.testing.assert_allclose(short, none, rtol=1e-11)


def test_a_known_grid_gives_what_any_times_give():
    times = np.array([-1.0, 0.0, 0.2, 0.7, 1.5, 30.0])
    for duration in (0.0, 0.7):
        seen = profile(oral(), times, 5.0, start=-0.1, duration=duration)
        np.testing.assert_allclose(
            seen, concentration(oral(), times, 5.0, start=-0.1, duration=duration), rtol=1e-11, atol=1e-15
        )


@pytest.mark.slow
def test_gradients_are_finite_everywhere():
    @jax.jit
    @jax.grad
    def slopes(x):
        impulse = through(through(mammillary(x[0], x[1], x[2:4], x[4:6]), x[6]), x[7])
        once = concentration(impulse, TIMES, 1.0, duration=x[8], lag=x[9])
        return jnp.sum(once + steady_state(impulse, TIMES, 1.0, 6.0, x[8], lag=x[9]))

    ordinary = jnp.array([V_C, CL, *V_P, *Q, K_A, K_E0, 0.5, LAG])
    for point in (
        ordinary,
        ordinary.at[8].set(0.0),
        ordinary.at[5].set(0.0),
        ordinary.at[4:6].set(0.0),
        ordinary.at[6].set(_plasma().rates[1]),
        ordinary.at[6].set(K_E0),
        ordinary.at[6:8].set(_plasma().rates[1]),
        ordinary.at[2:6].set(jnp.array([5.0, 5.0, 4.0, 4.0])),
    ):
        assert jnp.isfinite(slopes(point)).all()


def test_bad_shapes_are_refused_with_a_way_out():
    with pytest.raises(ValueError, match="0, 1 or 2 peripherals"):
        mammillary(1.0, 1.0, jnp.ones(3), jnp.ones(3))
    with pytest.raises(ValueError, match="Put the times on axis 0"):
        concentration(oral(), jnp.ones((2, 3)), 1.0)
    with pytest.raises(ValueError, match="Broadcast the impulse"):
        concentration(oral(), jnp.ones(2), jnp.ones(3))
