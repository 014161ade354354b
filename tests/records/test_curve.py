import json

import pytest

from gaddum.records.curve import load_benchmarks, read_benchmark
from gaddum.records.finding import RecordError
from gaddum.records.library import load_library
from gaddum.records.shorthand import parse_doses


def a_benchmark(**changes):
    source = {"how": "abstract", "cites": "made for the test"}
    published = {"value": 0.5, "unit": "1", "spread": {"kind": "SD", "value": 0.1}, "source": source}
    reading = {"kind": "occupancy", "target": "MOR", "time": "2 h", "published": published}
    tolerance = {"kind": "difference", "value": 0.1, "reason": "made for the test"}
    dose = {"drug": "naltrexone", "amount": "50 mg", "route": "po"}
    return {
        "id": "one",
        "title": "made for the test",
        "species": "human",
        "doses": [dose],
        "readings": [reading],
        "tolerance": tolerance,
    } | changes


def read(folder, content, stem="one"):
    path = folder / f"{stem}.yaml"
    path.write_text(json.dumps(content), encoding="utf-8")
    return read_benchmark(path, load_library())


def refusal(folder, content, stem="one"):
    with pytest.raises(RecordError) as caught:
        read(folder, content, stem)
    return "\n".join(f"{one.where}: {one.message}" for one in caught.value.findings)


def test_the_bundled_benchmarks_load_and_have_distinct_ids():
    ids = [one.id for one in load_benchmarks()]
    assert len(ids) == len(set(ids)) > 25


def test_every_published_value_of_the_bundled_benchmarks_has_a_spread():
    bare = [
        (one.id, reading.kind)
        for one in load_benchmarks()
        for reading in one.readings
        if reading.published.spread is None
    ]
    assert bare == []


def test_no_counted_benchmark_rests_on_an_assumption():
    counted = [one for one in load_benchmarks() if one.counted]
    assert counted
    assert not [
        one.id for one in counted for reading in one.readings if reading.published.source.how == "assumption"
    ]


def test_the_shorthand_of_a_benchmark_reads_back_as_its_doses():
    for one in load_benchmarks():
        assert parse_doses(one.protocol) == one.doses


def test_an_assumed_value_cannot_be_counted(tmp_path):
    content = a_benchmark()
    content["readings"][0]["published"]["source"] = {"how": "assumption", "reason": "remembered"}
    assert "must rest on published values" in refusal(tmp_path, content)
    assert not read(tmp_path, content | {"counted": False, "reason": "not verified"}).counted


def test_what_is_not_counted_says_why(tmp_path):
    assert "must say why" in refusal(tmp_path, a_benchmark(counted=False))


def unknown_target(content):
    content["readings"][0]["target"] = "MORE"


def unknown_drug(content):
    content["doses"][0]["drug"] = "naltrexon"


def route_without_kinetics(content):
    content["doses"][0]["route"] = "ip"


def species_without_kinetics(content):
    content["species"] = "sheep"


def unit_of_another_kind(content):
    content["readings"][0]["published"]["unit"] = "ng/mL"


def two_kinds(content):
    other = content["readings"][0] | {"kind": "half-time"}
    content["readings"].append({key: value for key, value in other.items() if key != "time"})


def fold_below_one(content):
    content["tolerance"] = {"kind": "fold", "value": 0.5, "reason": "made for the test"}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (unknown_target, "readings[0].target: This must be a target of the library; got 'MORE'"),
        (unknown_drug, "Did you mean 'naltrexone'"),
        (route_without_kinetics, "doses[0].route: naltrexone must have kinetics in human by route 'ip'"),
        (species_without_kinetics, "no disposition there"),
        (unit_of_another_kind, "readings[0].published.unit"),
        (two_kinds, "must be of one kind"),
        (fold_below_one, "must be a factor above 1"),
    ],
)
def test_a_benchmark_that_cannot_be_predicted_is_refused(tmp_path, spoil, message):
    content = a_benchmark()
    spoil(content)
    assert message in refusal(tmp_path, content)


def test_a_file_is_named_after_its_benchmark(tmp_path):
    assert "named after its `id`" in refusal(tmp_path, a_benchmark(), stem="two")
