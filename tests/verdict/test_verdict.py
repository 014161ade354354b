"""Verdict: truth of propositions on draws and on gates, and thresholds."""

import numpy as np
import pytest

from gaddum.records.hypothesis import Hypothesis
from gaddum.records.ledger import load_case
from gaddum.verdict import verdict
from gaddum.verdict.verdict import Question, answer, answer_by_gate, judge, questions

NEEDED = Question("it needed", "", {"NMDAR.block": 0.0}, False)
ENOUGH = Question("it sufficient", "", {"MOR.tone": 0.0}, True)
FEATURES = ("NMDAR.block", "MOR.agonism", "MOR.tone")


@pytest.fixture(scope="module")
def ketamine():
    return load_case("ketamine")


def asked(ketamine, name):
    return next(q for q in questions(FEATURES, ketamine.library, "effect") if q.name == name)


def gated(gate):
    return Hypothesis(name="any", title="any", gate=gate, says="any")


def test_needed_is_less_than_half_left():
    held, reference = np.array([0.0, 0.49, 0.51, 1.0]), np.ones(4)
    assert answer(NEEDED, held, reference).tolist() == [True, True, False, False]


def test_sufficient_is_more_than_half_there():
    held, reference = np.array([0.0, 0.49, 0.51, 1.0]), np.ones(4)
    assert answer(ENOUGH, held, reference).tolist() == [False, False, True, True]


def test_effect_of_nothing_needs_nothing_and_nothing_suffices_for_it():
    for question in (NEEDED, ENOUGH):
        assert not answer(question, np.array([0.0]), np.array([0.0])).any()


def test_effect_below_zero_is_judged_by_its_share():
    assert answer(NEEDED, np.array([-0.1, -0.9]), -np.ones(2)).tolist() == [True, False]


@pytest.mark.parametrize(
    ("gate", "true"),
    [
        ("NMDAR.block", {"NMDAR block needed", "NMDAR block sufficient"}),
        ("MOR.agonism", {"opioid signalling needed", "MOR agonism needed", "MOR agonism sufficient"}),
        ("NMDAR.block & MOR.tone", {"opioid signalling needed", "NMDAR block needed"}),
        ("NMDAR.block & MOR.tone | MOR.agonism", {"opioid signalling needed", "MOR agonism sufficient"}),
        ("NMDAR.block | MOR.agonism", {"NMDAR block sufficient", "MOR agonism sufficient"}),
        ("0", set()),
    ],
)
def test_propositions_of_gates_alone(ketamine, gate, true):
    found = {
        q.name
        for q in questions(FEATURES, ketamine.library, "effect")
        if answer_by_gate(q, gated(gate), FEATURES)
    }
    assert found == true


def test_opioid_signalling_holds_every_opioid_feature(ketamine):
    assert asked(ketamine, "opioid signalling needed").hold == {"MOR.agonism": 0.0, "MOR.tone": 0.0}
    assert asked(ketamine, "NMDAR block sufficient").hold == {"MOR.agonism": 0.0, "MOR.tone": 0.0}


@pytest.mark.parametrize(
    ("probability", "lower", "upper", "prior", "word", "leaning"),
    [
        (0.99, 0.951, 1.0, 0.5, "supported", None),
        (0.99, 0.95, 1.0, 0.5, "undecided", "for"),
        (0.99, 0.45, 1.0, 0.5, "undecided", None),
        (0.01, 0.0, 0.049, 0.5, "contradicted", None),
        (0.01, 0.0, 0.051, 0.5, "undecided", "against"),
        (0.5, 0.4, 0.6, 0.5, "undecided", None),
        (0.76, 0.51, 0.9, 0.5, "undecided", "for"),
        (0.76, 0.5, 0.9, 0.5, "undecided", None),
        (0.24, 0.1, 0.49, 0.5, "undecided", "against"),
        (0.8, 0.6, 0.9, 0.7, "undecided", "for"),
        (0.8, 0.6, 0.9, 0.8, "undecided", None),
    ],
)
def test_words_for_probabilities(probability, lower, upper, prior, word, leaning):
    found = judge([probability, lower, upper], prior)
    assert (found.verdict, found.leaning) == (word, leaning)
    assert (found.probability, found.lower, found.upper) == (probability, lower, upper)


def test_what_the_prior_settled_is_not_said_to_be_moved():
    found = judge([0.99, 0.98], 0.985)
    assert (found.verdict, found.leaning, found.moved) == ("supported", None, False)
    assert judge([0.99, 0.98], 0.5).moved
    assert judge([0.8, 0.7], 0.5).moved and not judge([0.8, 0.7], 0.7).moved
    assert not judge([0.01, 0.0, 0.02], 0.02).moved


def test_a_setting_with_too_few_draws_leaves_the_range_and_still_bars_a_word():
    found = judge([0.99, 0.97, 0.4, 0.98], 0.5, known=[True, True, False, True])
    assert (found.lower, found.upper, found.settings) == (0.97, 0.99, 3)
    assert (found.verdict, found.leaning) == ("undecided", "for")


def test_paragraph_without_scored_outcomes_says_that_nothing_is_decided(ketamine):
    assert verdict.paragraph(ketamine.case, [], [], True).endswith("The record does not decide.")
