"""Simulation: against an independent solver, the case's own chain and a run's draws."""

import json
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
import xarray as xr
from scipy.integrate import solve_ivp

import gaddum
from gaddum.numerics.spline import lookup
from gaddum.numerics.variates import even_draws, even_variates
from gaddum.records.case import Case
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug
from gaddum.records.ledger import Ledger, LoadedCase, load_case
from gaddum.records.library import Library
from gaddum.records.target import Target
from gaddum.response import protocol_course
from gaddum.response.assemble import assemble
from gaddum.response.response import account, respond
from reference.made_up import said

V, CL, F_U, K_I = 10.0, 5.0, 0.5, 40.0
RATES = {"effect_site": 2.0, "plasticity.on": 0.5, "plasticity.off": 0.02}
TIMES = [0.5, 2.0, 24.0, 72.0]
BOLUS = (Dose(drug="blocker", amount="4000 nmol", route="iv bolus"),)
INFUSION = (Dose(drug="blocker", amount="4000 nmol", route="iv infusion", duration="1 h"),)


ESTABLISHED = {"ess": 400.0, "r_hat": 1.001, "established": 1}


def row(name: str, median: float, gsd: float = 1.5) -> dict[str, Any]:
    distribution = {"family": "lognormal", "median": median, "gsd": gsd}
    return {"name": name, "unit": "1", "distribution": distribution, "reason": "made up for a test"}


@pytest.fixture(scope="module")
def loaded() -> LoadedCase:
    """One drug, one target, an account of its block and one of what it leaves."""
    drug = Drug.model_validate(
        {
            "name": "blocker",
            "molar_mass": said(250.0, "g/mol"),
            "f_u": {"human": said(F_U, "1", 1.2)},
            "kp_uu": {"human": said(1.0, "1", 1.2)},
            "disposition": {
                "human": {"sampling": "venous", "v_c": said(V, "L", 1.2), "cl": said(CL, "L/h", 1.2)}
            },
            "affinities": [{"target": "NMDAR", "mode": "channel blocker", "k_i": said(K_I, "nM", 1.5)}],
        }
    )
    source = {"how": "assumption", "reason": "made up for a test"}
    target = Target.model_validate(
        {"name": "NMDAR", "full_name": "x", "family": "x", "features": ["block"], "source": source}
    )
    accounts = [
        {"name": "block", "title": "x", "gate": "NMDAR.block", "bypass": True, "says": "x"},
        {"name": "relief", "title": "x", "gate": "!NMDAR.block", "bypass": True, "says": "x"},
        {
            "name": "late",
            "title": "x",
            "gate": "NMDAR.block",
            "phased": ["NMDAR.block"],
            "bypass": True,
            "says": "x",
        },
    ]
    case = Case.model_validate(
        {
            "name": "small",
            "title": "x",
            "question": "x",
            "test_drug": "blocker",
            "effect": "x",
            "hypotheses": accounts,
            "priors": [*(row(name, median) for name, median in RATES.items()), row("reserve", 1e-12)],
        }
    )
    return LoadedCase(case, Library({"NMDAR": target}, {"blocker": drug}), Ledger(()), Path())


def drawn(found: Any, draws: int) -> dict[str, np.ndarray]:
    names = [one.name for one in found.parameters]
    table = np.array([one.nodes for one in found.parameters])
    return dict(zip(names, np.exp(even_draws(names, table, draws, 0)), strict=True))


