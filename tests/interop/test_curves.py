"""Curves from tables: what is written comes back, and what cannot be meant is refused or said."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.interop.curves import parse_curves, read_curves
from gaddum.records.curve import Curve
from gaddum.records.finding import RecordError
from gaddum.records.library import load_library
from gaddum.records.reading import Concentration
from gaddum.records.shorthand import write_doses
from gaddum.surface.cli import main

LIBRARY = load_library()
HEAD = "curve,species,doses,drug,site,time,value,unit,source"
FIRST = "one,human,naltrexone 50 mg po,naltrexone,venous"


def table(*rows: str, head: str = HEAD) -> str:
    return "\n".join((head, *rows)) + "\n"


def refusal(text: str) -> str:
    with pytest.raises(RecordError) as caught:
        parse_curves(text, LIBRARY)
    return str(caught.value)


positive = st.floats(1e-3, 1e6)
sources = st.one_of(
    st.builds(lambda n: {"how": "measured", "doi": f"10.1000/{n}"}, st.integers(1, 999)),
    st.builds(lambda n: {"how": "abstract", "cites": f"Smith {n}, table 2"}, st.integers(1900, 2026)),
)


@st.composite
def series(draw: st.DrawFn) -> dict:
    times = draw(st.lists(st.floats(0, 1000), min_size=1, max_size=6).map(sorted))
    value = st.one_of(positive, positive.map(lambda limit: f"<{limit}"))
    spread = st.builds(
        lambda kind, size: {"kind": kind, "value": size}, st.sampled_from(["SD", "SEM"]), positive
    )
    size = len(times)
    return {
        "kind": "concentration",
        "drug": draw(st.sampled_from(["naltrexone", "6-beta-naltrexol"])),
        "sampling": draw(st.sampled_from(["arterial", "venous", "unstated", "brain", "brain tissue", "CSF"])),
        "times": [f"{time!r} h" for time in times],
        "values": draw(st.lists(value, min_size=size, max_size=size)),
        "unit": draw(st.sampled_from(["ng/mL", "nM", "ug/L"])),
        "spread": draw(st.lists(st.one_of(st.none(), spread), min_size=size, max_size=size)),
        "n": draw(st.lists(st.one_of(st.none(), st.integers(1, 99)), min_size=size, max_size=size)),
        "digitised": draw(st.booleans()),
        "source": draw(sources),
    }


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    readings = draw(
        st.lists(series(), min_size=1, max_size=3, unique_by=lambda one: (one["drug"], one["sampling"]))
    )
    dose = {"drug": "naltrexone", "amount": f"{draw(st.integers(1, 500))} mg", "route": "po"}
    return Curve.model_validate(
        {
            "id": f"curve {draw(st.integers(1, 10**6))}",
            "title": "made up",
            "paper": draw(st.sampled_from(["Smith 2001", "Jones 1988"])),
            "laboratory": draw(st.sampled_from([None, "Uppsala"])),
            "species": draw(st.sampled_from(["human", "rat"])),
            "doses": [dose],
            "readings": readings,
        }
    )


def written(found: list[Curve]) -> str:
    text = io.StringIO()
    heads = (
        "curve,title,paper,laboratory,species,doses,drug,site,time,value,unit,spread,spread_kind,n,digitised"
    )
    rows = csv.writer(text)
    rows.writerow([*heads.split(","), "source", "how"])
    for one in found:
        of_curve = [one.id, one.title, one.paper, one.laboratory, one.species, write_doses(one.doses)]
        for number in one.measured:
            reading, published = number.reading, number.published
            assert isinstance(reading, Concentration)
            spread = published.spread
            value = f"<{published.value!r}" if number.below else repr(published.value)
            row = [*of_curve, reading.drug, reading.sampling, number.time, value, published.unit]
            row += [spread and repr(spread.value), spread and spread.kind, published.n, reading.digitised]
            rows.writerow([*row, published.source.doi or published.source.cites, published.source.how])
    return text.getvalue()


@settings(deadline=None)
@given(st.lists(curves(), min_size=1, max_size=3, unique_by=lambda one: one.id))
def test_curves_written_as_a_table_are_read_back(found: list[Curve]):
    again = parse_curves(written(found), LIBRARY).curves
    bare = {"readings"}
    assert [one.model_dump(exclude=bare) for one in again] == [one.model_dump(exclude=bare) for one in found]
    for one, other in zip(found, again, strict=True):
        for before, after in zip(one.measured, other.measured, strict=True):
            assert before[1:] == after[1:]
            plain = {"drug", "sampling", "unit", "digitised", "source"}
            assert before.reading.model_dump(include=plain) == after.reading.model_dump(include=plain)


def test_units_may_stand_in_heads_and_a_comma_may_be_the_decimal_mark():
    text = "curve;species;doses;target;time (min);occupancy (%);source\n"
    text += "a;human;naltrexone 50 mg po;MOR;90;92,5;Smith 2001\n"
    (number,) = parse_curves(text, LIBRARY).curves[0].measured
    assert (number.time, number.published.value, number.published.unit) == ("90 min", 92.5, "%")


def test_what_holds_for_a_curve_may_stand_in_one_row_only():
    text = table(f"{FIRST},1 h,8,ng/mL,Smith 2001", "one,,,naltrexone,venous,4 h,2.5,,")
    (curve,) = parse_curves(text, LIBRARY).curves
    assert [one.published.unit for one in curve.measured] == ["ng/mL", "ng/mL"]
    assert {one.published.source.cites for one in curve.measured} == {"Smith 2001"}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((f"{FIRST},-1 h,8,ng/mL,S", f"{FIRST},4 h,2,ng/mL,S"), "must not be earlier than the first dose"),
        ((f"{FIRST},4 h,2,ng/mL,S", f"{FIRST},1 h,8,ng/mL,S"), "must not fall; got 4 h and then 1 h"),
        (
            (f"{FIRST},1 h,8,ng/mL,S", f"{FIRST},4 h,2,nM,S"),
            "table:2: error: unit: Rows of a series must agree on `unit`; got 'nM' (line 3) and 'ng/mL' (line 2)",
        ),
        ((f"{FIRST},1 h,0,ng/mL,S",), "0 lies below a limit of quantification; got no `limit`"),
        ((f"{FIRST},1 h,-2,ng/mL,S",), "must be positive; got -2 at 1 h"),
        ((f"{FIRST},1 h,8,,S",), "must have a unit; got none"),
        ((f"{FIRST},1 h,8,ng/mL,",), "must have a source; got none"),
        ((f"{FIRST},1 h,many,ng/mL,S",), "A cell of `value` must be a number; got 'many'"),
        ((f"{FIRST},soon,8,ng/mL,S",), "A time must be"),
        (("one,human,naltrexone,naltrexone,venous,1 h,8,ng/mL,S",), "doses"),
        (("one,hooman,naltrexone 50 mg po,naltrexone,venous,1 h,8,ng/mL,S",), "Did you mean 'human'"),
        ((f"{FIRST.replace('venous', 'vein')},1 h,8,ng/mL,S",), "readings[0].sampling"),
        ((",human,naltrexone 50 mg po,naltrexone,venous,1 h,8,ng/mL,S",), "must name its curve"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(rows: tuple[str, ...], message: str):
    told = refusal(table(*rows))
    assert message in told and told.startswith("table:")


def test_a_zero_at_the_first_dose_is_left_out_and_a_later_one_is_below_its_limit_and_both_are_said():
    text = table(
        f"{FIRST},0 h,0,ng/mL,S,0.25",
        f"{FIRST},1 h,8,ng/mL,S,0.25",
        f"{FIRST},48 h,0,ng/mL,S,0.25",
        head=f"{HEAD},limit",
    )
    found = parse_curves(text, LIBRARY)
    numbers = found.curves[0].measured
    assert [(one.time, one.published.value, one.below) for one in numbers] == [
        ("1 h", 8.0, False),
        ("48 h", 0.25, True),
    ]
    assert [(one.level, one.line) for one in found.findings if one.where == "value"] == [
        ("note", 2),
        ("note", 4),
    ]


def test_a_column_that_is_not_read_is_said():
    text = table(f"{FIRST},1 h,8,ng/mL,S,blue", f"{FIRST},2 h,8,ng/mL,S,red", head=f"{HEAD},mood")
    assert "not read: mood." in [one.message for one in parse_curves(text, LIBRARY).findings]


def test_check_reads_a_table_of_curves_and_warns_of_a_spread_that_is_no_standard_deviation(tmp_path, capsys):
    path = tmp_path / "mine.csv"
    rows = (f"{FIRST},{hour} h,{value},ng/mL,S,{value * 0.03},12" for hour, value in ((1, 8), (4, 2)))
    path.write_text(table(*rows, head=f"{HEAD},sd,n"), encoding="utf-8")
    assert main(["check", str(path)]) == 1
    assert "Is it a standard error?" in capsys.readouterr().err
    rows = (f"{FIRST},{hour} h,{value},ng/mL,S,{value * 0.3},12" for hour, value in ((1, 8), (4, 2)))
    path.write_text(table(*rows, head=f"{HEAD},sd,n"), encoding="utf-8")
    assert main(["check", str(path)]) == 0
    assert [one.id for one in read_curves(path, LIBRARY).curves] == ["one"]


def test_what_is_taken_for_granted_is_said():
    text = table(f"{FIRST},1,8,ng/mL,S", f"{FIRST},2,4,ng/mL,S")
    told = [(one.level, one.message) for one in parse_curves(text, LIBRARY).findings]
    assert told == [
        ("note", "The curve 'one' names no paper and counts as one of its own."),
        ("note", "Times without a unit are read in h."),
    ]


def test_half_a_subject_is_refused():
    assert "readings[0].n" in refusal(table(f"{FIRST},1 h,8,ng/mL,S,7.5", head=f"{HEAD},n"))


def test_a_table_without_rows_is_refused():
    assert "must hold a curve" in refusal(table())
