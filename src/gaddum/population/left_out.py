"""Left out: how well a fit foretells a paper that it has not seen, beside the drug's file without that paper.

Judged by the joint log density of the paper's readings and by the interval score, so that widening does not pay.

References
----------
Gneiting & Raftery (2007). doi:10.1198/016214506000001437
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.engagement.occupancy import SPAN
from gaddum.population.fit import (
    SAMPLER,
    PopulationFit,
    fit_population,
    library_draws,
    predict_constants,
    predict_logs,
)
from gaddum.population.hierarchy import ASSAY, log_likelihood
from gaddum.population.readings import PopulationData
from gaddum.sampling.settings import Settings

BETWEEN = float(np.log(1.35))
"""Log SD between studies that is added to the library's own bands where these are scored."""
RESIDUAL = float(np.log(1.2))
"""The same of single readings."""
LEVELS = (0.5, 0.8, 0.95)
"""Bands whose coverage is counted."""
DRAWS = 4000


class Foretold(NamedTuple):
    """What was foretold of the readings of one paper, and how it came out; logs."""

    density: float
    """Joint log density of the readings (nats)."""
    interval_score: float
    """Mean over readings of the interval score of the 95 % band (log units)."""
    inside: tuple[int, ...]
    """Readings in the bands of `LEVELS`."""
    width: float
    """Median fold from the lower to the upper limit of the 95 % band."""
    off: float
    """Root mean square of the log of median over reading, as a fold."""


class LeftOutPaper(NamedTuple):
    """One paper left out."""

    paper: str
    readings: int
    fitted: Foretold
    library: Foretold
    """By the drug's file without the paper, with 1.35-fold between studies and 1.2-fold between readings."""
    wider: Foretold
    """By the fit, its bands twice as wide."""
    narrower: Foretold
    """Half as wide."""
    converged: bool


def leave_papers_out(
    data: PopulationData,
    *,
    seed: int = 0,
    settings: Settings = SAMPLER,
    progress: Callable[[str, float], None] | None = None,
) -> tuple[LeftOutPaper, ...]:
    """Foretell every paper from the others; nothing where there is only one."""
    if len(data.papers) < 2:
        return ()
    shared = log_likelihood(data.hierarchy)
    found = []
    for place, paper in enumerate(data.papers):

        def told(text: str, done: float, place: int = place, paper: str = paper) -> None:
            if progress is not None:
                progress(f"without {paper}: {text}", (place + done) / len(data.papers))

        if not _readings(data, place):
            continue  # all below their limit
        fit = fit_population(
            data, without=paper, seed=seed, progress=told, likelihood=shared, settings=settings
        )
        found.append(foretell(data, fit, paper, seed=seed))
    return tuple(found)


def _readings(data: PopulationData, study: int) -> int:
    curves = data.hierarchy.curves
    mine = (curves.study == study)[:, None] & curves.read & ~curves.below
    return int(mine.sum()) + sum(one.study == study for one in curves.printed)


def foretell(data: PopulationData, fit: PopulationFit, paper: str, *, seed: int = 0) -> LeftOutPaper:
    """Hold what a fit without a paper says against its readings."""
    hierarchy = fit.hierarchy
    curves, study = hierarchy.curves, data.papers.index(paper)
    mine = (curves.study == study)[:, None] & curves.read & ~curves.below
    printed = [place for place, one in enumerate(curves.printed) if one.study == study]
    read = np.append(curves.log_values[mine], [curves.printed[place].log_value for place in printed])
    errors = np.append(curves.errors[mine], [curves.printed[place].error for place in printed])
    over_time, form = int(mine.sum()), np.zeros((len(read), len(read)))
    form[:over_time, :over_time] = _forms(data, mine)
    # A reading scatters by the residual; a published model and a printed constant are off as they say.
    scatters = np.append(~np.any(form, axis=1)[:over_time], np.zeros(len(printed), bool)).astype(float)
    random = np.random.default_rng(seed)

    def logs_of(theta: Float[np.ndarray, "constants draws"]) -> Float[np.ndarray, "readings draws"]:
        over = predict_logs(hierarchy, theta)[mine]
        return np.concatenate([over, predict_constants(hierarchy, theta)[printed]])

    def scored(
        logs: Float[np.ndarray, "readings draws"], sigma: Float[np.ndarray, " draws"]
    ) -> tuple[Foretold, ...]:
        own = np.diag(errors**2) + form
        covariance = np.atleast_2d(np.cov(logs)) + own + np.diag(scatters * (np.mean(sigma**2) + ASSAY**2))
        root = np.linalg.cholesky(own + 1e-12 * np.eye(len(read)))
        drawn = logs + scatters[:, None] * np.hypot(sigma, ASSAY) * random.standard_normal(logs.shape)
        drawn = drawn + root @ random.standard_normal(logs.shape)
        middle = np.median(logs, axis=1)
        return tuple(_outcome(read, middle, drawn, by**2 * covariance, by) for by in (1.0, 2.0, 0.5))

    own = scored(logs_of(fit.draws(DRAWS, seed)), fit.sigmas(DRAWS, seed))
    plain = logs_of(library_draws(data, paper, DRAWS, seed))
    plain[:over_time] += BETWEEN * random.standard_normal(DRAWS)
    plain[over_time:] += BETWEEN * random.standard_normal((len(printed), DRAWS))
    before = scored(plain, np.full(DRAWS, RESIDUAL))[0]
    return LeftOutPaper(paper, len(read), own[0], before, own[1], own[2], fit.established)


def _forms(data: PopulationData, mine: np.ndarray) -> Float[np.ndarray, "readings readings"]:
    """Covariance of the logs of published models among the chosen readings; 0 elsewhere."""
    place, found = 0, np.zeros((int(mine.sum()), int(mine.sum())))
    for one, chosen in zip(data.measured, mine, strict=True):
        size = int(chosen.sum())
        if one.form is not None and size:
            found[place : place + size, place : place + size] = one.form
        place += size
    return found


def _outcome(
    read: Float[np.ndarray, " readings"],
    middle: Float[np.ndarray, " readings"],
    drawn: Float[np.ndarray, "readings draws"],
    covariance: Float[np.ndarray, "readings readings"],
    stretch: float,
) -> Foretold:
    off = read - middle
    root = np.linalg.cholesky(covariance + 1e-12 * np.eye(len(read)))
    white = np.linalg.solve(root, off)
    density = -0.5 * white @ white - np.log(np.diag(root)).sum() - 0.5 * len(read) * np.log(2 * np.pi)
    spread = middle[:, None] + stretch * (drawn - middle[:, None])

    def limits(level: float) -> tuple[np.ndarray, np.ndarray]:
        low, high = np.quantile(spread, [0.5 - level / 2, 0.5 + level / 2], axis=1)
        return low, high

    inside = []
    for level in LEVELS:
        low, high = limits(level)
        inside.append(int(((read >= low) & (read <= high)).sum()))
    low, high = limits(SPAN)
    missed = np.maximum(low - read, 0) + np.maximum(read - high, 0)
    return Foretold(
        float(density),
        float(np.mean(high - low + 2 / (1 - SPAN) * missed)),
        tuple(inside),
        float(np.exp(np.median(high - low))),
        float(np.exp(np.sqrt(np.mean(off**2)))),
    )
