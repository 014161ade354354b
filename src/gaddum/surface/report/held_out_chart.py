"""Held-out chart: how the outcomes fall among what the rest of the record foretells of them."""

from collections.abc import Sequence

import altair as alt
import numpy as np
from scipy.stats import binom

from gaddum.results import AdjudicationResult, HeldOutRow
from gaddum.surface.report.answers import thin
from gaddum.surface.theme import INLINE, SUPPORTED

BINS = 10
"""Bins of the histogram."""


def chart_held_out(result: AdjudicationResult, *, width: int = 420) -> alt.LayerChart | alt.FacetChart:
    """Draw the histogram of the outcomes' PIT, with what a perfect forecast would give."""
    rows = histogram([row for row in result.held_out if not thin(row)])
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


def histogram(rows: Sequence[HeldOutRow], bins: int = BINS) -> list[dict[str, float]]:
    """Outcomes per bin of the PIT, each discrete one spread evenly over its interval.

    Returns
    -------
    list of dict
        `from`, `to`, `outcomes`; and `expected`, `lower`, `upper`: what independent uniform PITs give, with the central
        95 % of a binomial number.
    """
    edges = np.linspace(0, 1, bins + 1)
    total = np.zeros(bins)
    for row in rows:
        low, high = row.lower, row.upper
        if high - low < 1e-9:
            total[min(int(low * bins), bins - 1)] += 1
        else:
            total += np.diff(np.clip((edges - low) / (high - low), 0, 1))
    lower, upper = binom.ppf((0.025, 0.975), len(rows), 1 / bins)
    return [
        {
            "from": float(edges[i]),
            "to": float(edges[i + 1]),
            "outcomes": float(total[i]),
            "expected": len(rows) / bins,
            "lower": float(lower),
            "upper": float(upper),
        }
        for i in range(bins)
    ]
