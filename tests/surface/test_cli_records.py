import json
import os
import signal
import subprocess
import sys
import time

import pytest

from gaddum import __version__
from gaddum.records.ledger import case_folder
from gaddum.records.library import load_library
from gaddum.surface import cli


@pytest.fixture
def made(tmp_path, capsys):
    """A freshly scaffolded case."""
    if not load_library().drugs:
        pytest.skip("the bundled library is empty")
    assert cli.main(["new", "fresh", "--folder", str(tmp_path), "--drug", "ketamine"]) == 0
    capsys.readouterr()
    return tmp_path / "fresh"


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"gaddum {__version__}\n"


@pytest.mark.parametrize("arguments", [["chek"], ["check"], ["check", "x", "--no-such"], ["ledger", "lst"]])
def test_usage_errors_exit_with_2(arguments, capsys):
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Error" in captured.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "no-such"],
        ["check", "x" * 5000],
        ["check", "a\x01b"],
        ["check", "~no-such-user/x"],
        ["ledger", "list", "no-such"],
        ["ledger", "show", "no-such", "x"],
    ],
)
def test_an_unknown_case_exits_with_2_and_says_what_there_is(arguments, capsys):
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "folder that holds case.yaml" in captured.err and "Traceback" not in captured.err


def test_a_new_case_is_accepted(made, capsys):
    assert cli.main(["check", str(made)]) == 0
    assert "0 error(s), 0 warning(s)" in capsys.readouterr().out


def test_a_new_case_does_not_overwrite(made, capsys):
    before = {path: path.read_bytes() for path in made.rglob("*.yaml")}
    assert cli.main(["new", "fresh", "--folder", str(made.parent), "--drug", "ketamine"]) == 2
    assert "must not overwrite" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in made.rglob("*.yaml")} == before
    assert [path.name for path in made.parent.iterdir()] == ["fresh"]


@pytest.mark.parametrize("name", ["Fresh", "../up", "", "a b", "-"])
def test_a_bad_name_makes_nothing(name, tmp_path):
    assert cli.main(["new", "--folder", str(tmp_path), "--", name]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "drug", [[], ["--drug", "../x"], ["--drug", "a: b"], ["--drug", "k", "--targets", "a/b"]]
)
def test_a_case_without_a_drug_or_with_one_that_cannot_be_a_file_makes_nothing(drug, tmp_path, capsys):
    assert cli.main(["new", "fresh", "--folder", str(tmp_path), *drug]) == 2
    assert "`gaddum drugs`" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_warnings_exit_with_1(made, capsys):
    (made / "studies" / "example.yaml").unlink()
    assert cli.main(["check", str(made)]) == 1
    assert "it is empty" in capsys.readouterr().err


def test_unreadable_records_name_the_line_and_are_findings_of_the_check_only(made, capsys):
    path = made / "studies" / "example.yaml"
    path.write_text(path.read_text().replace("species: rat", "species: ratt"))
    for arguments, code in ((["check", str(made)], 1), (["ledger", "list", str(made)], 2)):
        assert cli.main(arguments) == code
        error = capsys.readouterr().err
        assert "example.yaml:17: error: experiments[0].protocol.subject.species" in error
        assert "Did you mean 'rat'" in error


@pytest.mark.parametrize(
    ("drug", "code", "told"), [("morphine", 0, "is in no case"), ("morphin", 1, "Did you mean 'morphine'")]
)
def test_a_study_that_is_in_no_case_is_checked_by_itself(drug, code, told, tmp_path, capsys):
    study = tmp_path / "matthes_1996.yaml"
    text = (case_folder("morphine") / "studies" / study.name).read_text("utf-8")
    study.write_text(text.replace("drug: morphine", f"drug: {drug}"), "utf-8")
    assert cli.main(["check", str(study)]) == code
    said = capsys.readouterr()
    assert told in said.err and (f"{study}: 0 error(s)" in said.out) == (code == 0)