@pytest.mark.slow
def test_concentrations_block_and_both_states_agree_with_a_stiff_solver(loaded) -> None:
    found = gaddum.simulate([BOLUS, INFUSION], case=loaded, times=TIMES, draws=4)
    values = drawn(found, 4)
    for place, length in enumerate((0.0, 1.0)):
        for draw in range(4):
            at = {name: float(value[draw]) for name, value in values.items()}
            k = at["clearance of blocker in human"] / at["central volume of blocker in human"]
            share = min(at["f_u of blocker in human"], 1.0) * at["Kp,uu of blocker in human"]
            scale = share / at["central volume of blocker in human"]

            def rates(t: float, y: np.ndarray, at=at, k=k, scale=scale, length=length) -> list[float]:
                block = scale * y[0] / (scale * y[0] + at["K_i of blocker at NMDAR"])
                put = 4000.0 / length if length and t < length else 0.0
                found = [put - k * y[0]]
                for u, acute, lasting in ((block, y[1], y[2]), (1 - block, y[3], y[4])):
                    found += [at["effect_site"] * (u - acute)]
                    found += [at["plasticity.on"] * u * (1 - lasting) - at["plasticity.off"] * lasting]
                return found

            rest = at["plasticity.on"] / (at["plasticity.on"] + at["plasticity.off"])
            start = [0.0 if length else 4000.0, 0.0, 0.0, 1.0, rest]
            solved = solve_ivp(
                rates, (0, 72), start, "LSODA", t_eval=TIMES, rtol=1e-10, atol=1e-13, max_step=0.5
            )
            level = scale * solved.y[0]
            one = (place, slice(None), draw)
            np.testing.assert_allclose(found.concentrations["blocker"][one], level, rtol=1e-6, atol=1e-7)
            block = level / (level + at["K_i of blocker at NMDAR"])
            np.testing.assert_allclose(found.features["NMDAR.block"][one], block, atol=1e-8)
            for name, first, apart in (("block", 1, (0, 0)), ("relief", 3, (1, rest))):
                states = (found.states[name].acute[one], found.states[name].sustained[one])
                for state, number, base in zip(states, (first, first + 1), apart, strict=True):
                    np.testing.assert_allclose(state, solved.y[number] - base, atol=5e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "label", "species"),
    [
        ("buprenorphine 8 mg sl every 24 h x 3", "nmdar-or-mor", "human"),
        ("ketamine 15 mg/kg ip", "hnk", "mouse"),
        (
            "naltrexone 50 mg po at -45 min + ketamine 0.5 mg/kg iv over 40 min",
            "opioid-release@induction",
            "human",
        ),
    ],
)
def test_a_reading_does_not_depend_on_what_else_is_read(protocol, label, species) -> None:
    every = np.unique(np.concatenate([np.arange(-1.0, 5.0, 0.25), np.arange(5.0, 101.0, 2.0)]))
    asked: dict[str, Any] = {"case": "ketamine", "hypotheses": label, "species": species, "draws": 200}
    fine = gaddum.simulate(protocol, times=every, **asked).states[label]
    for time in (1.0, 24.0 + 1.0, 99.0):
        alone = gaddum.simulate(protocol, times=[time], **asked).states[label]
        at = int(np.flatnonzero(every == time)[0])
        for one, other in ((alone.acute, fine.acute), (alone.sustained, fine.sustained)):
            assert np.max(abs(one[0, 0] - other[0, at])) < 5e-4
            assert np.quantile(abs(one[0, 0] - other[0, at]), 0.95) < 1e-5


def test_states_under_a_steady_state_are_refused(loaded) -> None:
    endless = (BOLUS[0].model_copy(update={"interval": "24 h", "steady_state": True}),)
    gaddum.simulate([endless], library=loaded.library, times=[1.0], draws=4)
    with pytest.raises(ValueError, match="first dose"):
        gaddum.simulate([endless], case=loaded, times=[1.0], draws=4)


def test_targets_asked_for_are_followed_beside_those_of_the_accounts() -> None:
    found = gaddum.simulate(
        "ketamine 0.5 mg/kg iv", case="ketamine", hypotheses="nmdar", targets="KOR", times=[1.0], draws=4
    )
    assert {"NMDAR.block", "KOR.tone"} <= set(found.features)


def test_a_default_curve_spans_the_doses_of_all_protocols() -> None:
    late = "ketamine 0.5 mg/kg iv at -2 h + ketamine 0.5 mg/kg iv at 100 h"
    times = gaddum.simulate(["ketamine 0.5 mg/kg iv", late], targets=["NMDAR"], draws=4).times
    assert times[0] == -2 and times[-1] > 100 and times.size <= 61


