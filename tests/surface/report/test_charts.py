"""Figures: they draw from the document, carry no scripts or links, and can share a page."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gaddum.surface.report import charts
from gaddum.surface.report.held_out_chart import chart_held_out
from gaddum.surface.report.timeline_chart import chart_timeline, timeline_rows

DRAWN = {
    "posterior": charts.chart_posterior,
    "propositions": charts.chart_propositions,
    "forest": charts.chart_forest,
    "held-out": chart_held_out,
    "timeline": chart_timeline,
    "engagement": lambda document: charts.chart_engagement(document, study="arbor2001"),
}


@pytest.fixture(scope="module")
def document():
    return json.loads((Path(__file__).parents[1] / "document.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def drawn(document):
    return {name: charts.svg(chart(document), name) for name, chart in DRAWN.items()}


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


def test_posterior_shows_every_hypothesis_once(document, drawn):
    for row in document["hypotheses"]:
        assert drawn["posterior"].count(f">{row['title']}<") == 1


def test_timeline_goes_from_the_prior_to_the_result_and_sums_to_1(document):
    rows, titles = timeline_rows(document)
    steps = ["prior", *(str(row["year"]) for row in document["timeline"])]
    assert [row["year"] for row in rows if row["title"] == titles[0]] == steps
    for step in steps:
        assert sum(row["probability"] for row in rows if row["year"] == step) == pytest.approx(1.0, abs=1e-3)


def test_forest_shows_every_outcome(document, drawn):
    marks = re.findall(r">([^<>]+)</text>", drawn["forest"])
    assert sum(text in {row["label"] for row in document["forest"]} for text in marks) == len(
        document["forest"]
    )


def test_outcomes_with_one_label_keep_rows_of_their_own(document):
    twice = document | {"forest": [document["forest"][0], document["forest"][0]]}
    drawn = charts.svg(charts.chart_forest(twice), "forest")
    label = document["forest"][0]["label"]
    assert f">{label}<" in drawn
    assert f">{label} (2)<" in drawn


def test_marked_up_names_are_escaped(document):
    row = document["hypotheses"][0] | {"title": "<script>alert(1)</script>"}
    drawn = charts.svg(charts.chart_posterior(document | {"hypotheses": [row]}), "posterior")
    assert "<script" not in drawn
    assert "&lt;script&gt;" in drawn
