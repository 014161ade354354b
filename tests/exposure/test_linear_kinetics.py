"""Closed forms against matrix exponentials, a stiff solver and the identities of linear kinetics."""

from functools import cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gaddum.exposure.chains import chains_of, lay_chains, responses_of
from gaddum.exposure.concentrations import areas, concentrations
from gaddum.exposure.impulse import (
    Impulse,
    area_under_curve,
    delayed,
    mammillary_poles,
    parted,
    response,
)
from gaddum.exposure.plan import Body, Input, Ligand, Plan
from reference.kinetics import Compartments

V_C, CL, V_P, Q, K_A, K_E0, LAG, F = 3.0, 2.0, (5.0, 20.0), (4.0, 0.7), 1.3, 0.35, 0.4, 0.6
V_M, CL_M, FRACTION = 8.0, 1.1, 0.45
TIMES = np.array([0.0, 0.05, 0.4, 0.5, 1.0, 2.0, 3.7, 8.0, 24.0, 60.0])
RADAU = np.array([0.5, 2.0, 8.0, 30.0])

PLASMA = (V_C, CL, V_P, Q)
METABOLITE = (V_M, CL_M, (), ())
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


class Kinetics(NamedTuple):
    """A ligand that is dosed in one way, and its log parameters."""

    ligand: Ligand
    theta: np.ndarray

    def read(self, times, *doses: dict, site: str = "brain") -> np.ndarray:
        """Concentrations after doses, each what differs from one nanomole at 0 h, [times, batch]."""
        inputs = tuple(self.ligand.inputs[0]._replace(**dose) for dose in doses)
        plan = Plan((self.ligand._replace(inputs=inputs),))
        return np.asarray(concentrations(plan, self.theta, np.asarray(times, float), site=site))[0]

    def impulse(self) -> Impulse:
        """Response to a unit dose."""
        chains = lay_chains(chains_of(self.ligand, self.ligand.inputs[0]))
        return Impulse(*(x[:, 0] for x in responses_of(chains, self.theta)[0]))


def kinetics(*bodies, fractions=(), stages=0, **constants) -> Kinetics:
    """Bodies as central volume, clearance, and volumes and flows of the peripherals; numbers or draws."""
    values = []

    def place(value) -> int:
        if value is None:
            return -1
        values.append(value)
        return len(values) - 1

    def several(found) -> tuple[int, ...]:
        return tuple(place(one) for one in found)

    of = constants.get
    own = tuple(Body(place(v), place(cl), -1, several(v_p), several(q), -1, -1) for v, cl, v_p, q in bodies)
    way = Input(
        "sc", 1.0, 0.0, 0.0, 1, 0.0, False, place(of("k_a")), place(of("release")), stages, place(of("transit")),
        place(of("f")), place(of("lag")),
    )  # fmt: skip
    ligand = Ligand(
        "x", "x", own, several(fractions), (way,), -1, place(of("kp_uu")), place(of("k_e0")), -1, ()
    )
    return Kinetics(ligand, np.log(np.stack(np.broadcast_arrays(*map(np.atleast_1d, values)))))


def poles(v_c, cl, v_p, q) -> np.ndarray:
    one, several = np.ones(1), np.ones((len(v_p), 1))
    across = (np.reshape(x, (-1, 1)) * several for x in (v_p, q))
    return mammillary_poles(v_c * one, cl / v_c * one, *across)[0][:, 0]


ROUTES = {
    "bolus": (((PLASMA,), {}), "plasma", "plasma", V_C),
    "oral": (((PLASMA,), {"k_a": K_A, "f": F}), "gut", "plasma", V_C),
    "site": (((PLASMA,), {"k_a": K_A, "f": F, "k_e0": K_E0}), "gut", "site", V_C),
    "metabolite": (((PLASMA, METABOLITE), {"fractions": [FRACTION]}), "plasma", "metabolite", V_M),
    "oral metabolite": (
        ((PLASMA, METABOLITE), {"fractions": [FRACTION], "k_a": K_A, "f": F}),
        "gut",
        "metabolite",
        V_M,
    ),
    "second metabolite": (
        ((PLASMA, METABOLITE, (1.0, 0.9, (), ())), {"fractions": [FRACTION, 1.0]}),
        "plasma",
        "second",
        1.0,
    ),
}


def of(route: str, **more) -> Kinetics:
    bodies, constants = ROUTES[route][0]
    return kinetics(*bodies, **constants, **more)


