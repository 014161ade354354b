"""What the documents show must work."""

import doctest
import re
import runpy
from pathlib import Path

import pytest

from gaddum import check_case, load_case, query_ledger
from gaddum.interop.tables import TABLES
from gaddum.records.claim import Claim, claim_faults
from gaddum.records.yaml import parse_document, to_record
from gaddum.surface.cli import main

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
