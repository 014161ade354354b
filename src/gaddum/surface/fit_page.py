"""A population fit on the terminal and as one HTML page that stands alone."""

import math
from typing import Any

import altair as alt
from markupsafe import Markup
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gaddum.surface.html_page import render
from gaddum.surface.origin import install_lines
from gaddum.surface.report.charts import svg
from gaddum.surface.theme import INLINE, OPEN, SUPPORTED

_COLUMNS, _WIDTH, _HEIGHT = 2, 330, 170


def print_fit(document: dict[str, Any], console: Console) -> None:
    """Print what `gaddum fit` found."""
    fit = document["fit"]
    console.print(Text(headline(fit), style="bold"))
    for line in sentences(document):
        console.print(Text(line))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("In a new study", "median", "95 %", "typical study known within"):
        table.add_column(head, justify="left" if head.startswith("In") else "right")
    for row in constants(fit):
        table.add_row(row["name"], row["median"], row["range"], row["typical"])
    console.print()
    console.print(table)
    if document["scores"]:
        console.print()
        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in ("Paper left out", "readings in the 95 % band", "medians off", "before"):
            table.add_column(head)
        for one in fit["left_out"]:
            table.add_row(
                one["paper"],
                f"{one['inside']} of {one['readings']}",
                off_by(one["off"]),
                off_by(one["off_before"]),
            )
        console.print(table)
    for reason in dict.fromkeys(one["reason"] for one in document["unused"]):
        which = [
            f"{one['reading']} of {one['curve']}" for one in document["unused"] if reason == one["reason"]
        ]
        console.print(Text(f"Not used, since {reason}: {', '.join(dict.fromkeys(which))}.", style="yellow"))


def headline(fit: dict[str, Any]) -> str:
    """What was fitted to what."""
    papers = len(fit["papers"])
    return f"Kinetics of {fit['drug']} in {fit['species']}, from {papers} paper{'s' if papers > 1 else ''}"


def sentences(document: dict[str, Any]) -> list[str]:
    """What the fit says, in words."""
    fit = document["fit"]
    kinds = ", ".join(f"{kind} {_fold(one)}" for kind, one in fit["between"].items())
    said = [
        f"Studies differ by {kinds} (standard deviation of one constant; 1.35-fold would be usual) and readings lie "
        f"{_fold(fit['residual'])} about their study's own course.",
        "Bands: the truth is the mean of a new group in a new study; a reading scatters about it.",
    ]
    if fit["left_out"]:
        inside, every = (sum(one[key] for one in fit["left_out"]) for key in ("inside", "readings"))
        off = math.exp(
            math.sqrt(sum(one["readings"] * math.log(one["off"]) ** 2 for one in fit["left_out"]) / every)
        )
        said.append(
            f"{inside} of {every} readings of {len(fit['left_out'])} left-out papers lie in the 95 % band; "
            f"medians are off {off_by(off)}."
        )
        said.append(
            "Before: by the drug's file as it stands, which may rest on the very papers that are left out here."
        )
        if unsettled := [one["paper"] for one in document["scores"] if not one["converged"]]:
            said.append(
                f"Without {', '.join(unsettled)} the fit did not converge, so that its line is not to be trusted."
            )
    else:
        said.append("No paper was left out, so how well a new study is foretold is not known.")
    if fit["note"]:
        said.append(fit["note"])
    return said


def off_by(fold: float) -> str:
    """How far medians are off, in words."""
    return f"{fold:.2f}-fold" if fold < 100 else "over 100-fold"


def constants(fit: dict[str, Any]) -> list[dict[str, str]]:
    """Rows of the table of constants."""
    rows = []
    for one in fit["constants"]:
        spread = math.hypot(*one["loadings"])
        low, high = (one["median"] * math.exp(sign * 1.96 * spread) for sign in (-1, 1))
        if one["name"].startswith("share") or " bioavailability of " in one["name"]:
            high = min(high, 1.0)
            one = one | {"median": min(one["median"], 1.0)}
        name = one["name"].removesuffix(f" in {fit['species']}")
        rows.append(
            {
                "name": f"{name} ({one['unit']})",
                "median": f"{one['median']:.3g}",
                "range": f"{low:.3g} to {high:.3g}",
                "typical": f"{one['typical']:.2f}-fold",
            }
        )
    return rows


def write_page(document: dict[str, Any]) -> str:
    """Write the page of a fit."""
    return render(
        "fit.html.j2",
        {"off_by": off_by},
        d=document,
        fit=document["fit"],
        title=headline(document["fit"]),
        sentences=sentences(document),
        constants=constants(document["fit"]),
        figure=Markup(svg(figure(document), "fit")),
        install=install_lines(document["manifest"]["version"]),
    )


def figure(document: dict[str, Any]) -> Any:
    """Draw readings, each study's own course and the bands of a new study, a panel a curve."""
    panels = [_panel(one) for one in document["pictures"]]
    rows = [alt.hconcat(*panels[at : at + _COLUMNS], spacing=24) for at in range(0, len(panels), _COLUMNS)]
    return alt.vconcat(*rows, spacing=18)


_SHAPES = alt.Scale(domain=["read", "below the limit"], range=["circle", "triangle-down"])


def _panel(one: dict[str, Any]) -> Any:
    course = [
        {"time": t, "own": own, "median": m, "low": low, "high": high, "least": least, "most": most}
        for t, own, m, low, high, least, most in zip(
            one["time"], one["own"], one["median"], *one["truth"], *one["reading"], strict=True
        )
    ]
    read = [
        {"time": t, "value": v, "below": "below the limit" if b else "read"}
        for t, v, b in zip(one["times"], one["values"], one["below"], strict=True)
    ]
    floor = min(v for v in one["values"] if v > 0) / 5
    values = alt.Scale(type="log", domain=[floor, max(one["values"]) * 5], clamp=True, nice=False)
    x = alt.X("time:Q", title="time from the test drug (h)", axis=alt.Axis(**INLINE.axis))
    base = alt.Chart(alt.Data(values=course)).encode(x=x)

    def y(name: str) -> alt.Y:
        return alt.Y(f"{name}:Q", scale=values, title=one["unit"], axis=alt.Axis(**INLINE.grid))

    shown = [
        base.mark_area(opacity=0.14, color=OPEN, clip=True).encode(y=y("least"), y2="most:Q"),
        base.mark_area(opacity=0.3, color=OPEN, clip=True).encode(y=y("low"), y2="high:Q"),
        base.mark_line(strokeDash=[4, 3], color=INLINE.muted, strokeWidth=1.4, clip=True).encode(
            y=y("median")
        ),
        base.mark_line(color=SUPPORTED, strokeWidth=2, clip=True).encode(y=y("own")),
        alt.Chart(alt.Data(values=read))
        .mark_point(filled=not one["published"], size=28, color=SUPPORTED, opacity=1)
        .encode(
            x=x,
            y=y("value"),
            shape=alt.Shape("below:N", legend=None, scale=_SHAPES),
        ),
    ]
    title = alt.TitleParams(
        one["what"],
        subtitle=one["paper"],
        anchor="start",
        fontSize=13,
        color=INLINE.ink,
        subtitleColor=INLINE.muted,
    )
    return alt.layer(*shown).properties(width=_WIDTH, height=_HEIGHT, title=title)


def _fold(one: dict[str, float]) -> str:
    return f"{math.exp(one['median']):.2f}-fold"
