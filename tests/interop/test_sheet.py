"""Tables of text from CSV and workbooks, and back."""

import sys
import zipfile

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaddum.interop.sheet import (
    Row,
    Sheet,
    parse_sheet,
    read_sheet,
    sheet_as_csv,
    sheet_as_workbook,
    sheet_of,
)

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"),
    max_size=12,
).map(str.strip)
CELLS = st.one_of(
    TEXT, st.integers().map(str), st.floats(allow_nan=False).map(repr), st.sampled_from(["=1+1", "#N/A"])
)
SHEETS = st.lists(
    st.dictionaries(st.sampled_from("abc"), CELLS.filter(bool), min_size=1), min_size=1, max_size=4
).map(lambda rows: sheet_of("table", rows, "abc"))


def workbook(path, rows, title="Data"):
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = title
    for row in rows:
        page.append(row)
    book.save(path)
    return path


@given(SHEETS)
def test_csv_reads_back_as_it_was(sheet: Sheet):
    assert parse_sheet(sheet_as_csv(sheet)) == sheet


@settings(max_examples=25, deadline=None)
@given(SHEETS)
def test_a_workbook_reads_back_as_it_was(tmp_path_factory, sheet: Sheet):
    path = tmp_path_factory.mktemp("book") / "table.xlsx"
    path.write_bytes(sheet_as_workbook(sheet))
    assert read_sheet(path)._replace(name="table") == sheet


def test_numbers_are_numbers_in_a_workbook(tmp_path):
    path = tmp_path / "table.xlsx"
    path.write_bytes(sheet_as_workbook(sheet_of("table", [{"a": "0.5", "b": "012", "c": "8"}], "abc")))
    page = openpyxl.load_workbook(path).active
    assert page is not None and [cell.value for cell in page[2]] == [0.5, "012", 8]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_are_told_from_the_header(separator):
    sheet = parse_sheet(
        separator.join(["a", "b", "c d"])
        + "\n"
        + separator.join(["1", "", "x, y" if separator != "," else "x"])
    )
    assert sheet.columns == ("a", "b", "c d") and sheet.rows[0].cells["a"] == "1"


def test_rows_are_numbered_as_a_spreadsheet_shows_them():
    sheet = parse_sheet('a,b\n1,"two\nlines"\n\n,\n3,4\n')
    assert sheet.rows == (Row(2, {"a": "1", "b": "two\nlines"}), Row(5, {"a": "3", "b": "4"}))


def test_dates_truths_and_whole_numbers_of_a_workbook_are_text(tmp_path):
    import datetime

    path = workbook(
        tmp_path / "t.xlsx", [["a", "b", "c", "d"], [datetime.datetime(2020, 1, 2), True, 8.0, 0.25]]
    )
    assert read_sheet(path).rows[0].cells == {"a": "2020-01-02", "b": "true", "c": "8", "d": "0.25"}


def test_the_sheet_can_be_named(tmp_path):
    path = workbook(tmp_path / "t.xlsx", [["a"], [1]], title="Extraction")
    assert read_sheet(path, sheet="Extraction").columns == ("a",)
    with pytest.raises(ValueError, match="Did you mean 'Extraction'"):
        read_sheet(path, sheet="Extractions")


def test_an_error_in_a_cell_is_named_by_its_place(tmp_path):
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.append(["a", "b"])
    page.append([1, "#DIV/0!"])
    page["B2"].data_type = "e"
    book.save(tmp_path / "t.xlsx")
    with pytest.raises(ValueError, match=r"row 2, column B: A cell must hold a value; got the error #DIV/0!"):
        read_sheet(tmp_path / "t.xlsx")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have a header"),
        ("a,a\n1,2\n", "distinct names; got 'a' 2 times"),
        ("a,b\n1,2,3\n", "row 2: A row must not be longer than the header"),
        ('a,b\n1,"2"3\n', "quoted in full or not at all"),
        (",".join(f"c{i}" for i in range(2001)) + "\n", "at most 2000 columns"),
        ("a\n" + "1\n" * 20_001, "at most 20000 rows"),
    ],
)
def test_what_is_no_table_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse_sheet(text)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a,b\n\xff,1\n")
    with pytest.raises(ValueError, match="must be UTF-8 text; got byte 0xff at 4"):
        read_sheet(tmp_path / "t.csv")


