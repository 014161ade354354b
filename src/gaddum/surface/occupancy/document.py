"""Engagement as a document: what `gaddum occupancy --json` prints, and figure, page and table are made from.

Every curve is ``{"time_h": [...], "median": [...], "lower": [...], "upper": [...]}``, lists of one length; fractions of
receptors from 0 to 1, concentrations in nM. Occupancies have two bands, whose meaning stands under ``bands``: that of
the truth, and ``reading_lower`` and ``reading_upper``, which may lie beyond 0 and 1 as scans do.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from gaddum import __version__
from gaddum.engagement.duration import time_above
from gaddum.engagement.humps import two_humps
from gaddum.engagement.layout import Layout, first_dose, last_dose, lay_out
from gaddum.engagement.occupancy import SPAN, ProtocolOccupancy, TargetCourse, band, curve_times, follow
from gaddum.engagement.reading_band import read_occupancies
from gaddum.engagement.selectivity import selectivity
from gaddum.records.dose import Dose
from gaddum.records.usual_dose import doubtful_doses
from gaddum.surface.occupancy.evidence import BANDS, met_rows, standing_rows
from gaddum.surface.occupancy.protocols import DosedSubject
from gaddum.surface.occupancy.request import DosingRequest, OccupancyRequest

if TYPE_CHECKING:
    from gaddum.response.simulate import Simulation

_USUAL = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 24.0, 48.0, 72.0, 168.0)
"""Times for the table, where none are asked for (h from the test drug)."""
_MOST_TICKS = 200


def describe(given: DosedSubject, asked: OccupancyRequest, until: float) -> tuple[dict[str, Any], Layout]:
    """Follow one protocol and describe what it does.

    Parameters
    ----------
    given : DosedSubject
        Doses and subject.
    asked : OccupancyRequest
        Targets, times, draws.
    until : float
        End of the curves (h).

    Returns
    -------
    tuple of dict and Layout
        The protocol's part of the document, and the protocol laid out, for further questions.
    """
    layout = lay_out(
        given.doses, targets=asked.target_names, draws=asked.draws, seed=asked.seed, **given.setting
    )
    tests = tuple(t for _, t in given.tests if t >= first_dose(layout.doses))
    at = np.array(asked.times or tests)
    _check_times(at, layout)
    grid = curve_times(layout, until=until)
    every = np.union1d(np.union1d(grid, at), tabled(grid))
    found = follow(layout, every)
    read = np.isin(every, at) if at.size else np.isin(every, grid)

    def occupied(course: TargetCourse, read: np.ndarray) -> dict[str, Any]:
        of_reading = band(read_occupancies(course.occupied[read], None, asked.seed))
        limits = {"reading_lower": of_reading.lower.tolist(), "reading_upper": of_reading.upper.tolist()}
        return curve_of(every, course.occupied, read) | limits

    document = {
        "protocol": found.protocol,
        "label": given.label,
        "species": given.species,
        "weight": given.weight,
        "preparation": given.preparation,
        "targets": {name: occupied(c, read) for name, c in found.targets.items()},
        "blocked": {name: curve_of(every, c.blocked, read) for name, c in found.targets.items()},
        "activated": {name: curve_of(every, c.activated, read) for name, c in found.targets.items()},
        "tone": {
            name: curve_of(every, c.tone, np.isin(every, at if at.size else tabled(grid)))
            for name, c in found.targets.items()
            if name in given.tone
        },
        "ligands": {
            name: {drug: curve_of(every, held, read) for drug, held in c.by_ligand.items()}
            for name, c in found.targets.items()
        },
        "concentrations": {
            drug: curve_of(every, level, read) | {"unit": "nM, unbound in brain"}
            for drug, level in found.concentrations.items()
        },
        "curves": {name: occupied(c, np.isin(every, grid)) for name, c in found.targets.items()},
        "table": {
            name: occupied(c, np.isin(every, at if at.size else tabled(grid)))
            for name, c in found.targets.items()
        },
        "humps": {
            name: humps
            for name, c in found.targets.items()
            if (humps := _humps(every, c.occupied, np.isin(every, grid)))
        },
        "met": met_rows(
            dict.fromkeys(dose.drug for dose in layout.doses),
            tuple(found.targets),
            given.species,
            given.library,
        ),
        "standing": standing_rows(layout, given.library),
        "selectivity": _selectivity(found, at if at.size else tabled(grid), _given(layout)),
        "doses": dose_ticks(layout.doses),
        "tests": [{"endpoint": name, "time_h": t} for name, t in given.tests],
        **rests_on(found),
        "notes": [
            *given.notes,
            *_not_followed(given, layout),
            *doubtful_doses(given.doses, given.species, given.library),
        ],
    }
    if asked.above is not None:
        document["above"] = _above(found, asked.above)
    return document, layout


def _not_followed(given: DosedSubject, layout: Layout) -> list[str]:
    """What is said of targets that are not followed."""
    told = [f"the tone of {name}" for name in given.tone if name not in layout.rests]
    told += [
        f"{one.kind} of {one.target}"
        for one in given.manipulations
        if (one.availability or one.tone) and one.target not in layout.rests
    ]
    followed = ", ".join(layout.rests)
    return [f"{what} is not followed, only what is at {followed}" for what in told]


def common_end(given: Sequence[DosedSubject], asked: DosingRequest) -> float:
    """Where the curves of all protocols end: by default a day after the last dose, and after all readings (h)."""
    if asked.end is not None:
        return asked.end
    last = max(last_dose(one.doses) for one in given)
    first = min(first_dose(one.doses) for one in given)
    tests = [time for one in given for _, time in one.tests]
    return max([last + max(24.0, 0.5 * (last - first)), *asked.times, *tests])


def collect(parts: Sequence[dict[str, Any]], asked: OccupancyRequest) -> dict[str, Any]:
    """Put the parts of all protocols into one document; a single protocol's are at the top too."""
    document: dict[str, Any] = {"protocols": list(parts)}
    if len(parts) == 1:
        document = parts[0] | document
    said = {"command": asked.command(), "draws": asked.draws, "seed": asked.seed, "span": SPAN}
    return document | {
        "bands": BANDS,
        "manifest": {"version": __version__, **said},
        **said,
    }


