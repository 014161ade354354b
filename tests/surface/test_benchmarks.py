"""The command `gaddum benchmarks`: what it takes and prints, and that the page in docs is what it prints."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from gaddum.surface import accelerator
from gaddum.surface.benchmarks_page import BEGIN, END, renewed, summary, tables
from gaddum.surface.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "benchmarks.md"


@pytest.fixture(scope="module", autouse=True)
def settled_jax() -> Iterator[None]:
    """Keep the command from changing JAX's devices, which earlier tests of this process have started."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(accelerator, "configure_jax", lambda: None)
        yield


def row(**changes) -> dict:
    reading = {
        "time": "1 h",
        "published": 0.5,
        "spread": {"kind": "SD", "value": 0.1},
        "source": "abstract: made up",
    }
    reading |= {"median": 0.4567, "lower": 0.2, "upper": 0.6, "covered": True}
    return {
        "id": "one",
        "title": "A | made-up [one]",
        "species": "human",
        "protocol": "naltrexone 50 mg po",
        "unit": "1",
        "readings": [reading],
        "tolerance": {"kind": "difference", "value": 0.1, "over": "each", "reason": "made up"},
        "verdict": "hit",
        "why": "Off by 0.04.",
    } | changes


def document(*rows: dict) -> dict:
    counted = {"hits": 3, "misses": 1}
    others = {"would_hit": 1, "would_miss": 1}
    about = {"span": 0.95, "draws": 64, "command": "gaddum benchmarks"}
    return {"benchmarks": list(rows), "counted": counted, "not_counted": others, **about}


def test_the_count_is_said_with_what_is_not_counted_apart():
    assert summary(document(row())).startswith(
        "3 of 4 counted benchmarks are hit, 1 missed. Of 2 that are not counted, 1 would be hit."
    )


def test_a_row_of_the_page_sets_predicted_beside_published():
    (line,) = [line for line in tables(document(row())).splitlines() if line.startswith("| one")]
    assert "| 0.5 (SD 0.1) | 0.457 (0.2 to 0.6) | \u00b1 0.1 | hit |" in line


def test_marks_of_markdown_in_a_title_stay_text():
    text = tables(document(row()))
    assert "A \\| made-up \\[one]" in text


def test_a_benchmark_without_a_prediction_is_printed_as_such():
    bare = {"time": None, "published": 90.0, "spread": None, "source": "abstract: made up"}
    cannot = row(unit="h", readings=[bare], verdict="miss", why="Cannot be expressed: no kinetics.")
    (line,) = [line for line in tables(document(cannot)).splitlines() if line.startswith("| one")]
    assert "| 90 h | none |" in line and "| miss | Cannot be expressed: no kinetics. |" in line


def test_renewing_a_page_keeps_the_words_around_the_tables():
    page = f"# Title\n\nbefore\n\n{BEGIN}\nold\n{END}\n\nafter\n"
    again = renewed(page, document(row()))
    assert again.startswith("# Title\n\nbefore\n") and again.endswith("\nafter\n") and "old" not in again
    assert renewed(again, document(row())) == again


@pytest.mark.parametrize(
    "arguments",
    [["benchmarks", "no-such-benchmark"], ["benchmarks", "--draws", "1"], ["benchmarks", "--seed", "-1"]],
)
def test_unusable_input_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 2
    assert capsys.readouterr().out == ""


def test_a_page_without_a_place_for_the_tables_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    page = tmp_path / "page.md"
    page.write_text("# Something else\n", encoding="utf-8")
    assert main(["benchmarks", "--write", str(page)]) == 2
    assert page.read_text(encoding="utf-8") == "# Something else\n"
    assert BEGIN in capsys.readouterr().err


@pytest.mark.slow  # compiles the kinetics of one drug
def test_json_holds_every_reading_with_its_band(capsys: pytest.CaptureFixture[str]):
    assert main(["benchmarks", "B05-nalmefene", "--draws", "32", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["benchmarks"]
    assert found["verdict"] == "not counted" and found["would_be"] in ("hit", "miss")
    assert all(one["lower"] <= one["median"] <= one["upper"] for one in found["readings"])
    assert [one["time"] for one in found["readings"]] == ["3 h", "26 h", "50 h"]


@pytest.mark.slow  # predicts all benchmarks, which is what the page shows
def test_the_page_in_docs_is_what_the_command_prints(tmp_path: Path):
    fresh = tmp_path / "benchmarks.md"
    assert main(["benchmarks", "--write", str(fresh)]) == 0
    old, new = (page.read_text(encoding="utf-8") for page in (PAGE, fresh))
    assert between(old) == between(new)


def between(page: str) -> str:
    return page[page.index(BEGIN) : page.index(END)]
