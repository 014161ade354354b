"""Figures: they draw from the result, carry no scripts or links, and can share a page."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gaddum.result_reader import read_result
from gaddum.surface.report import charts
from gaddum.surface.report.held_out_chart import chart_held_out, histogram
from gaddum.surface.report.timeline_chart import chart_timeline, timeline_rows

DRAWN = {
    "posterior": charts.chart_posterior,
    "propositions": charts.chart_propositions,
    "forest": charts.chart_forest,
    "held-out": chart_held_out,
    "timeline": chart_timeline,
    "engagement": lambda result: charts.chart_engagement(result.engagement, study="arbor2001"),
}


@pytest.fixture(scope="module")
def result():
    return read_result(Path(__file__).parents[1] / "document.json")


@pytest.fixture(scope="module")
def drawn(result):
    return {name: charts.svg(chart(result), name) for name, chart in DRAWN.items()}


@pytest.mark.parametrize("name", DRAWN)
def test_svg_is_well_formed_and_loads_nothing(drawn, name):
    root = ElementTree.fromstring(drawn[name])
    assert root.tag.endswith("svg")
    tags = {element.tag.rsplit("}", 1)[-1] for element in root.iter()}
    assert not tags & {"script", "image", "a", "foreignObject", "style"}


def test_identifiers_of_figures_do_not_clash(drawn):
    names = [name for figure in drawn.values() for name in re.findall(r'\bid="([^"]+)"', figure)]
    assert names
    assert len(names) == len(set(names))
    for figure in drawn.values():
        used = set(re.findall(r"url\(#([^)]+)\)", figure))
        assert used <= set(re.findall(r'\bid="([^"]+)"', figure))


def test_text_takes_the_colour_of_the_page(drawn):
    assert all("currentColor" in figure for figure in drawn.values())


def test_posterior_shows_every_hypothesis_once(result, drawn):
    for row in result.hypotheses:
        assert drawn["posterior"].count(f">{row.title}<") == 1


def test_timeline_goes_from_the_prior_to_the_result_and_sums_to_1(result):
    rows, titles = timeline_rows(result)
    steps = ["prior", *(str(row.year) for row in result.timeline)]
    assert [row["year"] for row in rows if row["title"] == titles[0]] == steps
    for step in steps:
        assert sum(row["probability"] for row in rows if row["year"] == step) == pytest.approx(1.0, abs=1e-3)


def test_forest_shows_every_outcome(result, drawn):
    marks = re.findall(r">([^<>]+)</text>", drawn["forest"])
    assert sum(text in {row.label for row in result.forest} for text in marks) == len(result.forest)


def test_outcomes_with_one_label_keep_rows_of_their_own(result):
    first = result.forest[0]
    drawn = charts.svg(charts.chart_forest(result.model_copy(update={"forest": (first, first)})), "forest")
    label = first.label
    assert f">{label}<" in drawn
    assert f">{label} (2)<" in drawn


def test_marked_up_names_are_escaped(result):
    row = result.hypotheses[0].model_copy(update={"title": "<script>alert(1)</script>"})
    marked = result.model_copy(update={"hypotheses": (row,)})
    drawn = charts.svg(charts.chart_posterior(marked), "posterior")
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn


def test_histogram_spreads_discrete_outcomes_and_keeps_their_number(result):
    ends = [(0.0, 0.35), (0.2, 0.2), (1.0, 1.0)]
    rows = [result.held_out[0].model_copy(update={"lower": low, "upper": high}) for low, high in ends]
    found = histogram(rows)
    assert sum(row["outcomes"] for row in found) == pytest.approx(3)
    assert found[0]["outcomes"] == pytest.approx(0.1 / 0.35)
    assert found[-1]["outcomes"] == 1


def test_histogram_says_what_independent_uniform_outcomes_give(result):
    found = histogram(result.held_out[:4], bins=2)
    assert {(row["expected"], row["lower"], row["upper"]) for row in found} == {(2.0, 0.0, 4.0)}
