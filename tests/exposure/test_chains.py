"""Chains and dose series at any constants: matrix exponentials say the same, in either library and precision."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.exposure.dose_series import Drawn, Parts
from gaddum.exposure.plan import Plan
from gaddum.exposure.regimen import plan_regimen
from gaddum.numerics.spline import lookup
from gaddum.parameter_registry import Register
from gaddum.records.dose import Dose
from gaddum.records.protocol import Subject
from reference.made_up import drug, library, said
from reference.plans import by_matrix
from reference.series import Laid, lay

EXACT, SINGLE = 1e-6, 2e-3
"""Greatest error over the peak, in double and in single precision."""
DRAWS = 40
FOLLOWED = 8
"""Draws that are followed by matrix exponentials, which take long."""
TIMES = np.unique(np.concatenate([np.linspace(-2.03, 47.9, 40), [0.0, 0.011, 0.13, 0.26, 1.13]]))

PERIPHERALS = (
    {"v": said(0.7, "L", 1.5), "q": said(0.9, "L/h", 1.5)},
    {"v": said(2.0, "L", 1.5), "q": said(0.2, "L/h", 1.5)},
)
WAYS = {
    "ip": {"k_a": said(2.5, "1/h", 1.5)},
    "sc": {"k_a": said(2.5, "1/h", 1.5), "f": said(0.8, "1", 1.2)},
    "im": {"duration": said(3.0, "h", 1.3)},
    "depot": {"duration": said(5.0, "h", 1.3), "k_a": said(0.9, "1/h", 1.5)},
    "po": {"k_a": said(1.4, "1/h", 1.5), "f": said(0.3, "1", 1.3), "lag": said(0.4, "h", 1.3)},
    "intranasal": {
        "k_a": said(1.1, "1/h", 1.5),
        "lag": said(0.1, "h", 1.5),
        "transit": {"stages": 3, "mean_time": said(0.9, "h", 1.3)},
    },
    "sublingual": {"k_a": said(1.1, "1/h", 1.5), "transit": {"stages": 5, "mean_time": said(0.9, "h", 1.3)}},
}


def kinetics(peripherals: int, **more: object) -> dict:
    body = {
        "sampling": "arterial",
        "reference_weight": said(0.3, "kg"),
        "v_c": said(0.5, "L", 1.5),
        "peripherals": PERIPHERALS[:peripherals],
        "absorption": WAYS,
    }
    return {"rat": body | more}


def forms(child: str, share: float) -> dict:
    return {"rat": ({"drug": child, "fraction": said(share, "1", 1.2)},)}


RATE, CLEARANCE = {"k_e0": said(1.7, "1/h", 1.5)}, {"cl": said(0.4, "L/h", 1.5)}
UNBOUND = {"f_u": {"rat": said(0.5, "1", 1.2)}}
LIBRARY = library(
    drug("one", **UNBOUND, disposition=kinetics(0, **CLEARANCE, **RATE), metabolites=forms("child", 0.6)),
    drug("two", **UNBOUND, disposition=kinetics(1, **CLEARANCE)),
    drug("three", **UNBOUND, disposition=kinetics(2, **CLEARANCE, **RATE), metabolites=forms("child", 0.5)),
    drug(
        "brief",
        **UNBOUND,
        disposition=kinetics(0, half_life=said(1.5, "h", 1.5)),
        metabolites=forms("last", 0.7),
    ),
    drug(
        "child",
        **UNBOUND,
        disposition=kinetics(0, half_life=said(5.0, "h", 1.5), **RATE),
        metabolites=forms("last", 0.4),
        kp_uu={},
    ),
    drug("last", disposition=kinetics(1, cl=said(0.3, "L/h", 1.5)), f_u={"rat": said(0.3, "1", 1.5)}),
)
RAT = Subject(species="rat", paradigm="none")


def dose(name: str, route: str, **more: object) -> Dose:
    return Dose(drug=name, amount="2 umol", route=route, **more)


KINDS = {
    "bolus": [dose("one", "iv bolus", time="-1 h")],
    "bolus, half-life": [dose("brief", "iv bolus")],
    "infusion": [dose("two", "iv infusion", duration="40 min")],
    "infusion of three compartments": [dose("three", "iv infusion", duration="40 min")],
    "depot": [dose("three", "sc")],
    "first pass": [dose("two", "sc"), dose("one", "po")],
    "first pass, half-life": [dose("brief", "po")],
    "release": [dose("two", "im")],
    "release into a depot": [dose("one", "depot", time="30 min")],
    "transit": [dose("one", "intranasal")],
    "long transit": [dose("two", "sublingual")],
    "boluses": [dose("three", "iv bolus", repeats=5, interval="7 h")],
    "infusions": [dose("one", "iv infusion", duration="90 min", repeats=4, interval="8 h")],
    "infusions longer than their interval": [
        dose("two", "iv infusion", duration="13 h", repeats=4, interval="6 h")
    ],
    "lagged series": [dose("one", "po", repeats=4, interval="5 h")],
    "releases longer than their interval": [dose("two", "im", repeats=4, interval="2 h")],
    "transit series": [dose("two", "intranasal", repeats=3, interval="5 h")],
    "steady state": [dose("one", "sc", interval="8 h", steady_state=True)],
    "steady state of infusions": [
        dose("three", "iv infusion", duration="2 h", interval="8 h", steady_state=True)
    ],
    "steady state of infusions, then more": [
        dose("one", "iv infusion", duration="2 h", interval="8 h", steady_state=True, repeats=3, time="-3 h")
    ],
    "steady state with a lag": [dose("one", "po", interval="8 h", steady_state=True, repeats=3, time="-9 h")],
    "steady state of long releases": [dose("two", "im", interval="3 h", steady_state=True, repeats=2)],
    "steady state of long infusions": [
        dose("one", "iv infusion", duration="19 h", interval="8 h", steady_state=True, repeats=3)
    ],
    "steady state, then more": [dose("brief", "sc", interval="8 h", steady_state=True, repeats=3)],
    "several": [
        dose("one", "sc", time="-2 h"),
        dose("one", "iv infusion", time="1 h", duration="2 h"),
        dose("one", "sc", time="6 h"),
        dose("three", "iv bolus", time="6 h"),
    ],
}


class Everything(NamedTuple):
    """All kinds laid out together over one register, and draws of its constants."""

    laid: Laid
    mine: dict[str, slice]
    """Ligands of each kind."""
    theta: np.ndarray
    names: list[str]


def planned(doses: Sequence[Dose], register: Register, subject: Subject = RAT) -> Plan:
    wanted = set(LIBRARY.drugs)
    return plan_regimen(tuple(doses), subject, LIBRARY, wanted=wanted, register=register)


@pytest.fixture(scope="module")
def everything() -> Everything:
    register, ligands, mine = Register(), [], {}
    for kind, doses in KINDS.items():
        found = planned(doses, register).ligands
        mine[kind] = slice(len(ligands), len(ligands) + len(found))
        ligands += found
    z = np.random.default_rng(0).standard_normal((len(register.parameters), DRAWS))
    theta = np.asarray(lookup(register.table(), z))
    return Everything(lay(ligands, TIMES), mine, theta, [one.name for one in register.parameters])


WAYS_TO_READ = {
    "numpy": (False, np.float64, EXACT),
    "numpy, single": (False, np.float32, SINGLE),
    "jax": (True, np.float64, EXACT),
    "jax, single": (True, np.float32, SINGLE),
}


@pytest.fixture(scope="module")
def expected(everything: Everything) -> np.ndarray:
    """Concentrations by matrix exponential."""
    return by_matrix(Plan(everything.laid.ligands), everything.theta[:, :FOLLOWED], TIMES)


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=pytest.mark.slow if "jax" in way else []) for way in WAYS_TO_READ]
)
def test_every_kind_of_dose_agrees_with_the_matrix_exponential(
    everything: Everything, expected, way: str
) -> None:
    compiled, precision, tolerance = WAYS_TO_READ[way]

    def read(theta):
        return everything.laid.levels(theta, precision)

    seen = np.asarray((jax.jit(read) if compiled else read)(everything.theta[:, :FOLLOWED]))
    error = (np.abs(seen - expected) / expected.max(axis=1, keepdims=True)).max(axis=(1, 2))
    worst = {kind: error[mine].max() for kind, mine in everything.mine.items()}
    assert {kind: one for kind, one in worst.items() if not one < tolerance} == {}


def test_every_kind_of_link_is_there(everything: Everything) -> None:
    parts = everything.laid.doses.parts
    assert {alike.stages for alike in everything.laid.chains.alike} == {0, 3, 5}
    assert {len(body.v_p) for body in everything.laid.chains.bodies} == {0, 1, 2}
    drawn, fixed = ([one for one in parts if isinstance(one, kind)] for kind in (Drawn, Parts))
    assert any((one.release >= 0).any() for one in drawn) and any((one.lag >= 0).any() for one in drawn)
    assert any((one.interval > 0).any() for one in fixed)


IV = st.sampled_from([("iv bolus", None), ("iv infusion", 0.1), ("iv infusion", 3.0), ("iv infusion", 30.0)])
GIVEN = st.one_of(IV, st.sampled_from([(route, None) for route in WAYS]))


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from(sorted(LIBRARY.drugs)),
    GIVEN,
    st.integers(-400, 160),
    st.integers(1, 6),
    st.integers(3, 300),
    st.booleans(),
    st.lists(st.floats(-2, 2), min_size=40, max_size=40),
)
def test_any_regimen_agrees_with_the_matrix_exponential(
    name, way, eighths, repeats, tenths, steady, z
) -> None:
    (route, hours), start, interval = way, eighths / 8 + 0.0037, max(tenths / 10, 4.0 if steady else 0.0)
    series = {"interval": f"{interval} h", "steady_state": steady} if repeats > 1 or steady else {}
    length = {} if hours is None else {"duration": f"{hours} h"}
    register = Register()
    given_ = dose(name, route, time=f"{start} h", repeats=repeats, **series, **length)
    plan = planned([given_], register)
    theta = np.asarray(lookup(register.table(), np.array(z)[: len(register.parameters), None]))
    expected = by_matrix(plan, theta, TIMES)
    seen = lay(plan.ligands, TIMES, register.tied).levels(theta)
    np.testing.assert_allclose(seen, expected, rtol=0, atol=EXACT * expected.max(initial=1e-300))


WITH_GRADIENT = (
    "first pass",
    "first pass, half-life",
    "release into a depot",
    "transit",
    "infusion of three compartments",
    "lagged series",
    "infusions longer than their interval",
    "steady state of infusions, then more",
)


@pytest.mark.slow
def test_gradients_agree_with_central_differences(everything: Everything) -> None:
    ligands = [one for kind in WITH_GRADIENT for one in everything.laid.ligands[everything.mine[kind]]]
    laid, theta, names = lay(ligands, TIMES), everything.theta[:, :1], everything.names
    weights = np.random.default_rng(1).standard_normal((len(ligands), len(TIMES)))
    weights /= laid.levels(theta)[..., 0].max(axis=1, keepdims=True)

    def summed(x):
        return (weights * laid.levels(x)[..., 0]).sum()

    slopes = np.asarray(jax.jit(jax.grad(summed))(jnp.asarray(theta)))[:, 0]
    step = 1e-3
    for place, name in enumerate(names):
        move = np.zeros_like(theta)
        move[place] = step
        near, far = (summed(theta + k * move) - summed(theta - k * move) for k in (1, 2))
        expected = (8 * near - far) / (12 * step)
        np.testing.assert_allclose(slopes[place], expected, rtol=1e-5, atol=1e-6, err_msg=name)


LENT = library(
    drug(
        "parent",
        disposition={
            "rat": {
                "sampling": "venous",
                "v_c": said(1.7, "L/kg", 1.4),
                "half_life": said(1.2, "h", 1.4),
                "k_e0": said(3.0, "1/h", 1.4),
                "absorption": {"sc": {"k_a": said(2.0, "1/h", 1.4)}},
            }
        },
        metabolites={
            "rat": ({"drug": "child", "fraction": said(0.4, "1", 1.2)},),
            "mouse": ({"drug": "child", "fraction": said(0.3, "1", 1.2)},),
        },
    ),
    drug(
        "child",
        disposition={
            "rat": {
                "sampling": "venous",
                "v_c": said(2.5, "L/kg", 1.4),
                "cl": said(0.8, "L/h/kg", 1.4),
                "peripherals": ({"v": said(0.9, "L/kg", 1.4), "q": said(0.5, "L/h/kg", 1.4)},),
            }
        },
    ),
)


@pytest.mark.parametrize("species", ["rat", "mouse"])
def test_arms_of_subjects_of_different_weight_share_their_constants(species: str) -> None:
    """The rat has constants per kg; the mouse is lent them by allometry."""
    doses = (Dose(drug="parent", amount="3 umol/kg", route="sc"),)
    wanted, shared, arms = {"parent", "child"}, Register(ties=True), []
    for kilograms in (0.02, 0.05, 0.31):
        subject = Subject(species=species, paradigm="none", weight=said(kilograms, "kg"))
        own = Register()
        ours, theirs = (
            plan_regimen(doses, subject, LENT, wanted=wanted, register=one) for one in (shared, own)
        )
        arms.append((ours, theirs, own))
    assert len(shared.parameters) == len(arms[0][2].parameters) and shared.tied
    z = dict(zip(shared.index, np.random.default_rng(2).standard_normal((20, FOLLOWED)), strict=False))
    theta = np.asarray(lookup(shared.table(), np.array([z[name] for name in shared.index])))
    for ours, theirs, own in arms:
        alone = np.asarray(lookup(own.table(), np.array([z[name] for name in own.index])))
        expected = by_matrix(theirs, alone, TIMES)
        seen = lay(ours.ligands, TIMES, shared.tied).levels(theta)
        np.testing.assert_allclose(seen, expected, rtol=0, atol=EXACT * expected.max())
