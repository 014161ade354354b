"""Tables of events as NONMEM reads them, and predictions from them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.exposure import dosing
from gaddum.exposure.event_prediction import predict_events
from gaddum.interop import decode, grid
from gaddum.interop.event_tables import REFUSED, parse_events, read_events, write_events
from gaddum.records import event as records
from gaddum.records.event import Event, EventTable
from gaddum.records.finding import RecordError
from gaddum.text import is_missing, plain
from reference.predpp import amounts_by_brute_force

HEADER = "ID,TIME,AMT,RATE,EVID,CMT,II,ADDL,SS,DV,MDV\n"


def only(text):
    return parse_events(text).events


def message(text):
    with pytest.raises(RecordError) as caught:
        parse_events(text, name="table.csv")
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "id,Time,aMt,wt\n1,0,100,70\n1,2,.,70\n",
        "ID TIME AMT WT\n1 0 100 70\n 1  2  .  70\n",
        "ID\tTIME\tAMT\tWT\n1\t0\t100\t70\n1\t2\t\t70\n",
        "# made by hand\n\nID,TIME,AMT,WT\n1,0,100,70\n#1,1,5,70\n1,2,NA,70\nC,2,5,70\n @,2,5,70\n",
        "\r\nID,TIME,AMT,WT\r\n1,0,1D2,70\r\n1, 2.0 ,, 70\r\n",
        '"ID","TIME","AMT","WT"\n"1","0","100","70"\n"1","2",".","70"\n',
        "ID,TIME,AMT,WT\n1,0:00,100,70\n1,2:00,.,70",
    ],
)
def test_the_same_table_in_any_spelling(text):
    table = parse_events(text)
    assert [(one.id, one.time, one.amt, one.evid, one.mdv, one.covariates) for one in table.events] == [
        (1.0, 0.0, 100.0, 1, 1, ("70",)),
        (1.0, 2.0, 0.0, 0, 0, ("70",)),
    ]
    assert [name.upper() for name in table.covariates] == ["WT"]


def test_evid_is_inferred_from_amount_or_rate():
    rows = only("TIME,AMT,RATE,SS\n0,5,.,.\n1,.,.,.\n2,0,3,1\n")
    assert [(one.evid, one.mdv) for one in rows] == [(1, 1), (0, 0), (1, 1)]


def test_evid_that_is_there_but_empty_is_zero_as_nonmem_reads_it():
    assert [one.evid for one in only("TIME,EVID\n0,.\n1,2\n")] == [0, 2]


def test_clock_times_run_on_past_midnight():
    assert [one.time for one in only("TIME\n23:30\n24:15\n49:00\n")] == [23.5, 24.25, 49.0]


def test_a_table_without_id_is_one_subject_and_a_changed_id_another():
    assert len(parse_events("TIME\n0\n1\n").subjects) == 1
    assert [len(one) for one in parse_events("ID,TIME\n1,0\n1,1\n2,0\n1,0\n").subjects] == [2, 1, 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ID,AMT\n1,5\n", "table.csv:1: error: The header must name the columns, TIME among them; got 'ID, AMT'"),
        ("", "TIME among them; got ''"),
        ("TIME,time\n0,0\n", "distinct names; got 'TIME' 2 times"),
        ("TIME,,\n0,1,2\n", "distinct names; got ''"),
        ("TIME,DATE\n0,1\n", "table.csv:1: error: DATE: The column DATE is not supported. Count TIME in hours"),
        ("TIME,PCMT\n0,1\n", "PCMT is not supported"),
        ("TIME,AMT\n0,1,2\n", "table.csv:2: error: A record must have 2 fields, as the header; got 3"),
        ("TIME,AMT\n0,x5\n", "table.csv:2: error: AMT: The value must be a number, or '.' .*; got 'x5'"),
        ("TIME\n0\n1:75\n", "table.csv:3: error: TIME: A clock time must have minutes below 60; got '1:75'"),
        ("TIME\n12:30 PM\n", "TIME: The value must be a number or a clock time hh:mm"),
        ("TIME\n2021-03-04\n", "TIME: The value must be a number or a clock time hh:mm"),
        ("ID,TIME\n1,.\n", "TIME: Every record must have a time"),
        ("ID,TIME\n.,0\n", "ID: Every record must have a subject"),
        ("TIME\n1e999\n", "TIME: The value must be finite"),
        ("TIME\n0\n2\n1\n", "table.csv:4: error: TIME: Times must not go back .* got 1 after 2"),
        ("TIME,EVID\n0,5\n", "EVID: An event must be 0, 1, 2, 3 or 4; got 5"),
        ("TIME,EVID\n0,0.5\n", "EVID: The value must be a whole number"),
        ("TIME,MDV\n0,2\n", "MDV must be 0 or 1"),
        ("TIME,CMT\n0,-1\n", "CMT: A compartment must be 0 .* Turning one off is not supported"),
        ("TIME,AMT,SS\n0,1,4\n", "SS must be 0, 1, 2 or 3"),
        ("TIME,AMT,EVID\n0,1,0\n", "AMT: Only a dose .* got 1 with EVID 0"),
        ("TIME,RATE,EVID\n0,1,3\n", "RATE: Only a dose"),
        ("TIME,EVID\n0,1\n", "AMT: A dose must have a positive amount"),
        ("TIME,AMT\n0,-1\n", "AMT: An amount must be positive; got -1"),
        ("TIME,AMT,RATE\n0,1,-3\n", "RATE: A rate must be 0 .* got -3"),
        ("TIME,AMT,ADDL\n0,1,3\n", "II: Additional or steady-state doses must have a positive time"),
        ("TIME,AMT,SS,II\n0,1,1,-2\n", "II: The time between doses must not be negative"),
        ("TIME,AMT,ADDL,II\n0,1,-9,1\n", "ADDL: The number of additional doses must not be negative.* with SS"),
        ("TIME,AMT,ADDL,II\n0,1,99999,1\n1,1,.,.\n", "table.csv:3: error: ADDL: A subject must get at most 100000"),
        (
            "ID,TIME,AMT,ADDL,II\n" + "".join(f"{i},0,1,99999,1\n" for i in range(11)),
            "table.csv:12: error: ADDL: A table must get at most 1000000 doses.*; got 1100000",
        ),
        ('TIME,WT\n0,"7\n', "quoted in full"),
        ("ID,TIME\n1e15,0\n", "ID: A subject must be a number below"),
        (",".join(["TIME", *(f"X{i}" for i in range(100))]) + "\n", "at most 100 columns; got 101"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_by_file_line_and_column(text, expected):
    import re

    assert re.search(expected, message(text))


def test_all_findings_are_told_at_once_up_to_twenty():
    assert len(message("TIME,AMT\n0,x\n?,1\n").splitlines()) == 2
    assert len(message("TIME\n" + "1:99\n" * 1000).splitlines()) == 20


def test_time_may_go_back_at_a_reset_and_for_another_subject():
    assert len(only("ID,TIME,EVID,AMT\n1,5,0,.\n1,0,3,.\n1,2,0,.\n1,1,4,5\n2,0,0,.\n")) == 5


def test_a_file_is_read_like_its_text_and_named_in_errors(tmp_path: Path):
    path = tmp_path / "theirs.csv"
    path.write_text("\ufeffID,TIME\n1,0\n", encoding="utf-8")
    assert read_events(path) == parse_events("ID,TIME\n1,0\n")
    path.write_bytes(b"ID,TIME\n1,\xff\n")
    with pytest.raises(RecordError, match="theirs.csv.*UTF-8 text; got byte 0xff at 10"):
        read_events(path)


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path, monkeypatch):
    path = tmp_path / "large.csv"
    path.write_text("TIME\n" + "0\n" * 100)
    monkeypatch.setattr(decode, "MAX_BYTES", 100)
    with pytest.raises(RecordError, match="this one is larger"):
        read_events(path)


def test_too_many_records_are_refused(monkeypatch):
    monkeypatch.setattr(grid, "MAX_ROWS", 2)
    assert "at most 2 records" in message("TIME\n0\n1\n2\n")


def test_reader_and_engine_allow_the_same_number_of_doses():
    assert records.MAX_DOSES == dosing.MAX_DOSES


numbers = st.floats(-1e9, 1e9).map(lambda x: x + 0.0)  # no negative zero
positive = st.floats(1e-6, 1e9)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=8).map(str.strip)


@st.composite
def tables(draw):
    """Fields of a table: names of covariates, and the fields of each event."""
    names = draw(st.lists(texts, max_size=3, unique_by=str.upper))
    taken = {*records.ITEMS, *REFUSED, "TINF", "DOSE"}
    names = [name for name in names if name and name.upper() not in taken and name == plain(name)]
    events, before = [], {}
    for _ in range(draw(st.integers(0, 8))):
        subject = float(draw(st.integers(-3, 3)))
        evid = draw(st.integers(0, 4))
        time = draw(numbers)
        before[subject] = time = time if evid in (3, 4) else max(time, before.get(subject, -1e9))
        kept = tuple(draw(st.none() | texts.filter(lambda x: not is_missing(x))) for _ in names)
        one = {"id": subject, "time": time, "evid": evid, "cmt": draw(st.integers(0, 3)), "covariates": kept,
               "mdv": draw(st.integers(0, 1)), "dv": draw(st.none() | numbers)}  # fmt: skip
        if evid in (1, 4):
            rate = draw(st.sampled_from([0.0, -1.0, -2.0]) | positive)
            one |= {"amt": draw(positive), "rate": rate, "ii": draw(positive)}
            one |= {"addl": draw(st.integers(0, 9)), "ss": draw(st.integers(0, 3))}
        events.append(one)
    events.sort(key=lambda one: one["id"])
    return names, events


@given(tables())
@settings(max_examples=75, deadline=None)
def test_what_is_written_reads_back_the_same(fields):
    names, events = fields
    table = EventTable(covariates=tuple(names), events=tuple(Event(**one) for one in events))
    assert parse_events(write_events(table)) == table


def test_a_column_of_predictions_is_written_beside_the_table():
    table = parse_events("TIME,AMT,WT\n0,5,70\n1,.,70\n")
    lines = write_events(table, {"PRED": [0.25, 1e-9]}).splitlines()
    assert lines == [
        HEADER.strip() + ",WT,PRED",
        "1,0,5,.,1,.,.,.,.,.,1,70,0.25",
        "1,1,.,.,0,.,.,.,.,.,0,70,1e-09",
    ]
    with pytest.raises(ValueError, match="must not repeat a column"):
        write_events(table, {"wt": [1.0, 2.0]})
    with pytest.raises(ValueError, match="must have 2 values"):
        write_events(table, {"PRED": [1.0]})


def test_records_made_by_hand_meet_the_same_rules():
    with pytest.raises(ValueError, match="AMT: A dose must have a positive amount"):
        Event(time=0.0, evid=1)
    with pytest.raises(ValueError, match="event 1, TIME: Times must not go back"):
        EventTable(events=(Event(time=1.0), Event(time=0.0)))
    with pytest.raises(ValueError, match="distinct names"):
        EventTable(covariates=("time",))
    with pytest.raises(ValueError, match="a value for each of 1 columns"):
        EventTable(covariates=("WT",), events=(Event(time=1.0),))


PARAMETERS = {
    "CL": 5.0,
    "V2": 18.0,
    "Q": 4.0,
    "V3": 40.0,
    "KA": 0.9,
    "F1": 0.7,
    "ALAG1": 1.5,
    "D1": 3.5,
    "R2": 20.0,
}


def test_predictions_of_a_table_agree_with_doses_really_given():
    text = HEADER + (
        "1,0,100,.,1,1,12,3,1,.,1\n1,0.5,.,.,0,2,.,.,.,3.1,0\n1,13.5,.,.,0,.,.,.,.,2.2,0\n1,20,50,-2,1,1,.,.,.,.,1\n"
        "1,26,60,-1,1,2,.,.,.,.,1\n1,30,.,.,0,3,.,.,.,.,0\n2,0,80,4,4,2,30,.,2,.,1\n2,9,.,.,0,2,.,.,.,.,0\n"
    )
    table = parse_events(text)
    expected = []
    for subject in table.subjects:
        rows = [
            {"TIME": one.time, "EVID": one.evid, "AMT": one.amt, "RATE": one.rate, "CMT": one.cmt, "II": one.ii,
             "ADDL": one.addl, "SS": one.ss}
            for one in subject
        ]  # fmt: skip
        for one, left in zip(subject, amounts_by_brute_force(4, PARAMETERS, rows), strict=True):
            expected.append(left[2] if one.cmt == 3 and one.evid == 0 else left[1] / 18.0)
    assert predict_events(table, advan=4, parameters=PARAMETERS) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("parameters", "text", "expected"),
    [
        ({"CL": 1.0}, "TIME\n0\n", "ADVAN1 must have the parameters CL, V; got CL"),
        ({"CL": 1.0, "V": 1.0, "KX": 2.0}, "TIME\n0\n", "must have the parameters CL, V; got CL, KX, V"),
        ({"CL": 1.0, "V": 1.0, "F2": 0.5}, "TIME\n0\n", "compartment of F2 must be 1 to 1"),
        ({"CL": 1.0, "V": 1.0, "F1": 0.0}, "TIME\n0\n", "F of a compartment must be positive"),
        ({"CL": 1.0, "V": 1.0}, "ID,TIME,CMT\n7,0,2\n", "Subject 7: CMT must be 0 .the default. to 1"),
        ({"CL": 1.0, "V": 1.0}, "ID,TIME,AMT,RATE\n7,0,2,-2\n", "Subject 7: RATE -2 needs the duration D1"),
    ],
)
def test_unusable_parameters_are_refused(parameters, text, expected):
    with pytest.raises(ValueError, match=expected):
        predict_events(parse_events(text), advan=1, parameters=parameters)


@given(st.text(alphabet='IDTMEAR,\n \t0123456789.:-+e"#@', max_size=120) | st.text(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_text_is_a_table_or_a_value_error(text):
    try:
        parse_events(text)
    except ValueError:
        return


def predicted(text, advan=1, **parameters):
    return predict_events(parse_events(text), advan=advan, parameters={"CL": 5.0, "V": 20.0} | parameters)


def test_subjects_may_be_called_by_text():
    table = parse_events("ID,TIME,AMT,EVID\nS01,0,100,1\nS01,2,.,0\nC,0,50,1\n7,0,25,1\n")
    assert [one.id for one in table.events] == ["S01", "S01", "C", "7"]
    assert predicted(write_events(table)).round(3).tolist() == [5.0, 3.033, 2.5, 1.25]


@pytest.mark.parametrize("column", ["DUR", "TINF", "dur (h)"])
def test_a_duration_makes_a_dose_an_infusion_of_that_length(column):
    text = f"ID,TIME,AMT,{column},EVID\n1,0,100,2,1\n1,2,.,.,0\n"
    expected = 50 / 5 * (1 - np.exp(-0.25 * 2))
    assert predicted(text) == pytest.approx([0.0, expected])
    assert predicted(text, F1=0.5) == pytest.approx([0.0, expected / 2])
    assert parse_events(write_events(parse_events(text))) == parse_events(text)


def test_a_duration_beside_a_rate_is_refused():
    assert "DUR: A duration must not be negative, and stand without a RATE" in message(
        "TIME,AMT,RATE,DUR\n0,9,2,2\n"
    )


@pytest.mark.parametrize("column", ["DOSE", "ADM", "AMOUNT", "TLAG", "TAU", "TAU (h)"])
def test_a_column_in_which_other_programs_give_doses_is_refused_by_its_name(column):
    assert f"error: {column.removesuffix(' (h)')}:" in message(f"TIME,{column}\n0,100\n2,.\n")


def test_a_table_without_any_dose_is_not_predicted():
    with pytest.raises(ValueError, match="must have a dose .* got none"):
        predicted("TIME,DV\n0,1\n")


@pytest.mark.parametrize(
    ("head", "row", "time"),
    [
        ("TIME (min)", "90", 1.5), ("TIME [h]", "1.5", 1.5), ("TIME", "01:30:00", 1.5), ("time (d)", "1", 24.0),
        ("TIME", "\u22121.5", -1.5),
    ],
)  # fmt: skip
def test_times_are_read_in_the_unit_of_their_head(head, row, time):
    table = parse_events(f"{head},AMT\n{row},5\n")
    assert table.events[0].time == pytest.approx(time)


def test_units_of_amounts_and_rates_are_kept_and_rates_are_per_hour():
    table = parse_events("TIME,AMT,RATE\nh,ug,ug/min\n0,60,1\n")
    assert (table.unit, table.events[0].rate) == ("ug", 60.0)
    assert parse_events(write_events(table)) == table
    assert "RATE must count what AMT does" in message("TIME,AMT (mg),RATE (ug/h)\n0,60,1\n")


@pytest.mark.parametrize("missing", ["", ".", "NA", "NaN", "nan", "N/A", "#N/A"])
def test_what_programs_write_for_nothing_is_missing(missing):
    assert only(f"TIME,AMT,DV\n0,5,{missing}\n")[0].dv is None


def test_what_was_left_unread_is_said():
    table = parse_events("# by hand\nTIME,AMT,WT,DOSE\n0,5,70,5\nC,1,2,3\n")
    assert table.notes == (
        "1 line of comment skipped", "1 line marked as comment by C or @ skipped", "kept as text: WT, DOSE",
    )  # fmt: skip


def test_a_parameter_of_each_subject_may_stand_in_a_column():
    rows = (
        "ID,TIME,AMT,CL,VOL,D1,RATE\n1,0,100,5,20,2,-2\n1,2,.,5,20,2,.\n2,0,100,2,10,4,-2\n2,4,.,2,10,4,.\n"
    )
    found = predict_events(parse_events(rows), advan=1, parameters={"V": "VOL"})
    expected = [50 / 5 * (1 - np.exp(-0.5)), 25 / 2 * (1 - np.exp(-0.8))]
    assert found[[1, 3]] == pytest.approx(expected)


def test_a_parameter_that_changes_holds_from_the_record_before_as_in_nonmem():
    found = predict_events(
        parse_events("TIME,AMT,CL\n0,100,5\n1,.,5\n3,.,10\n"), advan=1, parameters={"V": 20.0}
    )
    assert found == pytest.approx([5.0, 5 * np.exp(-0.25), 5 * np.exp(-0.25 - 1.0)])


def test_a_column_with_a_gap_or_without_the_parameter_is_refused():
    with pytest.raises(
        ValueError, match="Subject 1: A column that holds CL must have a number in each record; got None"
    ):
        predict_events(parse_events("TIME,AMT,CL\n0,1,5\n1,.,.\n"), advan=1, parameters={"V": 20.0})
    with pytest.raises(ValueError, match="CL must be a number or a column of the table; got 'WT'"):
        predict_events(parse_events("TIME,AMT\n0,1\n"), advan=1, parameters={"V": 20.0, "CL": "WT"})


def test_a_steady_state_with_a_lag_beyond_the_interval_is_that_of_the_doses():
    text = "ID,TIME,AMT,EVID,CMT,II,SS\n1,10,100,1,1,12,1\n" + "".join(
        f"1,{t},.,0,2,.,.\n" for t in (16, 22, 24, 30)
    )
    given = {"CL": 2.0, "V": 20.0, "KA": 0.15, "ALAG1": 13.0}
    assert predict_events(parse_events(text), advan=2, parameters=given).round(3).tolist() == [
        3.694, 4.531, 3.694, 3.955, 4.371,
    ]  # fmt: skip


@pytest.mark.parametrize("column", ["SUBJID", "Subject", "USUBJID"])
def test_what_others_call_id_is_read_as_id_where_there_is_no_other(column):
    table = parse_events(f"{column},TIME,AMT\nA,0,5\nB,1,5\n")
    assert [one.id for one in table.events] == ["A", "B"]
    assert parse_events(f"ID,{column},TIME\n1,A,0\n").covariates == (column,)


@pytest.mark.parametrize("column", ["AMT_MG", "AMT (MG)", "RATE.MG.H", "ADDL_N", "ROUTE"])
def test_a_column_that_is_nearly_one_of_nonmems_is_not_kept_as_text(column):
    assert "Rename it" in message(f"TIME,{column}\n0,5\n")


@pytest.mark.parametrize("column", ["II", "DUR", "RATE"])
def test_where_time_is_not_in_hours_other_times_must_say_their_unit(column):
    assert f"TIME is in min, so {column} must say its unit too" in message(
        f"TIME (min),AMT,{column}\n0,5,.\n"
    )
    assert (
        only(f"TIME (h),AMT,{column}\n0,5,.\n")
        and only("TIME (min),AMT,II (min),ADDL\n0,5,60,1\n")[0].ii == 1
    )


def test_a_text_among_numbers_makes_all_ids_text_and_is_said():
    table = parse_events("ID,TIME,AMT\n1,0,100\nTotal,2,.\n")
    assert "all IDs are read as text, since 'Total' is no number" in table.notes
