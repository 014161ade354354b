"""Dose series of made-up drugs against formulas written out by hand."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaddum.exposure.chains import lay_chains, responses_of
from gaddum.exposure.dose_series import lay_series, levels
from gaddum.exposure.regimen import plan_regimen
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.parameter_registry import Assumption, Register
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug, Mixture
from gaddum.records.library import Library
from gaddum.records.protocol import Subject
from reference import made_up
from reference.made_up import SOURCE, said
from reference.series import Laid, lay

TIMES = np.array([-0.5, 0.0, 0.1, 0.5, 1.0, 4.0, 24.0])
MASS, WEIGHT, VOLUME, CLEARANCE, K_A, BIOAVAILABLE, UNBOUND, ENTRY = 250.0, 0.3, 2.0, 1.0, 3.0, 0.4, 0.5, 2.0
AMOUNT = 10 * WEIGHT * 1e6 / MASS  # nmol in 10 mg/kg
K = CLEARANCE / VOLUME


def q(value: float, unit: str = "1") -> dict[str, Any]:
    return said(value, unit, 1.5)


BODY = {
    "sampling": "venous",
    "v_c": q(VOLUME, "L/kg"),
    "cl": q(CLEARANCE, "L/h/kg"),
    "absorption": {
        "po": {"k_a": q(K_A, "1/h"), "f": q(BIOAVAILABLE)},
        "ip": {"k_a": q(K_A, "1/h"), "lag": q(0.2, "h")},
        "im": {"duration": q(2.0, "h")},
    },
}


def drug(name: str, **fields: Any) -> Drug:
    known = {"f_u": {"rat": q(UNBOUND)}, "kp_uu": {"rat": q(ENTRY)}, "disposition": {"rat": BODY}}
    return made_up.drug(name, **(known | fields))


MIXTURE = {
    "kind": "mixture",
    "name": "both",
    "parts": [{"drug": "left", "fraction": 0.5}, {"drug": "right", "fraction": 0.5}],
    "source": SOURCE,
}
LIBRARY = Library({}, {"left": drug("left"), "right": drug("right"), "both": Mixture.model_validate(MIXTURE)})
RAT = Subject.model_validate({"species": "rat", "paradigm": "none", "weight": q(WEIGHT, "kg")})
MOUSE = Subject.model_validate({"species": "mouse", "paradigm": "none", "weight": q(WEIGHT / 16, "kg")})


def planned(
    subject: Subject = RAT, register: Register | None = None, library: Library = LIBRARY, **dose: Any
) -> tuple[Laid, Register]:
    fields = {"drug": "left", "amount": "10 mg/kg", "salt": "base", "route": "iv bolus"} | dose
    register = Register() if register is None else register
    doses = (Dose.model_validate(fields),)
    plan = plan_regimen(doses, subject, library, wanted={"left", "right"}, register=register)
    return lay(plan.ligands, TIMES, register.tied), register


def medians(register: Register) -> np.ndarray:
    return register.table()[:, [Z_GRID.size // 2]]


def found(subject: Subject = RAT, **dose: Any) -> np.ndarray:
    """Unbound concentrations of the only ligand at all medians."""
    laid, register = planned(subject, **dose)
    (level,) = laid.levels(medians(register))[..., 0]
    return level


def bolus(t: np.ndarray) -> np.ndarray:
    return np.where(t >= 0, UNBOUND * ENTRY * AMOUNT / (VOLUME * WEIGHT) * np.exp(-K * np.maximum(t, 0)), 0)


def test_intravenous_bolus() -> None:
    np.testing.assert_allclose(found(), bolus(TIMES), rtol=1e-9, atol=1e-20)


def test_oral_dose_is_the_bateman_function() -> None:
    t = np.maximum(TIMES, 0)
    scale = UNBOUND * ENTRY * BIOAVAILABLE * AMOUNT / (VOLUME * WEIGHT)
    expected = scale * K_A / (K_A - K) * (np.exp(-K * t) - np.exp(-K_A * t))
    np.testing.assert_allclose(found(route="po"), expected, rtol=1e-8, atol=1e-9)


def test_infusion_rises_and_falls() -> None:
    during, after = np.clip(TIMES, 0, 0.5), np.maximum(TIMES - 0.5, 0)
    rate = UNBOUND * ENTRY * AMOUNT / 0.5 / (CLEARANCE * WEIGHT)
    expected = rate * -np.expm1(-K * during) * np.exp(-K * after)
    np.testing.assert_allclose(found(route="iv infusion", duration="30 min"), expected, rtol=1e-8, atol=1e-9)


def test_a_release_of_uncertain_length_is_an_infusion() -> None:
    np.testing.assert_allclose(
        found(route="im"), found(route="iv infusion", duration="2 h"), rtol=1e-8, atol=1e-9
    )


def test_a_dose_before_the_test_drug_is_the_same_curve_earlier() -> None:
    np.testing.assert_allclose(found(time="-30 min"), bolus(TIMES + 0.5), rtol=1e-9)


def test_a_lag_delays() -> None:
    t = np.maximum(TIMES - 0.2, 0)
    expected = (
        UNBOUND * ENTRY * AMOUNT / (VOLUME * WEIGHT) * K_A / (K_A - K) * (np.exp(-K * t) - np.exp(-K_A * t))
    )
    np.testing.assert_allclose(found(route="ip"), expected, rtol=1e-8, atol=1e-9)


def test_repeated_doses_add_up() -> None:
    expected = bolus(TIMES) + bolus(TIMES - 2) + bolus(TIMES - 4)
    np.testing.assert_allclose(found(repeats=3, interval="2 h"), expected, rtol=1e-9, atol=1e-20)


def test_a_steady_state_has_accumulated() -> None:
    expected = bolus(TIMES) / -np.expm1(-K * 3)
    np.testing.assert_allclose(found(steady_state=True, interval="3 h"), expected, rtol=1e-9, atol=1e-20)


def test_doses_after_a_steady_state_carry_it_on() -> None:
    seen = found(steady_state=True, interval="3 h", repeats=2)
    np.testing.assert_allclose(
        seen, bolus(TIMES) / -np.expm1(-K * 3) + bolus(TIMES - 3), rtol=1e-9, atol=1e-20
    )


def test_faster_clearance_shortens_the_curve() -> None:
    laid, register = planned()
    draws = np.repeat(medians(register), Z_GRID.size, axis=1)
    place = register.index["clearance of left in rat"]
    draws[place] = register.table()[place]
    (level,) = np.log(laid.levels(draws)[:, 4:])
    np.testing.assert_allclose(
        np.log(bolus(TIMES[4:5])) - level[0], K * (1.5**Z_GRID - 1), rtol=1e-8, atol=1e-10
    )


def test_a_bath_holds_its_concentration_while_it_lasts() -> None:
    seen = found(amount="1 uM", route="bath", duration="1 h")
    np.testing.assert_allclose(
        seen, np.where((TIMES >= 0) & (TIMES <= 1), 1000.0, 0.0), rtol=1e-12, atol=1e-20
    )


def test_a_bath_has_no_uncertain_constant() -> None:
    assert planned(amount="1 uM", route="bath")[1].parameters == []


def test_a_mass_concentration_in_a_bath_becomes_molar() -> None:
    assert found(amount="250 ng/mL", route="bath")[-1] == pytest.approx(1000.0)


def test_a_mixture_gives_half_to_each_component() -> None:
    laid, register = planned(drug="both")
    assert [ligand.drug for ligand in laid.ligands] == ["left", "right"]
    for level in laid.levels(medians(register))[..., 0]:
        np.testing.assert_allclose(level, bolus(TIMES) / 2, rtol=1e-9, atol=1e-20)


def test_constants_are_the_calculators_own() -> None:
    names = {"central volume", "clearance", "f_u", "Kp,uu", "po k_a", "po bioavailability"}
    assert set(planned(route="po")[1].index) == {f"{name} of left in rat" for name in names}


def test_a_fraction_that_no_source_gives_is_uncertain_and_listed() -> None:
    unknown = Library({}, {"left": drug("left", f_u={}, kp_uu={})})
    laid, register = planned(library=unknown)
    (level,) = laid.levels(medians(register))[..., 0]
    np.testing.assert_allclose(level, bolus(TIMES) / (UNBOUND * ENTRY), rtol=1e-9, atol=1e-20)
    for name in ("f_u of left in rat", "Kp,uu of left in rat"):
        what = next(one.what for one in register.assumptions if one.where == name)
        assert what.startswith("taken as 1 within a factor of 1.5") and ("at most" in what) == ("f_u" in name)
        nodes = register.parameters[register.index[name]].nodes
        np.testing.assert_allclose(nodes, np.log(1.5) * Z_GRID)


def test_an_unknown_route_says_what_to_add() -> None:
    with pytest.raises(ValueError, match="absorption by route 'sc'.*got po, ip, im. Add it to the drug's"):
        planned(route="sc")


def test_a_species_without_kinetics_borrows_them_by_weight() -> None:
    # per kg the volume is the rat's and clearance grows by 16^0.25 = 2
    t = np.maximum(TIMES, 0)
    expected = UNBOUND * ENTRY * AMOUNT / (VOLUME * WEIGHT) * np.exp(-2 * K * t)
    np.testing.assert_allclose(found(MOUSE), np.where(TIMES >= 0, expected, 0), rtol=1e-8, atol=1e-20)
    assumptions = planned(MOUSE)[1].assumptions
    assert Assumption("left in mouse", "kinetics scaled from rat", "not found") in assumptions


def test_scaling_from_another_species_widens_the_spread() -> None:
    register = planned(MOUSE)[1]
    nodes = register.parameters[register.index["central volume of left in mouse"]].nodes
    np.testing.assert_allclose(nodes - nodes[Z_GRID.size // 2], np.hypot(*np.log([1.5, 2.0])) * Z_GRID)


def test_a_drug_without_any_kinetics_says_what_to_add() -> None:
    with pytest.raises(ValueError, match="disposition in rat.*got none in any species. Add one"):
        planned(library=Library({}, {"left": drug("left", disposition={})}))


def test_an_unstated_weight_is_listed_as_an_assumption() -> None:
    register = planned(Subject.model_validate({"species": "rat", "paradigm": "none"}))[1]
    assert Assumption("rat", "body weight 0.3 kg", "not stated by the report") in register.assumptions


@pytest.mark.parametrize(
    "dose", [{"route": "ip"}, {"route": "im"}, {"route": "iv infusion", "duration": "5 h"}]
)
def test_a_steady_state_is_many_doses_whatever_its_lag_and_length(dose: dict[str, str]) -> None:
    many = found(time="-300 h", repeats=101, interval="3 h", **dose)
    regular = found(steady_state=True, interval="3 h", **dose)
    np.testing.assert_allclose(regular[1:6], many[1:6], rtol=1e-9)
    assert regular[0] == 0.0


def test_saturable_kinetics_are_refused() -> None:
    saturable = {"v_max": q(300.0, "nmol/h"), "k_m": q(60.0, "nM")}
    library = Library({}, {"left": drug("left", disposition={"rat": BODY | {"saturable": saturable}})})
    with pytest.raises(ValueError, match="linear in a case.*left has `saturable`.*give the clearance"):
        planned(library=library)


def absorbed_as_fast_as_eliminated(**more: Any) -> tuple[Laid, np.ndarray, Register]:
    same = {"absorption": {"ip": {"k_a": q(K, "1/h")}}} | more
    library = Library({}, {"left": drug("left", disposition={"rat": BODY | same})})
    laid, register = planned(library=library, route="ip")
    return laid, medians(register), register


def test_absorption_as_fast_as_elimination_is_the_limit_with_a_gradient() -> None:
    laid, theta, register = absorbed_as_fast_as_eliminated()
    t = np.maximum(TIMES, 0)
    limit = UNBOUND * ENTRY * AMOUNT / (VOLUME * WEIGHT) * K * t * np.exp(-K * t)
    np.testing.assert_allclose(laid.levels(theta)[0, :, 0], limit, rtol=1e-7, atol=1e-9)
    slopes = np.asarray(jax.jacrev(lambda x: laid.levels(x)[0, :, 0])(jnp.asarray(theta)))[..., 0]
    for name in ("ip k_a", "central volume"):
        place = register.index[f"{name} of left in rat"]
        own = limit * (1 - K * t / 2) if name == "ip k_a" else limit * (K * t / 2 - 1)
        np.testing.assert_allclose(slopes[:, place], own, atol=1e-3 * limit.max())


def test_three_poles_at_one_place_are_the_limit_too() -> None:
    laid, theta, _ = absorbed_as_fast_as_eliminated(k_e0=q(K, "1/h"))
    t = np.maximum(TIMES, 0)
    limit = UNBOUND * ENTRY * AMOUNT / (VOLUME * WEIGHT) * (K * t) ** 2 / 2 * np.exp(-K * t)
    np.testing.assert_allclose(laid.levels(theta)[0, :, 0], limit, atol=1e-6 * limit.max())
    slopes = jax.jacrev(lambda x: laid.levels(x)[0, :, 0])(jnp.asarray(theta))
    assert np.isfinite(np.asarray(slopes)).all()


@pytest.mark.parametrize("library", [np, jnp], ids=["numpy", "jax"])
def test_where_nothing_is_given_there_are_no_series(library: Any) -> None:
    theta, chains = library.zeros((3, 4)), lay_chains([])
    found = levels(lay_series([], chains, 5), responses_of(chains, theta), theta)
    assert found.shape == (0, 5, 4) and isinstance(found, type(theta))