def test_what_acts_at_the_test_only_scales_the_whole_course_by_its_level_then(loaded) -> None:
    times = [0.5, 2.0]
    found = gaddum.simulate([BOLUS], case=loaded, hypotheses=["late@expression"], times=times, draws=8)
    u, k = found.features["NMDAR.block"][0], drawn(found, 8)
    hours = np.array(times)[:, None]
    np.testing.assert_allclose(
        found.states["late@expression"].acute[0], u * -np.expm1(-k["effect_site"] * hours), rtol=1e-6
    )
    rate = k["plasticity.on"] * u + k["plasticity.off"]
    settled = k["plasticity.on"] * u / rate * -np.expm1(-rate * hours)
    np.testing.assert_allclose(found.states["late@expression"].sustained[0], settled, rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("with_case", [True, False])
def test_compiled_and_plain_simulations_are_the_same(loaded, monkeypatch, with_case) -> None:
    source = {"case": loaded} if with_case else {"library": loaded.library}

    def again() -> Any:
        return gaddum.simulate([BOLUS, INFUSION], **source, times=TIMES, draws=150)

    plain = again()
    monkeypatch.setattr(protocol_course, "COMPILED_FROM", 2)
    for one, other in zip(jax.tree.leaves(again()[2:5]), jax.tree.leaves(plain[2:5]), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-11)


def test_protocols_are_followed_on_the_same_draws(loaded) -> None:
    alone = gaddum.simulate([INFUSION], case=loaded, times=TIMES, draws=16)
    both = gaddum.simulate([BOLUS, INFUSION], case=loaded, times=TIMES, draws=16)
    assert np.array_equal(both.states["block"].sustained[1], alone.states["block"].sustained[0])


def test_states_are_at_rest_until_the_first_dose(loaded) -> None:
    found = gaddum.simulate([BOLUS], case=loaded, times=[-3.0, 0.0], draws=4)
    assert not np.any(found.states["relief"].sustained) and not np.any(found.states["relief"].acute)
    assert not np.any(found.concentrations["blocker"][0, 0])


@pytest.mark.slow
@pytest.mark.parametrize(
    "label",
    ["nmdar-permissive-opioid", "opioid-release@expression", "nmdar-inverted-u", "hnk", "independent-target"],
)
def test_a_simulated_arm_is_what_the_case_says_of_it(label) -> None:
    loaded, draws = load_case("ketamine"), 32
    assembly = assemble(loaded)
    name, _, phase = label.partition("@")
    hypothesis = next(one for one in loaded.case.hypotheses if one.name == name)
    given = account(hypothesis, assembly, phase=phase or "both")
    z = even_variates([one.name for one in assembly.parameters], draws, 0)
    said_ = np.asarray(jax.jit(lambda z: respond(assembly, z, given).state)(z))
    experiments = {(s.id, e.id): e.protocol for s, e in loaded.ledger.experiments()}
    compared = 0
    for reading in {one.row: one for one in assembly.readings if one.row >= 0}.values():
        protocol = experiments[reading.study, reading.experiment]
        arm, subject = protocol.arms[reading.arm], protocol.subject
        # A case counts drive from the test drug on; what is given before must not move the gate by itself.
        if not arm.doses or any(one.time_h < 0 for one in arm.doses):
            continue
        if any(not loaded.library.species(one.drug)[0][0].affinities for one in arm.doses):
            continue
        found = gaddum.simulate(
            [arm.doses],
            case=loaded,
            hypotheses=[label],
            population=reading.stratum,
            species=subject.species,
            weight=None if subject.weight is None else f"{subject.weight.value} {subject.weight.unit}",
            preparation=subject.preparation,
            manipulations=arm.manipulations,
            times=[float(assembly.times[reading.row, -1])],
            draws=draws,
        )
        state = getattr(found.states[label], reading.phase)[0, 0]
        # Where states are much quicker than a case's few panels, its quadrature errs by more; see docs.
        assert np.median(abs(state - said_[reading.row])) < 2e-3, reading
        compared += 1
    assert compared > 30


def write_run(folder, names, z, manifest, attrs=ESTABLISHED):
    """Files of a run of case small with one fit, as `gaddum adjudicate` writes them."""
    scores = xr.Dataset({"z": (("chain", "draw", "parameter"), z)}, coords={"parameter": names})
    fit = {"/gate-matched/block": xr.Dataset(attrs=attrs), "/gate-matched/block/scores": scores}
    xr.DataTree.from_dict(fit).to_netcdf(folder / "posterior.nc", engine="h5netcdf")
    said_ = {"case": "small", "hypotheses": [{"name": "block", "probability": 1.0}], "manifest": manifest}
    (folder / "result.json").write_text(json.dumps(said_))


def test_a_run_gives_its_draws_and_what_it_lacks_follows_the_prior(loaded, tmp_path) -> None:
    names = ["effect_site", "K_i of blocker at NMDAR"]
    z = np.full((2, 10, 2), 1.0, np.float32)
    write_run(tmp_path, names, z, loaded.hashes)
    found = gaddum.simulate([INFUSION], case=loaded, run=tmp_path, times=[0.5], draws=1000)
    prior = gaddum.simulate([INFUSION], case=loaded, hypotheses=["block"], times=[0.5], draws=20)
    assert found.drawn_from.startswith("posterior of block")
    assert found.features["NMDAR.block"].shape == (1, 1, 20)
    np.testing.assert_allclose(found.concentrations["blocker"], prior.concentrations["blocker"], rtol=1e-12)
    level = found.concentrations["blocker"]
    known = next(one for one in found.parameters if one.name == "K_i of blocker at NMDAR")
    k_i = np.exp(lookup(known.nodes[None], np.ones((1, 1))))[0, 0]
    np.testing.assert_allclose(found.features["NMDAR.block"], level / (level + k_i), rtol=1e-9)


@pytest.mark.parametrize(("ess", "established"), [(99.0, 1), (400.0, 0)])
def test_a_fit_that_was_not_established_is_refused(loaded, tmp_path, ess, established) -> None:
    attrs = {"ess": ess, "r_hat": 1.2, "established": established}
    write_run(tmp_path, ["effect_site"], np.ones((2, 3, 1)), loaded.hashes, attrs)
    with pytest.raises(ValueError, match="established"):
        gaddum.simulate([INFUSION], case=loaded, run=tmp_path)


def test_files_of_two_runs_are_refused(loaded, tmp_path) -> None:
    write_run(
        tmp_path, ["effect_site"], np.ones((2, 3, 1)), loaded.hashes | {"files": {"posterior.nc": "0" * 64}}
    )
    with pytest.raises(ValueError, match="of one run"):
        gaddum.simulate([INFUSION], case=loaded, run=tmp_path)


def test_a_run_of_another_case_is_refused(loaded, tmp_path) -> None:
    write_run(tmp_path, ["effect_site"], np.ones((2, 3, 1)), loaded.hashes | {"case_hash": "another"})
    with pytest.raises(ValueError, match="Run it again"):
        gaddum.simulate([INFUSION], case=loaded, run=tmp_path)


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ({"hypotheses": ["blok"]}, "'block'"),
        ({"hypotheses": ["late@noon"]}, "induction, expression, both"),
        ({"hypotheses": ["block@both"]}, "nothing of it is phased"),
        ({"population": "martian"}, "population"),
        ({"run": "nowhere"}, "result.json"),
    ],
)
def test_what_a_case_does_not_have_is_refused_by_name(loaded, asked, what) -> None:
    with pytest.raises(ValueError, match=what):
        gaddum.simulate([BOLUS], case=loaded, **asked)


def test_no_protocol_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        gaddum.simulate([])


def test_accounts_without_a_case_are_refused() -> None:
    with pytest.raises(ValueError, match="`case` or `run`"):
        gaddum.simulate("ketamine 0.5 mg/kg iv", hypotheses=["nmdar"])
