"""Curves of made-up one-compartment drugs against formulas written out by hand."""

from typing import Any

import numpy as np
import pytest

from gaddum.exposure.curves import Assumption, LigandCurve, ligands
from gaddum.numerics.normal_grid import Z_GRID
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug, Mixture
from gaddum.records.library import Library
from gaddum.records.protocol import Subject

SOURCE = {"how": "assumption", "reason": "made up for a test"}
MEDIAN = Z_GRID.size // 2
TIMES = np.array([-0.5, 0.0, 0.1, 0.5, 1.0, 4.0, 24.0])
MASS, WEIGHT, VOLUME, CLEARANCE, K_A, BIOAVAILABLE, UNBOUND, ENTRY = 250.0, 0.3, 2.0, 1.0, 3.0, 0.4, 0.5, 2.0
AMOUNT = 10 * WEIGHT * 1e6 / MASS  # nmol in 10 mg/kg
K = CLEARANCE / VOLUME


def q(value: float, unit: str = "1") -> dict[str, Any]:
    return {"value": value, "unit": unit, "spread": {"kind": "GSD", "value": 1.5}, "source": SOURCE}


def drug(name: str) -> Drug:
    body = {
        "sampling": "venous",
        "v_c": q(VOLUME, "L/kg"),
        "cl": q(CLEARANCE, "L/h/kg"),
        "absorption": {"po": {"k_a": q(K_A, "1/h"), "f": q(BIOAVAILABLE)}},
    }
    return Drug.model_validate(
        {
            "name": name,
            "molar_mass": q(MASS, "g/mol"),
            "f_u": {"rat": q(UNBOUND)},
            "kp_uu": {"rat": q(ENTRY)},
            "disposition": {"rat": body},
        }
    )


MIXTURE = {
    "kind": "mixture",
    "name": "both",
    "parts": [{"drug": "left", "fraction": 0.5}, {"drug": "right", "fraction": 0.5}],
    "source": SOURCE,
}
LIBRARY = Library({}, {"left": drug("left"), "right": drug("right"), "both": Mixture.model_validate(MIXTURE)})
RAT = Subject.model_validate({"species": "rat", "paradigm": "none", "weight": q(WEIGHT, "kg")})


def found(subject: Subject = RAT, taken: set[Assumption] | None = None, **dose: Any) -> list[LigandCurve]:
    fields = {"drug": "left", "amount": "10 mg/kg", "salt": "base"} | dose
    doses = (Dose.model_validate(fields),)
    taken = set() if taken is None else taken
    return ligands(doses, subject, LIBRARY, TIMES, wanted={"left", "right"}, assumptions=taken)


def concentrations(**dose: Any) -> np.ndarray:
    (ligand,) = found(**dose)
    return np.exp(ligand.log_nodes[:, MEDIAN])


def bolus(t: np.ndarray) -> np.ndarray:
    return np.where(t >= 0, UNBOUND * ENTRY * AMOUNT / (VOLUME * WEIGHT) * np.exp(-K * np.maximum(t, 0)), 0)


def test_intravenous_bolus() -> None:
    np.testing.assert_allclose(concentrations(route="iv bolus"), bolus(TIMES), rtol=1e-9, atol=1e-20)


def test_oral_dose_is_the_bateman_function() -> None:
    t = np.maximum(TIMES, 0)
    scale = UNBOUND * ENTRY * BIOAVAILABLE * AMOUNT / (VOLUME * WEIGHT)
    expected = scale * K_A / (K_A - K) * (np.exp(-K * t) - np.exp(-K_A * t))
    np.testing.assert_allclose(concentrations(route="po"), expected, rtol=1e-8, atol=1e-9)


def test_infusion_rises_and_falls() -> None:
    during, after = np.clip(TIMES, 0, 0.5), np.maximum(TIMES - 0.5, 0)
    rate = UNBOUND * ENTRY * AMOUNT / 0.5 / (CLEARANCE * WEIGHT)
    expected = rate * -np.expm1(-K * during) * np.exp(-K * after)
    np.testing.assert_allclose(
        concentrations(route="iv infusion", duration="30 min"), expected, rtol=1e-8, atol=1e-9
    )


def test_a_dose_before_the_test_drug_is_the_same_curve_earlier() -> None:
    np.testing.assert_allclose(
        concentrations(route="iv bolus", time="-30 min"), bolus(TIMES + 0.5), rtol=1e-9
    )


