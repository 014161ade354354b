"""Plot and notebook: every result has a figure, a line that says what it is, and a short escaped table."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
import xarray as xr

import gaddum
from gaddum.surface.plot import FIGURES, MOST_ROWS
from gaddum.verdict.adjudicate import Adjudication

PROTOCOLS = ["ketamine 0.5 mg/kg iv over 40 min", "naltrexone 50 mg po at -45 min + ketamine 10 mg iv"]


@pytest.fixture(scope="module")
def results():
    stored = gaddum.read_result(Path(__file__).parent / "document.json")
    return {
        "occupancy": gaddum.occupancy(PROTOCOLS[1], times=["1 h", "4 h"], draws=64),
        "simulate": gaddum.simulate(PROTOCOLS, times=["1 h", "4 h"], targets=["MOR", "NMDAR"], draws=64),
        "audit": gaddum.audit("ketamine", "klein2020", draws=64),
        "power": gaddum.power(n=7, effect=1.0),
        "result": stored,
        "adjudicate": Adjudication(stored, xr.DataTree()),
    }


KINDS = ["occupancy", "simulate", "audit", "power", "result", "adjudicate"]


class Cells(HTMLParser):
    """Cells of a table, row by row."""

    def __init__(self):
        super().__init__()
        self.rows, self.tags = [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_data(self, data):
        if self.rows:
            self.rows[-1].append(data)


def cells(result):
    found = Cells()
    found.feed(result._repr_html_())
    return found


def marks(chart):
    """Rows that a chart is drawn from."""
    return [row for rows in chart.to_dict()["datasets"].values() for row in rows] if chart else []


@pytest.mark.parametrize("kind", KINDS)
def test_every_result_says_what_it_is_in_at_most_five_lines(results, kind):
    said = repr(results[kind])
    assert len(said.splitlines()) <= 5 and len(said) < 500
    assert "array" not in said


def test_a_comparison_of_runs_is_a_row_an_account_in_a_notebook(results):
    found = gaddum.compare(results["result"], results["result"])
    assert len(cells(found).rows) == len(results["result"].hypotheses) + 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_result_is_a_short_table_in_a_notebook(results, kind):
    found = cells(results[kind])
    assert 2 <= len(found.rows) <= MOST_ROWS + 1
    assert len({len(row) for row in found.rows}) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_every_result_has_a_figure(results, kind):
    assert gaddum.plot(results[kind]).to_dict()["$schema"].endswith(".json")


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_of_an_adjudication_is_drawn_without_the_colour_of_a_page(results, figure):
    assert "currentColor" not in gaddum.plot(results["result"], figure).to_json()


def test_table_of_occupancy_has_a_row_a_target(results):
    assert [row[0] for row in cells(results["occupancy"]).rows[1:]] == list(results["occupancy"].targets)


def test_a_long_table_ends_with_how_many_rows_are_left_out(results):
    long = results["result"].model_copy(update={"hypotheses": results["result"].hypotheses * 5})
    assert len(cells(long).rows) == MOST_ROWS + 1
    assert "and 10 more" in long._repr_html_()


def test_text_of_a_result_is_escaped_in_a_notebook(results):
    first = results["result"].hypotheses[0].model_copy(update={"title": "<script>alert(1)</script>"})
    marked = results["result"].model_copy(update={"hypotheses": (first,), "case": "<img src=x>"})
    found = cells(marked)
    assert not found.tags & {"script", "img"}
    assert "<script>alert(1)</script>" in found.rows[1][0]


def test_adjudication_draws_the_figure_that_is_named(results):
    titles = gaddum.plot(results["adjudicate"], "forest").to_json()
    assert results["result"].forest[0].label in titles


@pytest.mark.parametrize(("kind", "figure"), [("result", "forrest"), ("occupancy", "forest")])
def test_a_figure_that_the_result_has_not_is_refused(results, kind, figure):
    with pytest.raises(ValueError, match="A figure must be one that the result has"):
        gaddum.plot(results[kind], figure)


@pytest.mark.parametrize("figure", [name for name in FIGURES if name != "accounts"])
def test_a_figure_of_what_the_result_lacks_is_refused_in_a_sentence(results, figure):
    with pytest.raises(ValueError, match=f"nothing under '{figure}'"):
        gaddum.plot(results["result"].model_copy(update={figure: ()}), figure)


def test_what_is_no_result_is_refused():
    with pytest.raises(ValueError, match="got int"):
        gaddum.plot(3)
