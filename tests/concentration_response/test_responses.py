"""Reading bench data: long and wide tables hold the same numbers, and faults are named."""

import numpy as np
import pytest

from gaddum.concentration_response.responses import make_responses, read_responses

LONG = "agonist,antagonist,response,plate\n1,0,5\n10,0,50\n1,100,1\n10,100,\n100,100,48\n"


@pytest.fixture
def table(tmp_path):
    def write(text, name="data.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def rows(responses):
    return sorted(zip(*(column.tolist() for column in responses), strict=True))


def test_long_table_skips_missing_responses_and_unknown_columns(table):
    assert rows(read_responses(table(LONG))) == [(1, 0, 5), (1, 100, 1), (10, 0, 50), (100, 100, 48)]


@pytest.mark.parametrize(
    "text",
    [
        "agonist (nM),control,100 nM\n1,5,1\n10,50,\n100,,48\n",
        "dose,vehicle,100\n1,5,1\n10,50,\n100,,48\n",
        "dose;0;0.1 uM\n1;5;1\n10;50;\n100;;48\n",
        "# a comment\nagonist [nM]\tnone\t+ antagonist 1e-7 M\n1\t5\t1\n10\t50\t\n100\t\t48\n",
    ],
)
def test_wide_tables_say_the_same_as_the_long_one(table, text):
    for found, wanted in zip(
        rows(read_responses(table(text))), rows(read_responses(table(LONG))), strict=True
    ):
        assert found == pytest.approx(wanted)


def test_logarithms_of_molar_are_taken_back(table):
    found = read_responses(table("log[agonist],0\n-9,5\n-7.5,50\n"))
    assert found.agonist == pytest.approx([1.0, 10**1.5])


def test_columns_with_one_head_are_replicates(table):
    found = read_responses(table("agonist,0,0,10\n1,5,6,2\n"))
    assert rows(found) == [(1, 0, 5), (1, 0, 6), (1, 10, 2)]


def test_unit_option_holds_where_a_head_names_none(table):
    found = read_responses(table("agonist,antagonist (nM),response\n1,10,5\n"), unit="uM")
    assert rows(found) == [(1000, 10, 5)]


def test_levels_are_the_curves_in_order():
    assert make_responses([1, 1, 1], [10, 0, 10], [1, 2, 3]).levels.tolist() == [0, 10]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("agonist,antagonist,response\n1,0,high\n", "'high' in row 2"),
        ("agonist,antagonist,effect\n1,0,5\n", "lacks response"),
        ("agonist,with blocker\n1,5\n", "headed by the antagonist's concentration"),
        ("agonist,antagonist,response\n-1,0,5\n", "must be 0 or more"),
        ("agonist,antagonist,response\n", "at least one of numbers"),
    ],
)
def test_fault_in_a_file_is_named(table, text, fault):
    with pytest.raises(ValueError, match=fault):
        read_responses(table(text))


def test_unit_of_mass_is_refused(table):
    with pytest.raises(ValueError, match="must be molar"):
        read_responses(table(LONG), unit="ng/mL")


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="columns of one length"):
        make_responses([1.0, 2.0], 0.0, [1.0])


def test_responses_must_be_finite():
    with pytest.raises(ValueError, match="must be finite"):
        make_responses([1.0], 0.0, [np.inf])
