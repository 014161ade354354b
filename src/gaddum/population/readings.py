"""Readings: curves of several papers -> what a population fit learns from, and what of them it cannot use, said.

One paper is one study. What it read of a concentration in plasma is taken as it stands; the kinetics that it fitted
enter as its typical course at the times at which it sampled, with the error that its printed errors give and a tenth
for its form.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum import units
from gaddum.exposure.concentrations import concentrations
from gaddum.exposure.plan import Ligand
from gaddum.exposure.regimen import plan_regimen
from gaddum.exposure.scaling import ADULT_WEIGHT
from gaddum.numerics.variates import even_draws
from gaddum.parameter_registry import Register
from gaddum.parameters import Parameter, log_quantiles
from gaddum.population.hierarchy import BETWEEN, Hierarchy, centred
from gaddum.population.printed_constants import PrintedConstant
from gaddum.population.study_curves import TINY, Kind, MeasuredCurve, kinetic_constants, lay_study_curves
from gaddum.records.curve import Curve
from gaddum.records.dose import Dose
from gaddum.records.drug import Drug
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
from gaddum.records.species import Species

FORM = 0.1
"""Standard deviation of the log by which a published model's form may be off, time by time."""
FORGOTTEN = 1.1
"""Prior standard deviation of the log of a constant of which only papers told whose curves are in the fit."""
LEAST_ERROR = 0.05
"""Least standard error of the log of a printed constant (1)."""
UNSAID = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 24.0)
"""Times (h) at which a published model is drawn where its paper's own are not known."""
LEAST_SHARE = 0.05
"""Share of its highest level from which a published model's course counts."""
_MODEL_DRAWS = 512


class Unused(NamedTuple):
    """A reading that no fit uses, and why."""

    curve: str
    reading: str
    reason: str


class PopulationData(NamedTuple):
    """What a population fit learns from."""

    hierarchy: Hierarchy
    papers: tuple[str, ...]
    """The studies, in order."""
    used: tuple[str, ...]
    """Curves of which anything was used, by their ids."""
    curves: tuple[str, ...]
    """Curve that each of the measured ones is of."""
    measured: tuple[MeasuredCurve, ...]
    """In the unit of its values: ng/mL, or nM."""
    labels: tuple[str, ...]
    """What each is of."""
    units: tuple[Literal["ng/mL", "nM"], ...]
    log_weights: Float[np.ndarray, " constants"]
    """Log of the body weight (kg) by which each constant was multiplied that is reported per kg; 0 of others."""
    unused: tuple[Unused, ...]


def population_data(curves: Sequence[Curve], species: Species, library: Library) -> PopulationData:
    """Lay the curves of one drug in a species out.

    Parameters
    ----------
    curves : sequence of Curve
        Of the drug's family; those of other species are left aside.
    species : str
        Whose kinetics are fitted.
    library : Library
        Drugs; their structure is the fit's, their constants its prior.

    Raises
    ------
    ValueError
        Where no curve can be used.
    """
    mine = [curve for curve in curves if curve.species == species]
    papers = tuple(dict.fromkeys(curve.paper for curve in mine))
    register, unused = Register(), list[Unused]()
    found: list[tuple[str, str, MeasuredCurve, Literal["ng/mL", "nM"]]] = []
    printed: list[tuple[str, PrintedConstant]] = []
    for curve in mine:
        for reading in curve.readings:
            what = reading.kind
            try:
                if not curve.counted and curve.tolerance is None:
                    raise _CannotUse(curve.reason or "it is not counted")
                if isinstance(reading, Concentration):
                    what, one, unit = _concentration(curve, reading, library, register)
                elif isinstance(reading, PublishedModel):
                    _only(curve, mine, Concentration)
                    what, one, unit = _published(curve, reading, library, register)
                elif isinstance(reading, KineticConstant):
                    what = f"{reading.name} of {reading.drug}"
                    _only(curve, mine, Concentration, PublishedModel)
                    constant = _constant(curve, reading, library, register)
                    printed.append((curve.id, constant._replace(study=papers.index(curve.paper))))
                    continue
                else:
                    raise _CannotUse("a fit learns from concentrations, published models and constants")
            except _CannotUse as reason:
                unused.append(Unused(curve.id, what, str(reason)))
                continue
            found.append((curve.id, what, one._replace(study=papers.index(curve.paper)), unit))
    held = {one.study for *_, one, _ in found} | {one.study for _, one in printed}
    if not held:
        said = "; ".join(f"{one.curve}: {one.reason}" for one in unused) or f"no curve in {species}"
        raise ValueError(
            f"A fit needs concentrations in plasma, a published model or constants; got none ({said}). Add one."
        )
    used = tuple(paper for number, paper in enumerate(papers) if number in held)

    def place(study: int) -> int:
        return used.index(papers[study])

    all_measured = tuple(one._replace(study=place(one.study)) for *_, one, _ in found)
    all_printed = tuple(one._replace(study=place(one.study)) for _, one in printed)
    parameters, known_of = tuple(register.parameters), register.printed
    laid = lay_study_curves(all_measured, len(used), len(parameters), all_printed)
    ligands = [ligand for one in all_measured for ligand, _ in one.ligands]
    kinds = kinetic_constants([*ligands, *(part for one in all_printed for part in one.parts)])
    touched = np.any(laid.touched, axis=0)
    names = tuple(dict.fromkeys([*(name for name, *_ in found), *(name for name, _ in printed)]))
    keys = _keys([curve for curve in mine if curve.id in names])
    centre = np.array([_prior(one, register, at in kinds, keys) for at, one in enumerate(parameters)])
    varying: dict[int, Kind] = {at: kind for at, kind in kinds.items() if touched[at]}
    return PopulationData(
        centred(Hierarchy(parameters, centre, varying, laid, np.zeros((len(used), len(varying)), bool))),
        used,
        names,
        tuple(name for name, *_ in found),
        all_measured,
        tuple(what for _, what, *_ in found),
        tuple(unit for *_, unit in found),
        np.array([0.0 if one.name not in known_of else known_of[one.name].log_weight for one in parameters]),
        tuple(unused),
    )


