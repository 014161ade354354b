"""Reading bench data: long and wide tables hold the same numbers, and faults are named."""

import numpy as np
import pytest

from gaddum.concentration_response.responses import (
    make_responses,
    read_response_table,
    read_responses,
)

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


@pytest.mark.parametrize(
    "head",
    [
        "AM251 10 nM", "10 nM", "10nM", "+ AM251 (10 nM)", "AM251 0.01 umol/L", "[AM251] = 0.01 \u00b5M", "1e-8 M",
        "10^-8 M", "AM251: 10 nmol l-1", "with AM251, 10 nM", "AM251_10nM", "3 x 10-9 M",
    ],
)  # fmt: skip
def test_a_head_is_parsed_whole(table, head):
    found = read_responses(table(f"agonist (nM)\tcontrol\t{head}\n1\t5\t1\n"))
    assert found.levels.tolist() == pytest.approx([0, 3 if head.startswith("3") else 10])


@pytest.mark.parametrize(
    "head",
    [
        "AM 251", "AM251 10", "10 nM rep 2", "10 nM.1", "10 nM 2", "X10.nM", "10 nm", "-8 M", "log -8", "10-30 nM",
        "10 nM (n=6)", "> 10 nM", "251 10 nM", "", "high", "1,000 nM",
    ],
)  # fmt: skip
def test_a_head_with_anything_left_over_is_refused(table, head):
    with pytest.raises(ValueError):
        read_responses(table(f"agonist (nM)\tcontrol\t{head}\n1\t5\t1\n2\t7\t2\n"))


def test_levels_of_two_antagonists_are_not_put_together(table):
    with pytest.raises(ValueError, match="one antagonist; .* am251, sr141716"):
        read_responses(table("agonist,control,AM251 10 nM,SR141716 10 nM\n1,5,1,2\n"))


@pytest.mark.parametrize(
    ("head", "given", "wanted"),
    [
        ("log[agonist]", "-8", 10), ("log agonist (M)", "-8", 10), ("logM", "-8", 10), ("-log[agonist] (M)", "8", 10),
        ("log10 agonist (nM)", "1", 10), ("agonist, uM", "0.01", 10), ("morphine uM", "0.01", 10), ("[M]", "1e-8", 10),
        ("dose", "10", 10), ("log [morphine], M", "\u22128", 10),
    ],
)  # fmt: skip
def test_the_first_head_says_unit_and_scale(table, head, given, wanted):
    assert read_responses(table(f"{head}\tcontrol\t1 nM\n{given}\t5\t1\n")).agonist == pytest.approx(
        [wanted] * 2
    )


@pytest.mark.parametrize("head", ["ln[agonist]", "10 nM", "dose (mg/kg)", ""])
def test_a_first_head_that_is_no_concentration_is_refused(table, head):
    with pytest.raises(ValueError):
        read_responses(table(f"{head}\tcontrol\t1 nM\n1\t5\t1\n1\t6\t2\n"))


def test_mass_becomes_molar_by_the_librarys_molar_mass(table):
    text = "agonist (nM),control,naltrexone 34.14 ng/mL\n1,5,1\n"
    assert read_responses(table(text)).levels.tolist() == pytest.approx([0, 100])
    text = "agonist (nM),control,34.14 ng/mL\n1,5,1\n"
    assert read_responses(table(text), antagonist="Naltrexone").levels.tolist() == pytest.approx([0, 100])
    with pytest.raises(ValueError, match="molar mass be known; got '34.14 ng/mL'.*--antagonist"):
        read_responses(table(text.replace("34.14", "AM251 34.14")))


@pytest.mark.parametrize(
    "text",
    [
        "agonist,control mean,control SD,control N,10 nM mean,10 nM SEM,10 nM n\n1,5,2,3,1,0.5,4\n",
        "agonist,antagonist,mean,sd,n\n1,0,5,2,3\n1,10 nM,1,1,4\n",
    ],
)
def test_means_with_their_spread_and_n_fit_as_the_single_values_would(table, text):
    found = read_responses(table(text))
    for level, mean, sd, n in ((0.0, 5.0, 2.0, 3), (10.0, 1.0, 1.0, 4)):
        mine = found.response[found.antagonist == level]
        assert (len(mine), mine.mean(), mine.std(ddof=1)) == pytest.approx((n, mean, sd))


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("agonist,control,10 nM,10 nM SD\n1,5,1,2\n", "sd not used"),
        ("agonist,antagonist,response,plate\n1,0,5,A\n", "not read: plate"),
        ("agonist;control;10 nM\n1;5,5;1\n", "commas are read as decimal marks"),
        ("agonist,control,10 nM\n1,5\n", "1 line that end early filled up"),
        ("agonist,control,10 nM\n1,5,\n", "1 empty cell left out"),
        ("agonist,control,10 nM\n1,NA,2\n", "1 empty cell left out"),
        ("log[agonist],control,10 nM\n-9,5,1\n", "agonist: log10 of M"),
        ("agonist,control,AM251 1 uM\n1,5,1\n", "levels of antagonist: control = 0 nM, AM251 1 uM = 1000 nM"),
    ],
)
def test_what_was_taken_for_granted_is_said(table, text, note):
    assert any(note in one for one in read_response_table(table(text)).notes)


@pytest.mark.parametrize("first", ["888", "-1e5"])
def test_a_logarithm_out_of_range_is_refused(table, first):
    with pytest.raises(ValueError, match="log10 must lie within 30"):
        read_responses(table(f"log agonist;control\n{first};1\n"))


def test_a_title_above_the_heads_is_skipped_though_it_holds_numbers(table):
    found = read_response_table(table("Experiment 12 (2020)\nagonist (nM),control,10 nM\n1,5,1\n"))
    assert (rows(found.responses), found.notes[0]) == (
        [(1, 0, 5), (1, 10, 1)],
        "1 line above the header skipped",
    )


def test_a_unit_in_another_case_is_not_overlooked(table):
    with pytest.raises(ValueError, match="in its own case, such as nM .* got 'MM'"):
        read_responses(table("agonist (MM),control,10 nM\n1,5,1\n"))


def test_the_antagonist_alone_is_no_control(table):
    with pytest.raises(ValueError, match="control must be without the antagonist"):
        read_responses(table("agonist (nM),control,naloxone 10 nM,naloxone alone\n1,5,1,2\n"))


def test_decimal_commas_may_stand_in_heads_too(table):
    assert read_responses(table("agonist (nM);control;0,1 uM\n0,5;5,5;1\n")).levels.tolist() == [0, 100]


@pytest.mark.parametrize("cell", ["", "NA", "10 nM of it", "AM251"])
def test_an_antagonist_that_a_row_does_not_say_is_asked_for(table, cell):
    with pytest.raises(ValueError, match="antagonist of a row must be a concentration, 0 or control"):
        read_responses(table(f"agonist,antagonist,response\n1,{cell},5\n"))


def test_an_agonist_by_mass_needs_its_name(table):
    text = "agonist (ng/mL),control,10 nM\n34.14,5,1\n"
    assert read_responses(table(text), agonist="naltrexone").agonist == pytest.approx([100, 100])
    with pytest.raises(ValueError, match="--agonist"):
        read_responses(table(text))
