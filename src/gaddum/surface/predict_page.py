"""A prediction as one HTML page that stands alone, and its picture."""

from typing import Any

import altair as alt
from markupsafe import Markup

from gaddum.prediction.predicted_study import PredictedOutcome, StudyPrediction
from gaddum.surface.html_page import render
from gaddum.surface.origin import install_lines
from gaddum.surface.predict_terminal import (
    ACCOUNT_ERROR,
    EVENTS,
    band,
    cells,
    heading,
    headline,
    occupied,
    sentences,
)
from gaddum.surface.report.charts import svg
from gaddum.surface.rounding import chance, rounded
from gaddum.surface.theme import CONTRADICTED, INLINE, OPEN, PALE, SUPPORTED

_WIDTH, _ROW, _MOST_ACCOUNTS = 420, 20, 5
_COLOURS = alt.Scale(domain=list(EVENTS.values()), range=[SUPPORTED, OPEN, CONTRADICTED, PALE])


def write_page(found: StudyPrediction) -> str:
    """Write the page of a prediction."""
    drawn = any(one.verdicts is not None for one in found.outcomes)
    return render(
        "predict.html.j2",
        {"band": band, "chance": chance, "rounded": rounded},
        d=found,
        title=headline(found),
        events=list(EVENTS.values()),
        heading=heading,
        sentences=sentences,
        cells=cells,
        account_error=ACCOUNT_ERROR,
        occupied=occupied(found.engagement),
        figure=Markup(svg(figure(found), "predict")) if drawn else None,
        install=install_lines(str(found.manifest["version"])),
    )


def figure(found: StudyPrediction) -> Any:
    """Draw the chance of each event, averaged and by the most probable accounts, a panel a blockade."""
    blocked = [one for one in found.outcomes if one.verdicts is not None]
    if not blocked:
        raise ValueError(
            f"A picture needs a blockade; {found.study} has no blocked arm beside the test drug and its control. "
            "Add the arm, or read the effects of its arms."
        )
    return alt.vconcat(*map(_panel, blocked), spacing=18)


def _panel(one: PredictedOutcome) -> Any:
    shown = [("averaged", one), *((row.account, row) for row in one.accounts[:_MOST_ACCOUNTS])]
    rows = [
        {"account": name, "event": EVENTS[event], "chance": value, "order": place}
        for name, row in shown
        if row.verdicts is not None
        for place, (event, value) in enumerate(row.verdicts)
    ]
    legend = alt.Legend(orient="bottom", title=None, labelColor=INLINE.ink)
    bars = alt.Chart(alt.Data(values=rows)).mark_bar(height=0.72 * _ROW)
    drawn = bars.encode(
        x=alt.X(
            "chance:Q",
            stack="zero",
            title="chance",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(**INLINE.axis),
        ),
        y=alt.Y(
            "account:N",
            sort=[name for name, _ in shown],
            title=None,
            axis=alt.Axis(labelLimit=240, **INLINE.axis),
        ),
        color=alt.Color("event:N", scale=_COLOURS, legend=legend),
        order=alt.Order("order:Q"),
    )
    title = alt.TitleParams(heading(one), anchor="start", fontSize=13, color=INLINE.ink)
    return drawn.properties(width=_WIDTH, height=_ROW * len(shown), title=title)