@pytest.mark.parametrize("lag", [None, LAG])
@pytest.mark.parametrize("duration", [0.0, 0.5, 6.0])
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_agrees_with_the_matrix_exponential(route, duration, lag):
    (_, constants), into, read, volume = ROUTES[route]
    ours = of(route, lag=lag).read(TIMES, {"amount": 7.0, "start": 0.3, "duration": duration})[:, 0]
    theirs = SYSTEM.amount(read, TIMES, [(into, 7.0, 0.3 + (lag or 0.0), duration)])
    theirs = theirs * constants.get("f", 1.0) / volume
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12 * theirs.max())


@pytest.mark.slow
@pytest.mark.parametrize("duration", [0.0, 6.0])
@pytest.mark.parametrize("route", ROUTES)
def test_every_route_agrees_with_a_stiff_solver(route, duration):
    (_, constants), into, read, volume = ROUTES[route]
    ours = of(route).read(RADAU, {"amount": 7.0, "duration": duration})[:, 0]
    theirs = SYSTEM.amount(read, RADAU, [(into, 7.0, 0.0, duration)], "Radau")
    np.testing.assert_allclose(ours, theirs * constants.get("f", 1.0) / volume, rtol=1e-6)


def test_several_doses_add_up():
    doses = [("gut", 5.0, 0.0, 0.0), ("gut", 2.0, 3.0, 1.5), ("gut", 9.0, 3.5, 0.0)]
    inputs = [
        {"amount": amount, "start": start, "duration": duration} for _, amount, start, duration in doses
    ]
    ours = of("oral", lag=LAG).read(TIMES, *inputs)[:, 0]
    lagged = [(into, amount, start + LAG, duration) for into, amount, start, duration in doses]
    theirs = SYSTEM.amount("plasma", TIMES, lagged) * F / V_C
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


ONE_BY_ONE = np.array([0.0, 0.5, 1.0, 3.0, 5.9, 11.0, 13.0, 30.0, 60.0])


@pytest.mark.parametrize("lag", [None, 0.7])
@pytest.mark.parametrize("duration", [0.0, 2.0, 6.0, 12.0, 15.0, 31.0])
def test_steady_state_is_the_limit_of_many_doses(duration, lag):
    oral, dose = of("oral", lag=lag), {"amount": 5.0, "duration": duration}
    ours = oral.read(ONE_BY_ONE, {**dose, "interval": 6.0, "steady_state": True})
    many = oral.read(ONE_BY_ONE, *({**dose, "start": -6.0 * k} for k in range(200)))
    np.testing.assert_allclose(ours, many, rtol=1e-11)


