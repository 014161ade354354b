"""Works as BibTeX: what sources name, and nothing made up."""

import re

import pytest

from gaddum import load_case, write_bibtex
from gaddum.records.ledger import Ledger


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    return load_case("ketamine").ledger


def fields(entry: str) -> dict[str, str]:
    return dict(re.findall(r"^  (\w+) = \{(.*)\},?$", entry, re.M))


def test_every_study_is_an_entry_with_what_its_source_names(ledger):
    entries = dict(re.findall(r"^@misc\{(\w+),\n(.*?)\n\}$", write_bibtex(ledger), re.M | re.S))
    for study in ledger.studies:
        found = fields(entries[study.id])
        assert (found.get("doi"), found.get("pmid")) == (study.source.doi, study.source.pmid)
        assert found["year"] == str(study.year)


def test_nothing_is_said_of_authors_and_journals(ledger):
    assert set(re.findall(r"^  (\w+) =", write_bibtex(ledger), re.M)) == {
        "title",
        "year",
        "doi",
        "pmid",
        "note",
        "annote",
    }


def test_our_own_words_for_a_report_are_no_title(ledger):
    assert all(
        title[0] == "[" and title[-1] == "]"
        for title in re.findall(r"title = \{(.*)\}", write_bibtex(ledger))
    )


def with_sources(ledger: Ledger, name: str, *sources: dict[str, str]) -> Ledger:
    study = ledger.study(name)
    (experiment, *rest) = study.experiments
    (outcome, *others) = experiment.outcomes
    changed = [
        outcome.model_copy(update={"source": outcome.source.model_copy(update=one)}) for one in sources
    ]
    experiment = experiment.model_copy(update={"outcomes": (*changed, *others)})
    return Ledger((study.model_copy(update={"experiments": (experiment, *rest)}),))


def test_other_works_follow_their_study_once(ledger):
    other = {"doi": "10.1000/other", "pmid": None, "cites": None}
    text = write_bibtex(with_sources(ledger, "klein2020", other, other | {"doi": "10.1000/OTHER"}))
    assert text.count("@misc{klein2020_2,\n  doi = {10.1000/other},") == 1 and "klein2020_3" not in text


def test_special_characters_are_escaped(ledger):
    other = {"doi": None, "pmid": None, "cites": "50{% of A & B_{x}\\"}
    text = write_bibtex(with_sources(ledger, "klein2020", other))
    assert (
        r"note = {50\textbraceleft{}\% of A \& B\_\textbraceleft{}x\textbraceright{}\textbackslash{}}" in text
    )
    assert text.count("{") == text.count("}")


def test_an_empty_ledger_cites_nothing():
    assert write_bibtex(Ledger()) == ""
