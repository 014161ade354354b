"""What the documents show must work."""

import doctest
import json
import re
import runpy
import shlex
from functools import partial
from pathlib import Path

import pytest

from gaddum import check_case, load_case, query_ledger
from gaddum.interop.tables import TABLES
from gaddum.records.claim import Claim, claim_faults
from gaddum.records.yaml import parse_document, to_record
from gaddum.surface.cli import main
from prediction.stored import prior_run, write_run

DOCS = Path(__file__).parent.parent / "docs"


SHOWING = [
    str(page.relative_to(DOCS))
    for page in sorted(DOCS.rglob("*.md"))
    if ">>> " in page.read_text(encoding="utf-8") and page.stem != "posterior"
]
"""Pages with examples, but the one whose examples need a run: tests/verdict/test_posterior_draws.py has one."""


@pytest.mark.parametrize("page", SHOWING)
def test_examples_give_what_they_show(page: str):
    result = doctest.testfile(str(DOCS / page), module_relative=False)
    assert result.attempted > 0 and result.failed == 0


@pytest.mark.parametrize("script", sorted(DOCS.glob("examples/*.py")), ids=lambda path: path.stem)
def test_script_of_the_gallery_prints_and_draws(script: Path, capsys: pytest.CaptureFixture[str]):
    left = runpy.run_path(str(script))
    assert capsys.readouterr().out.strip()
    assert left["chart"].to_dict()["$schema"]


def test_claims_of_the_claims_page_are_claims():
    blocks = re.findall(
        r"```yaml\n(.*?)```", (DOCS / "reference/claims.md").read_text(encoding="utf-8"), re.S
    )
    texts = [text for block in blocks for text in block.split("---\n")]
    found = [to_record(parse_document(text), Claim) for text in texts]
    assert [one.id for one in found] == ["needed-in-rats", "week", "permissive", "class"]
    ketamine = load_case("ketamine")
    for one in found:
        assert list(claim_faults(one, ketamine.library, ketamine.ledger.studies)) == []


def test_table_of_the_how_to_checks_without_a_warning(tmp_path: Path):
    (table,) = re.findall(r"```text\n(.*?)```", (DOCS / "how-to/curves.md").read_text(encoding="utf-8"), re.S)
    (tmp_path / "mine.csv").write_text(table, encoding="utf-8")
    assert main(["check", str(tmp_path / "mine.csv")]) == 0


def test_new_case_of_the_readme_is_about_its_drug_and_checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    ((first, second),) = re.findall(r"^gaddum (new .*?) && gaddum (check .*?) *#", readme, re.M)
    assert main(first.split()) == main(second.split()) == 0
    assert load_case("my-case").case.test_drug == "S-ketamine"


def test_study_of_the_how_to_checks_without_error(tmp_path: Path):
    assert main(["new", "my-case", "--drug", "ketamine", "--folder", str(tmp_path)]) == 0
    case = tmp_path / "my-case"
    *study, anchor = re.findall(
        r"```yaml\n(.*?)```", (DOCS / "how-to/add-a-study.md").read_text(encoding="utf-8"), re.S
    )
    (case / "studies" / "author_2021.yaml").write_text("".join(study), encoding="utf-8")
    with (case / "case.yaml").open("a", encoding="utf-8") as file:
        file.write(anchor)
    findings = [one for one in check_case(load_case(case)) if one.level != "note"]
    assert [str(one) for one in findings if not one.message.startswith("The prior table")] == []


def test_table_of_the_schild_page_gives_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    table, shown = re.findall(
        r"```text\n(.*?)```", (DOCS / "how-to/schild.md").read_text(encoding="utf-8"), re.S
    )
    (tmp_path / "curves.csv").write_text(table, encoding="utf-8")
    assert main(["schild", str(tmp_path / "curves.csv")]) == 0
    assert capsys.readouterr().out.startswith(shown)


def test_commands_of_the_power_page_size_what_they_say(capsys: pytest.CaptureFixture[str]):
    text = (DOCS / "how-to/power.md").read_text(encoding="utf-8")
    for line in re.findall(r"^\$ gaddum (.*)$", text, re.M):
        assert main(shlex.split(line)) == 0, line
        assert "BF01" in capsys.readouterr().out
    assert main(["power", "--paired", "--n", "7", "--effect", "1"]) == 0
    said = capsys.readouterr().out
    assert "Power 0.60" in said and "|t| > 4.15: chance 0.19" in said and "2.83" in said


@pytest.fixture
def fentanyl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The case of the pages on a drug and a case of one's own, made by their first command and their files."""
    monkeypatch.chdir(tmp_path)
    drug, case = (
        (DOCS / page).read_text(encoding="utf-8") for page in ("how-to/add-a-drug.md", "start/own-case.md")
    )
    (first,) = re.findall(r"^gaddum (new .*?) *#", drug, re.M)
    assert main(first.split()) == 0
    (tmp_path / "fentanyl-pain/studies/example.yaml").unlink()
    for block in re.findall(r"```yaml\n(# fentanyl-pain/.*?)```", drug + case, re.S):
        name, _, more = block.partition("\n")[0].removeprefix("# ").partition(", ")
        with (tmp_path / name).open("a" if more else "w", encoding="utf-8") as file:
            file.write(block)
    return tmp_path / "fentanyl-pain"


def commands(page: str) -> list[list[str]]:
    """Commands of a page, as words, without those that make files."""
    lines = re.findall(r"^gaddum (.*?) *(?:#.*)?$", (DOCS / page).read_text(encoding="utf-8"), re.M)
    return [shlex.split(line) for line in lines if not line.startswith(("new", "adjudicate"))]