def test_a_damaged_workbook_is_refused(tmp_path):
    raw = workbook(tmp_path / "t.xlsx", [["a"], [1]]).read_bytes()
    for at in range(0, len(raw), max(1, len(raw) // 12)):
        (tmp_path / "t.xlsx").write_bytes(raw[:at])
        with pytest.raises(ValueError, match=r"must be a workbook \(.xlsx\)"):
            read_sheet(tmp_path / "t.xlsx")


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("gaddum.interop.sheet.MAX_UNPACKED", 1_000_000)
    with zipfile.ZipFile(tmp_path / "t.xlsx", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb", bytes(2_000_000))
    with pytest.raises(ValueError, match="unpack to at most 1 MB; got 2 MB"):
        read_sheet(tmp_path / "t.xlsx")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit of addresses")
def test_a_workbook_that_takes_too_much_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("gaddum.interop.sheet.MAX_MEMORY", 50_000_000)
    plain = workbook(tmp_path / "t.xlsx", [["a"], ["text"]])
    with zipfile.ZipFile(plain) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    parts = {name: part.replace(b">text<", b">" + b"x" * 120_000_000 + b"<") for name, part in parts.items()}
    with zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    with pytest.raises(ValueError, match="must be read within 0.05 GB"):
        read_sheet(plain)
    assert read_sheet(workbook(tmp_path / "u.xlsx", [["a"], [1]])).rows[0].cells == {"a": "1"}


@pytest.mark.parametrize("text", ["x" * 32_768, "a\x01b"])
def test_text_that_a_workbook_cannot_hold_is_named_by_its_place(text):
    with pytest.raises(ValueError, match="in row 2, column 'a'"):
        sheet_as_workbook(sheet_of("table", [{"a": text}], "a"))


def known(heads):
    return {"study", "dose"} <= set(heads)


PLAIN = "study,dose,unit\na,0.5,x\nb,2,y\n"


@pytest.mark.parametrize(
    ("raw", "note"),
    [
        (PLAIN.encode("utf-8-sig"), None),
        (PLAIN.encode("utf-16"), None),
        (PLAIN.replace(",", ";").encode(), None),
        (PLAIN.replace(",", "|").encode(), None),
        (PLAIN.replace(",", "\t").encode(), None),
        (PLAIN.replace(",", ";").replace("0.5", "0,5").encode(), "commas are read as decimal marks"),
        (b"Extraction of 2021,,\n" + PLAIN.encode(), "1 line above the header skipped"),
        (b"# made by hand\n" + PLAIN.encode(), "1 line of comment skipped"),
        (PLAIN.replace("unit\n", "unit\n,,\n,,\n").encode(), None),
        (PLAIN.replace("unit\n", "unit\n-,mg/kg,-\n").encode(), "the row below the header is read as units"),
        (PLAIN.replace("\nb", "\nstudy,dose,unit\nb").encode(), "1 line repeating the header skipped"),
        (PLAIN.replace("\n", ",\n").encode(), "separators at the ends of lines left out"),
    ],
)
def test_somebodys_table_is_read_as_everywhere(tmp_path, raw, note):
    (tmp_path / "t.csv").write_bytes(raw)
    sheet = read_sheet(tmp_path / "t.csv", known=known)
    assert [row.cells for row in sheet.rows] == [row.cells for row in parse_sheet(PLAIN).rows]
    assert sheet.columns == ("study", "dose", "unit")
    assert note is None or note in sheet.notes


def test_bytes_of_windows_are_read_where_they_leave_no_doubt(tmp_path):
    (tmp_path / "t.csv").write_bytes("study,dose\nMüller 2019,5 µg\n".encode("cp1252"))
    sheet = read_sheet(tmp_path / "t.csv", known=known)
    assert sheet.rows[0].cells == {"study": "Müller 2019", "dose": "5 µg"}
    assert sheet.notes == ("the text is read as Windows-1252",)


def test_a_workbook_of_somebodys_own_is_tidied_too(tmp_path):
    rows = [["Extraction"], [], ["study", "dose"], ["-", "mg/kg"], ["a", 0.5], [], ["# end"]]
    sheet = read_sheet(workbook(tmp_path / "t.xlsx", rows), known=known)
    assert sheet.rows == (Row(5, {"study": "a", "dose": "0.5"}),)
    assert len(sheet.notes) == 3


def test_a_cell_of_somebodys_own_table_may_hold_lines():
    sheet = parse_sheet('study;dose\na;"two\nlines"\nb;3\n', known=known)
    assert [row.cells["dose"] for row in sheet.rows] == ["two\nlines", "3"]


def test_a_table_of_two_readings_is_asked_about():
    text = "study,dose;study,dose\na,1;b,2\n"
    assert parse_sheet(text, known=lambda heads: "study" in heads, separator=",").columns[0] == "study"
    with pytest.raises(ValueError, match="got ;, ,. Say which with"):
        parse_sheet("study,x;y,dose\na,1;2,b\n", known=lambda heads: len(heads) > 1)
