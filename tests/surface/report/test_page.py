"""The report: complete, escaped, and alone."""

import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gaddum.surface.report.page import methods_paragraph, write_report

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Outline(HTMLParser):
    """Checks that tags nest; collects text, addresses and section titles."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.text, self.titles = [], [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href", "action")]

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if self.open and self.open[-1] == "h2":
            self.titles.append(data)


def read(page):
    outline = Outline()
    outline.feed(page)
    assert outline.open == []
    return outline


@pytest.fixture(scope="module")
def document():
    return json.loads((Path(__file__).parents[1] / "document.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def page(document):
    return write_report(document)


def test_page_has_every_section(page):
    assert read(page).titles == [
        "What is missing",
        "Probability of each account",
        "Propositions",
        "Claims",
        "Hypotheses",
        "Where the Bayes factors come from",
        "Sensitivity",
        "Timeline",
        "Observed against predicted",
        "Held-out outcomes",
        "Engagement per study",
        "Priors and assumptions",
        "Studies and competing interests",
        "Methods",
        "How to repeat it",
    ]


def test_page_loads_nothing(page):
    assert read(page).addresses == []
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    assert "default-src 'none'" in page


def test_page_states_verdict_claims_and_command(document, page):
    text = " ".join(" ".join(read(page).text).split())
    assert document["verdict"] in text
    for row in document["claims"]:
        assert row["text"] in text
    assert document["manifest"]["command"] in text


def test_log_bayes_factors_come_with_errors_and_no_more_digits(page):
    assert "\u22120.29 \u00b1 0.08" in page
    assert "\u22120.2900" not in page


def test_unestablished_bayes_factor_is_not_printed(document, page):
    row = next(row for row in document["hypotheses"] if not row["established"])
    shown = page.split(f"<strong>{row['title']}</strong>")[1].split("</tr>")[0]
    assert shown.count('<td class="number">not established</td>') == 2
    assert "\u00b1" not in shown


def test_parameter_that_the_record_leaves_alone_is_printed_as_prior(page):
    row = re.search(r"<code>reserve</code>.*?</tr>", page, re.DOTALL)
    assert row is not None
    assert '<td class="number">prior</td>' in row.group()
    assert "62 %" in page


def row_of(page, text):
    """The table row that holds a text."""
    return next(part for part in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if text in part)


def test_first_screen_is_the_verdict_and_what_is_missing(document, page):
    folded = page.index('<details class="section"')
    assert page.index(document["verdict"][:40]) < page.index("What is missing") < folded
    assert '<details class="section" open' not in page
    assert "<table" not in page[:folded] and "<svg" not in page[:folded]


def test_claims_say_what_drives_them_and_what_would_test_them(document, page):
    for claim in document["claims"]:
        shown = row_of(page, claim["text"])
        assert claim["would_test"] in shown
        assert all(study in shown for study in claim["driving"])


def test_claims_that_were_counted_have_no_probability(page):
    shown = row_of(page, "Nobody tested whether it lasts in strain X.")
    assert ">counted<" in shown and "0.99" not in shown


def test_other_drugs_are_shown_with_their_block_beside_the_reference_drug_s(page):
    shown = row_of(page, "<td>otheramine")
    assert "0.3 (0.1 to 0.5)" in shown and "0.6 (0.4 to 0.8)" in shown and "0.29" in shown


def test_share_of_verdict_only_outcomes_is_shown_for_every_rival(document, page):
    section = page.split("Where the Bayes factors come from")[1].split("</table>")[0]
    assert section.count("80 %") == len(document["hypotheses"]) - 1
    assert "depends on the mechanism" in section


def test_comparator_with_too_few_draws_is_not_printed(document, page):
    section = page.split("Where the Bayes factors come from")[1].split("</table>")[0]
    shown = row_of(section, f"<td>{document['hypotheses'][2]['title']}</td>")
    assert shown.rstrip().endswith('<td class="number">not established</td></tr>')


def test_setting_that_no_verdict_must_survive_is_marked(page):
    assert "; beyond" in row_of(page, "without laboratory Arbor")
    assert "; beyond" not in row_of(page, "null results published at 0.1")


def test_second_contrast_of_a_blockade_is_predicted_too(page):
    assert "KA - V" in row_of(page, "<small>KA - V</small>")


@pytest.mark.slow
def test_document_of_an_older_run_still_gives_a_report(document):
    old = {key: value for key, value in document.items() if key not in ("held_out", "selection", "timeline")}
    bare = ("driving", "would_test", "answers", "parts", "without_kinetics", "decides")
    for key in ("claims", "hypotheses", "sensitivity"):
        old[key] = [{k: v for k, v in row.items() if k not in bare} for row in document[key]]
    page = write_report(old)
    assert "Held-out outcomes" not in page and "Where the Bayes factors come from" not in page


@pytest.mark.slow
def test_text_of_the_document_is_escaped(document):
    hostile = "<script>alert('x')</script><img src=x>"
    marked = copy.deepcopy(document)
    marked |= {"title": hostile, "question": hostile, "verdict": hostile, "missing": [hostile]}
    for key in ("claims", "hypotheses", "studies", "priors", "assumptions", "sensitivity", "propositions"):
        for row in marked[key]:
            row |= {
                name: hostile
                for name in ("text", "title", "note", "says", "reason", "setting")
                if name in row
            }
    marked["forest"][0] |= {"label": hostile, "endpoint": hostile}
    marked["engagement"] = [row | {"study": hostile} for row in marked["engagement"]]
    page = write_report(marked)
    assert page.count("<script") == 1
    assert "<img" not in page


def test_empty_record_still_gives_a_report(document):
    empty = {
        "propositions": [],
        "claims": [],
        "forest": [],
        "engagement": [],
        "studies": [],
        "sensitivity": [],
    }
    page = write_report(document | empty | {"verdict": "The record does not decide.", "missing": []})
    assert "The record does not decide." in page
    assert "Observed against predicted" not in page


@pytest.mark.slow
def test_report_is_the_same_when_written_again(document, page):
    assert write_report(document) == page


def test_methods_name_what_was_compared(document):
    text = methods_paragraph(document | {"until": 2010})
    assert "6 rival accounts of calm were compared on 14 outcomes of 4 studies up to 2010" in text
    assert "4 populations of 500 particles" in text