@pytest.mark.parametrize("page", ["how-to/add-a-drug.md", "start/own-case.md"])
def test_commands_about_a_drug_of_ones_own_do_what_the_page_says(
    page: str, fentanyl: Path, capsys: pytest.CaptureFixture[str]
):
    for words in commands(page):
        found = main(words)
        shown = capsys.readouterr()
        assert found == (words[0] == "audit") and shown.out.strip(), words
        assert "error" not in shown.err and "warning" not in shown.err, words
    assert {study.id for study in load_case(fentanyl).ledger.studies} == {
        path.stem for path in fentanyl.glob("studies/*.yaml")
    }
    assert len(load_case(fentanyl).ledger) == 6


@pytest.mark.slow
def test_the_hour_of_a_new_user_ends_with_the_verdict_that_the_page_says(
    fentanyl: Path, monkeypatch: pytest.MonkeyPatch
):
    from gaddum.result_reader import read_result
    from gaddum.sampling.settings import Settings
    from gaddum.verdict import adjudicate as chain

    small = Settings(particles=50, lanes=25, sweeps=12, warm_up=4, ess_per_dimension=4.0)
    monkeypatch.setattr(chain, "adjudicate", partial(chain.adjudicate, settings=small))
    assert main(["adjudicate", "fentanyl-pain"]) == 0
    result = read_result(fentanyl.parent / "runs/fentanyl-pain")
    needed = [row for row in result.propositions if row.name == "opioid signalling needed"]
    assert len(needed) == 2 and all(row.probability > 0.95 for row in needed)
    best = max(result.hypotheses, key=lambda row: row.probability)
    assert best.name == "mor" and 0.5 < best.probability < 0.95


@pytest.mark.slow
def test_commands_about_a_planned_study_do_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "how-to/predict.md").read_text(encoding="utf-8")
    (study,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    Path("new_study.yaml").write_text(study, encoding="utf-8")
    ((old, new),) = re.findall(r'^sed "s/(.*)/(.*)/" new_study.yaml > larger_study.yaml$', page, re.M)
    assert old in study
    Path("larger_study.yaml").write_text(study.replace(old, new), encoding="utf-8")
    ketamine = load_case("ketamine")
    write_run(prior_run(ketamine), Path("runs/ketamine"))
    shown = []
    for words in commands("how-to/predict.md"):
        given = words[: words.index(">")] if ">" in words else words
        assert main(given) == 0
        shown.append(capsys.readouterr().out)
    page_made = Path("new_study.html").read_text(encoding="utf-8")
    assert "What will my study show?" in page_made and 'src="http' not in page_made
    assert all("nothing to block" in one for one in shown[:2])
    (one,) = json.loads(shown[2])["outcomes"]
    assert "opioid signalling needed" in shown[3]
    assert abs(sum(one["verdicts"].values()) - 1) < 1e-9
    (python,) = re.findall(r"```python\n(.*?)```", page, re.S)
    exec(python, {})
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(ketamine.case.hypotheses)


@pytest.mark.slow
def test_commands_about_a_study_that_came_out_do_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    (study,) = re.findall(r"```yaml\n(.*?)```", (DOCS / "how-to/update.md").read_text(encoding="utf-8"), re.S)
    Path("new_study.yaml").write_text(study, encoding="utf-8")
    run = prior_run(load_case("ketamine"), draws=1000)
    for folder in ("runs/ketamine", "runs/until-2019"):
        write_run(run, Path(folder), ess=1000.0)
    *updates, compared = commands("how-to/update.md")
    for words in updates:
        assert main(words) == 0
        assert "By importance weights: " in capsys.readouterr().out, words
    (in_case,) = commands("how-to/power.md")
    assert main(in_case) == 0
    assert "could ever show" in " ".join(capsys.readouterr().out.split())
    assert main(compared) == 0
    assert "Both runs have the same records, priors and settings." in capsys.readouterr().out


TABLES_PAGE = (DOCS / "how-to/tables.md").read_text(encoding="utf-8")


def test_tables_page_names_every_table_and_column():
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", TABLES_PAGE, re.M)
    shown = {name: tuple(re.findall(r"`(\w+)`", columns)) for name, columns in rows}
    assert shown == {name: tuple(column.name for column in columns) for name, columns in TABLES.items()}


def test_queries_of_the_tables_page_find_something():
    queries = re.findall(r"```sql\n(.*?)```", TABLES_PAGE, re.S)
    queries += re.findall(r'^gaddum ledger query ketamine "(SELECT \w.*)"$', TABLES_PAGE, re.M)
    ledger = load_case("ketamine").ledger
    assert len(queries) == 3 and all(query_ledger(ledger, sql).rows for sql in queries)


def test_table_of_the_tables_page_imports_and_checks_without_error(tmp_path: Path):
    for kind, name in (("text", "extraction.csv"), ("yaml", "mapping.yaml")):
        (block,) = re.findall(rf"```{kind}\n(.*?)```", TABLES_PAGE, re.S)
        (tmp_path / name).write_text(block, encoding="utf-8")
    table, mapping, case = (str(tmp_path / name) for name in ("extraction.csv", "mapping.yaml", "my-case"))
    assert main(["ledger", "import", table, "--mapping", mapping, "--out", case, "--drug", "ketamine"]) == 0
    loaded = load_case(case)
    assert [study.id for study in loaded.ledger.studies] == ["example_2019", "sample_2020"]
    errors = [one for one in check_case(loaded) if one.level == "error"]
    assert [one for one in errors if not one.message.startswith(("Every stratum", "The prior table"))] == []