class _CannotUse(Exception):
    """Why a reading is not used."""


def _concentration(
    curve: Curve, reading: Concentration, library: Library, register: Register
) -> tuple[str, MeasuredCurve, Literal["ng/mL", "nM"]]:
    doses = reading.doses or curve.doses
    numbers = list(measured(reading, curve.doses))
    if reading.sampling not in ("arterial", "venous", "unstated"):
        raise _CannotUse(f"it was read in {reading.sampling}")
    if any(isinstance(one.time, TimeWindow) for one in numbers):
        raise _CannotUse("its hours are windows")
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


def _only(curve: Curve, every: Sequence[Curve], *kinds: type) -> None:
    """A paper enters once: where it has readings of the better kinds, others say the same again."""
    for other in every:
        if other.paper == curve.paper and any(isinstance(one, kinds) for one in other.readings):
            raise _CannotUse("a better account of the same paper is used")


def _constant(
    curve: Curve, reading: KineticConstant, library: Library, register: Register
) -> PrintedConstant:
    drugs = [drug for drug, _ in library.species(reading.drug)] if reading.drug in library.drugs else []
    route = reading.route or ("iv bolus" if "/" not in reading.name else "po")
    if not drugs:
        raise _CannotUse(f"the library does not have {reading.drug}")
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
            plan = plan_regimen(
                (dose,), _subject(curve, drug), library, wanted={drug.name}, register=register
            )
        except ValueError as error:
            raise _CannotUse(str(error)) from error
        parts += plan.ligands
    if any(part.is_saturable for part in parts):
        raise _CannotUse("elimination that saturates has no clearance")
    needed = {"k_a": "k_a", "lag": "lag", "f": "f"}.get(reading.name)
    if needed and any(getattr(part.inputs[0], needed) < 0 for part in parts):
        raise _CannotUse(f"the library's route {route} has no {needed}")
    published = reading.published
    text = f"{published.value!r} {published.unit}"
    kind = kind_of(reading)
    value = units.magnitude(text, kind)
    if units.canonical_unit(text, kind).endswith("/kg"):
        value *= _weight_of(curve, register, parts)
    log_value = float(np.log(value))
    return PrintedConstant(0, reading.name, tuple(parts), log_value, max(_error(published), LEAST_ERROR))


def _weight_of(curve: Curve, register: Register, parts: Sequence[Ligand]) -> float:
    """Weight (kg) of the subject that the register's constants are of."""
    if curve.weight is not None:
        return units.magnitude(f"{curve.weight.value} {curve.weight.unit}", "mass")
    return ADULT_WEIGHT.get(curve.species, 1.0)


