"""The command `gaddum audit`: what it takes, prints and writes, and how it exits."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from gaddum.records.ledger import case_folder
from gaddum.surface import accelerator
from gaddum.surface.audit import find_subject
from gaddum.surface.audit_page import print_audit, write_page
from gaddum.surface.cli import main

STUDY = """
id: ID
title: A <made-up> study
year: 2020
cohort: ID
source: {how: abstract, cites: a made-up paper}
experiments:
  - id: one
    protocol:
      subject: {species: rat, sex: male, paradigm: slices, stress: stressed, preparation: slice}
      arms:
        V: {n: 12}
        K: {n: 12, doses: [{drug: ketamine, amount: 20 uM, route: bath, duration: 30 min}]}
        KA:
          n: 12
          doses:
            - {drug: naltrexone, amount: 1 uM, route: bath, time: -15 min, duration: 1 h}
            - {drug: ketamine, amount: 20 uM, route: bath, duration: 30 min}
        ALONE
      endpoints:
        e: {name: firing, family: firing, test_time: 20 min, phase: acute, improvement: decrease}
      source: {how: abstract, cites: a made-up paper}
    outcomes:
      - form: verdict
        endpoint: e
        verdict: VERDICT
        roles: {K: K, V: V, KA: KA}
        agonist_effect_present: true
        source: {how: abstract, cites: a made-up paper}
"""
ALONE = "A: {n: 12, doses: [{drug: naltrexone, amount: 1 uM, route: bath, time: -15 min, duration: 1 h}]}"


def write_study(case: Path, name: str, verdict: str, alone: str) -> None:
    text = STUDY.replace("ID", name).replace("VERDICT", verdict).replace("ALONE", alone)
    (case / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")


@pytest.fixture(scope="module", autouse=True)
def settled_jax() -> Iterator[None]:
    """Keep the command from changing JAX's devices, which earlier tests of this process have started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accelerator, "configure_jax", lambda: None)
        yield


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    (folder / "studies").mkdir()
    question = (case_folder("ketamine") / "case.yaml").read_text(encoding="utf-8")
    (folder / "case.yaml").write_text(question, encoding="utf-8")
    write_study(folder, "bare", "abolished", "")
    write_study(folder, "complete", "not abolished", ALONE)
    return folder


@pytest.fixture(scope="module")
def document(case: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    out = tmp_path_factory.mktemp("out")
    assert main(["audit", str(case), "--draws", "64", "--out", str(out), "--json"]) == 1
    return json.loads((out / "result.json").read_text(encoding="utf-8"))


def test_serious_concerns_exit_with_1(case: Path, capsys: pytest.CaptureFixture):
    assert main(["audit", "bare", "--case", str(case), "--draws", "64"]) == 1
    assert "serious" in capsys.readouterr().out


def test_no_serious_concern_exits_with_0(case: Path, capsys: pytest.CaptureFixture):
    assert main(["audit", f"{case}:complete", "--draws", "64"]) == 0
    assert "No serious concern" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["audit"],
        ["audit", "no-such-study"],
        ["audit", "klein2021", "--case", "ketamine"],
        ["audit", "ketamine:klein2021"],
        ["audit", "klein2020", "--case", "no-such-case"],
        ["audit", "ketamine", "--draws", "1"],
    ],
)
def test_unusable_input_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "Error" in captured.err and "Traceback" not in captured.err


def test_unknown_study_is_told_its_near_name(capsys: pytest.CaptureFixture):
    assert main(["audit", "klein2021"]) == 2
    assert "klein2020" in capsys.readouterr().err


def test_folder_without_a_case_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture):
    assert main(["audit", str(tmp_path)]) == 2
    assert "case.yaml" in capsys.readouterr().err


def test_json_is_printed_alone(case: Path, capsys: pytest.CaptureFixture):
    main(["audit", "complete", "--case", str(case), "--draws", "64", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [study["id"] for study in found["studies"]] == ["complete"]
    assert found["serious"] == 0


def test_page_and_json_are_written(document: dict):
    assert [study["id"] for study in document["studies"]] == ["bare", "complete"]
    assert document["command"].startswith("gaddum audit ")


def test_opposite_results_are_in_the_json_with_their_conclusion(document: dict):
    (pair,) = document["pairs"]
    assert (pair["weakened"]["study"], pair["spared"]["study"]) == ("bare", "complete")
    assert pair["conclusion"] == "same engagement and design: a real disagreement"


def test_page_loads_nothing_and_escapes_text(document: dict):
    page = write_page(document)
    assert "A &lt;made-up&gt; study" in page and "<made-up>" not in page
    assert not re.search(r"""(?:src|href)=["'](?!#)""", page)
    assert "<script" not in page and "@media print" in page


def test_page_shows_every_concern_and_every_pair(document: dict):
    page = write_page(document)
    assert page.count('class="grade ') == sum(len(study["concerns"]) for study in document["studies"])
    assert all(pair["conclusion"] in page for pair in document["pairs"])


@pytest.mark.parametrize("width", [80, 120])
def test_terminal_text_fits_its_width(document: dict, width: int):
    text = io.StringIO()
    print_audit(document, Console(file=text, width=width))
    one = document | {"studies": document["studies"][:1]}
    print_audit(one, Console(file=text, width=width))
    assert max(len(line.rstrip()) for line in text.getvalue().splitlines()) <= width


@pytest.mark.parametrize(
    ("what", "case_name", "found"),
    [
        ("klein2020", None, ("ketamine", "klein2020")),
        ("ketamine:klein2020", None, ("ketamine", "klein2020")),
        ("klein2020", "ketamine", ("ketamine", "klein2020")),
        ("morphine", None, ("morphine", None)),
    ],
)
def test_what_is_audited_can_be_named_in_several_ways(what: str, case_name: str | None, found: tuple):
    assert find_subject(what, case_name) == found
