"""The page of the test in the documentation: tables and figure between two marks, from the committed files alone."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
from benchmarks.prediction.forecasts import WAYS, read_forecasts
from benchmarks.prediction.rows import EVENTS
from benchmarks.prediction.scoring import Rows, reliability

from gaddum.surface.occupancy.chart import PALETTE
from gaddum.surface.report.charts import svg
from gaddum.surface.theme import PAPER

DOCS = Path(__file__).parents[2] / "docs"
PAGE, FIGURE = DOCS / "explanation" / "prediction-test.md", DOCS / "images" / "prediction.svg"
BEGIN, END = "<!-- prediction test: begin -->", "<!-- prediction test: end -->"
"""Marks between which the page holds what follows from the files; the prose around them is people's."""
_SAID = {
    "by_year": "Each year from the years before (primary)",
    "by_laboratory": "Each laboratory from all others",
}
_WORDS = {"abolished": "abolished", "partial": "partial", "not_abolished": "not abolished"}
_SIDE = 150
"""Width and height of a panel (px)."""


def renewed(page: str, rows: Mapping[str, Any], *forecasts: Mapping[str, Any]) -> str:
    """Put the tables into the page, in place of those between its marks."""
    if page.count(BEGIN) != 1 or page.count(END) != 1 or page.index(BEGIN) > page.index(END):
        raise ValueError(f"The page must hold {BEGIN!r} and then {END!r}, once each; got another. Add them.")
    return page[: page.index(BEGIN)] + _tables(rows, forecasts) + page[page.index(END) + len(END) :]


def figure(rows: Mapping[str, Any], *forecasts: Mapping[str, Any]) -> str:
    """Forecast chance against how often the event came, a panel a forecaster, as SVG that stands alone."""
    scored = _rows(rows)
    panels = [
        _panel(name, scored, ways[WAYS[0]], PALETTE[place % len(PALETTE)])
        for document in forecasts
        for place, (name, ways) in enumerate(read_forecasts(document).items())
    ]
    drawn = alt.concat(*panels, columns=3, spacing=24)
    return svg(drawn, "prediction").replace("currentColor", PAPER.ink) + "\n"


def _panel(name: str, scored: Rows, chances: np.ndarray, colour: str) -> alt.LayerChart | alt.FacetChart:
    bins = [one._asdict() for one in reliability(scored, chances)]
    axes = {
        "scale": alt.Scale(domain=[0, 1]),
        "axis": alt.Axis(values=[0, 0.5, 1], format="~g", **PAPER.grid),
    }
    points = (
        alt.Chart(alt.Data(values=bins), width=_SIDE, height=_SIDE, title=alt.Title(name, fontSize=12))
        .mark_circle(color=colour, opacity=0.9)
        .encode(
            x=alt.X("forecast:Q", title="forecast", **axes),
            y=alt.Y("share:Q", title="came", **axes),
            size=alt.Size("weight:Q", scale=alt.Scale(domain=[0, 10], range=[0, 400]), legend=None),
        )
    )
    ends = alt.Data(values=[{"at": 0}, {"at": 1}])
    diagonal = alt.Chart(ends).mark_line(color=PAPER.muted, strokeDash=[4, 3]).encode(x="at:Q", y="at:Q")
    return alt.layer(diagonal, points)


def _rows(document: Mapping[str, Any]) -> Rows:
    """Scored rows of the committed file."""
    rows = [row for row in document["rows"] if row["weight"]]
    cohorts = list(dict.fromkeys(row["cohort"] for row in rows))
    return Rows(
        np.array([[row["shares"][event] for event in EVENTS] for row in rows]),
        np.array([row["weight"] for row in rows]),
        np.array([cohorts.index(row["cohort"]) for row in rows]),
    )


def _tables(rows: Mapping[str, Any], forecasts: Sequence[Mapping[str, Any]]) -> str:
    scored = [row for row in rows["rows"] if row["weight"]]
    nothing = [row["name"] for row in rows["rows"] if not row["weight"]]
    cohorts = len({row["cohort"] for row in scored})
    laboratories = len({row["laboratory"] for row in scored})
    looks = [one["look"] for one in forecasts if "look" in one]
    looked = (
        f"The model's scores are those of look {looks[0]}." if looks else "The model has not been scored."
    )
    parts = [
        BEGIN,
        f"{len(scored)} rows of {cohorts} cohorts and {laboratories} laboratories are scored. {looked}",
        *(_scores(way, forecasts) for way in WAYS),
        "![Forecast chance of an event and how often it came, by forecaster](../images/prediction.svg)",
        "*Each year from the years before, the three events together; circles by the number of cohorts, dashed line: a "
        "calibrated forecaster.*",
        "## Rows\n\n" + _table(("Year", "Row", "Weight", *_WORDS.values()), map(_row, scored)),
    ]
    if nothing:
        parts.append("Nothing to block, hence not scored: " + "; ".join(nothing) + ".")
    if rows["unread"]:
        listed = (f"- {one['study']}, {one['experiment']}: {one['reason']}" for one in rows["unread"])
        parts.append("Blockades of which no event can be read:\n\n" + "\n".join(dict.fromkeys(listed)))
    return "\n\n".join([*parts, END])


def _scores(way: str, forecasts: Sequence[Mapping[str, Any]]) -> str:
    head = ("Forecaster", "Log score (nats)", "Over the coin", "Brier", "Slope")
    lines = []
    for document in forecasts:
        for name, ways in document["forecasters"].items():
            one = ways[way]
            over = one["over"].get("coin")
            told = map(_with_error, (one["log_score"], over, one["brier"]))
            lines.append((name, *told, _with_error(one["slope"]) or "none"))
    return f"## {_SAID[way]}\n\n" + _table(head, lines) + _differences(way, forecasts)


def _differences(way: str, forecasts: Sequence[Mapping[str, Any]]) -> str:
    """What a forecaster that is set beside all rivals gains over each."""
    lines = [
        f"{name} over {other}: {_with_error(gain)}, {gain['lower']:.2f} to {gain['upper']:.2f}"
        for document in forecasts
        for name, ways in document["forecasters"].items()
        for other, gain in ways[way]["over"].items()
        if len(ways[way]["over"]) > 1
    ]
    return "\n\nDifferences in log score (error), central 95 %: " + "; ".join(lines) + "." if lines else ""


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:
    shares = (f"{row['shares'][event]:.2f}" for event in _WORDS)
    return (str(row["year"]), row["name"], f"{row['weight']:.2f}", *shares)


def _with_error(estimate: Mapping[str, float] | None) -> str:
    return "" if estimate is None else f"{estimate['value']:.2f} ({estimate['error']:.2f})"


def _table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    cells = [head, ("---",) * len(head), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
