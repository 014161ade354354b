"""Page and figure of `gaddum power`: power against n, and the Bayes factors that n would give."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import altair as alt
from markupsafe import Markup

from gaddum.surface.files import staged
from gaddum.surface.html_page import render
from gaddum.surface.origin import install_lines
from gaddum.surface.power_table import headline, sentences, table
from gaddum.surface.report.charts import svg
from gaddum.surface.rounding import chance
from gaddum.surface.theme import CONTRADICTED, INLINE, OPEN, PAPER, SUPPORTED

if TYPE_CHECKING:
    from gaddum.power_results import PowerResult

_WIDTH, _HEIGHT = 330, 220


def write_files(found: "PowerResult", folder: Path, stem: str) -> None:
    """Write page, figure, table and JSON; all of them or none."""
    with staged(folder) as work:
        drawn = svg(figure(found), stem)
        (work / f"{stem}.json").write_text(found.to_json() + "\n", encoding="utf-8")
        (work / f"{stem}.csv").write_text(table(found), encoding="utf-8")
        (work / f"{stem}.svg").write_text(drawn.replace("currentColor", PAPER.ink), encoding="utf-8")
        (work / f"{stem}.html").write_text(_page(found, drawn), encoding="utf-8")


def figure(found: "PowerResult") -> Any:
    """Draw power against n, and the distribution of the Bayes factor with the effect and without."""
    panels = alt.hconcat(_against_n(found), _bayes_factors(found), spacing=34)
    return panels.resolve_scale(color="independent")


def _page(found: "PowerResult", drawn: str) -> str:
    from gaddum import __version__

    return render(
        "power.html.j2",
        {"chance": chance},
        found=found,
        title=headline(found),
        sentences=sentences(found),
        figure=Markup(drawn),
        install=install_lines(__version__),
        version=__version__,
    )


def _against_n(found: "PowerResult") -> Any:
    names = {
        f"p < {found.alpha:g}": lambda row: row.power,
        f"BF10 > {found.threshold:g}": lambda row: row.effect.correct,
        f"no effect: BF01 > {found.threshold_against:g}": lambda row: row.no_effect.correct,
    }
    rows = [
        {"n": row.n, "what": name, "chance": read(row)} for row in found.curve for name, read in names.items()
    ]
    x = alt.X(
        "n:Q", title="pairs" if found.paired else "subjects a group", axis=alt.Axis(grid=False, **INLINE.axis)
    )
    lines = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=_chance_axis("chance"), color=_colours("what", list(names)))
    )
    here = alt.Chart(alt.Data(values=[{"n": found.n}])).mark_rule(color=INLINE.muted, strokeDash=[4, 3])
    return _panel(alt.layer(here.encode(x=x), lines), "Chance of an answer")


def _bayes_factors(found: "PowerResult") -> Any:
    names = {"with the effect": "effect", "without": "no_effect"}
    rows = [
        {"bf": row.bf10, "what": name, "chance": getattr(row, key)}
        for row in found.distribution
        for name, key in names.items()
    ]
    scale = alt.Scale(
        type="log", domain=[found.distribution[0].bf10, found.distribution[-1].bf10], nice=False
    )
    ticks = alt.Axis(format="~g", grid=False, values=[10.0**k for k in range(-3, 7)], **INLINE.axis)
    x = alt.X("bf:Q", title=f"BF10, n = {found.n}", scale=scale, axis=ticks)
    lines = (
        alt.Chart(alt.Data(values=rows))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=_chance_axis("chance of at most this"), color=_colours("what", list(names)))
    )
    limits = [{"bf": found.threshold}, {"bf": 1 / found.threshold_against}]
    marked = alt.Chart(alt.Data(values=limits)).mark_rule(color=INLINE.muted, strokeDash=[4, 3])
    return _panel(alt.layer(marked.encode(x=x), lines), "Bayes factor")


def _chance_axis(title: str) -> alt.Y:
    return alt.Y("chance:Q", title=title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(**INLINE.grid))


def _colours(field: str, names: list[str]) -> alt.Color:
    legend = alt.Legend(title=None, orient="top", labelColor=INLINE.ink)
    colours = [SUPPORTED, CONTRADICTED, OPEN][: len(names)]
    return alt.Color(f"{field}:N", legend=legend, scale=alt.Scale(domain=names, range=colours))


def _panel(drawn: Any, title: str) -> Any:
    said = alt.TitleParams(title, anchor="start", fontSize=13, color=INLINE.ink)
    return drawn.properties(width=_WIDTH, height=_HEIGHT, title=said)
