import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaddum.records.case import Case
from gaddum.records.drug import Drug
from gaddum.records.experiment import Study
from gaddum.records.finding import RecordError
from gaddum.records.ledger import load_case
from gaddum.records.source import Source
from gaddum.records.yaml import dump_record, parse_document, plain_value, read_record, to_record

STUDY = """\
id: one_2001
title: Test
year: 2001
cohort: one
source: paper
sources:
  paper: {how: measured, doi: 10.0000/test, pmid: 0012}
experiments:
  - id: first
    protocol:
      source: {use: paper, locator: Table 2}
      subject: {species: rat, paradigm: test}
      arms:
        V: {n: 8}
        K:
          n: 8
          doses:
            - {drug: testine, amount: 10 mg/kg, route: ip}
      endpoints:
        score: {name: s, family: s, test_time: 1 h, phase: acute, improvement: increase}
    outcomes:
      - {form: p-value, p: 0.03, contrast: [K, V], better: first, endpoint: score, source: paper}
"""


def findings_of(text, model=Study):
    with pytest.raises(RecordError) as caught:
        to_record(parse_document(text, "study.yaml"), model)
    return caught.value.findings


def test_shared_sources_are_put_in_place():
    study = to_record(parse_document(STUDY), Study)
    assert study.source.doi == "10.0000/test"
    protocol = study.experiments[0].protocol
    assert (protocol.source.locator, protocol.source.doi) == ("Table 2", "10.0000/test")
    assert study.source.locator is None


@pytest.mark.parametrize(
    ("old", "new", "line", "where", "message"),
    [
        ("cohort: one", "cohrt: one", 4, "cohrt", "Did you mean 'cohort'"),
        (
            "species: rat",
            "species: ratt",
            12,
            "experiments[0].protocol.subject.species",
            "Did you mean 'rat'",
        ),
        ("V: {n: 8}", "V: {n: 0}", 14, "experiments[0].protocol.arms.V.n", "must be greater than 0; got 0"),
        (", route: ip", "", 18, "experiments[0].protocol.arms.K.doses[0].route", "'route' must be given"),
        ("10 mg/kg", "10", 18, "experiments[0].protocol.arms.K.doses[0]", "without a unit"),
        ("10 mg/kg", "10 mgs/kg", 18, "experiments[0].protocol.arms.K.doses[0]", "'mgs' is not a known unit"),
        ("test_time: 1 h", "test_time: -1 h", 10, "experiments[0].protocol", "before the first dose"),
        ("form: p-value", "form: p-values", 22, "experiments[0].outcomes[0]", "Did you mean 'p-value'"),
        ("form: p-value, ", "", 22, "experiments[0].outcomes[0]", "'form' must be given"),
        ("p: 0.03", "p: 1.5", 22, "experiments[0].outcomes[0].p", "less than or equal to 1; got 1.5"),
        ("p: 0.03", "p: .nan", 22, "experiments[0].outcomes[0].p", "finite number"),
        ("better: first", "beter: first", 22, "experiments[0].outcomes[0].beter", "Did you mean 'better'"),
        ("source: paper}", "source: papr}", 22, "experiments[0].outcomes[0].source", "Did you mean 'paper'"),
        ("how: measured", "how: measurd", 7, "sources.paper.how", "Did you mean 'measured'"),
        ("year: 2001", "year: soon", 3, "year", "got 'soon'"),
        ("title: Test\n", "", 1, "title", "must be given"),
    ],
)
def test_findings_name_line_field_and_nearest_key(old, new, line, where, message):
    found = [one for one in findings_of(STUDY.replace(old, new, 1)) if one.where == where]
    assert found, findings_of(STUDY.replace(old, new, 1))
    assert (found[0].file, found[0].line) == ("study.yaml", line)
    assert message in found[0].message
    assert "must" in found[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: &x [1]\nb: *x", "anchors or aliases"),
        ("b: *x", "anchors or aliases|undefined"),
        ("a: 1\n<<: {b: 2}", "merge keys"),
        ("a: !!python/object/apply:os.system [x]", "must not use YAML tags"),
        ("a: !!str 1", "must not use YAML tags"),
        ("a: 1\na: 2", "once; got 'a' again"),
        ("a:\n  b: 1\n  b: 2", "a.b: A key must occur once"),
        ("a: " + "[" * 61 + "]" * 61, "deeper than 60"),
        ("[" * 100_000, "deeper than 60"),
        ("{a: " * 100_000, "deeper than 60"),
        ("? [a]\n: 1", "A key must be plain text"),
        ("a: 1\n---\nb: 1", "one document"),
        ("a: [1", "valid YAML"),
        ("a: b: c", "valid YAML"),
        ("\ta: 1", "valid YAML"),
        ("a: \x00", "valid YAML"),
        ("", "a mapping; got nothing"),
        ("# only a comment", "a mapping; got nothing"),
        ("- 1", "a mapping; got a list"),
        ("words", "a mapping; got a text"),
        ("sources: [1]", "`sources` must map"),
    ],
)
def test_yaml_that_a_record_has_no_use_for_is_refused(text, message):
    with pytest.raises(RecordError) as caught:
        parse_document(text)
    assert re.search(message, str(caught.value))