@pytest.mark.parametrize("lag", [None, 0.7])
@pytest.mark.parametrize("duration", [0.0, 2.0, 6.0, 15.0, 100.0])
@pytest.mark.parametrize("steady_state", [False, True])
def test_a_series_is_its_doses_one_by_one(steady_state, duration, lag):
    oral, dose = of("oral", lag=lag), {"amount": 5.0, "duration": duration}
    series = oral.read(ONE_BY_ONE, {**dose, "interval": 6.0, "repeats": 5, "steady_state": steady_state})
    first = {**dose, "interval": 6.0, "steady_state": steady_state}
    each = oral.read(ONE_BY_ONE, first, *({**dose, "start": 6.0 * k} for k in range(1, 5)))
    np.testing.assert_allclose(series, each, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("steady_state", [False, True])
def test_a_release_of_uncertain_length_is_an_infusion_in_every_draw(steady_state, repeats):
    lengths, series = np.array([0.7, 6.0, 20.0]), {"interval": 6.0, "steady_state": steady_state}
    ours = of("bolus", release=lengths).read(ONE_BY_ONE, {**series, "repeats": repeats})
    for draw, duration in enumerate(lengths):
        one = of("bolus").read(ONE_BY_ONE, {**series, "duration": duration, "repeats": repeats})
        np.testing.assert_allclose(ours[:, draw], one[:, 0], rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("duration", [0.0, 2.0, 15.0])
def test_steady_state_repeats_and_averages_dose_over_clearance(duration):
    oral, dose = of("oral"), {"amount": 5.0, "duration": duration}
    regular = {**dose, "interval": 6.0, "steady_state": True}
    edges = oral.read([0.0, 6.0], regular)
    next_dose = oral.read([0.0], dose)
    edges, later = edges[0], edges[1] + next_dose[0]
    np.testing.assert_allclose(edges, later, rtol=1e-12)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    pieces = [(0.0, duration % 6.0), (duration % 6.0, 6.0)]
    mean = sum(
        (weights @ oral.read(a + (b - a) * (1 + nodes) / 2, regular)[:, 0]) * (b - a) / 2
        for a, b in pieces
        if b > a
    ) / 6.0  # fmt: skip
    np.testing.assert_allclose(mean, F * 5.0 / (CL * 6.0), rtol=1e-10)


def test_area_under_curve_is_dose_over_clearance():
    def area(one: Kinetics) -> np.ndarray:
        return areas(Plan((one.ligand,)), one.theta)

    np.testing.assert_allclose(area(of("oral")), F / CL, rtol=1e-12)
    np.testing.assert_allclose(area(of("metabolite")), FRACTION / CL_M, rtol=1e-12)
    site = of("site", kp_uu=0.4).impulse()
    np.testing.assert_allclose(area_under_curve(site, 5.0), 0.4 * F * 5 / CL, rtol=1e-12)


def test_mass_is_balanced():
    """Amount in plasma, in both peripherals and eliminated adds up to the dose."""
    times = np.array([0.1, 1.0, 10.0, 50.0])
    inside = V_C * of("bolus").read(times, {})
    for v, q in zip(V_P, Q, strict=True):
        inside += v * of("bolus", k_e0=q / v).read(times, {})
    rates, weights = (x[:, None] for x in of("bolus").impulse())
    gone = CL * np.sum(weights / rates * -np.expm1(-rates * times[None, :, None]), axis=0)
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
    ours, times = kinetics((v_c, cl, v_p, q)), np.array([0.0, 0.1, 1.0, 10.0]) * v_c / cl
    theirs = system.amount("plasma", times, [("plasma", 1.0, 0.0, 0.0)])
    np.testing.assert_allclose(v_c * ours.read(times, {})[:, 0], theirs, rtol=1e-7, atol=1e-10)
    rates = poles(v_c, cl, v_p, q)
    eigenvalues = np.sort(-np.linalg.eigvals(system.matrix()).real)[::-1]
    np.testing.assert_allclose(rates, eigenvalues, rtol=1e-9, atol=1e-13 * eigenvalues[0])
    np.testing.assert_allclose(area_under_curve(ours.impulse(), 1.0), 1 / cl, rtol=1e-8)


@pytest.mark.parametrize("v_c", [1e-3, 1e3])
def test_poles_keep_their_digits_when_they_lie_far_apart(v_c):
    mpmath = pytest.importorskip("mpmath")
    cl, v_p, q = 2.0, (300.0, 1e5), (5.0, 0.01)
    rates = poles(v_c, cl, v_p, q)
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


def test_an_absent_peripheral_changes_nothing():
    def plasma(cl, v_p, q) -> Impulse:
        rates, zeros = mammillary_poles(jnp.asarray(V_C), jnp.asarray(cl) / V_C, *map(jnp.asarray, (v_p, q)))
        return response(parted(rates, 1e-4), zeros, jnp.asarray(1 / V_C))

    def curve(one: Impulse) -> jax.Array:
        return jnp.sum(one.weights[:, None] * jnp.exp(-one.rates[:, None] * TIMES), axis=0)

    padded = plasma(CL, [5.0, 20.0], [4.0, 0.0])
    np.testing.assert_allclose(curve(padded), curve(plasma(CL, [5.0], [4.0])), rtol=1e-12)
    np.testing.assert_allclose(area_under_curve(padded, 1.0), 1 / CL, rtol=1e-12)
    slopes = jax.grad(lambda cl: area_under_curve(plasma(cl, [1.0, 1.0], [0.0, 0.0]), 1.0))(CL)
    np.testing.assert_allclose(slopes, -1 / CL**2, rtol=1e-9)


GAPS = [0.0, 1e-15, 1e-12, -1e-9, 1e-7, 1e-6, -1e-6, 3e-6, 9.9e-6, 1.01e-5, -1.01e-5, 1e-3]
BORDER = [9.9e-5, 1e-4, 1.01e-4, -1.01e-4]
"""Near the distance to which poles are moved: the slope is then that of a pair as a whole."""


@pytest.mark.parametrize("gap", GAPS + BORDER)
@pytest.mark.parametrize("pole", [0, 1, 2])
def test_nearly_coincident_poles_stay_accurate(pole, gap):
    rate = float(of("bolus").impulse().rates[pole, 0]) * (1 + gap)
    system = Compartments(SYSTEM.names, [("gut", "plasma", rate), *SYSTEM.flows[1:]], SYSTEM.copies)
    times, oral = TIMES[1:], of("bolus", k_a=rate)
    theirs = system.amount("plasma", times, [("gut", 1.0, 0.0, 0.0)]) / V_C
    np.testing.assert_allclose(oral.read(times, {})[:, 0], theirs, rtol=1e-6)

    def reference(rate):
        flows = [("gut", "plasma", rate), *SYSTEM.flows[1:]]
        return (
            Compartments(SYSTEM.names, flows).amount("plasma", np.array([2.0]), [("gut", 1, 0, 0)])[0] / V_C
        )

    step = 1e-4 * rate
    numeric = (reference(rate + step) - reference(rate - step)) / (2 * step)
    slope = _slopes(Plan((oral.ligand,)))(oral.theta)[oral.ligand.inputs[0].k_a, 0] / rate
    np.testing.assert_allclose(slope, numeric, rtol=5e-4 if gap in BORDER else 1e-4)


@cache
def _slopes(plan: Plan):
    """Gradient of a concentration at 2 h, compiled once for a plan."""
    return jax.jit(jax.grad(lambda theta: concentrations(plan, theta, np.array([2.0])).sum()))


def test_a_metabolite_that_decays_like_its_parent_stays_accurate():
    k, times = CL / V_C, TIMES[1:]
    both = kinetics((V_C, CL, (), ()), (V_M, k * V_M, (), ()), fractions=[1.0])
    np.testing.assert_allclose(both.read(times, {})[:, 0], k * times * np.exp(-k * times) / V_M, rtol=1e-6)


def test_three_poles_at_one_place_lose_few_digits():
    times = np.linspace(0.0, 20.0, 81)
    ours = kinetics((1.0, 1.0, (), ()), k_a=1.0, k_e0=1.0).read(times, {})[:, 0]
    exact = times**2 / 2 * np.exp(-times)
    np.testing.assert_allclose(ours, exact, atol=1e-6 * exact.max())


@pytest.mark.parametrize("stages", [1, 2, 3, 4, 5])
def test_a_transit_chain_is_a_chain_of_compartments(stages):
    rate, times = 1.7, np.linspace(0.0, 20.0, 41)
    names = tuple(f"transit {i}" for i in range(stages)) + ("plasma",)
    flows = [(names[i], names[i + 1], rate) for i in range(stages)] + [("plasma", None, CL / V_C)]
    theirs = Compartments(names, flows).amount("plasma", times, [("transit 0", 1.0, 0.0, 0.0)]) * F / V_C
    chain = kinetics((V_C, CL, (), ()), stages=stages, transit=stages / rate, f=F)
    np.testing.assert_allclose(chain.read(times, {})[:, 0], theirs, atol=1e-8 * theirs.max())


@pytest.mark.parametrize("stages", [1, 2, 3, 4, 5])
def test_a_transit_chain_stays_accurate_wherever_the_poles_behind_it_lie(stages):
    near, times = np.concatenate([[1.0], 1 + np.linspace(-0.3, 0.3, 21)]), np.linspace(0.0, 20.0, 21)
    names = tuple(f"transit {i}" for i in range(stages)) + ("gut", "plasma")
    ours = kinetics((1.0, 0.2, (), ()), k_a=near, stages=stages, transit=float(stages)).read(times, {})
    for draw, k_a in enumerate(near):
        flows = [(names[i], names[i + 1], 1.0) for i in range(stages)]
        flows += [("gut", "plasma", k_a), ("plasma", None, 0.2)]
        theirs = Compartments(names, flows).amount("plasma", times, [("transit 0", 1.0, 0.0, 0.0)])
        np.testing.assert_allclose(ours[:, draw], theirs, atol=2e-7 * theirs.max())


def test_transit_refuses_chains_that_it_cannot_resolve():
    with pytest.raises(ValueError, match="stages must be 1 to 5; got 9"):
        delayed(of("bolus").impulse(), np.ones(1), 9)


def test_batches_equal_one_draw_at_a_time():
    draws = 5
    v_c, k_a = np.linspace(1.0, 4.0, draws), np.linspace(0.2, 3.0, draws)
    lag = np.linspace(0.01, 1.0, draws)

    def at(i: int | slice) -> Kinetics:
        body = (v_c[i], CL, (v_c[i] * 2, v_c[i] * 5), (3.0, 0.5))
        return kinetics(body, k_a=k_a[i], lag=lag[i])

    doses = {
        "curve": {"duration": 0.7},
        "steady": {"duration": 0.7, "interval": 5.0, "steady_state": True},
        "many": {"interval": 4.0, "repeats": 3},
    }
    for dose in doses.values():
        batch = at(slice(None)).read(TIMES, dose)
        assert batch.shape == (len(TIMES), draws)
        for i in range(draws):
            np.testing.assert_allclose(batch[:, i], at(i).read(TIMES, dose)[:, 0], rtol=1e-12)


def test_nothing_is_there_before_the_dose():
    assert not of("oral", lag=0.4).read([-1.0, 0.0, 0.69], {"amount": 5.0, "start": 0.3}).any()
    assert not of("oral").read([-1.0, 0.0, 0.29], {"start": 0.3, "repeats": 3, "interval": 6.0}).any()
    regular = {"amount": 5.0, "interval": 6.0, "steady_state": True}
    for lag in (None, 0.4):
        found = of("oral", lag=lag).read([-0.1, 0.0], regular)
        assert not found[0].any() and found[1].all()


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 50), st.floats(0, 10), st.floats(0, 100), st.floats(0, 100))
@example(0.0, 8e-307, 0.0, 1.0)
@example(1.0, 5e-324, 1.0, 2.0)
@example(0.0, 0.0, 12.0, 19.0)
def test_concentration_is_positive_and_rises_with_the_dose(time, duration, first, second):
    low, high = sorted((first, second))
    less = of("oral").read([time], {"amount": low, "duration": duration})
    more = of("oral").read([time], {"amount": high, "duration": duration})
    rounding = (
        1e-12 * of("oral").read(TIMES, {"amount": high}).max()
    )  # a sum that cancels at the time of the dose
    assert 0 <= less[0, 0] <= more[0, 0] * (1 + 1e-9) + rounding