@pytest.mark.parametrize("place", ["title: Test", "V:", "rat"])
def test_a_file_cannot_speak_to_the_terminal(made, capsys, place):
    path = made / "studies" / "example.yaml"
    text = path.read_text()
    old = next(one for one in (place, "title: Example, to be overwritten") if one in text)
    word = old.split(": ")[-1].rstrip(":")
    path.write_text(text.replace(old, old.replace(word, r'"\e[31mred\x9b2J"')))
    for command, code in ((["check", str(made)], 1), (["ledger", "show", str(made), "example"], 2)):
        assert cli.main(command) == code
        said = capsys.readouterr()
        assert (
            "control characters" in said.err and "\x1b" not in said.err + said.out and "\x9b" not in said.err
        )
    assert cli.main(["check", "\x1b[31mno-such"]) == 2
    assert "\x1b" not in capsys.readouterr().err


def test_findings_as_json(made, capsys):
    path = made / "case.yaml"
    path.write_text(path.read_text().replace("\ntitle:", "\ntitel:"))
    assert cli.main(["check", str(made), "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {"level", "file", "line", "where", "message"} == set(findings[0])
    assert {finding["where"] for finding in findings} == {"title", "titel"}


def test_ledger_list_and_show(made, capsys):
    assert cli.main(["ledger", "list", str(made), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["studies"]
    assert (row["id"], row["outcomes"], row["scored"]) == ("example", 1, 0)
    assert cli.main(["ledger", "list", str(made)]) == 0
    assert "example" in capsys.readouterr().out
    assert cli.main(["ledger", "list", str(made), "--csv"]) == 0
    assert "example,1,1,0,assumption,," in capsys.readouterr().out  # unread, unjudged, nothing blocked
    assert cli.main(["ledger", "show", str(made), "example"]) == 0
    assert "id: example" in capsys.readouterr().out
    assert cli.main(["ledger", "show", str(made), "example", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["id"] == "example"
    assert cli.main(["ledger", "show", str(made), "exmple"]) == 2
    assert "Did you mean 'example'" in capsys.readouterr().err


def test_schemas_accept_the_bundled_files(capsys):
    from jsonschema import Draft202012Validator

    from gaddum.records.library import bundled, yaml_files
    from gaddum.records.yaml import read_document

    assert cli.main(["schema"]) == 0
    schemas = json.loads(capsys.readouterr().out)
    assert set(schemas) == {
        "case",
        "case power",
        "comparison",
        "curve",
        "drug",
        "mixture",
        "power",
        "prediction",
        "result",
        "study",
        "target",
        "update",
    }
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)
    curves = [("curve", one) for one in (bundled() / "curves").iterdir()]
    for kind, folder in (*curves, ("drug", bundled() / "drugs"), ("target", bundled() / "targets")):
        for path in yaml_files(folder):
            content = read_document(path).content
            name = content.get("kind", kind)
            errors = list(Draft202012Validator(schemas[name]).iter_errors(content))
            assert errors == [], path


def test_an_unknown_schema_lists_the_near_ones(capsys):
    assert cli.main(["schema", "studdy"]) == 2
    assert "Did you mean 'study'" in capsys.readouterr().err


def run(code, **keywords):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **keywords)


def test_help_imports_nothing_heavy():
    code = """
import sys
from gaddum.surface import cli
assert cli.main(["--help"]) == 0
heavy = {"jax", "pint", "pydantic", "xarray", "altair", "lark", "rich"} & set(sys.modules)
assert not heavy, heavy
"""
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_ctrl_c_exits_with_130_and_without_traceback():
    code = """
import sys, time
from gaddum.surface import cli

@cli.app.command()
def wait() -> None:
    print("waiting", flush=True)
    time.sleep(30)

sys.exit(cli.main(["wait"]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "waiting\n"
    time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Interrupted" in error and "Traceback" not in error
