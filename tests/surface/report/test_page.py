"""The report: complete, escaped, and alone."""

import copy
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from gaddum.result_reader import read_result
from gaddum.surface import html_page
from gaddum.surface.files import asset
from gaddum.surface.report.answers import TOO_FEW, first_screen
from gaddum.surface.report.page import write_report
from gaddum.surface.report.sections import SECTIONS, Section, methods_paragraph

STORED = Path(__file__).parents[1] / "document.json"
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
def stored():
    """The document of an earlier run, which is upgraded when it is read."""
    return json.loads(STORED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def result():
    return read_result(STORED)


@pytest.fixture(scope="module")
def page(result):
    return write_report(result)


def test_page_has_every_section(page):
    assert read(page).titles == [
        "The verdict in a paragraph",
        "What is missing",
        "Probability of each account",
        "Propositions",
        "Claims",
        "Accounts in numbers",
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
    assert all(address.startswith("#") for address in read(page).addresses)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    assert "default-src 'none'" in page


def test_page_states_verdict_claims_and_command(result, page):
    text = " ".join(" ".join(read(page).text).split())
    assert result.verdict in text
    for row in result.claims:
        assert row.text in text
    assert result.manifest.command in text


def test_log_bayes_factors_come_with_errors_and_no_more_digits(page):
    assert "\u22120.29 \u00b1 0.08" in page
    assert "\u22120.2900" not in page


def test_unestablished_bayes_factor_is_not_printed(result, page):
    row = next(row for row in result.hypotheses if not row.established)
    shown = page.split(f"<strong>{row.title}</strong>")[1].split("</tr>")[0]
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


def test_first_screen_is_what_is_said_first_and_all_else_is_folded(result, page):
    first, folded = page.split("</section>", 1)
    said = first_screen(result)
    assert [text in unescape(first) for text in (*said.sentences, said.account)] == [True] * (
        len(said.sentences) + 1
    )
    assert '<details class="section" open' not in page
    assert "<table" not in first and "<svg" not in first
    assert result.verdict[:40] in folded and result.missing[0] in folded


def test_contents_name_every_section_in_order(page):
    links = re.findall(r'<a href="#([^"]+)">([^<]+)</a>', page)
    assert [title for _, title in links] == read(page).titles
    assert [name for name, _ in links] == re.findall(r'<div class="body" id="([^"]+)">', page)


def test_claims_say_what_drives_them_and_what_would_test_them(result, page):
    for claim in result.claims:
        shown = row_of(page, claim.text)
        assert claim.would_test in shown
        assert all(study in shown for study in claim.driving)


def test_claims_that_were_counted_have_no_probability(page):
    shown = row_of(page, "Nobody tested whether it lasts in strain X.")
    assert ">counted<" in shown and "0.99" not in shown


def test_other_drugs_are_shown_with_their_block_beside_the_reference_drug_s(page):
    shown = row_of(page, "<td>otheramine")
    assert "0.3 (0.1 to 0.5)" in shown and "0.6 (0.4 to 0.8)" in shown and "0.29" in shown


def test_share_of_verdict_only_outcomes_is_shown_for_every_rival(result, page):
    section = page.split("Where the Bayes factors come from</h2>")[1].split("</table>")[0]
    assert section.count("80 %") == len(result.hypotheses) - 1
    assert "depends on the mechanism" in section


def test_comparator_with_too_few_draws_is_not_printed(result, page):
    section = page.split("Where the Bayes factors come from</h2>")[1].split("</table>")[0]
    shown = row_of(section, f"<td>{result.hypotheses[2].title}</td>")
    assert shown.rstrip().endswith('<td class="number">not established</td></tr>')


def test_setting_that_no_verdict_must_survive_is_marked(page):
    assert "; beyond" in row_of(page, "without laboratory Arbor")
    assert "; beyond" not in row_of(page, "null results published at 0.1")


def test_number_from_too_few_effective_draws_is_not_printed(result, page):
    row = row_of(page, "without laboratory Arbor")
    assert TOO_FEW in row and 'class="cell"' not in row
    few = result.held_out[0].model_copy(update={"effective_draws": 99.0, "pit": 0.123})
    shown = write_report(result.model_copy(update={"held_out": (few,)}))
    assert TOO_FEW in row_of(shown, "<td>99</td>".replace("<td>", '<td class="number">'))
    assert "0.12</td>" not in shown.split("PIT</th>")[1].split("</table>")[0]


def test_second_contrast_of_a_blockade_is_predicted_too(page):
    assert "KA - V" in row_of(page, "<small>KA - V</small>")


def read_again(document, folder):
    (folder / "result.json").write_text(json.dumps(document), encoding="utf-8")
    return read_result(folder)


@pytest.mark.slow
def test_document_of_an_older_run_still_gives_a_report(stored, tmp_path):
    old = {key: value for key, value in stored.items() if key not in ("held_out", "selection", "timeline")}
    bare = ("driving", "would_test", "answers", "parts", "without_kinetics", "decides")
    for key in ("claims", "hypotheses", "sensitivity"):
        old[key] = [{k: v for k, v in row.items() if k not in bare} for row in stored[key]]
    page = write_report(read_again(old, tmp_path))
    assert "Held-out outcomes" not in page and "Where the Bayes factors come from" not in page


@pytest.mark.slow
def test_text_of_the_result_is_escaped(stored, tmp_path):
    hostile = "<script>alert('x')</script><img src=x>"
    marked = copy.deepcopy(stored)
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
    page = write_report(read_again(marked, tmp_path))
    assert page.count("<script") == 1
    assert "<img" not in page


def test_empty_record_still_gives_a_report(result):
    tables = (
        "propositions",
        "claims",
        "forest",
        "engagement",
        "studies",
        "sensitivity",
        "held_out",
        "missing",
    )
    said = {"verdict": "The record does not decide."}
    page = write_report(result.model_copy(update=dict.fromkeys(tables, ()) | said))
    assert "The record does not decide." in page
    assert "Observed against predicted" not in page


@pytest.mark.slow
def test_report_is_the_same_when_written_again(result, page):
    assert write_report(result) == page


def test_methods_name_what_was_compared(result):
    text = methods_paragraph(result.model_copy(update={"until": 2010}))
    assert "6 rival accounts of calm were compared on 14 outcomes of 4 studies up to 2010" in text
    assert "4 populations of 500 particles" in text


def test_a_section_is_added_by_a_template_and_one_line(result, monkeypatch):
    toy = "<p>{{ s.count }} studies of {{ r.effect }}</p>"
    monkeypatch.setattr(html_page, "asset", lambda name: toy if name == "report/toy.html.j2" else asset(name))
    sections = (Section("Toy", "made up", "toy", lambda r: {"count": len(r.studies)}), *SECTIONS[-1:])
    page = write_report(result, sections)
    assert read(page).titles == ["Toy", "How to repeat it"]
    assert "<p>4 studies of calm</p>" in page


def test_a_section_without_content_is_left_out(result):
    page = write_report(result, [Section("Toy", "", "methods", lambda r: None)])
    assert read(page).titles == []