@pytest.mark.parametrize("duration", [5e-324, 8e-307, 1e-13])
def test_an_input_too_short_to_have_a_rate_is_a_bolus(duration):
    for dose in ({}, {"interval": 6.0, "steady_state": True}):
        short, none = (of("oral").read(TIMES, {**dose, "duration": x}) for x in (duration, 0.0))
        np.testing.assert_allclose(short, none, rtol=1e-11)


@pytest.mark.parametrize("lag", [None, LAG])
@pytest.mark.parametrize("duration", [0.0, 0.7])
def test_traced_numbers_give_what_numpy_gives(duration, lag):
    oral, times = of("oral", lag=lag), np.array([-1.0, 0.0, 0.2, 0.7, 1.5, 30.0])
    inputs = tuple(
        oral.ligand.inputs[0]._replace(start=-0.1, duration=duration, interval=6.0, **more)
        for more in ({}, {"repeats": 3}, {"steady_state": True})
    )
    plan = Plan((oral.ligand._replace(inputs=inputs),))
    traced = jax.jit(lambda theta: concentrations(plan, theta, times))(oral.theta)
    np.testing.assert_allclose(traced, concentrations(plan, oral.theta, times), rtol=1e-11, atol=1e-15)


@pytest.mark.slow
def test_gradients_are_finite_everywhere():
    ordinary = kinetics(PLASMA, k_a=K_A, k_e0=K_E0, release=0.5, lag=LAG)
    way = ordinary.ligand.inputs[0]
    regular = way._replace(interval=6.0, steady_state=True)
    plan = Plan((ordinary.ligand._replace(inputs=(way, regular, way._replace(release=-1))),))
    slopes = jax.jit(jax.grad(lambda theta: concentrations(plan, theta, TIMES).sum()))
    pole = float(of("bolus").impulse().rates[1, 0])
    same = (V_C, CL, (5.0, 5.0), (4.0, 4.0))
    for point in (
        ordinary,
        kinetics(PLASMA, k_a=K_A, k_e0=K_E0, release=1e-9, lag=LAG),
        kinetics(PLASMA, k_a=pole, k_e0=K_E0, release=0.5, lag=LAG),
        kinetics(PLASMA, k_a=K_E0, k_e0=K_E0, release=0.5, lag=LAG),
        kinetics(PLASMA, k_a=pole, k_e0=pole, release=0.5, lag=LAG),
        kinetics(same, k_a=K_A, k_e0=K_E0, release=0.5, lag=LAG),
    ):
        assert jnp.isfinite(slopes(point.theta)).all()


def test_more_peripherals_than_poles_can_be_had_of_are_refused():
    with pytest.raises(ValueError, match="0, 1 or 2 peripherals"):
        kinetics((1.0, 1.0, (1.0,) * 3, (1.0,) * 3)).impulse()