def _published(
    curve: Curve, reading: PublishedModel, library: Library, register: Register
) -> tuple[str, MeasuredCurve, Literal["ng/mL", "nM"]]:
    doses = reading.doses or curve.doses
    if not doses:
        raise _CannotUse("no dose is given for its typical course")
    if reading.disposition.saturable is not None:
        raise _CannotUse("its elimination saturates, and a fit's kinetics are linear")
    drug = library.drug(reading.drug)
    if not isinstance(drug, Drug):
        raise _CannotUse("a published model must be of one chemical species")
    ligands = _ligands(curve, doses, reading.drug, "nM", library, register)
    its = drug.model_copy(update={"disposition": {curve.species: reading.disposition}, "metabolites": {}})
    own, there = Register(), Library(library.targets, {**library.drugs, drug.name: its})
    times = np.array([units.magnitude(time, "time") for time in reading.times] or UNSAID)
    try:
        plan = plan_regimen(doses, _subject(curve, drug), there, wanted={drug.name}, register=own)
    except ValueError as error:
        raise _CannotUse(str(error)) from error
    names = [one.name for one in own.parameters]
    theta = even_draws(names, own.table(), _MODEL_DRAWS, 0)
    levels = np.log(np.maximum(concentrations(plan, theta, times, site="arterial").sum(axis=0), TINY))
    # Before a lag is over, or the first of a dose is there, a course of logs says nothing of use.
    middle = np.median(levels, axis=1)
    there = middle > middle.max() + np.log(LEAST_SHARE)
    times, levels, middle = times[there], levels[there], middle[there]
    site = "venous" if reading.disposition.sampling == "venous" else "arterial"
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
    parts = {drug.name: drug for drug, _ in library.species(analyte)}
    lacking = [dose.drug for dose in doses if dose.drug not in library.drugs]
    if lacking or not parts:
        raise _CannotUse(f"the library does not have {', '.join(lacking) or analyte}")
    try:
        plan = plan_regimen(
            tuple(doses),
            _subject(curve, next(iter(parts.values()))),
            library,
            wanted=set(parts),
            register=register,
        )
    except ValueError as error:
        raise _CannotUse(str(error)) from error
    if any(ligand.is_saturable for ligand in plan.ligands):
        raise _CannotUse("elimination that saturates has no closed form to fit")
    if set(parts) - {ligand.drug for ligand in plan.ligands}:
        raise _CannotUse(f"the doses do not form {analyte} in the library")
    factors = {name: one.molar_mass.value / 1e3 if unit == "ng/mL" else 1.0 for name, one in parts.items()}
    return tuple((ligand, factors[ligand.drug]) for ligand in plan.ligands)


def _subject(curve: Curve, drug: Drug) -> Subject:
    """Who was dosed; where the library's volumes are per kg a weight would cancel, and is left aside."""
    body = drug.disposition.get(curve.species)
    per_kg = body is not None and any(one.unit.endswith("/kg") for one in body.v_c)
    weight = None if per_kg else curve.weight
    return Subject(species=curve.species, paradigm="none", weight=weight, preparation="behaving")


def _unit(text: str) -> Literal["ng/mL", "nM"]:
    return "ng/mL" if units.canonical_unit(f"1 {text}", "concentration") == "ng/mL" else "nM"


def _error(published: Quantity) -> float:
    """Standard error of the log of a mean; a spread over subjects is divided by the root of their number."""
    spread = published.spread
    if spread is None or published.gsd is None:
        return 0.0
    is_of_mean = spread.kind in ("SEM", "CI95", "CI90", "CI80") or spread.reason is not None
    return float(np.log(published.gsd)) / (1.0 if is_of_mean else np.sqrt(published.n or 1))


def _keys(curves: Sequence[Curve]) -> set[str]:
    """By what the papers of curves are known again: DOIs and PMIDs."""
    return {key for curve in curves for one in _sources(curve) for key in (one.doi, one.pmid) if key}


def _sources(curve: Curve) -> Iterator:
    for reading in curve.readings:
        if isinstance(reading, Concentration):
            yield reading.source
        elif isinstance(reading, KineticConstant):
            yield reading.published.source
        elif isinstance(reading, PublishedModel):
            yield from (one.source for one in reading.disposition.v_c)


def _prior(
    parameter: Parameter, register: Register, varies: bool, papers: set[str]
) -> Float[np.ndarray, " grid"]:
    """Log quantiles of the typical value of a constant over studies.

    Every report is one study's, hence as far off as studies lie apart. Reports of papers whose curves are in the fit
    are left out; where no other is left they only say where to begin.
    """
    printed = register.printed.get(parameter.name)
    if printed is None or not varies:
        return parameter.nodes
    rest = np.array(
        [not any(key in one.source.model_dump_json() for key in papers) for one in printed.reports]
    )
    if not rest.any():
        return log_quantiles(printed.medians.mean(keepdims=True), np.array([FORGOTTEN]))
    return log_quantiles(printed.medians[rest], np.hypot(printed.spreads[rest], BETWEEN))
