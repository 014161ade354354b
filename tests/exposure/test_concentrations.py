"""Concentrations of a plan against the matrix exponential of the whole system, every route and site."""

import numpy as np
import pytest

from gaddum.exposure.concentrations import areas, concentrations
from gaddum.exposure.regimen import plan_regimen
from gaddum.parameter_registry import Register
from gaddum.records.dose import Dose
from gaddum.records.protocol import Subject
from reference.compartments import Dose as Given
from reference.compartments import Flows
from reference.made_up import drug, library, said

TOLERANCE = 1e-6
"""Greatest error over the peak."""
TIMES = np.unique(np.concatenate([np.linspace(-2, 48, 101), [0.01, 0.1, 0.26, 1.13, 30.7]]))

BODY = {
    "sampling": "arterial",
    "reference_weight": said(0.3, "kg"),
    "v_c": said(0.5, "L", 1.3),
    "cl": said(0.4, "L/h", 1.3),
    "peripherals": (
        {"v": said(0.7, "L", 1.3), "q": said(0.9, "L/h", 1.3)},
        {"v": said(2.0, "L", 1.3), "q": said(0.2, "L/h", 1.3)},
    ),
    "k_e0": said(1.7, "1/h", 1.3),
    "k_venous": said(9.0, "1/h", 1.3),
    "absorption": {
        "sc": {"k_a": said(2.5, "1/h", 1.3), "f": said(0.8, "1", 1.1)},
        "im": {"duration": said(3.0, "h", 1.2)},
        "depot": {"duration": said(5.0, "h", 1.2), "k_a": said(0.9, "1/h", 1.3)},
        "po": {"k_a": said(1.4, "1/h", 1.3), "f": said(0.3, "1", 1.2), "lag": said(0.4, "h", 1.2)},
        "intranasal": {
            "k_a": said(1.1, "1/h", 1.3),
            "transit": {"stages": 3, "mean_time": said(0.9, "h", 1.2)},
        },
    },
}
METABOLITE = {
    "sampling": "arterial",
    "reference_weight": said(0.3, "kg"),
    "v_c": said(0.8, "L", 1.3),
    "half_life": said(5.0, "h", 1.3),
    "k_e0": said(0.6, "1/h", 1.3),
}
LIBRARY = library(
    drug(
        "parent",
        disposition={"rat": BODY},
        metabolites={"rat": ({"drug": "child", "fraction": said(0.6, "1", 1.1)},)},
    ),
    drug("child", disposition={"rat": METABOLITE}),
)
RAT = Subject(species="rat", paradigm="none")

DOSES = {
    "iv bolus": [Dose(drug="parent", amount="2 umol", route="iv bolus", time="-1 h")],
    "iv infusion": [Dose(drug="parent", amount="2 umol", route="iv infusion", duration="40 min")],
    "sc": [Dose(drug="parent", amount="2 umol", route="sc", time="30 min")],
    "im": [Dose(drug="parent", amount="2 umol", route="im")],
    "depot": [Dose(drug="parent", amount="2 umol", route="depot")],
    "po": [Dose(drug="parent", amount="2 umol", route="po")],
    "intranasal": [Dose(drug="parent", amount="2 umol", route="intranasal")],
    "series": [Dose(drug="parent", amount="2 umol", route="po", repeats=4, interval="5 h")],
    "two routes": [
        Dose(drug="parent", amount="1 umol", route="sc", time="-2 h"),
        Dose(drug="parent", amount="3 umol", route="iv infusion", time="1 h", duration="2 h"),
        Dose(drug="parent", amount="1 umol", route="po", time="6 h"),
    ],
    "steady state": [Dose(drug="parent", amount="2 umol", route="po", interval="8 h", steady_state=True)],
    "steady state, then more": [
        Dose(drug="parent", amount="2 umol", route="sc", interval="8 h", steady_state=True, repeats=3)
    ],
}


def planned(doses: list[Dose]):
    register = Register()
    plan = plan_regimen(tuple(doses), RAT, LIBRARY, wanted={"parent", "child"}, register=register)
    # The median, and two draws of which each parameter differs from its neighbours.
    theta = np.array(
        [[p.nodes[8], p.nodes[8 + i % 5], p.nodes[4 + i % 7]] for i, p in enumerate(register.parameters)]
    )
    return plan, theta, [p.name for p in register.parameters]


