"""What is said first: word, number and range agree, people come first, and thin settings are not spoken of."""

import io
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from gaddum.result_reader import read_result
from gaddum.results import LEAST_DRAWS, PropositionRow, SettingRow
from gaddum.surface.report.answers import TOO_FEW, WORDS, first_screen, known_range
from gaddum.surface.report.page import write_report
from gaddum.surface.terminal import print_summary
from gaddum.verdict.verdict import judge

RESULT = read_result(Path(__file__).parents[1] / "document.json")
CHANCES = st.floats(0, 1)


@st.composite
def judged(draw):
    """Settings with their draws, and two propositions as a verdict over these settings makes them."""
    names = [f"without study{place}" for place in range(draw(st.integers(0, 4)))]
    draws = [None, *(draw(st.floats(1, 1000)) for _ in names)]
    known = [one is None or one >= LEAST_DRAWS for one in draws]
    lead, *others = [row.name for row in RESULT.hypotheses]
    settings = [
        SettingRow(
            name=name,
            setting="",
            effective_draws=few,
            probabilities={lead: (p := draw(CHANCES)), **{one: (1 - p) / len(others) for one in others}},
        )
        for name, few in zip(["main", *names], draws, strict=True)
    ]
    rows, every = [], []
    for stratum in ("rat, stressed, behaving", "human, stressed, behaving"):
        values = draw(st.lists(CHANCES, min_size=len(draws), max_size=len(draws)))
        found = judge(values, draw(CHANCES), known=known)
        rows.append(
            PropositionRow(name="X block needed", text="", stratum=stratum, phase="acute", **dict(found))
        )
        every.append(values)
    made = {"propositions": tuple(rows), "sensitivity": tuple(settings)}
    return RESULT.model_copy(update=made), every


def test_the_first_screen_counts_blockade_studies_that_were_read_in_full():
    first, *rest = RESULT.studies
    read = [first.model_copy(update={"blockade": True, "read": how}) for how in ("measured", "abstract")]
    found = RESULT.model_copy(
        update={"studies": (*read, first.model_copy(update={"read": "measured"}), *rest)}
    )
    assert first_screen(found).account.endswith("1 of 2 blockade studies read in full.")
    assert "read in full" not in first_screen(RESULT).account  # of an older version, which does not tell


@given(judged())
def test_word_number_and_range_never_contradict_each_other(made):
    result, every = made
    for row, values in zip(result.propositions, every, strict=True):
        low, high = known_range(result, row) or (0.0, 1.0)
        assert low <= row.probability <= high
        word = WORDS[row.word]
        assert (low > 0.95) if word == "needed" else word != "not needed" or high < 0.05
        assert (low > 0.5) if word == "probably needed" else word != "probably not needed" or high < 0.5
        if min(values) > 0.95 or max(values) < 0.05:
            assert word in ("needed", "not needed")
        untouched = row.probability == pytest.approx(row.prior, rel=1e-9)
        assert (word == "not known") <= (low <= 0.5 <= high or untouched)
        assert row.word.startswith("leans") or row.word == row.verdict


@given(judged())
def test_sentences_say_the_word_and_number_of_every_answer_people_first(made):
    result, _ = made
    screen = first_screen(result)
    assert [one.population for one in screen.answers] == ["patients", "stressed rats"]
    for one, sentence in zip(screen.answers, screen.sentences, strict=True):
        assert one.word in sentence
        assert sentence.count("probably") == one.word.count("probably")


@given(judged())
def test_no_number_of_a_setting_with_too_few_draws_is_said(made):
    result, _ = made
    few = [one for one in result.sensitivity if one.effective_draws and one.effective_draws < LEAST_DRAWS]
    said = first_screen(result)
    for one in few:
        cohort = one.name.removeprefix("without ")
        assert cohort in said.account and not re.search(rf"{cohort} (it falls )?to ", said.account)
    assert (TOO_FEW in said.account) == bool(few) == (TOO_FEW in said.range_note)


def test_an_older_range_that_rests_on_thin_settings_is_not_said():
    thin = RESULT.sensitivity[0].model_copy(update={"name": "without x", "effective_draws": 17.0})
    older = RESULT.model_copy(update={"sensitivity": (*RESULT.sensitivity, thin)})
    assert all("range not known" in one.numbers for one in first_screen(older).answers)
    assert all(one.range for one in first_screen(RESULT).answers)


def test_account_names_the_cohorts_without_which_it_falls_and_to_what():
    said = first_screen(RESULT).account
    assert "\u201cAR1 block alone\u201d (chance 0.41)" in said
    assert (
        "Without birch-mice it falls to 0.23 (\u201cAR1 block, with opioid tone permitting\u201d leads, 0.50)"
        in said
    )


def test_account_that_no_cohort_moves_says_so():
    alike = tuple(
        one.model_copy(update={"probabilities": {row.name: row.probability for row in RESULT.hypotheses}})
        for one in RESULT.sensitivity
    )
    said = first_screen(RESULT.model_copy(update={"sensitivity": alike})).account
    assert said.endswith("Without any one cohort it falls by less than 0.02.")


def test_record_without_scored_outcomes_says_nothing_else():
    said = first_screen(RESULT.model_copy(update={"forest": ()}))
    assert (len(said.sentences), said.answers, said.account) == (1, (), "")
    assert "before the record" in said.sentences[0]


def test_slices_are_left_to_the_sections_below():
    assert "slices" not in " ".join(first_screen(RESULT).sentences)
    only = tuple(row for row in RESULT.propositions if row.stratum.endswith("slice"))
    assert "(slices)" in first_screen(RESULT.model_copy(update={"propositions": only})).sentences[0]


def test_terminal_and_page_say_the_same():
    shown, said = io.StringIO(), first_screen(RESULT)
    print_summary(RESULT, Console(file=shown, width=80))
    text, page = " ".join(shown.getvalue().split()), write_report(RESULT, ())
    assert all(one in text for one in (*said.sentences, said.account))
    assert all(f"<li>{one}</li>" in page for one in said.sentences if "> 0.99" not in one)


def test_terminal_draws_a_bar_a_row_with_dot_and_range_in_place():
    shown = io.StringIO()
    row = RESULT.propositions[0].model_copy(update={"probability": 0.8, "lower": 0.6, "upper": 1.0})
    print_summary(RESULT.model_copy(update={"propositions": (row,)}), Console(file=shown, width=80))
    assert "\u00b7\u00b7\u00b7\u00b7\u00b7|\u2500\u2500\u25cf\u2500\u2500" in shown.getvalue()
    assert all(len(line) <= 80 for line in shown.getvalue().splitlines())