def test_a_yaml_bomb_is_refused_at_its_first_anchor():
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{new}: &{new} [{', '.join(['*' + old] * 9)}]"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    with pytest.raises(RecordError) as caught:
        parse_document("\n".join(lines))
    assert caught.value.findings[0].line == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"a: 1\n" * 200_001, "larger than 1 MB"), (b"a: \xff\xfe", "must be UTF-8")],
)
def test_unreadable_files_are_refused(tmp_path, content, message):
    path = tmp_path / "big.yaml"
    path.write_bytes(content)
    with pytest.raises(RecordError, match=message):
        read_record(path, Study)


def test_a_missing_file_is_a_finding():
    with pytest.raises(RecordError, match="must be readable"):
        read_record(Path("no/such/file.yaml"), Study)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("1:30", "1:30"),
        ("2001-01-02", "2001-01-02"),
        ("1e-3", 1e-3),
        ("true", True),
        ("", None),
    ],
)
def test_plain_values_follow_the_core_schema(text, value):
    assert plain_value(text) == value


@given(st.text(max_size=200))
def test_any_text_is_a_document_or_a_record_error(text):
    try:
        document = parse_document(text)
    except RecordError:
        return
    for model in (Study, Case, Drug):
        with pytest.raises(RecordError):
            to_record(document, model)


@given(st.data())
def test_a_spoilt_file_is_a_record_or_a_record_error(data):
    start = data.draw(st.integers(0, len(STUDY)))
    length = data.draw(st.integers(0, 12))
    patch = data.draw(st.text(alphabet="{}[]:,-&*!|>'\"\n \t#abc01.~%@", max_size=8))
    try:
        to_record(parse_document(STUDY[:start] + patch + STUDY[start + length :]), Study)
    except RecordError as error:
        assert all(str(finding) for finding in error.findings)


odd_text = st.text(
    alphabet=st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t"), min_size=1, max_size=20
)


@given(
    odd_text
    | st.sampled_from(["1e-3", "010", "true", "~", "null", "no", "<<", "- a", "a: b", "'", ".5", "1_0"])
)
def test_dumped_text_reads_back_as_the_same_text(text):
    source = Source(how="assumption", reason="x" + text, cites=text)
    assert to_record(parse_document(dump_record(source)), Source) == source


def test_findings_of_one_file_are_told_up_to_a_hundred(folder):
    folder.case |= {f"key_{number}": 1 for number in range(60_000)}
    with pytest.raises(RecordError) as caught:
        load_case(folder.write())
    assert len(caught.value.findings) == 101
    assert "59900 more findings" in str(caught.value)


def test_a_pipe_is_refused_and_not_waited_for(folder):
    path = folder.write()
    os.mkfifo(path / "studies" / "pipe.yaml")
    with pytest.raises(RecordError, match="pipe.yaml: error: This must be a regular file"):
        load_case(path)
