"""Chart of occupancy: bands over time, one panel per target, protocols as colours; doses and test times marked.

Colours are Okabe and Ito's, which people with any common colour vision tell apart.
"""

import math
from typing import Any, NamedTuple

import altair as alt
import vl_convert

from gaddum.surface.hours import written
from gaddum.surface.theme import FONT, INLINE, PAPER, Theme

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""doi:10.1038/nmeth.1618"""
_UNITS = ((1.5, "min", 60.0), (72.0, "h", 1.0), (float("inf"), "d", 1 / 24))
"""Longest span (h) that is drawn in a unit, the unit, and how many make an hour."""
_VEGA_LITE = alt.SCHEMA_VERSION.removeprefix("v").rsplit(".", 1)[0]
_COLUMNS = 2
GUIDES = (0.8, 0.9)
"""Occupancies that are marked."""


class TimeAxis(NamedTuple):
    """How hours are drawn."""

    unit: str
    per_hour: float
    """How many of the unit make an hour."""
    domain: list[float]
    marks: list[float]
    """Places of numbers."""


def time_axis(first: float, last: float) -> TimeAxis:
    """Axis from one time to another (h), in the unit that suits its length."""
    unit, per_hour = next((name, factor) for most, name, factor in _UNITS if last - first <= most)
    domain = [first * per_hour, last * per_hour]
    return TimeAxis(unit, per_hour, domain, _marks(domain, unit))


def chart(document: dict[str, Any], *, theme: Theme = PAPER, width: int = 330, height: int = 150) -> Any:
    """Draw every target's band under every protocol.

    Parameters
    ----------
    document : dict
        As `gaddum occupancy --json` prints it.
    theme : Theme
        Colours of text and background.
    width, height : int
        Of a panel (px).
    """
    parts = document["protocols"]
    names = labels(parts)
    times = [
        t
        for part in parts
        for curve in part["curves"].values()
        for t in (curve["time_h"][0], curve["time_h"][-1])
    ]
    axis = time_axis(min(times), max(times))
    targets = list(dict.fromkeys(name for part in parts for name in part["curves"]))
    colour = alt.Color(
        "protocol:N",
        scale=alt.Scale(domain=names, range=[PALETTE[i % len(PALETTE)] for i in range(len(names))]),
        legend=_legend(theme, width) if len(names) > 1 else None,
        sort=names,
    )
    panels = [
        _panel(
            target,
            parts,
            names,
            colour,
            axis,
            theme,
            width,
            height,
            document.get("axis", "receptors occupied"),
        )
        for target in targets
    ]
    rows = [
        alt.hconcat(*panels[start : start + _COLUMNS], spacing=18)
        for start in range(0, len(panels), _COLUMNS)
    ]
    return alt.vconcat(*rows, spacing=14).resolve_scale(color="shared")


def svg(document: dict[str, Any]) -> str:
    """Draw as SVG that stands alone."""
    return vl_convert.vegalite_to_svg(_specification(document, PAPER, titled=True), vl_version=_VEGA_LITE)


def png(document: dict[str, Any], *, scale: float = 1.75) -> bytes:
    """Draw as PNG."""
    return vl_convert.vegalite_to_png(
        _specification(document, PAPER, titled=True), vl_version=_VEGA_LITE, scale=scale
    )


def inline(document: dict[str, Any]) -> alt.TopLevelMixin:
    """Draw for a page, whose text says what is drawn."""
    return chart(document, theme=INLINE)


def _panel(
    target: str,
    parts: list[dict[str, Any]],
    names: list[str],
    colour: alt.Color,
    hours: TimeAxis,
    theme: Theme,
    width: int,
    height: int,
    axis: str,
) -> Any:
    domain, per_hour = hours.domain, hours.per_hour
    rows = [
        row
        for part, name in zip(parts, names, strict=True)
        if target in part["curves"]
        for row in _rows(part, target, name, per_hour)
    ]
    ticks = [
        {"protocol": name, "time": one["time_h"] * per_hour, "row": place}
        for place, (part, name) in enumerate(zip(parts, names, strict=True))
        for one in part["doses"]
        if domain[0] <= one["time_h"] * per_hour <= domain[1]
    ]
    tests = [
        {"time": one["time_h"] * per_hour}
        for part in parts
        for one in part["tests"]
        if domain[0] <= one["time_h"] * per_hour <= domain[1]
    ]
    x = alt.X(
        "time:Q",
        scale=alt.Scale(domain=domain, nice=False),
        title=f"time from the test drug ({hours.unit})",
        axis=_axis(theme, grid=False, values=hours.marks),
    )
    y = alt.Scale(domain=[0, 1], nice=False)
    fractions = _axis(
        theme, grid=True, values=[0, 0.25, 0.5, 0.75, 1], labelExpr="format(100 * datum.value, 'd') + ' %'"
    )
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, color=colour, detail="hump:N")
    shown = alt.Y("lower:Q", scale=y, title=axis, axis=fractions)
    # Limits are drawn too, so that bands that lie over each other can be told apart.
    band = base.mark_area(opacity=0.18 if len(parts) < 3 else 0.1, clip=True).encode(y=shown, y2="upper:Q")
    limits = [
        base.mark_line(strokeWidth=0.8, opacity=0.7, clip=True).encode(y=alt.Y(f"{limit}:Q", scale=y))
        for limit in ("lower", "upper")
        if len(parts) > 1
    ]
    reading = [
        base.mark_area(opacity=0.08, clip=True).encode(
            y=alt.Y("reading_lower:Q", scale=y), y2="reading_upper:Q"
        )
        for one in rows[:1]
        if len(parts) == 1 and "reading_lower" in one
    ]
    line = base.mark_line(strokeWidth=2.2, clip=True).encode(
        y=alt.Y("median:Q", scale=y),
        strokeDash=alt.StrokeDash(
            "hump:N", scale=alt.Scale(domain=[0, 1], range=[[1, 0], [5, 3]]), legend=None
        ),
    )
    guides = [
        alt.Chart(alt.Data(values=[{"at": at} for at in GUIDES]))
        .mark_rule(strokeDash=[1, 3], color=theme.muted, strokeWidth=1)
        .encode(y=alt.Y("at:Q", scale=y))
        for one in rows[:1]
        if "reading_lower" in one
    ]
    # Doses stand above the panel, one row per protocol, so that they hide no curve and each other.
    given = [
        alt.Chart(alt.Data(values=[one for one in ticks if one["row"] == row]))
        .mark_point(shape="triangle-down", filled=True, size=42, opacity=1)
        .encode(x=alt.X("time:Q"), y=alt.value(-8 * (row + 1)), color=colour)
        for row in sorted({one["row"] for one in ticks})
    ]
    read = (
        alt.Chart(alt.Data(values=tests))
        .mark_rule(strokeDash=[4, 3], color=theme.muted, strokeWidth=1.2)
        .encode(x=alt.X("time:Q"))
    )
    title = alt.TitleParams(
        target, anchor="start", frame="group", fontSize=13, offset=6 + 8 * len(parts), color=theme.ink
    )
    layers = [*reading, band, *limits, *guides, line, *([read] if tests else []), *given]
    return alt.layer(*layers).properties(width=width, height=height, title=title)


def _rows(part: dict[str, Any], target: str, name: str, per_hour: float) -> list[dict[str, Any]]:
    """A target's curve, or those of its two humps, the more likely one first."""
    whole = part["curves"][target]
    humps = sorted(part.get("humps", {}).get(target, ()), key=lambda one: -one["share"])
    limits = {key: whole[key] for key in ("reading_lower", "reading_upper") if key in whole}
    return [
        {"protocol": name, "hump": place, "time": time * per_hour}
        | {key: (one | limits)[key][at] for key in ("median", "lower", "upper", *limits)}
        for place, one in enumerate(humps or [whole])
        for at, time in enumerate(whole["time_h"])
    ]


