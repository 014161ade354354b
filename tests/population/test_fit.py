"""Population kinetics: truth recovered, an integral met, papers foretold, and the fit drawn as it was kept."""

from typing import Any

import jax
import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from gaddum.engagement.layout import lay_out
from gaddum.exposure.concentrations import concentrations
from gaddum.parameters import loadings
from gaddum.population.fit import SAMPLER, fit_population, predict_constants, predict_logs
from gaddum.population.hierarchy import BETWEEN, RESIDUAL, log_likelihood
from gaddum.population.left_out import leave_papers_out
from gaddum.population.new_study import digest, kinetic_fit
from gaddum.population.readings import PopulationData, population_data
from gaddum.records.curve import Curve
from gaddum.records.drug import Drug
from gaddum.records.fit import KineticFit
from gaddum.records.library import Library
from gaddum.records.quantity import Quantity
from reference.made_up import binds, drug, library, said

TIMES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
PUBLISHED = {"how": "measured", "doi": "10.1000/made.up"}


def given(**body: Any) -> Drug:
    """A drug with one compartment, given into a vein."""
    plain = {"sampling": "unstated", "v_c": said(1.0, "L/kg", 1.5), "cl": said(0.5, "L/h/kg", 1.5)}
    return drug(
        "drug", disposition={"rat": plain | body}, affinities=[binds("target", "competitive antagonist", 10)]
    )


def curve(paper: str, values: Any, times: Any = TIMES, **more: Any) -> Curve:
    """One paper's levels in plasma after 1 mg/kg."""
    reading = {
        "kind": "concentration", "drug": "drug", "sampling": "unstated", "unit": "ng/mL", "source": PUBLISHED,
        "times": [f"{time} h" for time in times], "values": list(values),
    }  # fmt: skip
    dose = {"drug": "drug", "amount": "1 mg/kg", "route": "iv bolus", "time": "0 h"}
    return Curve.model_validate(
        {
            "id": paper,
            "title": paper,
            "paper": paper,
            "species": "rat",
            "doses": [dose],
            "readings": [reading | more],
        }
    )


