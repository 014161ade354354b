"""Curves met: how well what the library says of a drug in a species meets what papers read of it.

Readings of concentrations and times are held against the band of a reading, occupancies apart from them. A paper on
which the drug's constants rest tests nothing and is not counted; where a fit of kinetics is used, its left-out scores
are.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from gaddum.engagement.benchmark_readings import Draws, predict
from gaddum.engagement.occupancy import SPAN
from gaddum.engagement.reading_band import read_occupancies, read_others
from gaddum.records.basis import Basis, basis_of, without_own_occupancies
from gaddum.records.curve import Curve, curves_of
from gaddum.records.drug import Drug
from gaddum.records.drug_quantities import quantities
from gaddum.records.library import Library
from gaddum.records.papers import cites_paper, paper_keys
from gaddum.records.reading import (
    AreaRatio,
    Concentration,
    HalfTime,
    Measured,
    Occupancy,
    Peak,
    TimeOfMaximum,
    TimeOfPeak,
)
from gaddum.records.species import Species

DRAWS = 256
"""Draws by which readings are foretold."""
_IN_PLASMA = (Concentration, Peak, TimeOfPeak, AreaRatio)
_AT_TARGETS = (Occupancy, HalfTime, TimeOfMaximum)


class Met(NamedTuple):
    """How readings came out."""

    inside: int
    """In the 95 % band of a reading."""
    readings: int
    studies: int
    """Papers."""
    off: float
    """Median distance of the prediction: of occupancies as a fraction of receptors, of all else a fold."""


class CurvesMet(NamedTuple):
    """How a drug's curves in a species are met, those at one target among them."""

    drug: str
    target: str
    basis: Basis
    plasma: Met | None
    """Concentrations and their peaks; None where no study was read that the constants do not rest on."""
    occupancy: Met | None
    """Occupancies and the times of their rise and fall; None where none was read that the constants do not rest on."""
    predicted: Met | None = None
    """Of a calibrated drug, all its occupancies without any number that was drawn from an occupancy of it."""


def curves_met(
    name: str, targets: Iterable[str], species: Species, library: Library, *, seed: int = 0
) -> list[CurvesMet]:
    """Hold what is predicted against what was read, at every target that a drug binds.

    Parameters
    ----------
    name : str
        Drug or mixture, as it is given.
    targets : iterable of str
        Those that are asked of.
    species : str
        In whom.
    library : Library
        Drugs, targets and fits.
    seed : int
        Of the draws.
    """
    curves = [one for one in curves_of(name, library) if one.species == species and one.counted]
    plasma = _plasma(name, species, curves, library, seed)
    found = []
    for target in targets:
        basis = basis_of(library, name, target, species)
        if basis is None:
            continue
        here = [
            (curve, one)
            for curve in curves
            for one in chosen(curve, _AT_TARGETS)
            if getattr(one.reading, "target", None) == target
        ]
        before = None
        if basis == "calibrated" and here:
            try:
                before = met(here, without_own_occupancies(library, name), seed=seed)
            except ValueError:
                before = None  # nothing else is known of its binding
        tests = [(curve, one) for curve, one in here if not is_used(curve, library)]
        found.append(CurvesMet(name, target, basis, plasma, met(tests, library, seed=seed), before))
    return found


def chosen(curve: Curve, kinds: tuple[type, ...]) -> Iterator[Measured]:
    """Numbers of a curve of some kinds, but for those that lie below a limit."""
    return (one for one in curve.measured if isinstance(one.reading, kinds) and not one.below)


def met(readings: Sequence[tuple[Curve, Measured]], library: Library, *, seed: int = 0) -> Met | None:
    """Hold readings of curves against their bands; None where none can be foretold."""
    inside, papers, off, folds = 0, set[str](), list[float](), list[float]()
    by_doses: dict[tuple, list[Measured]] = {}
    for curve, one in readings:
        by_doses.setdefault((curve.id, one.doses), []).append(one)
    curves = {curve.id: curve for curve, _ in readings}
    for (curve, doses), those in by_doses.items():
        kept = tuple(dict.fromkeys(one.reading for one in those))
        part = curves[curve].model_copy(update={"readings": kept, "doses": doses, "tolerance": None})
        try:
            values = predict(part, library, draws=DRAWS, seed=seed)
        except ValueError:
            continue
        for one, truth in zip(part.measured, values, strict=True):
            if one.below:
                continue
            lower, upper = band_of_reading(one, truth, seed)
            middle, read = float(np.quantile(truth, 0.5, method="inverted_cdf")), one.published.value
            inside += bool(lower <= read <= upper)
            papers.add(curves[curve].paper)
            if isinstance(one.reading, Occupancy):
                off.append(abs(middle - read) * scale_of(one))
            else:
                folds.append(abs(np.log(middle / read)) if middle > 0 and read > 0 else np.inf)
    if not papers:
        return None
    size = float(np.median(off)) if off else float(np.exp(np.median(folds)))
    return Met(inside, len(off) + len(folds), len(papers), size)


def band_of_reading(one: Measured, truth: Draws, seed: int) -> tuple[float, float]:
    """Limits of the band in which a study reads a number, in its unit, from draws of the truth."""
    if isinstance(one.reading, Occupancy):
        drawn = read_occupancies(truth * scale_of(one), one.published.n, seed) / scale_of(one)
    else:
        drawn = read_others(truth, one.published.n, seed)
    lower, upper = np.quantile(drawn, [0.5 - SPAN / 2, 0.5 + SPAN / 2], method="inverted_cdf")
    return float(lower), float(upper)


def scale_of(one: Measured) -> float:
    """What one unit of an occupancy is, as a fraction of receptors."""
    return 0.01 if one.published.unit == "%" else 1.0


def is_used(curve: Curve, library: Library) -> bool:
    """Whether constants of the drugs that a curve is of rest on its paper, so that it foretells nothing.

    An occupancy is used where a number says that it was drawn from occupancies; any other reading where one cites it.
    """
    keys = paper_keys(one.published.source for one in curve.measured) | {curve.paper}
    names = {part for drug in curve.given for part in library.family(drug, curve.species)}
    for name in names:
        drug = library.drugs.get(name)
        if not isinstance(drug, Drug):
            continue
        for path, one, _ in quantities(drug):
            if not cites_paper(one.source, keys):
                continue
            if any(isinstance(row.reading, _AT_TARGETS) for row in curve.measured):
                if one.source.occupancies_of:
                    return True
            elif path[0] != "affinities" and curve.species in path:
                return True
    return False


def _plasma(name: str, species: Species, curves: Sequence[Curve], library: Library, seed: int) -> Met | None:
    fit = next((one for one in library.fits if one.drug == name and one.species == species), None)
    if fit is not None and fit.left_out:
        scores = fit.left_out
        return Met(
            sum(one.inside for one in scores),
            sum(one.readings for one in scores),
            len(scores),
            float(np.median([one.off for one in scores])),
        )
    rows = chain.from_iterable(
        ((curve, one) for one in chosen(curve, _IN_PLASMA)) for curve in curves if not is_used(curve, library)
    )
    return met(list(rows), library, seed=seed)
