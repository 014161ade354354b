"""Plot: the figure of any result, and the short table that it shows in a notebook."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import altair as alt
import numpy as np
from markupsafe import escape

from gaddum.change_results import RunComparison, StudyUpdate
from gaddum.engagement.occupancy import SPAN, ProtocolOccupancy, band
from gaddum.power_results import CasePower, PowerResult
from gaddum.prediction.predicted_study import StudyPrediction
from gaddum.records.finding import nearest
from gaddum.records.shorthand import parse_doses
from gaddum.referee.audit import Audit
from gaddum.response.simulate import Simulation
from gaddum.results import AdjudicationResult, EngagementRow
from gaddum.surface.hours import written
from gaddum.surface.occupancy.chart import chart
from gaddum.surface.occupancy.document import curve_of, dose_ticks
from gaddum.surface.power_page import figure as power_figure
from gaddum.surface.predict_page import figure as chart_events
from gaddum.surface.predict_terminal import EVENTS
from gaddum.surface.report import charts
from gaddum.surface.report.held_out_chart import chart_held_out
from gaddum.surface.report.timeline_chart import chart_timeline
from gaddum.surface.rounding import chance, hypothesis_chance, with_error
from gaddum.surface.simulate import fractions_of
from gaddum.surface.theme import PAPER

FIGURES: dict[str, Callable[[AdjudicationResult], Any]] = {
    "accounts": charts.chart_posterior,
    "propositions": charts.chart_propositions,
    "timeline": chart_timeline,
    "forest": charts.chart_forest,
    "held_out": chart_held_out,
    "engagement": lambda result: charts.chart_engagement(result.engagement),
}
"""Figures of an adjudication; the first is drawn where none is named."""
MOST_ROWS = 20
"""Rows of a table in a notebook."""
Row = tuple[str, ...]


def plot(result: Any, figure: str | None = None) -> Any:
    """Draw the result of `occupancy`, `simulate`, `audit`, `adjudicate`, `predict` or `power`.

    Parameters
    ----------
    result
        What one of these gave; of an adjudication also what `read_result` reads.
    figure : {"accounts", "propositions", "timeline", "forest", "held_out", "engagement"}
        Which figure of an adjudication; its accounts by default. Other results have one figure.

    Returns
    -------
    altair.TopLevelMixin
        A chart, which a notebook shows; ``chart.save("figure.svg")`` writes it.

    Raises
    ------
    ValueError
        If there is no such figure, or it is no result.

    Examples
    --------
    >>> from gaddum import occupancy
    >>> found = plot(occupancy("naltrexone 50 mg po", targets=["MOR"], draws=64))
    >>> sorted(found.to_dict())[:2]
    ['$schema', 'config']
    """
    result = getattr(result, "result", result)
    known = FIGURES if isinstance(result, AdjudicationResult) else {}
    if figure is not None and figure not in known:
        kinds = nearest(figure, known, what="Figures") if known else "Leave it out: this result has one."
        raise ValueError(f"A figure must be one that the result has; got {figure!r}. {kinds}")
    match result:
        case AdjudicationResult():
            if figure is not None and not getattr(result, figure, True):
                raise ValueError(
                    f"A figure needs what it draws; this result has nothing under {figure!r}, as where no outcome was "
                    "scored or an older version made it. Draw another figure, or run the case again."
                )
            return _on_paper(FIGURES[figure or "accounts"](result))
        case Audit():
            return _on_paper(charts.chart_engagement(list(_engagement(result))))
        case PowerResult():
            return _on_paper(power_figure(result))
        case ProtocolOccupancy():
            fractions = {name: course.occupied for name, course in result.targets.items()}
            part = _part(result.protocol, result.species, result.times, fractions)
            return chart({"protocols": [part]})
        case Simulation():
            fractions = fractions_of(result)
            parts = [
                _part(name, "", result.times, {key: x[place] for key, x in fractions.items()})
                for place, name in enumerate(result.protocols)
            ]
            return chart({"protocols": parts, "axis": "fraction"})
        case StudyPrediction():
            return _on_paper(chart_events(result))
    raise ValueError(
        "What is drawn must be a result of occupancy, simulate, audit, adjudicate, predict or power; got "
        f"{type(result).__name__}."
    )


def html_table(result: Any) -> str:
    """What a result says in a line, and its first rows, as HTML."""
    columns, rows = _table(result)
    head = "".join(f"<th>{escape(one)}</th>" for one in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[:MOST_ROWS]
    )
    more = f"<p>and {len(rows) - MOST_ROWS} more</p>" if len(rows) > MOST_ROWS else ""
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<p>{escape(repr(result).strip('<>'))}</p>{table}{more}"


def _table(result: Any) -> tuple[Row, list[Row]]:
    match result:
        case AdjudicationResult():
            return ("account", "prior", "probability", "log BF"), [
                (
                    row.title,
                    chance(row.prior),
                    hypothesis_chance(row),
                    with_error(row.log_bf, row.log_bf_mcse) if row.established else "not established",
                )
                for row in result.ranked
            ]
        case Audit():
            grades = ("serious", "caution", "note")
            return ("study", *grades, "in short"), [
                (one.id, *(str(one.count(grade)) for grade in grades), one.line) for one in result.studies
            ]
        case RunComparison() | StudyUpdate():
            return ("account", "before", "after", "change"), [
                (one.title, chance(one.before), chance(one.after), with_error(one.change, one.error))
                for one in result.accounts
            ]
        case CasePower():
            return ("account", "n", "shown", "wrong"), [
                (one.title, str(one.n), chance(one.correct), chance(one.misleading)) for one in result.rows
            ]
        case PowerResult():
            return ("n", "power", f"BF10 > {result.threshold:g}"), [
                (str(row.n), chance(row.power), chance(row.prob_bf10)) for row in result.curve
            ]
        case ProtocolOccupancy():
            fractions = {name: course.occupied for name, course in result.targets.items()}
            return ("target", "most occupied", "at"), list(_peaks(result.times, fractions))
        case Simulation():
            return ("protocol", "quantity", "at most", "at"), [
                (name, *row)
                for place, name in enumerate(result.protocols)
                for row in _peaks(result.times, {key: x[place] for key, x in fractions_of(result).items()})
            ]
        case StudyPrediction():
            return ("experiment", "endpoint", *EVENTS.values()), [
                (one.experiment, one.endpoint, *(f"{p:.2f}" for _, p in one.verdicts))
                for one in result.outcomes
                if one.verdicts is not None
            ]
    raise TypeError(type(result).__name__)


def _peaks(times: np.ndarray, fractions: Mapping[str, np.ndarray]) -> Iterator[Row]:
    """Largest median of each fraction with its band, and when that is."""
    for name, draws in fractions.items():
        one = band(draws)
        at = int(np.argmax(one.median))
        found = f"{one.median[at]:.2f} ({one.lower[at]:.2f}\u2013{one.upper[at]:.2f})"
        yield name, f"{found}, {100 * SPAN:g} % interval", written(float(times[at]))


def _part(
    protocol: str, species: str, times: np.ndarray, fractions: Mapping[str, np.ndarray]
) -> dict[str, Any]:
    """A protocol as the chart of occupancy takes it."""
    every = np.ones(times.size, bool)
    doses = () if protocol.endswith("more doses") else parse_doses(protocol)
    return {
        "label": protocol,
        "species": species,
        "curves": {name: curve_of(times, draws, every) for name, draws in fractions.items()},
        "doses": dose_ticks(doses),
        "tests": [],
    }


def _engagement(audit: Audit) -> Iterator[EngagementRow]:
    """What each drug holds of each target in each arm that was followed, at induction and at each test."""
    for study in audit.studies:
        for experiment in study.experiments:
            for presence in experiment.engagement:
                for one in presence.held:
                    for endpoint, test in one.expression.items():
                        for phase, moment in (("induction", one.induction), ("expression", test)):
                            yield EngagementRow.model_validate(
                                {
                                    "study": study.id,
                                    "experiment": experiment.id,
                                    "arm": f"{one.arm}, {one.drug}",
                                    "endpoint": endpoint,
                                    "feature": f"{one.target} {one.action}",
                                    "phase": phase,
                                    "time_h": presence.induction_h if phase == "induction" else None,
                                }
                                | dict(moment.together)
                            )


def _on_paper(drawn: alt.TopLevelMixin) -> Any:
    """A figure of the page, whose text takes the page's colour, with a colour of its own."""
    text = json.dumps(drawn.to_dict()).replace('"currentColor"', json.dumps(PAPER.ink))
    return alt.Chart.from_json(text)