def rests_on(found: "ProtocolOccupancy | Simulation") -> dict[str, list[dict[str, str]]]:
    """What was taken for granted, with the numbers whose only source is an assumption; and every parameter."""
    taken = [one._asdict() for one in found.assumptions]
    numbers = [
        {"where": one.name, "what": one.distribution, "reason": one.source.replace("assumption: ", "")}
        for one in found.parameters
        if all(part.startswith("assumption") for part in one.source.split("; ") if ": " in part)
    ]
    keys = ("name", "distribution", "unit", "source", "reason")
    parameters = [{key: getattr(one, key) for key in keys} for one in found.parameters]
    return {"assumptions": taken + numbers, "parameters": parameters}


def _check_times(at: np.ndarray, layout: Layout) -> None:
    first = first_dose(layout.doses)
    early = at[at < first]
    if early.size:
        raise ValueError(
            f"A reading must not come before the first dose ({first:g} h); got {early[0]:g} h. Times count from the "
            "test drug, as those of the doses do."
        )


def tabled(grid: np.ndarray) -> np.ndarray:
    """Times at which a table reads curves where none are asked for (h)."""
    usual = np.array(_USUAL)
    kept = usual[(usual > grid[0]) & (usual <= grid[-1] + 1e-9)]
    return kept if kept.size else grid[-1:]


def curve_of(times: np.ndarray, draws: np.ndarray, read: np.ndarray) -> dict[str, Any]:
    """Median and band of draws at the times that are read."""
    one = band(draws[read])
    return {
        "time_h": times[read].tolist(),
        "median": one.median.tolist(),
        "lower": one.lower.tolist(),
        "upper": one.upper.tolist(),
    }


def _given(layout: Layout) -> set[str]:
    """Ligands that are given, not formed."""
    return {one.drug for one in layout.plan.ligands if one.drug == one.parent}


def _selectivity(found: ProtocolOccupancy, at: np.ndarray, given: set[str]) -> list[dict[str, Any]]:
    """Fold-selectivity of every ligand between the targets that it binds."""
    read = np.isin(found.times, at)
    rows: list[dict[str, Any]] = []
    for first, second in combinations(found.targets, 2):
        shared = [d for d in found.targets[first].by_ligand if d in found.targets[second].by_ligand]
        for ligand in shared:
            folds = selectivity(found, first, second, ligand=ligand)[read]
            if np.isnan(folds).all():
                continue
            usable = np.asarray(~np.isnan(folds).any(axis=1))
            one = curve_of(found.times[read], folds, usable)
            if one["median"] and max(one["median"]) < 1:  # name the preferred target first
                first_, second_, inverse = second, first, 1 / folds
                one = curve_of(found.times[read], inverse, usable)
            else:
                first_, second_ = first, second
            rows.append({"ligand": ligand, "given": ligand in given, "over": [first_, second_], **one})
    return rows


def _humps(every: np.ndarray, occupied: np.ndarray, read: np.ndarray) -> list[dict[str, Any]]:
    """Curves of two humps, the upper first, with their shares and when they differ most; none where there is one."""
    found = two_humps(occupied[read])
    if found is None:
        return []
    return [
        {"share": float(one.mean()), "at": found.at, **curve_of(every, occupied[:, one], read)}
        for one in (found.upper, ~found.upper)
    ]


def _above(found: ProtocolOccupancy, level: float) -> dict[str, Any]:
    """Hours above a level, per target; capped by the end of the curve."""
    rows = {}
    for name, course in found.targets.items():
        hours = time_above(found.times, course.occupied, level)
        lower, median, upper = np.quantile(hours, [0.5 - SPAN / 2, 0.5, 0.5 + SPAN / 2])
        still = float(np.mean(course.occupied[-1] >= level))
        rows[name] = {"median_h": median, "lower_h": lower, "upper_h": upper, "still_above": still}
    return {"level": level, "until_h": float(found.times[-1]), "targets": rows}


def dose_ticks(doses: Sequence[Dose]) -> list[dict[str, Any]]:
    """Every dose of a protocol, for marks on a chart."""
    return [
        {
            "drug": dose.drug,
            "amount": dose.amount,
            "route": dose.route,
            "time_h": time,
            "end_h": time + length,
        }
        for dose in doses
        for length in (dose.duration_h or 0.0,)
        for time in dose.times_h[:_MOST_TICKS]
    ]
