"""Charts: figures of a result, as SVG for the report and PNG for elsewhere.

One function per figure, from the result of an adjudication to an Altair chart. `svg` turns a
chart into markup that stands in a page without scripts; text takes the page's own colour, so that figures follow a
dark page.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import altair as alt
import vl_convert

from gaddum.results import AdjudicationResult, EngagementRow, Interval
from gaddum.surface.report.answers import known_range
from gaddum.surface.rounding import chance, hypothesis_chance, where
from gaddum.surface.theme import CONTRADICTED, FONT, INLINE, OPEN, PALE, SUPPORTED

SURE = (0.05, 0.95)
"""Probabilities beyond which a proposition counts as settled."""
ROW = 17
"""Height of a row (px)."""
_WHERE = 245
"""Room for the name of a stratum and phase (px)."""


def chart_posterior(result: AdjudicationResult, *, width: int = 330) -> alt.LayerChart | alt.FacetChart:
    """Draw the probability of each hypothesis: bar, prior tick, circle for the absolute parameterisation."""
    rows = [
        {
            "title": row.title,
            "probability": row.probability,
            "prior": row.prior,
            "absolute": row.absolute.probability,
            "text": hypothesis_chance(row),
            "colour": SUPPORTED if row.established else PALE,
        }
        for row in result.ranked
    ]
    base = alt.Chart(alt.Data(values=rows), width=width, height=alt.Step(ROW + 7)).encode(
        y=alt.Y(
            "title:N",
            title=None,
            sort=[row["title"] for row in rows],
            axis=_labels(limit=0, least=_WHERE),
        )
    )
    scale = _unit()
    bars = base.mark_bar(height=11).encode(
        x=alt.X("probability:Q", scale=alt.Scale(domain=[0, 1]), axis=scale, title="probability"),
        color=alt.Color("colour:N", scale=None),
    )
    ticks = base.mark_tick(thickness=2, height=17, color=INLINE.ink, opacity=1).encode(x="prior:Q")
    circles = base.mark_point(size=42, filled=False, strokeWidth=1.5, color=CONTRADICTED, opacity=1).encode(
        x="absolute:Q"
    )
    numbers = base.mark_text(align="right", fontSize=12, color=INLINE.ink).encode(
        x=alt.value(width + 44), text="text:N"
    )
    return alt.layer(bars, ticks, circles, numbers)


def chart_propositions(result: AdjudicationResult, *, columns: int = 3, width: int = 180) -> alt.VConcatChart:
    """Draw one panel per proposition, one row per stratum and phase: bar, range over the prior set, prior tick."""
    colours = {"supported": SUPPORTED, "contradicted": CONTRADICTED}
    rows = [
        {
            **row.model_dump(include={"name", "probability", "prior"}),
            **dict(zip(("lower", "upper"), known_range(result, row) or (None, None), strict=True)),
            "where": where(row),
            "colour": colours.get(row.word, OPEN),
        }
        for row in result.propositions
    ]
    panels: dict[tuple[str, ...], list[str]] = {}
    for name in dict.fromkeys(row["name"] for row in rows):
        places = tuple(sorted({row["where"] for row in rows if row["name"] == name}))
        panels.setdefault(places, []).append(name)
    groups = [
        _proposition_panels([row for row in rows if row["name"] in names], names, columns, width)
        for names in panels.values()
    ]
    return alt.vconcat(*groups, spacing=8).resolve_scale(x="independent", y="independent")


def chart_forest(result: AdjudicationResult, *, width: int = 440) -> alt.FacetChart:
    """Draw observed against predicted for every scored outcome, in SD units, grouped by study."""
    rows: list[dict[str, Any]] = []
    taken: Counter[tuple[str, str]] = Counter()
    for row in result.forest:
        taken[row.study, row.label] += 1
        times = taken[row.study, row.label]
        said = row.probability_of_report
        rows.append(
            {
                "study": row.study,
                "label": row.label if times == 1 else f"{row.label} ({times})",
                **{f"after_{key}": value for key, value in row.predicted},
                **{f"before_{key}": value for key, value in row.prior_predicted},
                **{f"seen_{key}": getattr(row.observed, key, None) for key in Interval.model_fields},
                "said": "" if said is None else chance(said),
            }
        )
    x = {"scale": alt.Scale(domain=_effect_domain(rows), nice=False), "title": "effect (SD units)"}
    axis = alt.Axis(**INLINE.grid)
    # Data go to the facet as a whole, since a facet's layers must share theirs.
    base = alt.Chart().encode(
        y=alt.Y("label:N", title=None, sort=None, axis=_labels(limit=330)),
    )
    zero = (
        alt.Chart().mark_rule(color=INLINE.muted, strokeWidth=1).encode(x=alt.datum(0, type="quantitative"))
    )
    before = base.mark_rule(strokeWidth=9, color=PALE, opacity=0.45, clip=True).encode(
        x=alt.X("before_lower:Q", axis=axis, **x), x2="before_upper:Q"
    )
    after = base.mark_rule(strokeWidth=4, color=SUPPORTED, opacity=0.85, clip=True).encode(
        x=alt.X("after_lower:Q", **x), x2="after_upper:Q"
    )
    middle = base.mark_tick(thickness=2, height=12, color=INLINE.ink, opacity=1, clip=True).encode(
        x=alt.X("after_median:Q", **x)
    )
    bars = base.mark_rule(strokeWidth=1.3, color=CONTRADICTED, clip=True).encode(
        x=alt.X("seen_lower:Q", **x), x2="seen_upper:Q"
    )
    points = base.mark_point(size=38, filled=True, color=CONTRADICTED, opacity=1, clip=True).encode(
        x=alt.X("seen_median:Q", **x)
    )
    said = base.mark_text(align="right", fontSize=11, color=INLINE.ink).encode(
        x=alt.value(width + 44), text="said:N"
    )
    layers = alt.layer(zero, before, after, middle, bars, points, said).properties(
        width=width, height=alt.Step(ROW), data=alt.Data(values=rows)
    )
    return layers.facet(
        row=alt.Row(
            "study:N",
            title=None,
            sort=list(dict.fromkeys(row["study"] for row in rows)),
            header=_header(orient="top"),
        ),
        spacing=12,
    ).resolve_scale(y="independent")


def chart_engagement(
    engagement: Sequence[EngagementRow], *, study: str | None = None, width: int = 620
) -> alt.FacetChart:
    """Draw each feature's level per arm, filled at induction and hollow at expression; of one study or all."""
    chosen = [row for row in engagement if study in (None, row.study)]
    several = len({row.experiment for row in chosen}) > 1 or study is None
    studies = len({row.study for row in chosen}) > 1
    rows = [
        {
            "arm": ": ".join(
                [row.study] * studies + [row.experiment] * several + [f"{row.arm}, {row.endpoint}"]
            ),
            **row.model_dump(include={"feature", "phase", "median", "lower", "upper"}),
        }
        for row in chosen
    ]
    features = list(dict.fromkeys(row["feature"] for row in rows))
    most = max([1.0, *(row["upper"] for row in rows)])
    base = alt.Chart().encode(
        y=alt.Y(
            "arm:N",
            title=None,
            sort=list(dict.fromkeys(row["arm"] for row in rows)),
            axis=_labels(limit=230, least=230),
        ),
        yOffset=alt.YOffset("phase:N", sort=["induction", "expression"]),
    )
    scale = alt.Scale(domain=[0, most], nice=False)
    spans = base.mark_rule(strokeWidth=2, opacity=0.65, color=SUPPORTED).encode(
        x=alt.X("lower:Q", scale=scale, axis=_unit(), title=None), x2="upper:Q"
    )
    dots = base.mark_point(size=34, strokeWidth=1.4, opacity=1, color=SUPPORTED).encode(
        x=alt.X("median:Q", scale=scale),
        fill=alt.condition("datum.phase == 'induction'", alt.value(SUPPORTED), alt.value("transparent")),
    )
    each = max(60, (width - 16 * (len(features) - 1)) // max(1, len(features)))
    return (
        alt.layer(spans, dots)
        .properties(width=each, height=alt.Step(11, **{"for": "offset"}), data=alt.Data(values=rows))
        .facet(
            column=alt.Column("feature:N", title=None, sort=features, header=_header()),
            spacing=16,
            bounds="flush",
        )
    )


def svg(chart: alt.TopLevelMixin, name: str) -> str:
    """Render a chart as SVG markup that can share a page with others, whose identifiers `name` keeps apart."""
    styled = (
        chart.configure(font=FONT, aria=False, background=INLINE.background, padding=6)
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=11, titleFontSize=11, titleFontWeight="normal", titleColor=INLINE.ink)
        .configure_title(fontSize=15, subtitleFontSize=12, color=INLINE.ink, subtitleColor=INLINE.muted)
    )
    drawn = vl_convert.vegalite_to_svg(styled.to_dict(), vl_version=_VEGA_LITE)
    names = {found: f"{name}-{place}" for place, found in enumerate(re.findall(r'\bid="([^"]+)"', drawn))}
    for found, own in names.items():
        drawn = drawn.replace(f'id="{found}"', f'id="{own}"').replace(f"url(#{found})", f"url(#{own})")
    return re.sub(r'<rect width="[\d.]+" height="[\d.]+" fill="(?:transparent|white)"/>', "", drawn, count=1)


