"""Study courses: each study's own course and the band of a new study, over time, for pictures."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.engagement.occupancy import SPAN
from gaddum.population.fit import PopulationFit, predict_logs
from gaddum.population.hierarchy import ASSAY
from gaddum.population.readings import PopulationData
from gaddum.population.study_curves import lay_study_curves

POINTS = 60
DRAWS = 400


class StudyCourse(NamedTuple):
    """One curve: the course of its own study and what a new study may read, in the unit of the curve."""

    time: Float[np.ndarray, " points"]
    own: Float[np.ndarray, " points"]
    """Median of the study's own course."""
    median: Float[np.ndarray, " points"]
    """Median of a new study."""
    truth: Float[np.ndarray, "2 points"]
    """Central 95 % of the mean of a new group in a new study."""
    reading: Float[np.ndarray, "2 points"]
    """Central 95 % of what is read there."""


def study_courses(data: PopulationData, fit: PopulationFit, *, seed: int = 0) -> list[StudyCourse]:
    """Courses of every curve, from its first dose to its last reading."""
    size = len(data.hierarchy.parameters)
    grids = [_grid(one.times) for one in data.measured]
    ones = np.ones(POINTS)
    dense = [
        one._replace(
            times=grid,
            values=one.values.min() * ones,
            errors=0 * ones,
            below=ones < 0,
            form=None,
        )
        for one, grid in zip(data.measured, grids, strict=True)
    ]
    hierarchy = fit.hierarchy._replace(curves=lay_study_curves(dense, len(data.papers), size))
    sample = fit.sample[:, :: max(fit.sample.shape[1] // DRAWS, 1)]
    own = np.median(fit.of_studies(hierarchy, sample), axis=2)
    new = predict_logs(hierarchy, fit.draws(DRAWS, seed))
    noise = np.hypot(fit.sigmas(DRAWS, seed), ASSAY) * np.random.default_rng(seed + 1).standard_normal(
        new.shape
    )
    limits = [0.5 - SPAN / 2, 0.5 + SPAN / 2]
    truth, reading = (np.exp(np.quantile(x, limits, axis=2)) for x in (new, new + noise))
    middle = np.exp(np.median(new, axis=2))
    return [
        StudyCourse(grid, np.exp(own[place]), middle[place], truth[:, place], reading[:, place])
        for place, grid in enumerate(grids)
    ]


def _grid(times: Float[np.ndarray, " times"]) -> Float[np.ndarray, " points"]:
    last = max(float(times[-1]), 0.1)
    first = max(float(times[times > 0].min(initial=last)) / 4, 1e-3)
    even, close = np.linspace(first, last, POINTS), np.geomspace(first, last, POINTS)
    return np.sort(np.concatenate([even[::2], close[1::2]]))
