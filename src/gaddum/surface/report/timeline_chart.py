"""Timeline chart: the probability of each hypothesis after each year's publications."""

from typing import Any

import altair as alt

from gaddum.results import AdjudicationResult
from gaddum.surface.theme import INLINE

COLOURS = ("#1f7a80", "#b4552d", "#6a5acd", "#c79a2e", "#4f7d3a", "#a14a76")
NAMED = 0.1
"""Probability that an account must reach in some year to have a colour and a name, of which there are few; the others
are one line."""


def chart_timeline(result: AdjudicationResult, *, width: int = 520) -> alt.LayerChart | alt.FacetChart:
    """Draw a line a hypothesis, from the prior to the last year, and under it what was first reported when."""
    rows, titles = timeline_rows(result)
    years = [row.year for row in result.timeline]
    lines = (
        alt.Chart(alt.Data(values=rows), width=width, height=230)
        .mark_line(point={"size": 30}, strokeWidth=2)
        .encode(
            x=alt.X(
                "year:N",
                sort=["prior", *map(str, years)],
                axis=alt.Axis(labelAngle=0, labelOverlap=False, grid=False, **INLINE.axis),
                title="record up to the end of",
            ),
            y=alt.Y(
                "probability:Q",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(values=[0, 0.25, 0.5, 0.75, 1], format=".2~f", **INLINE.grid),
                title="probability",
            ),
            color=alt.Color(
                "title:N",
                scale=alt.Scale(domain=titles, range=[*COLOURS[: len(titles) - 1], INLINE.muted]),
                legend=alt.Legend(
                    title=None,
                    orient="bottom",
                    columns=1,
                    labelLimit=0,
                    labelColor=INLINE.ink,
                    symbolType="stroke",
                ),
            ),
        )
    )
    return alt.layer(lines)


def timeline_rows(result: AdjudicationResult) -> tuple[list[dict[str, Any]], list[str]]:
    """One row a year and line; accounts that never reach `NAMED` are summed in the last line.

    Returns
    -------
    tuple
        Rows with `year` (text; the first is the prior), `title` and `probability`; titles as ordered in the last year.
    """
    steps = [("prior", {row.name: row.prior for row in result.hypotheses})]
    steps += [
        (str(row.year), {name: one.probability for name, one in row.hypotheses.items()})
        for row in result.timeline
    ]
    titles = {row.name: row.title for row in result.hypotheses}
    reached = {name: max(step[name] for _, step in steps[1:]) for name in titles}
    named = sorted((name for name in titles if reached[name] >= NAMED), key=lambda name: -reached[name])
    named = sorted(named[: len(COLOURS)], key=lambda name: -steps[-1][1][name])
    rest = f"the other {len(titles) - len(named)}"
    rows = []
    for year, step in steps:
        rows += [{"year": year, "title": titles[name], "probability": step[name]} for name in named]
        rows.append(
            {
                "year": year,
                "title": rest,
                "probability": sum(step[name] for name in titles if name not in named),
            }
        )
    return rows, [*(titles[name] for name in named), rest]