def simulated(
    studies: int, seed: int, *, omega: float = 0.25, sigma: float = 0.1, times: Any = TIMES
) -> list[Curve]:
    """Levels by a one-compartment body whose constants differ between studies."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(studies):
        v, cl = np.exp([np.log(1.2), np.log(0.6)] + omega * random.standard_normal(2))
        level = (
            1e3 / v * np.exp(-cl / v * np.array(times)) * np.exp(sigma * random.standard_normal(len(times)))
        )
        found.append(curve(f"paper {number}", level, times))
    return found


def laid(curves: list[Curve], **body: Any) -> PopulationData:
    return population_data(curves, "rat", library(given(**body)))


@pytest.fixture(scope="module")
def simulation() -> tuple[PopulationData, list[Curve]]:
    curves = simulated(5, 1)
    return laid(curves), curves


@pytest.fixture(scope="module")
def kept(simulation: tuple[PopulationData, list[Curve]]) -> tuple[KineticFit, Any]:
    data, curves = simulation
    fit = fit_population(data, seed=3)
    record = kinetic_fit(data, fit, (), drug="drug", species="rat", curves=curves, seed=3, version="0")
    return record, fit


def test_a_fit_finds_the_typical_constants_that_studies_were_drawn_about(
    kept: tuple[KineticFit, Any],
) -> None:
    record, fit = kept
    assert fit.established, fit.note
    for one in record.constants:
        truth = {"central volume": 1.2, "clearance": 0.6}[one.name.split(" of ")[0]]
        assert one.unit.endswith("/kg")
        assert abs(np.log(one.median / truth)) < 3 * np.log(one.typical) < 1.0


def test_a_new_study_is_as_wide_as_the_posterior_draws_of_one(kept: tuple[KineticFit, Any]) -> None:
    record, fit = kept
    drawn = fit.draws(20_000, 1)[list(fit.new_study.constants)]
    root = np.zeros((len(record.constants), len(record.constants)))
    for place, one in enumerate(record.constants):
        root[place, : place + 1] = one.loadings
    np.testing.assert_allclose(np.cov(drawn), root @ root.T, rtol=0.1, atol=0.006)


def test_evidence_of_one_study_is_that_of_an_integral() -> None:
    # One reading at the dose, of volume alone: log y = log(dose / V) + eps, V of the study about mu.
    data = laid([curve("one", [700.0, 640.0], [1e-6, 2e-6])], cl=said(1e-9, "L/h/kg"))
    with jax.enable_x64(True):
        found = fit_population(data, settings=SAMPLER._replace(particles=256, lanes=256, sweeps=80))
    mu = np.asarray(found.levels.mu)[0]
    off = np.log(1e3 / np.array([700.0, 640.0])) - np.log(0.3)  # of V in L at 0.3 kg: the register's scale
    grid = np.log(1.0) + np.log(0.3) + np.linspace(-4, 4, 161)
    omega, sigma = (scale * stats.halfnorm.ppf((np.arange(60) + 0.5) / 60) for scale in (BETWEEN, RESIDUAL))
    common = 0.2 * stats.halfnorm.ppf((np.arange(20) + 0.5) / 20)
    values = off + 2 * np.log(0.3)  # log V in L
    prior = stats.norm.logpdf(grid, np.log(0.3), np.hypot(np.log(1.5), BETWEEN))
    together = omega[:, None, None] ** 2 + common[:, None] ** 2
    mean = values.mean()
    spread = together + sigma**2 / 2
    within = -((values - mean) ** 2).sum() / 2 / sigma**2 - np.log(sigma)
    logs = (
        prior[:, None, None, None]
        + stats.norm.logpdf(mean, grid[:, None, None, None], np.sqrt(spread))
        + within
    )
    weight = np.exp(logs - logsumexp(logs)).sum(axis=(1, 2, 3))
    assert abs(mu.mean() - weight @ grid) < 0.03
    assert abs(mu.std() / np.sqrt(weight @ (grid - weight @ grid) ** 2) - 1) < 0.07


def test_left_out_papers_are_foretold_within_their_bands_and_better_than_by_bands_twice_or_half_as_wide() -> (
    None
):
    inside = readings = 0
    gain = np.zeros(2)
    for one in leave_papers_out(laid(simulated(6, 11, omega=0.3))):
        inside, readings = inside + one.fitted.inside[-1], readings + one.readings
        gain += np.subtract(one.fitted.density, (one.wider.density, one.narrower.density))
    assert inside / readings > 0.85
    assert (gain > 0).all()


def test_a_paper_whose_curve_is_fitted_does_not_enter_again_by_its_constants() -> None:
    reported = {"value": 3.0, "unit": "L/kg", "spread": {"kind": "GSD", "value": 1.05}, "source": PUBLISHED}
    curves = simulated(3, 2)
    own, others = laid(curves, v_c=reported), laid(curves, v_c=said(3.0, "L/kg", 1.05))
    width = [np.ptp(data.hierarchy.centre[0]) for data in (own, others)]
    assert width[0] > 3 * width[1]


def test_what_a_fit_cannot_use_is_said() -> None:
    half = {"kind": "half-time", "target": "target", "published": said(2.0, "h")}
    more = curve("two", [500.0] * 6)
    more = more.model_copy(update={"readings": (*more.readings, *Curve.model_validate(
        {**curve("x", [1.0] * 6).model_dump(), "readings": [half]}).readings)})  # fmt: skip
    data = laid([curve("one", [600.0] * 6), more])
    assert [(one.curve, one.reading) for one in data.unused] == [("two", "half-time")]
    with pytest.raises(ValueError, match="needs concentrations in plasma, a published model or constants"):
        laid([more.model_copy(update={"readings": more.readings[1:]})])


def test_readings_below_a_limit_pull_a_curve_down() -> None:
    above = laid([curve("one", [500.0, 400.0, 300.0, 150.0, 60.0, 20.0])])
    below = laid([curve("one", [500.0, 400.0, 300.0, 150.0, 60.0, "<5"])])
    assert below.hierarchy.curves.below.sum() == 1
    slow, fast = (fit_population(data).new_study.mean[1] for data in (above, below))
    assert fast > slow + 0.1


def test_two_likelihoods_of_a_published_model_and_of_its_readings_agree_where_the_model_is_exact() -> None:
    model = {
        "kind": "model", "drug": "drug", "times": [f"{time} h" for time in TIMES],
        "disposition": {"sampling": "unstated", "v_c": said(1.2, "L/kg", 1.001), "cl": said(0.6, "L/h/kg", 1.001)},
    }  # fmt: skip
    one = curve("model", [1.0] * 6)
    one = Curve.model_validate({**one.model_dump(exclude={"readings"}), "readings": [model]})
    fit = fit_population(laid([one]))
    volume, clearance = (float(np.median(np.asarray(fit.levels.mu)[place])) for place in (0, 1))
    assert abs(volume - np.log(1.2 * 0.3)) < 0.25
    assert abs(clearance - np.log(0.6 * 0.3)) < 0.25


def test_printed_constants_are_those_of_the_course_that_the_chain_computes() -> None:
    body = {
        "peripherals": [{"v": said(2.0, "L/kg"), "q": said(0.8, "L/h/kg")}],
        "absorption": {"po": {"k_a": said(1.5, "1/h"), "f": said(0.4, "1")}},
    }
    named = {"cl": "iv bolus", "cl/f": "po", "v_c": "iv bolus", "v_ss": "iv bolus", "v_z": "iv bolus", "v/f": "po",
             "k_a": "po", "f": "po", "half-life": "po"}  # fmt: skip
    units = {"cl": "L/h/kg", "cl/f": "L/h/kg", "k_a": "1/h", "f": "1", "half-life": "h"}
    readings = [
        {
            "kind": "constant",
            "drug": "drug",
            "name": name,
            "route": route,
            "published": said(1.0, units.get(name, "L/kg")),
        }
        for name, route in named.items()
    ]
    one = curve("constants", [1.0] * 6)
    one = Curve.model_validate(one.model_dump(exclude={"readings"}) | {"readings": readings})
    data = laid([one], **body)
    theta = np.array([p.nodes[p.nodes.size // 2] for p in data.hierarchy.parameters])[:, None]
    found = dict(zip(named, np.exp(predict_constants(data.hierarchy, theta))[:, 0], strict=True))
    weight, dose = 0.3, 1e6 / 250  # kg; nmol/kg
    times = np.geomspace(1e-4, 300, 20_000)
    vein, mouth = (
        concentrations(lay_out(f"drug 1 mg/kg {route}", species="rat", library=library(given(**body)), draws=2,
                               weight="0.3 kg").plan, theta_of(route, body), times, site="arterial")[0, :, 0]
        for route in ("iv", "po")
    )  # fmt: skip
    area, oral = np.trapezoid(vein, times), np.trapezoid(mouth, times)
    moment = np.trapezoid(times * vein, times)
    rate = np.log(vein[-4000] / vein[-1]) / (times[-1] - times[-4000])
    wanted = {"cl": weight * dose / area, "cl/f": weight * dose / oral, "v_c": weight * dose / vein[0],
              "v_ss": weight * dose * moment / area**2, "v_z": weight * dose / area / rate,
              "v/f": weight * dose / oral / rate, "k_a": 1.5, "f": oral / area,
              "half-life": np.log(2) / rate}  # fmt: skip
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=2e-3), name


def theta_of(route: str, body: dict[str, Any]) -> np.ndarray:
    """Medians of the constants of one dose."""
    layout = lay_out(
        f"drug 1 mg/kg {route}", species="rat", library=library(given(**body)), draws=2, weight="0.3 kg"
    )
    return np.array([one.nodes[one.nodes.size // 2] for one in layout.parameters])[:, None]


def test_a_paper_enters_once_by_its_best_account() -> None:
    constant = {"kind": "constant", "drug": "drug", "name": "cl", "published": said(0.6, "L/h/kg", 1.1)}
    both = curve("one", [600.0] * 6)
    both = Curve.model_validate(both.model_dump() | {"readings": [*both.model_dump()["readings"], constant]})
    data = laid([both])
    assert not data.hierarchy.curves.printed
    assert [one.reading for one in data.unused] == ["cl of drug"]


def test_a_central_volume_apart_from_that_of_steady_state_is_not_one_of_a_single_compartment() -> None:
    readings = [
        {"kind": "constant", "drug": "drug", "name": name, "published": said(value, "L/kg")}
        for name, value in (("v_c", 0.2), ("v_ss", 1.2))
    ]
    one = curve("constants", [1.0] * 6)
    one = Curve.model_validate(one.model_dump(exclude={"readings"}) | {"readings": readings})
    two = {"peripherals": [{"v": said(1.0, "L/kg"), "q": said(0.8, "L/h/kg")}]}
    assert [each.name for each in laid([one]).hierarchy.curves.printed] == ["v_ss"]
    assert [each.name for each in laid([one], **two).hierarchy.curves.printed] == ["v_c", "v_ss"]


def test_the_calculator_draws_a_fit_as_it_was_kept(kept: tuple[KineticFit, Any]) -> None:
    record, _ = kept
    plain = library(given())
    fitted = Library(plain.targets, plain.drugs).with_fits([record])
    layout = lay_out("drug 1 mg/kg iv", species="rat", library=fitted, draws=8000, weight="0.3 kg")
    names = [one.name for one in layout.parameters]
    theta = layout.theta[[names.index(one.name) for one in record.constants]]
    root = np.zeros((2, 2))
    for place, one in enumerate(record.constants):
        root[place, : place + 1] = one.loadings
    np.testing.assert_allclose(np.cov(theta), root @ root.T, rtol=0.06, atol=0.002)
    np.testing.assert_allclose(
        np.exp(np.median(theta, axis=1)), [0.3 * one.median for one in record.constants], rtol=0.02
    )
    heavy = lay_out("drug 1 mg/kg iv", species="rat", library=fitted, draws=8000, weight="0.6 kg")
    levels = [
        concentrations(one.plan, one.theta, np.array([1.0]), site="arterial") for one in (layout, heavy)
    ]
    np.testing.assert_allclose(levels[0], levels[1], rtol=1e-9)  # per kg throughout: weight cancels


def test_draws_of_a_fitted_constant_do_not_depend_on_what_else_is_asked(kept: tuple[KineticFit, Any]) -> None:
    record, _ = kept
    plain = library(given(), drug("other", disposition={"rat": {
        "sampling": "unstated", "v_c": said(2.0, "L/kg", 1.3), "cl": said(1.0, "L/h/kg", 1.3)}},
        affinities=[binds("target", "agonist", 5, efficacy=said(1, "1"))]))  # fmt: skip
    fitted = plain.with_fits([record])
    alone, both = (
        lay_out(text, species="rat", library=fitted, draws=50)
        for text in ("drug 1 mg/kg iv", "other 1 mg/kg iv + drug 1 mg/kg iv")
    )
    for one in record.constants:
        rows = [layout.theta[[p.name for p in layout.parameters].index(one.name)] for layout in (alone, both)]
        np.testing.assert_array_equal(*rows)
    assert loadings(both.parameters) is not None


def test_a_digest_follows_the_content_of_curves_and_not_their_order() -> None:
    curves = simulated(3, 5)
    assert digest(curves) == digest(curves[::-1])
    assert digest(curves) != digest([*curves[:2], curve("paper 2", [1.0] * 6)])


def test_the_likelihood_of_a_study_that_is_left_out_is_not_asked(
    simulation: tuple[PopulationData, list[Curve]],
) -> None:
    data, _ = simulation
    with jax.enable_x64(True):
        function = log_likelihood(data.hierarchy)
        z = np.random.default_rng(0).standard_normal((data.hierarchy.dimension, 3))
        one = np.eye(len(data.papers), dtype=bool)
        parts = sum(np.asarray(function(z, data.hierarchy.data(row))) for row in one)
        np.testing.assert_allclose(
            function(z, data.hierarchy.data(np.ones(len(one), bool))), parts, rtol=1e-10
        )


def test_an_oral_dose_of_a_fitted_drug_is_laid_out_over_constants_per_kg() -> None:
    body = {"absorption": {"po": {"k_a": said(1.5, "1/h", 1.3), "f": said(0.4, "1", 1.2)}}}
    oral = curve("one", [60.0, 90.0, 100.0, 80.0, 40.0, 10.0])
    oral = oral.model_copy(
        update={"doses": tuple(one.model_copy(update={"route": "po"}) for one in oral.doses)}
    )
    data = population_data([oral], "rat", library(given(**body)))
    fit = fit_population(data)
    record = kinetic_fit(data, fit, (), drug="drug", species="rat", curves=[oral], seed=0, version="0")
    assert record.constants[0].name.startswith("po k_a")  # an input stands before the bodies
    fitted = library(given(**body)).with_fits([record])
    layout = lay_out("drug 1 mg/kg po", species="rat", library=fitted, draws=500, weight="0.4 kg")
    levels = concentrations(layout.plan, layout.theta, np.array([1.0]), site="arterial")[0, 0] * 0.25
    assert 60 < np.median(levels) < 160
    assert not any(one.unit.endswith("/kg") for one in layout.parameters)


@pytest.mark.parametrize(("amount", "ratio"), [("1 mg/kg", 1.0), ("0.3 mg", 2.0)])
def test_an_absolute_dose_is_diluted_by_the_weight_of_who_was_dosed(amount: str, ratio: float) -> None:
    def predicted(kg: float) -> np.ndarray:
        one = curve("one", [600.0] * 6)
        dose = one.doses[0].model_copy(update={"amount": amount})
        weight = Quantity.model_validate(said(kg, "kg"))
        data = laid([one.model_copy(update={"doses": (dose,), "weight": weight})])
        theta = np.array([p.nodes[p.nodes.size // 2] for p in data.hierarchy.parameters])[:, None]
        return np.exp(predict_logs(data.hierarchy, theta))

    np.testing.assert_allclose(predicted(0.2) / predicted(0.4), ratio, rtol=1e-9)


def test_a_relative_error_is_of_the_mean_and_a_deviation_between_subjects_is_not() -> None:
    def error(kind: str) -> float:
        published = said(0.6, "L/h/kg") | {
            "spread": {"kind": kind, "value": 0.2 if kind == "RSE" else 0.12},
            "n": 25,
        }
        constant = {"kind": "constant", "drug": "drug", "name": "cl", "published": published}
        one = Curve.model_validate(
            curve("one", [1.0] * 6).model_dump(exclude={"readings"}) | {"readings": [constant]}
        )
        return laid([one]).hierarchy.curves.printed[0].error

    assert error("RSE") == pytest.approx(0.198, abs=0.01)
    assert error("SD") == pytest.approx(0.05)  # 0.198 over the root of 25, and not less than a twentieth


def test_a_paper_without_an_identifier_is_known_by_its_name() -> None:
    cited = {"how": "secondary", "cites": "paper 1, as quoted elsewhere"}
    reported = {"value": 3.0, "unit": "L/kg", "spread": {"kind": "GSD", "value": 1.05}, "source": cited}
    own, others = (laid(simulated(3, 2), v_c=one) for one in (reported, said(3.0, "L/kg", 1.05)))
    assert np.ptp(own.hierarchy.centre[0]) > 3 * np.ptp(others.hierarchy.centre[0])


def test_a_parameter_is_in_the_unit_that_it_says() -> None:
    way = {"po": {"k_a": said(0.02, "1/min"), "lag": said(6, "min")}}
    mine = library(given(absorption=way)).drugs["drug"]
    assert isinstance(mine, Drug)
    one = mine.model_copy(
        update={
            "affinities": tuple(
                a.model_copy(update={"k_i": (Quantity.model_validate(said(2, "uM")),)})
                for a in mine.affinities
            )
        }
    )
    layout = lay_out("drug 1 mg/kg po", species="rat", library=library(one), draws=2)
    found = {p.name: (float(np.exp(p.nodes[p.nodes.size // 2])), p.unit) for p in layout.parameters}
    assert all(unit for _, unit in found.values())
    assert found["po k_a of drug in rat"] == (pytest.approx(1.2), "1/h")
    assert found["po lag of drug in rat"] == (pytest.approx(0.1), "h")
    assert found["K_i of drug at target"] == (pytest.approx(2000.0), "nM")
