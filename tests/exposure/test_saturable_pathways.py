"""Saturable elimination on the way from dose to receptor, against scipy's Radau at 1e-11 and against closed forms."""

import jax
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from gaddum.engagement.layout import lay_out
from gaddum.engagement.occupancy import follow, occupancy
from gaddum.exposure.concentrations import areas, concentrations
from gaddum.exposure.dose_series import series_of
from gaddum.records.dose import Dose
from gaddum.records.drug import Disposition, Drug
from gaddum.records.library import Library
from gaddum.records.target import Target

SOURCE = {"how": "assumption", "reason": "made up for a test"}
TIMES = np.array([-1.0, 0.0, 0.5, 2.0, 6.0, 11.9, 12.5, 24.0, 48.0])
DRAWS = 4


def q(value: float, unit: str, gsd: float = 1.3) -> dict:
    spread = {"kind": "GSD", "value": gsd}
    return {"value": value, "unit": unit, "spread": spread, "source": SOURCE}


def saturable(v_max: float) -> dict:
    return {"v_max": q(v_max, "nmol/h"), "k_m": q(60.0, "nM")}


def library(
    *, v_max: float | None = 300.0, child_v_max: float | None = None, cl: float | None = 2.0
) -> Library:
    body = {
        "sampling": "venous",
        "reference_weight": q(70, "kg"),
        "v_c": q(10, "L"),
        "peripherals": [{"v": q(25, "L"), "q": q(6, "L/h")}],
        "k_e0": q(3, "1/h"),
        "absorption": {
            "po": {"k_a": q(0.8, "1/h"), "f": q(0.5, "1"), "lag": q(0.3, "h")},
            "sc": {"duration": q(2.0, "h")},
            "intranasal": {"k_a": q(2.0, "1/h"), "transit": {"stages": 2, "mean_time": q(0.5, "h")}},
        },
    }  # fmt: skip
    own = {} if cl is None else {"cl": q(cl, "L/h")}
    parent = body | own | ({} if v_max is None else {"saturable": saturable(v_max)})
    child = {key: value for key, value in body.items() if key not in ("absorption", "peripherals")}
    child |= {"cl": q(3, "L/h")} | ({} if child_v_max is None else {"saturable": saturable(child_v_max)})
    common = {"molar_mass": q(500, "g/mol"), "f_u": {"human": q(0.4, "1")}, "kp_uu": {"human": q(0.7, "1")}}
    affinity = {"target": "MOR", "mode": "competitive antagonist", "k_i": q(5, "nM")}
    drugs = [
        Drug.model_validate(
            common
            | {"name": "parent", "disposition": {"human": parent}, "affinities": [affinity]}
            | {"metabolites": {"human": [{"drug": "child", "fraction": q(0.6, "1")}]}}
        ),
        Drug.model_validate(
            common | {"name": "child", "disposition": {"human": child}}
            | {"affinities": [affinity | {"k_i": q(20, "nM")}]}
        ),
    ]  # fmt: skip
    mor = {"name": "MOR", "full_name": "x", "family": "x", "features": ["tone"], "source": SOURCE}
    return Library({"MOR": Target.model_validate(mor)}, {drug.name: drug for drug in drugs})


DOSES = {
    "iv bolus": [Dose(drug="parent", amount="2000 nmol", route="iv bolus")],
    "iv infusion, then bolus": [
        Dose(drug="parent", amount="3000 nmol", route="iv infusion", duration="1.5 h", time="-1 h"),
        Dose(drug="parent", amount="1000 nmol", route="iv bolus", time="12 h"),
    ],
    "po, repeated": [Dose(drug="parent", amount="5000 nmol", route="po", repeats=3, interval="6 h")],
    "sc": [Dose(drug="parent", amount="3000 nmol", route="sc", time="-1 h")],
    "intranasal": [Dose(drug="parent", amount="3000 nmol", route="intranasal")],
}