def test_repeated_doses_add_up() -> None:
    expected = bolus(TIMES) + bolus(TIMES - 2) + bolus(TIMES - 4)
    seen = concentrations(route="iv bolus", repeats=3, interval="2 h")
    np.testing.assert_allclose(seen, expected, rtol=1e-9, atol=1e-20)


def test_faster_clearance_shortens_the_curve() -> None:
    (ligand,) = found(route="iv bolus")
    np.testing.assert_allclose(
        ligand.log_nodes[4, MEDIAN] - ligand.log_nodes[4], K * (1.5**Z_GRID - 1), rtol=1e-8, atol=1e-10
    )


def test_a_bath_holds_its_concentration_while_it_lasts() -> None:
    seen = concentrations(amount="1 uM", route="bath", duration="1 h")
    np.testing.assert_allclose(
        seen, np.where((TIMES >= 0) & (TIMES <= 1), 1000.0, 0.0), rtol=1e-12, atol=1e-20
    )


def test_a_bath_has_no_uncertain_shape_or_scale() -> None:
    (ligand,) = found(amount="1 uM", route="bath")
    assert ligand.shape is None and ligand.scale_sd == 0


def test_a_mass_concentration_in_a_bath_becomes_molar() -> None:
    assert concentrations(amount="250 ng/mL", route="bath")[-1] == pytest.approx(1000.0)


def test_a_mixture_gives_half_to_each_component() -> None:
    halves = found(drug="both", route="iv bolus")
    assert [ligand.drug for ligand in halves] == ["left", "right"]
    for ligand in halves:
        np.testing.assert_allclose(
            np.exp(ligand.log_nodes[:, MEDIAN]), bolus(TIMES) / 2, rtol=1e-9, atol=1e-20
        )


def test_scale_combines_volume_and_fractions() -> None:
    assert found(route="iv bolus")[0].scale_sd == pytest.approx(np.log(1.5) * np.sqrt(3))
    assert found(route="po")[0].scale_sd == pytest.approx(np.log(1.5) * 2)


def test_an_unknown_route_says_what_to_add() -> None:
    with pytest.raises(ValueError, match="absorption by route 'sc'.*got po. Add it to the drug's file"):
        found(route="sc")


def test_a_species_without_kinetics_borrows_them_by_weight() -> None:
    mouse = Subject.model_validate({"species": "mouse", "paradigm": "none", "weight": q(WEIGHT / 16, "kg")})
    taken: set[Assumption] = set()
    (ligand,) = found(mouse, taken, route="iv bolus", amount="10 mg/kg")
    # per kg the volume is the rat's and clearance grows by 16^0.25 = 2
    t = np.maximum(TIMES, 0)
    expected = UNBOUND * ENTRY * AMOUNT / (VOLUME * WEIGHT) * np.exp(-2 * K * t)
    seen = np.exp(ligand.log_nodes[:, MEDIAN])
    np.testing.assert_allclose(seen, np.where(TIMES >= 0, expected, 0), rtol=1e-8, atol=1e-20)
    assert Assumption("left in mouse", "kinetics scaled from rat", "not found") in taken


def test_scaling_from_another_species_widens_the_spread() -> None:
    mouse = Subject.model_validate({"species": "mouse", "paradigm": "none", "weight": q(WEIGHT / 16, "kg")})
    (ligand,) = found(mouse, route="iv bolus")
    rat = found(route="iv bolus")[0].scale_sd
    assert ligand.scale_sd == pytest.approx(np.hypot(rat, np.log(2.0)))


def test_a_drug_without_any_kinetics_says_what_to_add() -> None:
    bare = Library({}, {"left": drug("left").model_copy(update={"disposition": {}})})
    dose = Dose.model_validate({"drug": "left", "amount": "10 mg/kg", "route": "iv bolus"})
    with pytest.raises(ValueError, match="disposition in rat.*got none in any species. Add one"):
        ligands((dose,), RAT, bare, TIMES, wanted={"left"}, assumptions=set())


def test_an_unstated_weight_is_listed_as_an_assumption() -> None:
    taken: set[Assumption] = set()
    found(Subject.model_validate({"species": "rat", "paradigm": "none"}), taken, route="iv bolus")
    assert Assumption("rat", "body weight 0.3 kg", "not stated by the report") in taken
