"""Check finds everything at which an adjudication would stop, and never stops itself."""

import copy
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gaddum
from gaddum import check_case, load_case
from gaddum.records.finding import Finding, RecordError, capped
from gaddum.surface.cli import main

KETAMINE = Path(gaddum.__file__).parent / "library" / "cases" / "ketamine"
STUDIES = {
    path.stem: yaml.safe_load(path.read_text()) for path in sorted((KETAMINE / "studies").glob("*.yaml"))
}
CASE = yaml.safe_load((KETAMINE / "case.yaml").read_text())
ABSURD = (0, -1, 1e6, 1e9, 1e12, 1e300, -1e308, 1e-300, 5e-324, float("nan"), float("inf"), 10**15, 10**400)


class NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True


def numbers(content, path=()):
    """Places of a study's numbers."""
    parts = content.items() if isinstance(content, dict) else enumerate(content)
    for key, one in parts:
        if isinstance(one, dict | list):
            yield from numbers(one, (*path, key))
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield (*path, key)


PLACES = [(name, path) for name, study in STUDIES.items() for path in numbers(study)]
CAN_BE = {"correlation", "expectancy", "responders", "year", "value", "mean", "n_range"}
"""Fields that some of the absurd values fit: a correlation of 0, a mean of a million."""


def write(folder: Path, study: dict, case: dict = CASE) -> Path:
    """A case with one study of the ketamine case and what the case says of it."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "studies").mkdir(parents=True)
    anchors = [one for one in CASE["anchors"] if one["study"] == study["id"]]
    (folder / "case.yaml").write_text(yaml.safe_dump(case | {"anchors": anchors, "claims": []}))
    (folder / "studies" / f"{study['id']}.yaml").write_text(yaml.safe_dump(study))
    return folder


def findings(folder: Path) -> list[Finding]:
    try:
        return check_case(load_case(folder))
    except RecordError as error:
        return list(error.findings)


def change(study: dict, path: tuple, value) -> dict:
    changed = here = copy.deepcopy(study)
    for part in path[:-1]:
        here = here[part]
    here[path[-1]] = value
    return changed


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.sampled_from(PLACES), st.sampled_from(ABSURD))
def test_an_absurd_number_anywhere_is_named_by_its_field(tmp_path_factory, place, value):
    name, path = place
    folder = tmp_path_factory.getbasetemp() / "absurd"
    found = [
        one
        for one in findings(write(folder, change(STUDIES[name], path, value)))
        if one.level != "note" and "no arm of the ledger" not in one.message
    ]
    if path[-1] not in CAN_BE and "spread" not in path[:-1]:
        assert found, (name, path, value)
    for one in found:
        assert one.file.endswith((f"{name}.yaml", "case.yaml")) and "Error:" not in one.message, one
    if path[-1] in ("n", "df", "p", "spread", "repeats") and value not in (1e6, 0, 1e12, 1e9):
        last = [part for part in path if isinstance(part, str)][-1]
        assert any(last in one.where or "outcomes" in one.where for one in found), (path, value, found)


def outcome_of(study: dict, **said) -> dict:
    """The study with a single outcome: a test of its first two arms."""
    changed = copy.deepcopy(study)
    experiment = changed["experiments"][0]
    first, second = [name for name in experiment["protocol"]["arms"] if name in ("K", "V")]
    endpoint = next(iter(experiment["protocol"]["endpoints"]))
    shared = {"endpoint": endpoint, "source": {"how": "assumption", "reason": "made up for a test"}}
    contrast = {"contrast": [first, second], "better": "first"}
    experiment["outcomes"] = [shared | contrast | said]
    for arm in experiment["protocol"]["arms"].values():
        arm["n"] = 8
        arm.pop("n_range", None)
    return changed


@pytest.mark.parametrize(
    "said",
    [
        {"form": "test", "statistic": "t", "value": 1e6},
        {"form": "test", "statistic": "F", "value": -1.0},
        {"form": "p-value", "p": 1e-300},
        {"form": "p-value", "p": 5e-324},
        {"form": "test", "statistic": "t", "value": 40.0},
        {"form": "test", "statistic": "F", "value": 1600.0},
        {"form": "p-value", "p": 1e-16},
    ],
)
def test_a_statistic_that_means_an_effect_nobody_sees_is_questioned_at_its_outcome(tmp_path, said):
    folder = write(tmp_path / "case", outcome_of(STUDIES["klein2020"], **said))
    found = [one for one in findings(folder) if one.where.startswith("experiments[0].outcomes[0]")]
    assert found and all(one.line is not None and one.file.endswith("klein2020.yaml") for one in found)


def test_rows_that_the_prior_table_lacks_are_all_named_at_once(tmp_path):
    folder = write(tmp_path / "case", STUDIES["klein2020"], CASE | {"priors": []})
    (found,) = [one for one in findings(folder) if one.message.startswith("The prior table")]
    assert found.level == "error" and found.file.endswith("case.yaml")
    assert "metabolite.k_i.2S6S-hydroxynorketamine" in found.message
    for row in ("dependence.mean", "arm_noise", "n_unknown", "rule"):  # the library's own stand by default
        assert row not in found.message
    left = write(tmp_path / "again", STUDIES["klein2020"])
    assert not any(one.message.startswith("The prior table") for one in findings(left))


@pytest.mark.parametrize(
    "numbers",
    [
        {"gsd": 1e300},
        {"median": 1e308},
        {"median": 5e-324},
        {"sd": 1e15},
        {"mean": -1e308},
        {"value": 1e300},
        {"b": 1e300},
    ],
)
def test_a_prior_that_no_computation_can_use_is_named_by_its_row(tmp_path, numbers):
    (field,) = numbers
    rows = [row for row in CASE["priors"] if field in row["distribution"]]
    row = rows[0] | {"distribution": rows[0]["distribution"] | numbers}
    priors = [row if one["name"] == row["name"] else one for one in CASE["priors"]]
    found = findings(write(tmp_path / "case", STUDIES["klein2020"], CASE | {"priors": priors}))
    assert any(one.where.startswith("priors[") and one.line for one in found if one.level == "error"), found


def test_an_arm_whose_kinetics_nobody_knows_is_named_by_study_and_line(tmp_path):
    study = copy.deepcopy(STUDIES["klein2020"])
    arm = next(one for one in study["experiments"][0]["protocol"]["arms"].values() if one.get("doses"))
    arm["doses"][0]["route"] = "sublingual"
    found = [
        one for one in findings(write(tmp_path / "case", study)) if "by route 'sublingual'" in one.message
    ]
    assert found and all("protocol.arms" in one.where and one.line for one in found)


def test_the_same_fault_is_told_of_every_outcome_that_has_it(tmp_path):
    study = outcome_of(STUDIES["klein2020"], form="p-value", p=1e-300)
    study["experiments"][0]["outcomes"] *= 3
    text = yaml.dump(study, Dumper=NoAliases)
    folder = write(tmp_path / "case", STUDIES["klein2020"])
    (folder / "studies" / "klein2020.yaml").write_text(text)
    found = [one.where for one in findings(folder) if "amount to a t" in one.message]
    assert found == [f"experiments[0].outcomes[{n}]" for n in range(3)]


def test_a_faulty_study_does_not_hide_what_is_wrong_with_another(tmp_path):
    folder = write(tmp_path / "case", outcome_of(STUDIES["klein2020"], form="test", statistic="t", value=1e6))
    other = copy.deepcopy(STUDIES["zhang2014"])
    other["experiments"][0]["outcomes"][0]["endpoint"] = "nowhere"
    (folder / "studies" / "zhang2014.yaml").write_text(yaml.safe_dump(other))
    files = {Path(one.file).stem for one in findings(folder) if one.level == "error"}
    assert {"klein2020", "zhang2014"} <= files


def test_findings_of_a_kind_are_shown_twenty_times_and_then_counted():
    many = [Finding("error", "a", f"x[{n}]", f"It must be small; got {n}.") for n in range(60)]
    other = Finding("error", "a", "y", "It must be blue; got red.")
    shown = capped([*many, other])
    assert len(shown) == 22 and shown[-1] == other and "There are 40 more" in shown[20].message


def test_a_drug_that_the_library_lacks_is_one_line_however_often_it_was_given():
    many = [Finding("error", "a", f"doses[{n}]", "A dose must be of a drug; got 'x'.") for n in range(9)]
    (shown,) = capped(many)
    assert shown.message == "A dose must be of a drug; got 'x'. (And in 8 more places.)"
    assert capped(many[:3]) == many[:3]


def test_check_takes_the_file_of_one_study_and_tells_of_that_alone(tmp_path, capsys):
    folder = write(tmp_path / "case", outcome_of(STUDIES["klein2020"], form="test", statistic="t", value=1e6))
    assert main(["check", str(folder / "studies" / "klein2020.yaml")]) == 1
    error = capsys.readouterr().err
    assert "klein2020.yaml" in error and "case.yaml" not in error
    assert main(["check", "ketamine:klein2020"]) == 0
    assert "klein2020" in capsys.readouterr().err