_VEGA_LITE = alt.SCHEMA_VERSION.removeprefix("v").rsplit(".", 1)[0]


def _proposition_panels(
    rows: list[dict[str, Any]], names: list[str], columns: int, width: int
) -> alt.VConcatChart:
    lines = []
    for start in range(0, len(names), columns):
        shown = names[start : start + columns]
        room = width + 20 if len(shown) > 1 else columns * width
        line = [
            _proposition_panel([row for row in rows if row["name"] == name], width, room, labelled=place == 0)
            for place, name in enumerate(shown)
        ]
        lines.append(alt.hconcat(*line, spacing=22))
    return alt.vconcat(*lines, spacing=14)


def _proposition_panel(
    rows: list[dict[str, Any]], width: int, room: int, *, labelled: bool
) -> alt.LayerChart | alt.FacetChart:
    axis = _labels(limit=_WHERE, least=_WHERE) if labelled else None
    base = alt.Chart(alt.Data(values=rows)).encode(y=alt.Y("where:N", title=None, sort=None, axis=axis))
    x = alt.X("probability:Q", scale=alt.Scale(domain=[0, 1]), axis=_unit(), title=None)
    limits = [
        alt.Chart(alt.Data(values=[{"at": at}]))
        .mark_rule(color=INLINE.muted, strokeDash=[1, 3])
        .encode(x="at:Q")
        for at in SURE
    ]
    bars = base.mark_bar(height=9).encode(x=x, color=alt.Color("colour:N", scale=None))
    ranges = base.mark_rule(color=INLINE.ink, strokeWidth=1.2).encode(x="lower:Q", x2="upper:Q")
    ticks = base.mark_tick(color=INLINE.ink, thickness=2, height=13, opacity=1).encode(x="prior:Q")
    title = alt.TitleParams(
        rows[0]["name"],
        anchor="start",
        frame="group",
        fontSize=12,
        offset=5,
        color=INLINE.ink,
        limit=room,
    )
    return alt.layer(*limits, bars, ranges, ticks).properties(width=width, height=alt.Step(ROW), title=title)


