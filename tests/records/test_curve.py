import json

import pytest

from gaddum.records.curve import checked_curve, load_benchmarks, load_curves, read_curve
from gaddum.records.finding import RecordError
from gaddum.records.library import bundled, load_library, yaml_files
from gaddum.records.quantity import Quantity
from gaddum.records.reading import KineticConstant, PublishedModel
from gaddum.records.shorthand import parse_doses
from gaddum.records.yaml import parse_document, read_document

QUANTITY = {"value": 8.0, "unit": "ng/mL", "source": {"how": "measured", "cites": "made for the test"}}


def a_benchmark(**changes):
    source = {"how": "abstract", "cites": "made for the test"}
    reading = {"kind": "occupancy", "target": "MOR", "times": ["2 h"], "values": [0.5], "unit": "1"}
    reading |= {"spread": {"kind": "SD", "value": 0.1}, "source": source}
    tolerance = {"kind": "difference", "value": 0.1, "reason": "made for the test"}
    dose = {"drug": "naltrexone", "amount": "50 mg", "route": "po"}
    return {
        "id": "one",
        "title": "made for the test",
        "paper": "made for the test",
        "species": "human",
        "doses": [dose],
        "readings": [reading],
        "tolerance": tolerance,
    } | changes


def read(folder, content, stem="one"):
    path = folder / f"{stem}.yaml"
    path.write_text(json.dumps(content), encoding="utf-8")
    return read_curve(path, load_library())


def refusal(folder, content, stem="one"):
    with pytest.raises(RecordError) as caught:
        read(folder, content, stem)
    return "\n".join(f"{one.where}: {one.message}" for one in caught.value.findings)


def test_the_bundled_benchmarks_load_and_have_distinct_ids():
    ids = [one.id for one in load_benchmarks()]
    assert len(ids) == len(set(ids)) > 25


def test_every_published_value_of_the_bundled_benchmarks_has_a_spread():
    bare = [
        (one.id, number.reading.kind)
        for one in load_benchmarks()
        for number in one.measured
        if number.published.spread is None
    ]
    assert bare == []


def test_no_counted_benchmark_rests_on_an_assumption():
    counted = [one for one in load_benchmarks() if one.counted]
    assert counted
    assert not [
        one.id for one in counted for number in one.measured if number.published.source.how == "assumption"
    ]


def test_the_shorthand_of_a_benchmark_reads_back_as_its_doses():
    for one in load_benchmarks():
        assert parse_doses(one.protocol) == one.doses


def test_an_assumed_value_cannot_be_counted(tmp_path):
    content = a_benchmark()
    content["readings"][0]["source"] = {"how": "assumption", "reason": "remembered"}
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
    content["readings"][0]["unit"] = "ng/mL"


def two_kinds(content):
    source = content["readings"][0]["source"]
    published = {"value": 3, "unit": "h", "source": source}
    content["readings"].append({"kind": "half-time", "target": "MOR", "published": published})


def fold_below_one(content):
    content["tolerance"] = {"kind": "fold", "value": 0.5, "reason": "made for the test"}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (unknown_target, "readings[0].target: This must be a target of the library; got 'MORE'"),
        (unknown_drug, "Did you mean 'naltrexone'"),
        (route_without_kinetics, "doses[0].route: naltrexone must have kinetics in human by route 'ip'"),
        (species_without_kinetics, "no disposition there"),
        (unit_of_another_kind, "readings[0]: A number must be in units of 1"),
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


def a_series(**changes):
    source = {"how": "measured", "cites": "made for the test"}
    series = {"kind": "concentration", "drug": "naltrexone", "sampling": "venous", "unit": "ng/mL"}
    series |= {"times": ["1 h", "4 h", "24 h"], "values": [8.0, 2.5, "<0.25"], "source": source} | changes
    content = a_benchmark(readings=[series])
    del content["tolerance"]
    return content


def test_a_series_gives_each_value_its_time_and_number_and_says_which_lie_below_the_limit(tmp_path):
    numbers = read(tmp_path, a_series(n=[8, 8, 5])).measured
    assert [(one.time, one.published.value, one.published.n, one.below) for one in numbers] == [
        ("1 h", 8.0, 8, False),
        ("4 h", 2.5, 8, False),
        ("24 h", 0.25, 5, True),
    ]