def _marks(domain: list[float], unit: str) -> list[float]:
    """Places of numbers on the axis: at most nine, at steps that people use for this unit."""
    steps = {"min": (5, 10, 15, 30), "h": (0.5, 1, 2, 3, 4, 6, 12, 24), "d": (1, 2, 5, 7, 14, 28, 91, 364)}
    span = domain[1] - domain[0]
    step = next((one for one in steps[unit] if span / one <= 9), span)
    first = math.ceil(domain[0] / step - 1e-9)
    return [step * place for place in range(first, math.floor(domain[1] / step + 1e-9) + 1)]


def labels(parts: list[dict[str, Any]]) -> list[str]:
    """One name per protocol, told apart by subject where the doses are the same."""
    plain = [part["label"] for part in parts]
    subjects = [part["species"] for part in parts]
    named = [
        f"{label} ({subject})" if len(set(subjects)) > 1 else label
        for label, subject in zip(plain, subjects, strict=True)
    ]
    return [name if named.count(name) == 1 else f"{place + 1}: {name}" for place, name in enumerate(named)]


def _legend(theme: Theme, width: int) -> alt.Legend:
    return alt.Legend(
        orient="bottom",
        direction="vertical",
        title=None,
        columns=1,
        labelLimit=_COLUMNS * width,
        labelColor=theme.ink,
        labelFontSize=11,
        symbolType="stroke",
        symbolStrokeWidth=3,
        symbolOpacity=1,
    )


def _axis(theme: Theme, *, grid: bool, **more: Any) -> alt.Axis:
    return alt.Axis(
        grid=grid,
        gridColor=theme.muted,
        gridOpacity=0.18,
        domain=not grid,
        domainColor=theme.muted,
        tickSize=0 if grid else 4,
        tickColor=theme.muted,
        labelColor=theme.ink,
        titleColor=theme.ink,
        titleFontWeight="normal",
        **more,
    )


def _specification(document: dict[str, Any], theme: Theme, *, titled: bool) -> dict[str, Any]:
    drawn = chart(document, theme=theme)
    if titled:
        drawn = drawn.properties(title=_title(document))
    styled = (
        drawn.configure(font=FONT, aria=False, background=theme.background, padding=10)
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=11, titleFontSize=11)
        .configure_title(fontSize=15, subtitleFontSize=12, color=theme.ink, subtitleColor=theme.muted)
    )
    return styled.to_dict()


def _title(document: dict[str, Any]) -> alt.TitleParams:
    parts = document["protocols"]
    head = parts[0]["label"] if len(parts) == 1 else document.get("title", "Occupancy")
    species = ", ".join(dict.fromkeys(part["species"] for part in parts))
    span = f"{100 * document['span']:g} % band"
    bands = f"median and {span}"
    if "bands" in document:
        bands += " of the truth, a new group's mean in a new study"
        bands += f"; paler: {span} of a reading of it" * (len(parts) == 1)
    dotted = "dotted: 80 and 90 %; " * ("bands" in document)
    below = [f"{species}; {bands}", f"{document['draws']} draws; {dotted}triangles: doses"]
    if any(part["tests"] for part in parts):
        times = sorted({one["time_h"] for part in parts for one in part["tests"]})
        below[1] += f"; dashed: test ({', '.join(written(t) for t in times)})"
    return alt.TitleParams(head, subtitle=below, anchor="start", offset=14)
