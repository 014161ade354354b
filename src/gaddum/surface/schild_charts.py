"""Figure of a Schild analysis: the curves with their points, and the Schild plot with its line.

Drawn from the document that `gaddum schild --json` prints.
"""

from pathlib import Path
from typing import Any

import altair as alt
import numpy as np
import vl_convert

from gaddum.concentration_response.formulas import gaddum_ec50_shift
from gaddum.surface.rounding import rounded
from gaddum.surface.theme import CONTRADICTED, FONT, PAPER, SUPPORTED, Theme

_SHADES = ("#1c2529", "#1f7a80", "#5aa7a0", "#b4552d", "#d99a66", "#8fa3ad", "#6b4e71", "#a3a847")
_STEPS = 120


def chart_schild(document: dict[str, Any], *, theme: Theme = PAPER) -> alt.HConcatChart:
    """Draw the curves of the global fit over the data, and log (dose ratio - 1) against log of the antagonist."""
    parts = [_curves(document, theme)]
    if document["regression"] is not None:
        parts.append(_line(document, theme))
    return alt.hconcat(*parts, spacing=34).resolve_scale(color="independent")


def save_schild_png(document: dict[str, Any], path: str | Path, *, scale: float = 2.0) -> None:
    """Draw the figure into a PNG file.

    Parameters
    ----------
    document : dict
        The result.
    path : str or Path
        PNG file.
    scale : float
        Pixels per point.
    """
    styled = (
        chart_schild(document)
        .configure(font=FONT, background=PAPER.background, padding=10)
        .configure_view(stroke=None)
        .configure_axis(
            labelFontSize=11,
            titleFontSize=11,
            titleFontWeight="normal",
            titleColor=PAPER.ink,
            labelColor=PAPER.ink,
        )
        .configure_title(
            fontSize=13, subtitleFontSize=11, color=PAPER.ink, subtitleColor=PAPER.muted, anchor="start"
        )
    )
    version = alt.SCHEMA_VERSION.removeprefix("v").rsplit(".", 1)[0]
    Path(path).write_bytes(vl_convert.vegalite_to_png(styled.to_dict(), vl_version=version, scale=scale))


def _curves(document: dict[str, Any], theme: Theme) -> alt.LayerChart | alt.FacetChart:
    value = {name: one["value"] for name, one in document["global"]["estimates"].items()}
    value["pa2"] = value["pa2"] if np.isfinite(value["pa2"]) else -np.inf  # no shift
    points = [
        row | {"curve": _named(row["antagonist_nM"])} for row in document["points"] if row["agonist_nM"] > 0
    ]
    logs = np.log10([row["agonist_nM"] for row in points])
    grid = 10 ** np.linspace(logs.min() - 0.25, logs.max() + 0.25, _STEPS)
    lines = [
        {"agonist_nM": float(a), "response": float(y), "curve": _named(row["antagonist_nM"])}
        for row in document["curves"]
        for a, y in zip(grid, _fitted(grid, row["antagonist_nM"], value), strict=True)
    ]
    names = [_named(row["antagonist_nM"]) for row in document["curves"]]
    colour = alt.Color(
        "curve:N",
        sort=names,
        scale=alt.Scale(domain=names, range=[_SHADES[i % len(_SHADES)] for i in range(len(names))]),
        legend=alt.Legend(title="antagonist", orient="right", labelColor=theme.ink, titleColor=theme.ink),
    )
    x = alt.X(
        "agonist_nM:Q",
        scale=alt.Scale(type="log", domain=[float(grid[0]), float(grid[-1])], nice=False),
        axis=_axis(theme, "agonist (nM)", values=_decades(grid)),
    )
    y = alt.Y("response:Q", axis=_axis(theme, "response"), scale=alt.Scale(zero=False))
    drawn = (
        alt.Chart(alt.Data(values=lines)).mark_line(strokeWidth=1.8, clip=True).encode(x=x, y=y, color=colour)
    )
    seen = alt.Chart(alt.Data(values=points)).mark_point(filled=True, size=34, opacity=0.85)
    return alt.layer(drawn, seen.encode(x=x, y=y, color=colour)).properties(
        width=380, height=280, title=_title("Global fit", document["global"])
    )


