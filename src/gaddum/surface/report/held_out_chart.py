"""Held-out chart: how the outcomes fall among what the rest of the record foretells of them."""

from typing import Any

import altair as alt

from gaddum.surface.theme import INLINE, SUPPORTED


def chart_held_out(document: dict[str, Any], *, width: int = 420) -> alt.LayerChart | alt.FacetChart:
    """Draw the histogram of the outcomes' PIT, with what a perfect forecast would give."""
    rows = [row | {"middle": 0.5 * (row["from"] + row["to"])} for row in document["held_out"]["histogram"]]
    base = alt.Chart(alt.Data(values=rows), width=width, height=150)
    x = alt.X(
        "from:Q",
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(values=[0, 0.5, 1], format="~g", grid=False, **INLINE.axis),
        title="reported: less than foretold (0) to more than foretold (1)",
    )
    bars = base.mark_bar(color=SUPPORTED, opacity=0.85).encode(
        x=x,
        x2="to:Q",
        y=alt.Y(
            "outcomes:Q",
            title="outcomes",
            axis=alt.Axis(tickCount=4, **INLINE.grid),
        ),
        y2=alt.datum(0),
    )
    one = alt.Chart(alt.Data(values=rows[:1]))
    band = one.mark_rect(color=INLINE.muted, opacity=0.25).encode(
        y="lower:Q", y2="upper:Q", x=alt.value(0), x2=alt.value(width)
    )
    expected = one.mark_rule(color=INLINE.ink, strokeDash=[4, 3]).encode(y="expected:Q")
    return alt.layer(band, bars, expected)