def reference(doses: list[Dose], value: dict[str, float], site: str) -> dict[str, np.ndarray]:
    """Concentrations of both species under one draw."""

    def of(what: str, name: str = "parent", default: float = 0.0) -> float:
        return value.get(f"{what} of {name} in rat", default)

    flows = Flows()
    v, child_v = of("central volume"), of("central volume", "child")
    k_10 = of("clearance") / v
    share = value["share that forms child, clearance of parent in rat"]
    flows.add("central", k_10 * share, "child")
    flows.add("central", k_10 * (1 - share))
    for place in (2, 3):
        flows.add("central", of(f"flow {place}") / v, f"p{place}")
        flows.add(f"p{place}", of(f"flow {place}") / of(f"volume {place}"), "central")
    flows.add("child", np.log(2) / of("half-life", "child"))
    # Effect sites follow the concentration and take nothing: amounts per volume of plasma.
    for state, name in (("central", "parent"), ("child", "child")):
        flows.add(state, of("k_e0", name), f"{name} brain", keeps=True)
        flows.add(f"{name} brain", of("k_e0", name))
    flows.add("central", of("k_venous"), "parent vein", keeps=True)
    flows.add("parent vein", of("k_venous"))
    given = []
    for dose in doses:
        given += _entries(dose, flows, of, share)
    amounts = flows.amounts(given, TIMES)
    own = {"brain": ("parent brain", "child brain"), "arterial": ("central", "child")}
    own["venous"] = ("parent vein", "child")
    return {"parent": amounts[own[site][0]] / v, "child": amounts[own[site][1]] / child_v}


def _entries(dose: Dose, flows: Flows, of, share: float) -> list[Given]:
    nmol = float(dose.amount.split()[0]) * 1e3
    route = dose.route
    if route.startswith("iv"):
        return [Given("central", nmol, dose.time_h, dose.duration_h or 0.0)]
    f = min(of(f"{route} bioavailability", default=1.0), 1.0)
    ways = [(f, "central")] + ([((1 - f) * share, "child")] if route == "po" else [])
    interval = {"5 h": 5.0, "8 h": 8.0, None: 0.0}[dose.interval]
    before = 60 if dose.steady_state else 0  # as good as for ever
    given = []
    for part, end in ways:
        chain = [f"{route} {end} {place}" for place in range(4)] if route == "intranasal" else []
        depot = f"{route} {end} depot"
        first = depot if of(f"{route} k_a") else end
        if of(f"{route} k_a") and (depot not in flows.names):
            flows.add(depot, of(f"{route} k_a"), end)
        if chain:
            rate = 3 / of(f"{route} transit time")
            stages = [*chain[:3], depot]
            for source, to in zip(stages[:-1], stages[1:], strict=True):
                if (to, source) not in flows.rates:
                    flows.add(source, rate, to)
            first = chain[0]
        for repeat in range(-before, dose.repeats):
            start = dose.time_h + repeat * interval + of(f"{route} lag")
            given.append(Given(first, nmol * part, start, of(f"{route} release")))
    return given


QUICK = {("po", "brain"), ("intranasal", "venous"), ("steady state, then more", "brain")}
EVERY = [
    pytest.param(name, site, marks=[] if (name, site) in QUICK else pytest.mark.slow)
    for name in DOSES
    for site in ("brain", "arterial", "venous")
]


@pytest.mark.parametrize(("name", "site"), EVERY)
def test_every_route_agrees_with_the_matrix_exponential(name: str, site: str):
    doses = DOSES[name]
    plan, theta, names = planned(doses)
    found = np.asarray(concentrations(plan, theta, TIMES, site=site))
    for draw in range(theta.shape[1]):
        value = dict(zip(names, np.exp(theta[:, draw]), strict=True))
        expected = reference(doses, value, site)
        for place, ligand in enumerate(plan.ligands):
            # Before a steady-state record the regimen is not shown, though it was there.
            shown = TIMES >= min(dose.time_h for dose in doses)
            error = np.abs(found[place, shown, draw] - expected[ligand.drug][shown]).max()
            assert error < TOLERANCE * expected[ligand.drug].max()


