"""What a page may name and ask for: what a listing holds, never a path, and not too much."""

import os
from pathlib import Path

import pytest

from gaddum.surface.audit import AuditRequest
from gaddum.surface.occupancy.request import OccupancyRequest
from gaddum.surface.schild import SchildRequest
from gaddum.surface.web.shelf import MOST_DRAWS, Shelf, admit, keep

OFFERED = ("protocols", "at", "draws", "what", "case", "file", "unit")
DOSE = "naltrexone 50 mg po"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text("1,2\n")
    served = tmp_path / "served"
    served.mkdir()
    (served / "mine.csv").write_text("1,2\n")
    (served / ".hidden.csv").write_text("1,2\n")
    (served / "notes.txt").write_text("1,2\n")
    os.symlink(tmp_path / "outside" / "secret.csv", served / "link.csv")
    os.symlink(tmp_path / "outside", served / "folder")
    (served / "case").mkdir()
    (served / "case" / "case.yaml").write_text("name: case\n")
    (served / "linked").mkdir()
    (served / "linked" / "case.yaml").write_text("name: linked\n")
    os.symlink(tmp_path / "outside" / "secret.csv", served / "linked" / "studies.yaml")
    return Shelf(served)


def test_the_listing_holds_tables_and_cases_and_follows_no_link(shelf: Shelf):
    assert (shelf.files, shelf.cases) == (("mine.csv",), ("case",))


@pytest.mark.parametrize(
    "name",
    [
        "link.csv",
        "folder/secret.csv",
        "../outside/secret.csv",
        ".hidden.csv",
        "notes.txt",
        "/etc/passwd",
        "",
        "mine.csv\0",
    ],
)
def test_a_file_that_is_not_listed_is_not_read(shelf: Shelf, name: str):
    with pytest.raises(ValueError, match="A file must be one that is listed"):
        admit(SchildRequest(Path(name)), shelf, OFFERED)


def test_a_file_that_is_listed_is_the_users_own(shelf: Shelf):
    assert admit(SchildRequest(Path("mine.csv")), shelf, OFFERED)


@pytest.mark.parametrize("name", ["linked", "..", "/", "folder", "served/case", "~"])
def test_a_case_that_is_not_listed_is_not_read(shelf: Shelf, name: str):
    for asked in (
        AuditRequest(name),
        AuditRequest(f"{name}:klein2020"),
        AuditRequest("klein2020", case=name),
        OccupancyRequest((DOSE,), case=name),
        OccupancyRequest((f"{name}:a/b/c",)),
    ):
        with pytest.raises(ValueError, match="must be one that is listed|must be"):
            admit(asked, shelf, OFFERED)


@pytest.mark.parametrize("text", ["mine.csv", "/etc/hosts.csv", "ketamine:a/b/c.csv", "/etc/passwd"])
def test_the_box_for_doses_reads_no_file(shelf: Shelf, text: str):
    with pytest.raises(ValueError):
        admit(OccupancyRequest((text,)), shelf, OFFERED)


def test_a_field_that_the_page_lacks_is_refused(shelf: Shelf):
    with pytest.raises(ValueError, match="takes no 'fit'"):
        admit(OccupancyRequest((DOSE,), fit=("/etc/passwd",)), shelf, OFFERED)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (OccupancyRequest((DOSE,), draws=MOST_DRAWS + 1), "2000 draws"),
        (OccupancyRequest((" + ".join([DOSE] * 33),)), "32 doses"),
        (OccupancyRequest((f"{DOSE} every 12 h x 501",)), "500 administrations"),
        (OccupancyRequest((DOSE,), at=(",".join(["1 h"] * 501),)), "500 times"),
        (OccupancyRequest((DOSE + " " * 3000,)), "characters"),
        (OccupancyRequest((" + ".join(f"drug{n} 1 mg po" for n in range(9)),)), "8 drugs"),
    ],
)
def test_too_much_is_refused(shelf: Shelf, asked: OccupancyRequest, said: str):
    with pytest.raises(ValueError, match=said):
        admit(asked, shelf, OFFERED)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("My data (1).CSV", "my-data-1-.csv"),
        ("../../etc/cron.csv", "cron.csv"),
        ("..\\..\\x.tsv", "x.tsv"),
        ("mine.csv", "mine-2.csv"),
        ("link.csv", "link-2.csv"),
    ],
)
def test_what_is_brought_gets_a_name_of_its_own_and_replaces_nothing(shelf: Shelf, name: str, kept: str):
    before = {one: one.read_bytes() for one in shelf.folder.iterdir() if one.is_file()}
    assert keep(shelf, name, b"a,b\n") == kept
    assert {one: one.read_bytes() for one in before} == before


@pytest.mark.parametrize(
    ("name", "content"), [("x.exe", b"1"), ("x", b"1"), (".csv", b"1"), ("x.csv", b" \n"), ("", b"1")]
)
def test_what_is_not_a_table_is_not_kept(shelf: Shelf, name: str, content: bytes):
    with pytest.raises(ValueError, match="A file must be one of"):
        keep(shelf, name, content)
