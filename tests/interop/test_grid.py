"""From bytes to a grid: one reading or none, and everything taken for granted is said."""

import pytest

from gaddum.interop.decode import decode
from gaddum.interop.grid import parse_grid
from gaddum.records.finding import RecordError

ROWS = [("1", "0", "100.5"), ("1", "2.5", ".")]


def grid(text, **options):
    return parse_grid(text, known=lambda heads: "TIME" in heads, wanted="name TIME", **options)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("ID,TIME,AMT\n1,0,100.5\n1,2.5,.\n", None),
        ("ID|TIME|AMT\n1|0|100.5\n1|2.5|.\n", None),
        ("ID;TIME;AMT\n1;0;100,5\n1;2,5;.\n", "commas are read as decimal marks"),
        ("ID TIME AMT\n1 0 100,5\n1 2,5 .\n", "commas are read as decimal marks"),
        ("ID,TIME,AMT,\n1,0,100.5,\n1,2.5,.,\n", "separators at the ends"),
        ("ID,TIME,AMT\n1,0,100.5,,\n1,2.5,.\n", "separators at the ends"),
        ('"","ID","TIME","AMT"\n"1",1,0,100.5\n"2",1,2.5,.\n', "names of rows"),
        ('"ID" "TIME" "AMT"\n"1" 1 0 100.5\n"2" 1 2.5 .\n', "names of rows"),
        ("#ID,TIME,AMT\n1,0,100.5\n1,2.5,.\n", None),
        ("# made\nID,TIME,AMT\n1,0,100.5\n# x\n1,2.5,.\n", "2 lines of comment"),
        ("ID,TIME,AMT\n,h,mg\n1,0,100.5\n1,2.5,.\n", "row below the header is read as units"),
        ("ID,TIME,AMT\n1,0,100.5\nC,1,3\n1,2.5,.\n", "1 line marked as comment by C"),
        ("Exported in May\nID,TIME,AMT\n1,0,100.5\n1,2.5,.\n", "1 line above the header"),
        ("TABLE NO.  1\n ID TIME AMT\n 1 0 100.5\nTABLE NO.  1\n ID TIME AMT\n 1 2.5 .\n", "2 lines of the form TABLE"),
        ("ID,TIME,AMT\n1,0,100.5\nID,TIME,AMT\n1,2.5,.\n", "1 line repeating the header"),
    ],
)  # fmt: skip
def test_one_table_in_many_dresses_is_read_alike_and_what_was_done_is_said(text, note):
    found = grid(text)
    assert [row.cells for row in found.rows] == ROWS
    assert note is None or any(note in one for one in found.notes)


@pytest.mark.parametrize(
    ("text", "options", "told"),
    [
        ("ID,TIME,AMT\n1,0,100\n1,2\n", {}, ":3: error: A record must have 3 fields, as the header; got 2"),
        ("ID,AMT\n1,0\n", {}, "The header must name TIME; got 'ID, AMT'"),
        ("ID;TIME;AMT\n1;0;1,234\n", {}, "Commas must all .* got '1,234'. Say which with --decimal"),
        ("ID;TIME;AMT\n1;0;1,5\n1;1.5;2\n", {}, "Commas must all"),
        ("ID;TIME\n1,5;2\n", {"decimal": "."}, "Commas must all .* got '1,5'"),
        ("TABLE NO. 1\nTIME\n1\nTABLE NO. 2\nTIME\n1\n", {}, "one table; got TABLE NO. 1, 2"),
        ("TIME,X;Y\n1,2;3\n", {}, None),
        ("TIME;TIME,X\n1;2,3\n", {}, None),
        ("A,TIME|TIME,A\n1,2|3,4\n", {}, "The header must"),
        ("TIME,x y TIME\n1,2 3 4\n", {}, "one reading; got ,: columns TIME, x y TIME; blanks: .* --separator"),
        ('TIME,A\n1,"2\n3,4"\n', {}, "quotation mark is not closed"),
        ("some remark\nmore of it\n", {}, "The header must"),
    ],
)  # fmt: skip
def test_what_has_no_reading_or_several_is_refused_with_the_reason(text, options, told):
    if told is None:
        assert grid(text, **options).rows
        return
    with pytest.raises(RecordError, match=told):
        grid(text, **options)


def test_separator_and_decimal_mark_settle_a_doubt():
    assert grid("ID;TIME\n1;1,234\n", decimal=",").rows[0].cells == ("1", "1.234")
    assert grid("ID;TIME\n1;1,234\n", decimal=".").rows[0].cells == ("1", "1234")
    assert grid("TIME,x y TIME\n1,2 3 4\n", separator=",").heads == ("TIME", "x y TIME")


@pytest.mark.parametrize("code", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("text", ["0.1 µM ± 3,5 – ok\n", "Müller,10 mg·kg\n", "2’-x, 37 °C or 37°C\n"])
def test_text_is_the_same_in_every_encoding_that_shows_itself(code, text):
    assert decode(text.encode(code)).text == text


@pytest.mark.parametrize(
    ("text", "code"),
    [("дозы", "cp1251"), ("Müller", "mac-roman"), ("Žižek", "cp1250"), ("ο", "cp1253"), ("用量", "gbk")],
)
def test_an_encoding_that_does_not_show_itself_is_asked_for(text, code):
    with pytest.raises(RecordError, match="UTF-8 text; got byte .* Which encoding is it"):
        decode(text.encode(code))


def test_a_workbook_is_no_text():
    with pytest.raises(RecordError, match="got a workbook"):
        decode(b"PK\x03\x04rest")
