"""The page of the prediction test shows what the files hold, on invented rows."""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.prediction.__main__ import renew_page
from benchmarks.prediction.engagement import RowEngagement
from benchmarks.prediction.forecasts import RIVALS, WAYS, forecasts_document
from benchmarks.prediction.page import BEGIN, END, FIGURE, PAGE, figure, renewed
from benchmarks.prediction.rows import BlockadeRecord, Unread
from benchmarks.prediction.rows_file import ROWS, read, rows_document

from test_prediction_rivals import row

INVENTED = (row("abolished", "a"), row("partial", "b", year=2021), row("partial", "c", year=2022, weight=0.0))
RECORD = BlockadeRecord(INVENTED, (Unread("d", "swim", "KA", "No number."),), "digest")
CHANCES = {"coin": np.full((2, 3), 1 / 3), "votes": np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1]])}
FORECASTS = forecasts_document(
    RECORD, {name: {"by_year": one, "by_laboratory": one} for name, one in CHANCES.items()}
)
DOCUMENT = rows_document(RECORD, (RowEngagement(0.9, 0.5), RowEngagement(None, None)))
BARE = f"# Test\n\nProse.\n\n{BEGIN}\nold\n{END}\n\nMore prose.\n"


def test_the_page_holds_scores_with_their_errors_rows_and_what_was_not_scored():
    page = renewed(BARE, DOCUMENT, FORECASTS)
    assert "| votes | -0.22 (0.00) | 0.88 (0.00) | 0.06 (0.00) | none |" in page
    assert "2 rows of 2 cohorts and 2 laboratories are scored." in page
    assert "| 2021 | b: mouse, stressed, behaving; naltrexone; acute | 1.00 | 0.00 | 1.00 | 0.00 |" in page
    assert "Nothing to block, hence not scored: c: " in page and "- d, swim: No number." in page


def test_prose_around_the_marks_stays_and_renewing_again_changes_nothing():
    page = renewed(BARE, DOCUMENT, FORECASTS)
    assert (
        page.startswith("# Test\n\nProse.\n\n") and page.endswith("\n\nMore prose.\n") and "old" not in page
    )
    assert renewed(page, DOCUMENT, FORECASTS) == page


def test_the_model_is_set_beside_every_rival():
    model = forecasts_document(RECORD, {"model": dict.fromkeys(WAYS, CHANCES["votes"])}, FORECASTS)
    page = renewed(BARE, DOCUMENT, FORECASTS, {"look": 1} | model)
    assert "The model's scores are those of look 1." in page
    assert "The model has not been scored." in renewed(BARE, DOCUMENT, FORECASTS)
    assert (
        page.count("model over coin: 0.88 (0.00), 0.88 to 0.88; model over votes: 0.00 (0.00), 0.00 to 0.00.")
        == 2
    )


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="The page must hold"):
        renewed("# Test\n", DOCUMENT, FORECASTS)


def test_the_figure_has_a_panel_for_each_forecaster():
    drawn = figure(DOCUMENT, FORECASTS)
    assert drawn.startswith("<svg") and ">coin<" in drawn and ">votes<" in drawn


def test_rivals_were_scored_on_the_committed_rows():
    rows, rivals = read(ROWS), read(RIVALS)
    assert rows is not None and rivals is not None
    assert rivals["record"] == rows["record"]
    assert rivals["rows"] == [one["name"] for one in rows["rows"] if one["weight"]]


def test_page_and_figure_in_docs_are_those_of_the_committed_files(tmp_path: Path):
    page, picture = tmp_path / "page.md", tmp_path / "figure.svg"
    page.write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    renew_page(page, picture)
    assert page.read_text(encoding="utf-8") == PAGE.read_text(encoding="utf-8")
    assert picture.read_text(encoding="utf-8") == FIGURE.read_text(encoding="utf-8")