@pytest.mark.parametrize(
    "name",
    [
        "po",
        *(pytest.param(one, marks=pytest.mark.slow) for one in list(DOSES)[:7] if one != "po"),
    ],
)
def test_what_is_cleared_is_what_was_absorbed(name: str):
    plan, theta, names = planned(DOSES[name])
    edges = np.concatenate([[-2, -1, 0, 0.5], np.geomspace(0.51, 3000, 400)])
    value = {key: np.exp(theta[i]) for i, key in enumerate(names)}
    starts = [value[key] for key in names if key.endswith("lag of parent in rat")]
    starts += [value[key] for key in names if "release" in key]
    edges = np.unique(np.concatenate([edges, [2 / 3], *starts]))
    nodes, weights = np.polynomial.legendre.leggauss(12)
    widths = np.diff(edges)
    times = (edges[:-1, None] + widths[:, None] * (nodes + 1) / 2).ravel()
    level = np.asarray(concentrations(plan, theta, times, site="arterial"))[0]
    area = ((widths[:, None] / 2 * weights).ravel()[:, None] * level).sum(axis=0)
    f = value.get(f"{DOSES[name][0].route} bioavailability of parent in rat", np.ones(3))
    cleared = area * value["clearance of parent in rat"]
    np.testing.assert_allclose(cleared, 2000 * np.minimum(f, 1), rtol=1e-6)


def test_concentrations_add_over_doses():
    plan, theta, _ = planned(DOSES["two routes"])
    whole = np.asarray(concentrations(plan, theta, TIMES))
    several = [planned([dose]) for dose in DOSES["two routes"]]
    total = np.zeros_like(whole)
    full = planned(DOSES["two routes"])[2]
    for dose_plan, _, names in several:
        own = np.array([theta[full.index(name)] for name in names])
        total += np.asarray(concentrations(dose_plan, own, TIMES))
    np.testing.assert_allclose(whole, total, atol=1e-9 * whole.max())


def test_many_single_doses_are_the_sum_of_each():
    doses = [Dose(drug="parent", amount="7 umol", route="iv bolus", time=f"{k**1.5} h") for k in range(10)]
    plan, theta, _ = planned(doses)
    one, _, _ = planned(doses[:1])
    times = np.array([0.5, 9.0, 30.0])
    whole = concentrations(plan, theta, times, site="arterial")
    each = sum(concentrations(one, theta, times - k**1.5, site="arterial") for k in range(10))
    np.testing.assert_allclose(whole, each, rtol=1e-12)


def test_a_bath_is_held_while_it_lasts_and_read_in_brain_only():
    bath = [Dose(drug="parent", amount="50 nM", route="bath", time="-15 min", duration="30 min")]
    plan, _, _ = planned([*bath])
    times = np.array([-1.0, -0.2, 0.2, 0.3])
    theta = np.zeros((0, 2))
    assert np.asarray(concentrations(plan, theta, times))[0, :, 0].tolist() == [0.0, 50.0, 50.0, 0.0]
    assert not np.asarray(concentrations(plan, theta, times, site="arterial")).any()


def test_areas_are_what_was_absorbed_over_clearance_and_what_was_formed_over_its_own():
    plan, theta, names = planned(DOSES["two routes"])
    value = {key: np.exp(theta[i]) for i, key in enumerate(names)}
    given = 3000 + 1000 * np.minimum(value["sc bioavailability of parent in rat"], 1)
    oral = np.minimum(value["po bioavailability of parent in rat"], 1)
    share = np.minimum(value["share that forms child, clearance of parent in rat"], 1)
    parent, child = np.asarray(areas(plan, theta))
    np.testing.assert_allclose(parent, (given + 1000 * oral) / value["clearance of parent in rat"], rtol=1e-6)
    cleared = np.log(2) * value["central volume of child in rat"] / value["half-life of child in rat"]
    np.testing.assert_allclose(child, share * (given + 1000) / cleared, rtol=1e-6)


def test_a_steady_state_has_no_area():
    plan, theta, _ = planned(DOSES["steady state"])
    with pytest.raises(ValueError, match="needs a first dose"):
        areas(plan, theta)


def test_apparent_kinetics_hold_for_their_own_route_alone():
    apparent = {**BODY, "apparent_by": "po"}
    found = library(drug("parent", disposition={"rat": apparent}))

    def planned(route: str):
        given = Dose(drug="parent", amount="2 umol", route=route)
        return plan_regimen((given,), RAT, found, wanted={"parent"}, register=Register())

    assert planned("po").ligands
    with pytest.raises(ValueError, match="over the bioavailability by po"):
        planned("iv bolus")