def _line(document: dict[str, Any], theme: Theme) -> alt.LayerChart | alt.FacetChart:
    block = document["regression"]
    pa2, slope = (block["estimates"][name]["value"] for name in ("pa2", "slope"))
    points = [
        {"x": float(np.log10(row["antagonist_nM"]) - 9), "y": float(np.log10(row["dose_ratio"] - 1))}
        for row in document["curves"]
        if row["antagonist_nM"] > 0 and row["dose_ratio"] > 1
    ]
    low = min([-pa2, *(p["x"] for p in points)]) - 0.25
    high = max(p["x"] for p in points) + 0.25
    x = alt.X(
        "x:Q",
        scale=alt.Scale(domain=[low, high], nice=False),
        axis=_axis(theme, "log10 antagonist (M)", count=5),
    )
    y = alt.Y("y:Q", axis=_axis(theme, "log10 (dose ratio \u2212 1)"))

    def straight(slope: float, pa2: float) -> alt.Data:
        return alt.Data(values=[{"x": at, "y": slope * (at + pa2)} for at in (low, high)])

    unit = block["unit_slope"]["estimates"]["pa2"]["value"]
    zero = alt.Chart(alt.Data(values=[{"y": 0}])).mark_rule(color=theme.muted, strokeWidth=1).encode(y="y:Q")
    dashed = alt.Chart(straight(1.0, unit)).mark_line(color=theme.muted, strokeDash=[4, 3], clip=True)
    line = alt.Chart(straight(slope, pa2)).mark_line(color=SUPPORTED, strokeWidth=2, clip=True)
    seen = alt.Chart(alt.Data(values=points)).mark_point(filled=True, size=55, color=theme.ink, opacity=1)
    crossing = alt.Chart(alt.Data(values=[{"x": -pa2, "y": 0}])).mark_point(
        size=70, color=CONTRADICTED, filled=False, strokeWidth=1.8, opacity=1
    )
    return alt.layer(zero, *(mark.encode(x=x, y=y) for mark in (dashed, line, seen, crossing))).properties(
        width=280,
        height=280,
        title=_title("Schild regression (dashed: slope 1; circle: \u2212pA2)", block),
    )


def _fitted(a: np.ndarray, b: float, value: dict[str, float]) -> np.ndarray:
    return np.asarray(
        gaddum_ec50_shift(
            a,
            b,
            10 ** (value["log_ec50"] + 9),
            10 ** (9 - value["pa2"]),
            slope=value["slope"],
            hill=value["hill"],
            bottom=value["bottom"],
            top=value["top"],
        )
    )


def _named(antagonist: float) -> str:
    return "none" if antagonist == 0 else f"{antagonist:g} nM"


def _title(text: str, block: dict[str, Any]) -> alt.TitleParams:
    pa2, slope = block["estimates"]["pa2"], block["estimates"]["slope"]
    ends = [pa2["profile_lower"], pa2["profile_upper"]]
    said = [
        f"pA2 {rounded(pa2['value'], 0.01)}"
        if np.isfinite(pa2["value"])
        else f"pA2 below {rounded(ends[1], 0.01)}"
    ]
    if all(np.isfinite(end) for end in ends):
        said[0] += f" ({rounded(ends[0], 0.01)} to {rounded(ends[1], 0.01)})"
    said.append(f"slope {slope['value']:.2f}" + (" (held)" if slope["fixed"] else ""))
    return alt.TitleParams(text, subtitle=", ".join(said), offset=12)


def _decades(grid: np.ndarray) -> list[float]:
    """Powers of ten within the grid, thinned to at most eight."""
    powers = np.arange(np.ceil(np.log10(grid[0])), np.floor(np.log10(grid[-1])) + 1)
    return [float(10**power) for power in powers[:: max(len(powers) // 8, 1)]]


def _axis(theme: Theme, title: str, *, values: list[float] | None = None, count: int = 6) -> alt.Axis:
    return alt.Axis(
        title=title,
        values=values if values is not None else alt.Undefined,
        tickCount=count,
        format=".6~g",
        gridColor=theme.muted,
        gridOpacity=0.18,
        domainColor=theme.muted,
        tickColor=theme.muted,
    )