def test_a_reading_with_doses_of_its_own_follows_them(tmp_path):
    content = a_series()
    other = content["readings"][0] | {"doses": [{"drug": "naltrexone", "amount": "100 mg", "route": "po"}]}
    content["readings"].append(other)
    amounts = [one.doses[0].amount for one in read(tmp_path, content).measured]
    assert amounts == ["50 mg"] * 3 + ["100 mg"] * 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"times": ["-1 h", "4 h", "24 h"]}, "must not be earlier than the first dose (0 h); got -1 h"),
        ({"times": ["4 h", "1 h", "24 h"]}, "must not fall; got 4 h and then 1 h"),
        ({"times": ["1 h", "4 h"]}, "one of `values` for each of its 2 times; got 3"),
        ({"values": [8.0, 0, 1]}, "must be positive; got 0 at 4 h. Write what lies below the limit"),
        ({"values": [8.0, "<0", 1]}, "must be above 0 and finite; got '<0'"),
        ({"values": [8.0, "<1.2.3", 1]}, "readings[0].values[1]"),
        ({"unit": "ng/g"}, "A concentration must be in units of nM or ng/mL"),
        ({"times": ["1", "4 h", "24 h"]}, "A time must be in units of h"),
        ({"source": None}, "readings[0].source"),
    ],
)
def test_a_series_that_cannot_be_meant_is_refused(tmp_path, changes, message):
    assert message in refusal(tmp_path, a_series(**changes))


def test_percent_without_their_unit_are_no_occupancy(tmp_path):
    content = a_benchmark()
    content["readings"][0]["values"] = [75]
    assert 'Write `unit: "%"`' in refusal(tmp_path, content)


def doubts(content):
    document = parse_document(json.dumps(content))
    return [f"{one.level}: {one.message}" for one in checked_curve(document, load_library())[1]]


@pytest.mark.parametrize(
    ("kind", "relative", "question"),
    [
        ("SD", 0.04, "Is it a standard error?"),
        ("SD", 0.4, None),
        ("SEM", 0.7, "Is it a standard deviation?"),
        ("SEM", 0.1, None),
        ("SD", 0.9, None),
    ],
)
def test_a_spread_whose_size_is_that_of_another_kind_is_doubted(kind, relative, question):
    spread = [{"kind": kind, "value": relative * value} for value in (8.0, 2.5, 0.25)]
    said = doubts(a_series(values=[8.0, 2.5, 0.25], spread=spread, n=9))
    assert [one for one in said if question and question in one] == said
    assert len(said) == (question is not None)


def test_one_point_is_noted():
    (said,) = doubts(a_series(times=["1 h"], values=[8.0]))
    assert said.startswith("note: One value")


def test_a_drug_that_the_library_lacks_is_a_warning_unless_it_must_be_predicted():
    (said,) = doubts(a_series(drug="naltrexon"))
    assert said.startswith("warning: ") and "Did you mean 'naltrexone'" in said


def test_a_relative_spread_counts_the_value_out():
    absolute, relative = ({"kind": kind, "value": value} for kind, value in (("SD", 2.0), ("CV", 0.25)))
    one, other = (Quantity.model_validate(QUANTITY | {"spread": spread}) for spread in (absolute, relative))
    assert one.gsd == other.gsd


def test_at_least_eight_human_drugs_have_three_independent_sources_of_clearance():
    papers: dict[str, set[str]] = {}
    for one in load_curves():
        for reading in one.readings if one.species == "human" and one.counted else ():
            if isinstance(reading, PublishedModel) or (
                isinstance(reading, KineticConstant) and reading.name in ("cl", "cl/f")
            ):
                papers.setdefault(reading.drug, set()).add(one.paper)
    assert sum(len(found) >= 3 for found in papers.values()) >= 8


def test_every_bundled_curve_is_free_of_doubt_but_for_drugs_and_targets_that_the_library_lacks():
    doubted = [
        (one.id, finding.message)
        for one, found in bundled_findings()
        for finding in found
        if finding.level != "note" and "of the library" not in finding.message
    ]
    assert doubted == []


def bundled_findings():
    library = load_library()
    for folder in (bundled() / "curves").iterdir():
        for path in yaml_files(folder):
            yield checked_curve(read_document(path), library)


def test_a_published_model_names_units_of_its_own_kind(tmp_path):
    source = {"how": "measured", "cites": "made for the test"}
    body = {
        "sampling": "venous",
        "v_c": {"value": 5, "unit": "L/h", "source": source},
        "cl": {"value": 20, "unit": "L/h", "source": source},
    }
    content = a_series()
    model = {"kind": "model", "drug": "naltrexone", "disposition": body, "times": ["1 h", "soon"]}
    content["readings"] = [model | {"between": {"cl": 0.3, "k_a": 0.5}}]
    told = refusal(tmp_path, content)
    assert "readings[0].disposition.v_c[0].unit: A volume must be" in told
    assert "readings[0].times[1]: A time must be" in told
    assert "readings[0].between.k_a: A variation must be of a number of the disposition; got 'k_a'" in told
    assert "between.cl" not in told


def test_a_printed_constant_needs_no_dose(tmp_path):
    content = a_series()
    source = {"how": "abstract", "cites": "made for the test"}
    published = {"value": 90, "unit": "L/h", "source": source}
    content["readings"] = [{"kind": "constant", "drug": "naltrexone", "name": "cl", "published": published}]
    del content["doses"]
    (number,) = read(tmp_path, content).measured
    assert (number.time, number.published.value, number.doses) == (None, 90, ())
    assert read(tmp_path, content).given == {"naltrexone"}
