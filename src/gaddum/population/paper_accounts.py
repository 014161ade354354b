"""Paper accounts: one reading of a paper, as a curve that was measured or a constant that was printed."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from gaddum import units
from gaddum.exposure.concentrations import concentrations
from gaddum.exposure.plan import Ligand
from gaddum.exposure.regimen import plan_regimen
from gaddum.exposure.scaling import ADULT_WEIGHT
from gaddum.numerics.variates import even_draws
from gaddum.parameter_registry import Register
from gaddum.population.printed_constants import PrintedConstant
from gaddum.population.study_curves import TINY, MeasuredCurve
from gaddum.records.curve import Curve
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug, Mixture
from gaddum.records.library import Library
from gaddum.records.protocol import Subject
from gaddum.records.quantity import Quantity
from gaddum.records.reading import (
    Concentration,
    KineticConstant,
    PublishedModel,
    TimeWindow,
    kind_of,
    measured,
)

FORM = 0.1
"""Standard deviation of the log by which a published model's form may be off, time by time."""
LEAST_ERROR = 0.05
"""Least standard error of the log of a printed constant (1)."""
UNSAID = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 24.0)
"""Times (h) at which a published model is drawn where its paper's own are not known."""
LEAST_SHARE = 0.05
"""Share of its highest level from which a published model's course counts."""
_MODEL_DRAWS = 512


class CannotUse(Exception):
    """Why a reading is not used."""


def concentration(
    curve: Curve, reading: Concentration, library: Library, register: Register
) -> tuple[str, MeasuredCurve, Literal["ng/mL", "nM"]]:
    """Concentrations in plasma as they were read, with their label and unit; or `CannotUse`."""
    doses = reading.doses or curve.doses
    numbers = list(measured(reading, curve.doses))
    if reading.sampling not in ("arterial", "venous", "unstated"):
        raise CannotUse(f"it was read in {reading.sampling}")
    if any(isinstance(one.time, TimeWindow) for one in numbers):
        raise CannotUse("its hours are windows")
    times = np.array([units.magnitude(str(one.time), "time") for one in numbers])
    unit = _unit(reading.unit)
    ligands = _ligands(curve, doses, reading.drug, unit, library, register)
    one = MeasuredCurve(
        0,
        ligands,
        "arterial" if reading.sampling == "arterial" else "venous",
        times,
        np.array(
            [units.magnitude(f"{one.published.value!r} {reading.unit}", "concentration") for one in numbers]
        ),
        np.array([_error(one.published) for one in numbers]),
        np.array([one.below for one in numbers]),
    )
    return f"{reading.drug}, {one.site} plasma", one, unit


def printed_constant(
    curve: Curve, reading: KineticConstant, library: Library, register: Register
) -> PrintedConstant:
    """A constant that a paper printed, of its study's own; or `CannotUse`."""
    if "/" in reading.name and not any(reading.drug in _parts(name, library) for name in curve.given):
        raise CannotUse(f"{reading.drug} was formed and not given, so that it is over another fraction")
    drugs = [drug for drug, _ in library.species(reading.drug)] if reading.drug in library.drugs else []
    route = reading.route or ("iv bolus" if "/" not in reading.name else "po")
    if not drugs:
        raise CannotUse(f"the library does not have {reading.drug}")
    parts: list[Ligand] = []
    for drug in drugs:
        dose = Dose.model_validate(
            {
                "drug": drug.name,
                "amount": "1 mg",
                "route": route,
                "duration": "1 h" if route == "iv infusion" else None,
            }
        )
        try:
            plan = plan_regimen((dose,), _subject(curve), library, wanted={drug.name}, register=register)
        except ValueError as error:
            raise CannotUse(str(error)) from error
        parts += plan.ligands
    if any(part.is_saturable for part in parts):
        raise CannotUse("elimination that saturates has no clearance")
    needed = {"k_a": "k_a", "lag": "lag", "f": "f"}.get(reading.name)
    if needed and any(getattr(part.inputs[0], needed) < 0 for part in parts):
        raise CannotUse(f"the library's route {route} has no {needed}")
    also = {one.name for one in curve.readings if isinstance(one, KineticConstant)}
    if reading.name == "v_c" and also & {"v_ss", "v_z"} and not all(part.bodies[0].v_p for part in parts):
        raise CannotUse(
            "its paper tells it from the volume of the whole, and the library's body is one compartment"
        )
    published = reading.published
    text = f"{published.value!r} {published.unit}"
    kind = kind_of(reading)
    value = units.magnitude(text, kind)
    if not value > 0:
        raise CannotUse(f"a {reading.name} of {published.value:g} has no logarithm")
    reference = _reference(curve, drugs[0])
    own = reference
    if curve.weight is not None:
        own = units.magnitude(f"{curve.weight.value} {curve.weight.unit}", "mass")
    if units.canonical_unit(text, kind).endswith("/kg"):
        value *= reference if _is_per_kg(curve, drugs[0]) else own
    elif kind in ("clearance", "volume") and _is_per_kg(curve, drugs[0]):
        value *= reference / own
    log_value = float(np.log(value))
    return PrintedConstant(0, reading.name, tuple(parts), log_value, max(_error(published), LEAST_ERROR))


