from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaddum.records.gate import gate_of, monotone_gates, parse_gate

NAMES = ("NMDAR.block", "MOR.tone", "5-HT1A.agonism", "KOR.engagement")


@st.composite
def gates(draw):
    """Text of a gate together with its meaning as a Python function."""

    def leaf():
        name = st.sampled_from(NAMES).map(lambda one: (one, lambda values, one=one: values[one]))
        return name | st.sampled_from([("0", lambda values: False), ("1", lambda values: True)])

    def grow(inner):
        both = st.tuples(inner, inner)
        return (
            inner.map(lambda one: (f"!({one[0]})", lambda values: not one[1](values)))
            | both.map(
                lambda two: (f"({two[0][0]}) & ({two[1][0]})", lambda v: two[0][1](v) and two[1][1](v))
            )
            | both.map(lambda two: (f"({two[0][0]})|({two[1][0]})", lambda v: two[0][1](v) or two[1][1](v)))
        )

    return draw(st.recursive(leaf(), grow, max_leaves=8))


@given(gates())
def test_truth_table_is_what_the_text_says(gate_and_meaning):
    text, meaning = gate_and_meaning
    gate = parse_gate(text)
    for index, corner in enumerate(gate.corners):
        values = dict.fromkeys(NAMES, False) | {
            name: bool(index >> i & 1) for i, name in enumerate(gate.inputs)
        }
        assert corner == int(meaning(values))


@given(gates(), st.permutations(NAMES))
def test_expansion_keeps_the_function(gate_and_meaning, inputs):
    gate = parse_gate(gate_and_meaning[0])
    expanded = gate_of(inputs, gate.corners_over(inputs))
    assert expanded == gate
    assert hash(expanded) == hash(gate)
    assert set(expanded.essential) == set(gate.essential)


@given(gates(), st.permutations(NAMES))
def test_writing_a_table_as_text_and_reading_it_gives_the_same_function(gate_and_meaning, inputs):
    table = parse_gate(gate_and_meaning[0]).corners_over(inputs)
    assert parse_gate(gate_of(inputs, table).text) == gate_of(inputs, table)


def test_inputs_are_in_order_of_first_appearance():
    gate = parse_gate("MOR.tone & NMDAR.block | MOR.tone")
    assert gate.inputs == ("MOR.tone", "NMDAR.block")
    assert gate.corners == (0, 1, 0, 1)


def test_and_binds_tighter_than_or_and_not_tightest():
    assert parse_gate("A.tone | !B.tone & C.tone") == parse_gate("A.tone | ((!B.tone) & C.tone)")


def test_different_functions_are_not_equal():
    assert parse_gate("A.tone & B.tone") != parse_gate("A.tone | B.tone")
    assert parse_gate("A.tone") != parse_gate("B.tone")
    assert parse_gate("A.tone | !A.tone") == parse_gate("1")
    assert parse_gate("A.tone & B.tone") == parse_gate("B.tone & A.tone")


@pytest.mark.parametrize(("k", "count"), list(enumerate([2, 3, 6, 20, 168, 7581])))
def test_monotone_gates_are_as_many_as_dedekind_says(k, count):
    tables = monotone_gates(k)
    assert len(tables) == len(set(tables)) == count
    inputs = tuple(f"T{i}.tone" for i in range(k))
    assert all(gate_of(inputs, table).is_monotone for table in tables[:: max(1, count // 300)])


@pytest.mark.parametrize("k", range(4))
def test_monotone_gates_are_all_that_there_are(k):
    inputs = tuple(f"T{i}.tone" for i in range(k))
    monotone = {table for table in product((0, 1), repeat=2**k) if gate_of(inputs, table).is_monotone}
    assert monotone == set(monotone_gates(k))


def test_constants_are_monotone_and_constant():
    assert parse_gate("0").is_constant and parse_gate("1").is_monotone
    assert not parse_gate("!A.tone").is_monotone


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an early end"),
        ("A.tone |", "got '|' at column 8|early end"),
        ("MOR", "must be features such as"),
        ("A.tone and B.tone", "must be features such as"),
        ("__import__('os')", "must be features such as"),
        ("A.tone B.tone", "must be features such as"),
        ("(A.tone", "must be features such as"),
        ("2", "must be features such as"),
        ("MOR.tome", "got 'tome' of MOR.*Did you mean 'tone'"),
        ("!" * 500 + "A.tone", "nested at most"),
        ("(" * 500 + "A.tone" + ")" * 500, "at most 1000 characters"),
        ("(" * 100 + "A.tone" + ")" * 100, "nested at most"),
        (" & ".join(f"T{i}.tone" for i in range(11)), "at most 10 inputs"),
    ],
)
def test_bad_gates_are_refused_with_what_must_hold(text, message):
    with pytest.raises(ValueError, match=message):
        parse_gate(text)


@given(st.text(alphabet="AB.tone&|!()01 \n-", max_size=40))
def test_any_text_is_a_gate_or_a_value_error(text):
    try:
        gate = parse_gate(text)
    except ValueError:
        return
    assert len(gate.corners) == 2 ** len(gate.inputs)


def test_expansion_over_too_few_inputs_is_refused():
    with pytest.raises(ValueError, match="include A.tone"):
        parse_gate("A.tone").corners_over(("B.tone",))


def test_enumeration_stops_at_five_inputs():
    with pytest.raises(ValueError, match="0 to 5"):
        monotone_gates(6)
