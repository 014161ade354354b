"""Forecasts and their scores as committed files: those of the rivals, and those of the model once it was looked at.

*By year*: every year from the years before (primary). *By laboratory*: every laboratory from all others (secondary).
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from benchmarks.prediction import scoring
from benchmarks.prediction.rivals import Forecast
from benchmarks.prediction.rows import EVENTS, BlockadeRecord, Row
from benchmarks.prediction.rows_file import DIGITS, ROWS, rounded
from jaxtyping import Float

RIVALS, MODEL = ROWS.with_name("rivals.json"), ROWS.with_name("model.json")
WAYS = ("by_year", "by_laboratory")
"""Primary and secondary."""

Chances = Float[np.ndarray, "rows events"]


def forecasts_document(
    record: BlockadeRecord,
    forecasts: Mapping[str, Mapping[str, Chances]],
    rivals: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Forecasts of the scored rows and their scores.

    Parameters
    ----------
    record : BlockadeRecord
        The rows.
    forecasts : mapping
        Forecaster, then way -> chances of the events in every scored row.
    rivals : mapping, optional
        Document of the rivals, beside which others are set; by default each is set beside the first.
    """
    scored = rows_of(record.scored)
    beside = dict(forecasts) | ({} if rivals is None else read_forecasts(rivals))
    first = next(iter(forecasts))
    pairs = {name: [first] if rivals is None else list(rivals["forecasters"]) for name in forecasts}
    return {
        "record": record.digest,
        "rows": [row.name for row in record.scored],
        "events": list(EVENTS),
        "forecasters": {
            name: {
                way: {
                    "chances": np.round(chances, DIGITS).tolist(),
                    "log_score": _estimate(
                        scoring.mean_over_cohorts(scored, scoring.log_scores(scored, chances))
                    ),
                    "brier": _estimate(
                        scoring.mean_over_cohorts(scored, scoring.brier_scores(scored, chances))
                    ),
                    "slope": _estimate(scoring.reliability_slope(scored, chances)),
                    "over": {
                        other: _estimate(
                            scoring.mean_over_cohorts(
                                scored,
                                scoring.log_scores(scored, chances)
                                - scoring.log_scores(scored, beside[other][way]),
                            )
                        )
                        for other in pairs[name]
                        if other != name
                    },
                }
                for way, chances in ways.items()
            }
            for name, ways in forecasts.items()
        },
    }


def read_forecasts(document: Mapping[str, Any]) -> dict[str, dict[str, Chances]]:
    """Chances by forecaster and way."""
    return {
        name: {way: np.array(one[way]["chances"]) for way in WAYS if way in one}
        for name, one in document["forecasters"].items()
    }


def rows_of(rows: tuple[Row, ...]) -> scoring.Rows:
    """What scoring asks of rows."""
    cohorts = list(dict.fromkeys(row.cohort for row in rows))
    return scoring.Rows(
        np.array([row.shares for row in rows]),
        np.array([row.weight for row in rows]),
        np.array([cohorts.index(row.cohort) for row in rows]),
    )


def forecast_rows(rows: tuple[Row, ...], forecast: Forecast) -> dict[str, Chances]:
    """Forecast every row from the years before its own, and from all laboratories but its own."""
    years, laboratories = (
        np.array([getattr(row, field) for row in rows]) for field in ("year", "laboratory")
    )
    found = {way: np.zeros((len(rows), len(EVENTS))) for way in WAYS}
    for year in np.unique(years):
        found["by_year"][years == year] = forecast(years < year)[years == year]
    for one in np.unique(laboratories):
        found["by_laboratory"][laboratories == one] = forecast(laboratories != one)[laboratories == one]
    return found


def _estimate(found: scoring.Estimate | None) -> dict[str, float] | None:
    return None if found is None else rounded(found._asdict())