def reference(value: dict[str, float], doses: list[Dose]) -> dict[str, np.ndarray]:
    """Unbound brain of parent and child by Radau, restarted wherever an input begins or ends."""
    of = lambda name, drug="parent": value.get(f"{name} of {drug} in human", 0.0)  # noqa: E731
    # states: depot, two transit stages, centre, periphery, brain; child's centre, child's brain
    jumps, inputs = [], []
    for dose in doses:
        route = dose.route
        f = min(value.get(f"{route} bioavailability of parent in human", 1.0), 1.0)
        nmol = float(dose.amount.split()[0])
        for k in range(dose.repeats):
            start = dose.time_h + 6.0 * k + of(f"{route} lag")
            length = dose.duration_h or of(f"{route} release")
            first_pass = nmol * (1 - f) * min(of("share that forms child, clearance"), 1.0)
            into = {"po": 0, "intranasal": 1}.get(route, 3)
            if length:
                inputs.append((start, start + length, into, nmol / length))
            else:
                jumps.append((start, into, nmol * f, first_pass))
    route = doses[0].route
    k_a, k_t = of(f"{route} k_a"), 2 / (of(f"{route} transit time") or 1.0)
    body = [
        of("central volume"),
        of("clearance"),
        of("volume 2"),
        of("flow 2"),
        of("V_max"),
        of("K_m") or 1.0,
    ]
    v, cl, v_p, flow, v_max, k_m = body
    w, cl_c, most, half = (of(n, "child") for n in ("central volume", "clearance", "V_max", "K_m"))
    share = min(of("share that forms child, clearance"), 1.0)
    free = [min(of("f_u", d), 1.0) * of("Kp,uu", d) for d in ("parent", "child")]
    k_e, k_c = of("k_e0"), of("k_e0", "child")

    def rate(t: float, y: np.ndarray) -> np.ndarray:
        depot, one, two, c, p, b, m, e, withheld = y
        c, p, m = c / v, p / v_p, m / w
        gone = cl * c + v_max * c / (k_m + c)
        out = np.zeros(9)
        out[0] = k_t * two - k_a * depot
        out[1], out[2] = -k_t * one, k_t * (one - two)
        out[3] = k_a * depot - gone - flow * (c - p)
        out[4] = flow * (c - p)
        out[5] = k_e * (free[0] * c - b)
        out[6] = share * gone + k_a * withheld - cl_c * m - most * m / ((half or 1.0) + m)
        out[7] = k_c * (free[1] * m - e)
        out[8] = -k_a * withheld
        for start, end, into, level in inputs:
            out[into] += level if start <= t < end else 0.0
        return out

    cuts = sorted({-1.0, *TIMES, *(j[0] for j in jumps), *(x for i in inputs for x in i[:2])})
    cuts = [t for t in cuts if t <= TIMES[-1]]
    y, found = np.zeros(9), {}
    for a, b in zip(cuts, [*cuts[1:], None], strict=True):
        for start, into, amount, withheld in jumps:
            if start == a:
                y[into] += amount
                y[8] += withheld
        found[a] = y.copy()
        if b is not None:
            inside = lambda t, s, a=a, b=b: rate(a + (t - a) * (1 - 1e-12), s)  # noqa: E731
            y = solve_ivp(inside, (a, b), y, "Radau", rtol=1e-11, atol=1e-9, first_step=1e-7).y[:, -1]
    states = np.array([found[t] for t in TIMES])
    return {"parent": states[:, 5], "child": states[:, 7]}


def check(name: str, given: Library) -> None:
    layout = lay_out(DOSES[name], library=given, draws=DRAWS, targets=["MOR"])
    found = follow(layout, TIMES)
    for draw in range(DRAWS):
        value = {
            one.name: float(np.exp(layout.theta[place, draw])) for place, one in enumerate(layout.parameters)
        }
        known = reference(value, DOSES[name])
        ratio = sum(known[drug] / value[f"K_i of {drug} at MOR"] for drug in ("parent", "child"))
        for drug, level in known.items():
            error = np.abs(found.concentrations[drug][:, draw] - level) / np.maximum(
                level, 1e-4 * level.max()
            )
            assert error.max() < 1e-6, (drug, draw)
        assert np.abs(found.targets["MOR"].occupied[:, draw] - ratio / (1 + ratio)).max() < 1e-6


@pytest.mark.slow  # compiles a solver of six states for each structure
@pytest.mark.parametrize("name", DOSES)
def test_a_saturable_drug_and_its_metabolite_agree_with_a_stiff_solver_to_a_millionth(name: str):
    check(name, library())


@pytest.mark.slow
def test_a_saturable_metabolite_of_a_linear_drug_agrees_with_a_stiff_solver_to_a_millionth():
    check("po, repeated", library(v_max=None, child_v_max=200.0))


@pytest.mark.slow
def test_elimination_that_is_saturable_only_agrees_with_a_stiff_solver_to_a_millionth():
    check("intranasal", library(cl=None))


def test_a_steady_state_of_saturable_elimination_is_refused():
    doses = [Dose(drug="parent", amount="9 nmol", route="po", interval="8 h", steady_state=True)]
    with pytest.raises(ValueError, match="every 24 h x 30"):
        occupancy(doses, library=library(), draws=2, times=[1.0])


def test_a_saturable_metabolite_that_is_dosed_beside_its_parent_is_refused():
    doses = [Dose(drug=drug, amount="9 nmol", route="iv bolus") for drug in ("parent", "child")]
    with pytest.raises(
        ValueError, match="must be reached in one way; child reaches it from child and from parent"
    ):
        occupancy(doses, library=library(child_v_max=10.0), draws=2, times=[1.0])


def test_a_compiled_simulation_refuses_saturable_elimination():
    layout = lay_out(DOSES["iv bolus"], library=library(), draws=2)
    with pytest.raises(ValueError, match="linear in a compiled simulation"):
        jax.jit(lambda theta: concentrations(layout.plan, theta, TIMES))(np.zeros_like(layout.theta))


def test_an_area_refuses_saturable_elimination():
    layout = lay_out(DOSES["iv bolus"], library=library(), draws=2)
    with pytest.raises(ValueError, match="An area needs linear kinetics"):
        areas(layout.plan, np.zeros_like(layout.theta))


@pytest.mark.parametrize("place", [0, 1], ids=["parent", "child"])
def test_a_case_refuses_what_passes_saturable_elimination(place: int):
    plan = lay_out(tuple(DOSES["iv bolus"]), targets=("MOR",), library=library()).plan
    with pytest.raises(ValueError, match="linear in a case"):
        series_of(plan.ligands[place], TIMES)


@pytest.mark.parametrize(
    ("part", "said"),
    [({}, "got neither"), ({"cl": q(2, "L/h"), "half_life": q(2, "h")}, "got both")],
)
def test_a_disposition_must_say_one_elimination(part: dict, said: str):
    with pytest.raises(ValueError, match=said):
        Disposition.model_validate({"sampling": "venous", "v_c": q(10, "L/kg")} | part)


def test_all_elimination_may_be_saturable():
    body = {"sampling": "venous", "v_c": q(10, "L/kg"), "saturable": saturable(3.0)}
    assert Disposition.model_validate(body).cl is None
