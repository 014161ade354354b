"""What large ledgers say is remembered by content, and a cache that is damaged or shared changes nothing."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from gaddum.records import document_cache
from gaddum.records.document_cache import remembering
from gaddum.records.ledger import LARGE, load_case
from gaddum.records.library import bundled, yaml_files
from gaddum.records.yaml import parse_document

TEXTS = [
    path.read_text(encoding="utf-8") for path in yaml_files(bundled() / "cases" / "ketamine" / "studies")
]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gaddum" / "documents.sqlite"


def read_all(texts=TEXTS):
    with remembering() as parse:
        return [parse(text, "a file") for text in texts]


def as_it_is(document):
    return document.content, dict(document.lines)


def test_what_is_remembered_is_what_parsing_gives(monkeypatch):
    parsed = [parse_document(text, "a file") for text in TEXTS]
    assert [as_it_is(one) for one in read_all()] == [as_it_is(one) for one in parsed]
    monkeypatch.setattr(document_cache, "parse_document", None)  # nothing is parsed again
    assert [as_it_is(one) for one in read_all()] == [as_it_is(one) for one in parsed]


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_a_damaged_cache_is_begun_anew(home, damage):
    first = [as_it_is(one) for one in read_all()]
    home.write_bytes(damage)
    assert [as_it_is(one) for one in read_all()] == first
    assert [as_it_is(one) for one in read_all()] == first


def test_where_nothing_can_be_kept_files_are_parsed(home):
    home.parent.parent.mkdir()
    home.parent.write_text("a file where the folder would be")
    assert [as_it_is(one) for one in read_all(TEXTS[:3])] == [
        as_it_is(parse_document(one)) for one in TEXTS[:3]
    ]


def test_many_writers_at_once_spoil_nothing():
    parsed = [as_it_is(parse_document(text)) for text in TEXTS]
    with ThreadPoolExecutor(6) as pool:
        for found in pool.map(lambda _: read_all(), range(12)):
            assert [as_it_is(one) for one in found] == parsed


def test_the_oldest_go_where_there_are_too_many(monkeypatch):
    monkeypatch.setattr(document_cache, "MOST", 10)
    read_all()
    monkeypatch.setattr(document_cache, "parse_document", lambda text, file: None)
    found = read_all_but_none()
    assert [one is not None for one in found] == [False] * (len(TEXTS) - 10) + [True] * 10


def read_all_but_none():
    """What is remembered; texts that are not end the reading of the rest, so each is asked for alone."""
    found = []
    for text in TEXTS:
        try:
            found += read_all([text])
        except AttributeError:  # nothing parsed, nothing to keep
            found.append(None)
    return found


def test_a_large_ledger_reads_as_the_same_studies_from_files_and_from_the_cache(folder, home):
    for number in range(LARGE):
        folder.studies[f"more_{number}"] = folder.a_study(f"more_{number}", cohort=str(number))
    case = folder.write()
    first = load_case(case)
    assert home.is_file()
    again = load_case(case)
    assert again.ledger == first.ledger and len(again.ledger) == LARGE + 1
    changed = case / "studies" / "more_7.yaml"
    changed.write_text(yaml.safe_dump(yaml.safe_load(changed.read_text()) | {"title": "another"}))
    assert load_case(case).ledger.study("more_7").title == "another"
    places = [one.documents["study:more_3"].line(("experiments", 0, "outcomes")) for one in (first, again)]
    assert places[0] == places[1] is not None


def test_a_small_ledger_leaves_no_cache(folder, home):
    load_case(folder.write())
    assert not home.exists()