def _effect_domain(rows: list[dict[str, Any]]) -> list[float]:
    """Range of what was seen and is predicted; intervals far beyond every middle are cut."""
    middles = [row[key] for row in rows for key in ("after_median", "seen_median") if row[key] is not None]
    most = max([6.0, *(1.5 * abs(middle) for middle in middles)])
    keys = ("after_lower", "after_upper", "seen_lower", "seen_upper")
    ends = [row[key] for row in rows for key in keys if row[key] is not None] + [-0.5, 0.5]
    low, high = max(min(ends), -most), min(max(ends), most)
    margin = 0.04 * (high - low)
    return [low - margin, high + margin]


def _labels(*, limit: int, least: int = 0) -> alt.Axis:
    return alt.Axis(
        labelLimit=limit,
        minExtent=least,
        labelColor=INLINE.ink,
        domain=False,
        ticks=False,
        grid=False,
        labelPadding=8,
    )


def _unit() -> alt.Axis:
    return alt.Axis(
        values=[0, 0.25, 0.5, 0.75, 1],
        format="~g",
        labelExpr="datum.value * 2 % 1 === 0 ? datum.label : ''",
        titleFontWeight="normal",
        **INLINE.grid,
    )


def _header(**more: Any) -> alt.Header:
    return alt.Header(
        labelColor=INLINE.ink,
        labelFontSize=12,
        labelFontWeight="bold",
        labelAnchor="start",
        labelPadding=4,
        labelLimit=300,
        **more,
    )
