"""Scorecard: what the library predicts beside what was published, counted as hits and misses.

A benchmark is hit if the median of its prediction comes as near as its file demands, a demand written down before any
prediction was run. One that the chain cannot express is a miss if it counts. Nothing is fitted here; a benchmark of a
paper from which a constant was taken is shown as used and does not count.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from gaddum.engagement.benchmark_readings import predict
from gaddum.engagement.curves_met import band_of_reading, is_used
from gaddum.engagement.occupancy import SPAN
from gaddum.records.curve import Curve, Tolerance, load_benchmarks
from gaddum.records.library import Library, load_library

Verdict = Literal["hit", "miss"]


class PredictedReading(NamedTuple):
    """One reading, in the unit of its published value."""

    published: float
    median: float
    lower: float
    """Lower limit of the central 95 % interval."""
    upper: float
    reading: tuple[float, float]
    """Limits of the 95 % band of a reading."""

    @property
    def covers(self) -> bool:
        """Whether the published value lies in the band of a reading."""
        return self.reading[0] <= self.published <= self.reading[1]


class BenchmarkComparison(NamedTuple):
    """One benchmark and how it came out."""

    benchmark: Curve
    readings: tuple[PredictedReading, ...]
    """In the order of `benchmark.measured`; none where it cannot be expressed."""
    off: float
    """How far off, as its tolerance counts: a difference in the unit of the reading, or a fold; NaN where unknown."""
    verdict: Verdict
    """Also of a benchmark that is not counted: what it would be."""
    refusal: str | None
    """Why the chain cannot express it."""
    used: bool
    """Whether constants of the drug rest on its paper; it then tests nothing and is not counted."""

    @property
    def counted(self) -> bool:
        """Whether it counts."""
        return self.benchmark.counted and not self.used


class Scorecard(NamedTuple):
    """All benchmarks and their count."""

    compared: tuple[BenchmarkComparison, ...]
    draws: int
    seed: int

    def count(self, verdict: Verdict, *, counted: bool = True) -> int:
        """How many of the counted benchmarks, or of the others, came out so."""
        return sum(one.verdict == verdict and one.counted == counted for one in self.compared)


def benchmarks(
    which: Sequence[Curve] | None = None,
    *,
    draws: int = 1000,
    seed: int = 0,
    library: Library | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> Scorecard:
    """Predict published measurements and count hits and misses.

    Parameters
    ----------
    which : sequence of Curve
        Those to predict; the bundled ones by default.
    draws : int
        Draws of all parameters for each.
    seed : int
        Seed of the draws.
    library : Library
        Drugs and targets; the bundled ones by default.
    progress : callable
        Told the task and the fraction done.

    Returns
    -------
    Scorecard
        Published and predicted values, and what came of each benchmark.
    """
    library = library or load_library()
    chosen = load_benchmarks(library) if which is None else tuple(which)
    found = []
    for place, one in enumerate(chosen):
        if progress is not None:
            progress("benchmarks", place / len(chosen))
        found.append(compare(one, library, draws=draws, seed=seed))
    if progress is not None:
        progress("benchmarks", 1.0)
    return Scorecard(tuple(found), draws, seed)


def compare(benchmark: Curve, library: Library, *, draws: int = 1000, seed: int = 0) -> BenchmarkComparison:
    """Predict one benchmark and hold it against its tolerance; the arguments are those of `benchmarks`."""
    if benchmark.tolerance is None:
        raise ValueError(
            f"A benchmark must have a tolerance; got the curve {benchmark.id!r} without one. Add it."
        )
    used = is_used(benchmark, library)
    try:
        predicted = predict(benchmark, library, draws=draws, seed=seed)
    except ValueError as error:
        return BenchmarkComparison(benchmark, (), float("nan"), "miss", str(error), used)
    readings = []
    for one, values in zip(benchmark.measured, predicted, strict=True):
        # Infinite draws (a level that is never fallen to) have a place in the order, but no mean.
        limits = np.quantile(values, [0.5 - SPAN / 2, 0.5, 0.5 + SPAN / 2], method="inverted_cdf")
        band = band_of_reading(one, values, seed)
        lower, median, upper = map(float, limits)
        readings.append(PredictedReading(one.published.value, median, lower, upper, band))
    off = distance(
        benchmark.tolerance,
        np.array([one.published for one in readings]),
        np.array([one.median for one in readings]),
    )
    verdict: Verdict = "hit" if off <= benchmark.tolerance.value else "miss"
    return BenchmarkComparison(benchmark, tuple(readings), off, verdict, None, used)


def distance(
    tolerance: Tolerance,
    published: Float[np.ndarray, " readings"],
    predicted: Float[np.ndarray, " readings"],
) -> float:
    """How far predictions are off, as a tolerance counts.

    Parameters
    ----------
    tolerance : Tolerance
        Whether differences or folds, and whether the worst or the root mean square of several.
    published, predicted : array, shape (readings,)
        Values in one unit.

    Returns
    -------
    float
        A difference of at least 0, or a factor of at least 1; infinite where a fold has no meaning.

    Examples
    --------
    >>> fold = Tolerance(kind="fold", value=2.0, reason="an example")
    >>> round(distance(fold, np.array([10.0, 10.0]), np.array([5.0, 12.0])), 9)
    2.0
    """
    if tolerance.kind == "difference":
        apart = np.abs(predicted - published)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.abs(np.log(predicted) - np.log(published))
        apart = np.where(np.isnan(apart), np.inf, apart)
    found = float(np.max(apart) if tolerance.over == "each" else np.sqrt(np.mean(apart**2)))
    return found if tolerance.kind == "difference" else float(np.exp(found))