def published_model(
    curve: Curve, reading: PublishedModel, library: Library, register: Register
) -> tuple[str, MeasuredCurve, Literal["ng/mL", "nM"]]:
    """The typical course of a model that a paper fitted, with its label and unit; or `CannotUse`."""
    doses = reading.doses or curve.doses
    if not doses:
        raise CannotUse("no dose is given for its typical course")
    if reading.disposition.saturable is not None:
        raise CannotUse("its elimination saturates, and a fit's kinetics are linear")
    drug = library.drugs.get(reading.drug)
    if not isinstance(drug, Drug):
        raise CannotUse("a published model must be of one chemical species that the library has")
    ligands = _ligands(curve, doses, reading.drug, "nM", library, register)
    its = drug.model_copy(update={"disposition": {curve.species: reading.disposition}, "metabolites": {}})
    own, there = Register(), Library(library.targets, {**library.drugs, drug.name: its})
    times = np.array([units.magnitude(time, "time") for time in reading.times] or UNSAID)
    try:
        plan = plan_regimen(doses, _subject(curve), there, wanted={drug.name}, register=own)
    except ValueError as error:
        raise CannotUse(str(error)) from error
    names = [one.name for one in own.parameters]
    theta = even_draws(names, own.table(), _MODEL_DRAWS, 0)
    levels = np.log(np.maximum(concentrations(plan, theta, times, site="arterial").sum(axis=0), TINY))
    # Before a lag is over, or the first of a dose is there, a course of logs says nothing of use.
    middle = np.median(levels, axis=1)
    there = middle > middle.max() + np.log(LEAST_SHARE)
    times, levels, middle = times[there], levels[there], middle[there]
    site = "arterial" if reading.disposition.sampling == "arterial" else "venous"
    one = MeasuredCurve(
        0,
        ligands,
        site,
        times,
        np.exp(middle),
        np.zeros(len(times)),
        np.zeros(len(times), bool),
        np.atleast_2d(np.cov(levels)) + FORM**2 * np.eye(len(times)),
    )
    return f"{reading.drug}, published model", one, "nM"


def _ligands(
    curve: Curve,
    doses: Sequence[Dose],
    analyte: str,
    unit: Literal["ng/mL", "nM"],
    library: Library,
    register: Register,
) -> tuple[tuple[Ligand, float], ...]:
    """Ligands that add up to what was measured, each with what turns nM into its unit."""
    lacking = [name for name in (analyte, *(dose.drug for dose in doses)) if name not in library.drugs]
    if lacking:
        raise CannotUse(f"the library does not have {', '.join(dict.fromkeys(lacking))}")
    parts = {drug.name: drug for drug, _ in library.species(analyte)}
    try:
        plan = plan_regimen(
            tuple(doses),
            _subject(curve),
            library,
            wanted=set(parts),
            register=register,
        )
    except ValueError as error:
        raise CannotUse(str(error)) from error
    if any(ligand.is_saturable for ligand in plan.ligands):
        raise CannotUse("elimination that saturates has no closed form to fit")
    if set(parts) - {ligand.drug for ligand in plan.ligands}:
        raise CannotUse(f"the doses do not form {analyte} in the library")
    factors = {name: one.molar_mass.value / 1e3 if unit == "ng/mL" else 1.0 for name, one in parts.items()}
    return tuple(
        (ligand, factors[ligand.drug] * _by_weight(curve, doses, library.drugs[ligand.parent]))
        for ligand in plan.ligands
    )


def _parts(name: str, library: Library) -> set[str]:
    """The drug itself, and the chemical species that it consists of."""
    return {name} | ({drug.name for drug, _ in library.species(name)} if name in library.drugs else set())


def _by_weight(curve: Curve, doses: Sequence[Dose], drug: Drug | Mixture) -> float:
    """What turns levels in the subject of the library's constants into those in who was dosed.

    Constants per kg grow with the weight, so that an absolute dose is diluted by it and one per kg is not; constants of
    the whole body do not, so that a dose per kg is more in a heavier subject.
    """
    if curve.weight is None or not isinstance(drug, Drug):
        return 1.0
    own = units.magnitude(f"{curve.weight.value} {curve.weight.unit}", "mass") / _reference(curve, drug)
    dosed_per_kg = units.canonical_unit(doses[0].amount, "dose").endswith("/kg")
    if _is_per_kg(curve, drug):
        return 1.0 if dosed_per_kg else 1 / own
    return own if dosed_per_kg else 1.0


def _is_per_kg(curve: Curve, drug: Drug) -> bool:
    body = drug.disposition.get(curve.species)
    return body is not None and any(one.unit.endswith("/kg") for one in body.v_c)


def _reference(curve: Curve, drug: Drug) -> float:
    """Weight (kg) of the subject that the register's constants are of."""
    body = drug.disposition.get(curve.species)
    stated = None if body is None else body.reference_weight
    if stated is not None:
        return units.magnitude(f"{stated.value} {stated.unit}", "mass")
    return ADULT_WEIGHT.get(curve.species, 1.0)


def _subject(curve: Curve) -> Subject:
    return Subject(species=curve.species, paradigm="none", preparation="behaving")


def _unit(text: str) -> Literal["ng/mL", "nM"]:
    return "ng/mL" if units.canonical_unit(f"1 {text}", "concentration") == "ng/mL" else "nM"


def _error(published: Quantity) -> float:
    """Standard error of the log of a mean; a spread over subjects is divided by the root of their number."""
    spread = published.spread
    if spread is None or published.gsd is None:
        return 0.0
    is_of_mean = spread.kind in ("SEM", "RSE", "CI95", "CI90", "CI80") or spread.reason is not None
    return float(np.log(published.gsd)) / (1.0 if is_of_mean else np.sqrt(published.n or 1))
