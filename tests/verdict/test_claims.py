"""Claims: how answers combine, and what ledger, declarations and other drugs' outcomes say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaddum.records.claim import Claim, Declaration, Filter, LedgerCount
from gaddum.records.ledger import load_case
from gaddum.records.source import Source
from gaddum.results import SURE, ClaimAnswer, PropositionRow
from gaddum.verdict.claims import answer_claim, count_ledger, declared, from_propositions
from gaddum.verdict.verdict import judge

HERE = Source(how="assumption", reason="made up for a test")


@pytest.fixture(scope="module")
def ketamine():
    return load_case("ketamine")


def claim(**given):
    return Claim(**({"id": "C1", "text": "text", "proposition": "it needed", "source": HERE} | given))


def row(word, probability, *, stratum="rat", phase="acute", driving=()):
    return PropositionRow(
        name="it needed",
        text="It is needed.",
        stratum=stratum,
        phase=phase,
        probability=probability,
        lower=0.0,
        upper=1.0,
        prior=0.5,
        verdict=word,
        driving=tuple(driving),
    )


def answered(one, rows):
    """Answer a claim that asks one proposition."""
    found = from_propositions(one, "it needed", rows, expects=one.expects)
    return answer_claim(one, [] if found is None else [found])


def count(holds_for, has, **among):
    return LedgerCount(kind="ledger", among=Filter(**among), has=Filter(**has), holds_for=holds_for)


def said(verdict, probability=None, basis="outcomes"):
    return ClaimAnswer(text="asked", basis=basis, verdict=verdict, probability=probability)


# One proposition


@pytest.mark.parametrize(
    ("word", "expects", "verdict", "probability"),
    [
        ("supported", True, "supported", 0.97),
        ("supported", False, "contradicted", 0.03),
        ("contradicted", True, "contradicted", 0.97),
        ("contradicted", False, "supported", 0.03),
        ("undecided", True, "undecided", 0.97),
        ("undecided", False, "undecided", 0.03),
    ],
)
def test_claims_for_and_against_a_proposition(word, expects, verdict, probability):
    found = answered(claim(expects=expects), [row(word, 0.97)])
    assert found.verdict == verdict
    assert found.probability == pytest.approx(probability)


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=4), min_size=1, max_size=4), st.booleans())
def test_word_and_number_of_a_claim_never_contradict_each_other(settings, expects):
    rows = [row("undecided", 0.5).model_copy(update=dict(judge(values, 0.5))) for values in settings]
    found = answered(claim(expects=expects), rows)
    assert found.probability is not None
    assert found.verdict != "supported" or found.probability > SURE
    assert found.verdict != "contradicted" or found.probability < 1 - SURE + 1e-12


def test_claim_without_a_stratum_is_asked_of_all_and_answered_by_the_weakest():
    rows = [row("supported", 0.99), row("undecided", 0.6, stratum="mouse", phase="sustained")]
    found = answered(claim(), rows)
    assert found.verdict == "undecided" and found.probability == 0.6
    assert answered(claim(stratum="rat"), rows).verdict == "supported"
    assert answered(claim(phase="sustained"), rows).probability == 0.6


def test_claim_for_all_is_contradicted_by_one_exception():
    rows = [row("supported", 0.99), row("contradicted", 0.01, stratum="mouse")]
    found = answered(claim(), rows)
    assert found.verdict == "contradicted" and found.probability == 0.01


@pytest.mark.parametrize(("one", "rows"), [(claim(), []), (claim(stratum="cat"), [row("supported", 1.0)])])
def test_claim_that_nothing_answers_is_not_testable(one, rows):
    found = answered(one, rows)
    assert found.verdict == "not testable" and found.probability is None


def test_claim_names_its_own_studies_or_else_those_that_drive_it():
    rows = [
        row("supported", 0.99, driving=["b", "a"]),
        row("supported", 0.99, phase="sustained", driving=["a"]),
    ]
    assert answered(claim(), rows).studies == ("a", "b")
    assert answered(claim(studies=("mine",)), rows).studies == ("mine",)
    assert answered(claim(studies=("mine",)), rows).driving == ("a", "b")


# Several asks


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (("supported", "supported"), "supported"),
        (("supported", "undecided"), "undecided"),
        (("undecided", "contradicted"), "contradicted"),
        (("supported",), "undecided"),
        ((), "not testable"),
    ],
)
def test_a_claim_is_as_sure_as_the_least_sure_of_its_answers(words, verdict):
    asks = (count("none", {}), count("none", {}))
    found = answer_claim(claim(proposition=None, asks=asks), [said(word) for word in words])
    assert found.verdict == verdict


def test_probability_of_a_claim_is_the_least_of_its_answers():
    answers = [said("supported", 1.0, "ledger"), said("undecided", 0.7), said("undecided")]
    assert answer_claim(claim(), answers).probability == 0.7


def test_every_claim_says_what_would_test_it_in_its_own_words_or_by_rule():
    assert answer_claim(claim(would_test="This."), []).would_test == "This."
    by_rule = answer_claim(claim(stratum="rat", phase="acute"), [said("undecided")]).would_test
    assert "in rat" in by_rule and "acute" in by_rule
    assert "replication" in answer_claim(claim(), [said("supported")]).would_test


# Ledger


@pytest.mark.parametrize(
    ("holds_for", "verdict"), [("none", "contradicted"), ("some", "supported"), ("all", "contradicted")]
)
def test_ledger_counts_none_some_or_all(ketamine, holds_for, verdict):
    found = count_ledger(count(holds_for, {"scored": False}, strain="cLH"), ketamine.ledger)
    assert found is not None
    assert found.verdict == verdict
    assert found.probability == (1.0 if verdict == "supported" else 0.0)


def test_ledger_that_holds_none_of_those_asked_about_gives_no_answer(ketamine):
    assert count_ledger(count("none", {}, strain="unheard-of"), ketamine.ledger) is None


def test_ledger_filters_by_drug_verdict_and_time(ketamine):
    week = count("some", {"verdicts": ["effective"]}, drugs=["R-ketamine"], tested=["120 h", "192 h"])
    found = count_ledger(week, ketamine.ledger)
    assert found is not None
    assert "zhang2014" in found.driving
    assert all(120 <= line["hours"] <= 192 for line in found.rows)
    assert {line["reported"] for line in found.rows} == {"effective"}


def test_declaration_is_found_where_one_study_of_the_laboratory_records_it(ketamine):
    found = declared(Declaration(kind="declaration", lab="Hashimoto"), ketamine.ledger)
    assert found is not None
    assert found.verdict == "supported" and found.driving == ("zhang_hashimoto2019",)


def test_declaration_is_not_found_where_none_is_recorded(ketamine):
    found = declared(Declaration(kind="declaration", lab="Zanos"), ketamine.ledger)
    assert found is not None and found.verdict == "contradicted"
    assert declared(Declaration(kind="declaration", lab="nobody"), ketamine.ledger) is None
