"""Readings: curves of several papers -> what a population fit learns from, and what of them it cannot use, said.

One paper is one study. What it read of a concentration in plasma is taken as it stands; the kinetics that it fitted
enter as its typical course at the times at which it sampled, with the error that its printed errors give and a tenth
for its form.
"""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.parameter_registry import Register
from gaddum.parameters import Parameter, log_quantiles
from gaddum.population.hierarchy import Hierarchy
from gaddum.population.paper_accounts import CannotUse, concentration, printed_constant, published_model
from gaddum.population.printed_constants import PrintedConstant
from gaddum.population.study_curves import (
    BETWEEN,
    Kind,
    MeasuredCurve,
    kinetic_constants,
    lay_study_curves,
    logits,
)
from gaddum.population.study_modes import study_modes
from gaddum.records.curve import Curve
from gaddum.records.library import Library
from gaddum.records.papers import paper_keys
from gaddum.records.reading import (
    Concentration,
    KineticConstant,
    PublishedModel,
)
from gaddum.records.species import Species

FORGOTTEN = 1.1
"""Prior standard deviation of the log of a constant of which only papers told whose curves are in the fit."""
USED = (Concentration, PublishedModel, KineticConstant)
"""Kinds of readings that a fit learns from."""


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
    library: Float[np.ndarray, "papers constants grid"]
    """Log quantiles by the drug's file without what it has from each paper; nothing but a wide guess where it has no
    other."""


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
    taken: dict[str, type] = {}
    # A paper enters once, by the best of its accounts that can be used.
    for kind in (Concentration, PublishedModel, KineticConstant, object):
        for curve in mine:
            for reading in curve.readings:
                if not isinstance(reading, kind) or (kind is object and isinstance(reading, USED)):
                    continue
                what = (
                    f"{reading.name} of {reading.drug}"
                    if isinstance(reading, KineticConstant)
                    else reading.kind
                )
                study = papers.index(curve.paper)
                try:
                    if not curve.counted and curve.tolerance is None:
                        raise CannotUse(curve.reason or "it is not counted")
                    if taken.get(curve.paper, kind) is not kind and kind is not object:
                        raise CannotUse("a better account of the same paper is used")
                    if isinstance(reading, Concentration):
                        what, one, unit = concentration(curve, reading, library, register)
                        found.append((curve.id, what, one._replace(study=study), unit))
                    elif isinstance(reading, PublishedModel):
                        what, one, unit = published_model(curve, reading, library, register)
                        found.append((curve.id, what, one._replace(study=study), unit))
                    elif isinstance(reading, KineticConstant):
                        constant = printed_constant(curve, reading, library, register)
                        printed.append((curve.id, constant._replace(study=study)))
                    else:
                        raise CannotUse("a fit learns from concentrations, published models and constants")
                    taken[curve.paper] = kind
                except CannotUse as reason:
                    unused.append(Unused(curve.id, what, str(reason).rstrip(".")))
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
    of_paper = [_keys([curve for curve in mine if curve.paper == paper]) for paper in used]
    filed = np.array([[_reports(one, register, keys, 0.0) for one in parameters] for keys in of_paper])
    varying: dict[int, Kind] = {at: kind for at, kind in kinds.items() if touched[at]}
    for at in (at for at, kind in varying.items() if kind == "fraction"):
        centre[at] = logits(centre[at])
    return PopulationData(
        Hierarchy(parameters, centre, varying, laid, study_modes(laid, centre, varying)),
        used,
        names,
        tuple(name for name, *_ in found),
        all_measured,
        tuple(what for _, what, *_ in found),
        tuple(unit for *_, unit in found),
        np.array([0.0 if one.name not in known_of else known_of[one.name].log_weight for one in parameters]),
        tuple(unused),
        filed,
    )


def _keys(curves: Sequence[Curve]) -> set[str]:
    """By what the papers of curves are known again: their names, DOIs, PMIDs and the like in what a source cites."""
    sources = [one for curve in curves for one in _sources(curve)]
    return paper_keys(sources) | {curve.paper for curve in curves}


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
    return _reports(parameter, register, papers, BETWEEN) if varies else parameter.nodes


def _reports(
    parameter: Parameter, register: Register, papers: set[str], apart: float
) -> Float[np.ndarray, " grid"]:
    """Log quantiles by the reports that are of none of some papers, each further off by a standard deviation."""
    printed = register.printed.get(parameter.name)
    if printed is None:
        return parameter.nodes
    rest = np.array(
        [not any(key in one.source.model_dump_json() for key in papers) for one in printed.reports]
    )
    if not rest.any():
        return log_quantiles(printed.medians.mean(keepdims=True), np.array([FORGOTTEN]))
    return log_quantiles(printed.medians[rest], np.hypot(printed.spreads[rest], apart))
