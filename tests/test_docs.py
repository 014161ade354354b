"""What the documents show must work."""

import doctest
import re
from pathlib import Path

from gaddum import check_case, load_case
from gaddum.surface.cli import main

DOCS = Path(__file__).parent.parent / "docs"


def test_tutorial_examples_give_what_they_show():
    result = doctest.testfile(str(DOCS / "tutorial.md"), module_relative=False)
    assert result.attempted > 0 and result.failed == 0


def test_event_table_examples_give_what_they_show():
    result = doctest.testfile(str(DOCS / "event-tables.md"), module_relative=False)
    assert result.attempted > 0 and result.failed == 0


def test_study_of_the_how_to_checks_without_error(tmp_path: Path):
    assert main(["new", "my-case", "--drug", "ketamine", "--folder", str(tmp_path)]) == 0
    case = tmp_path / "my-case"
    *study, anchor = re.findall(
        r"```yaml\n(.*?)```", (DOCS / "add-a-study.md").read_text(encoding="utf-8"), re.S
    )
    (case / "studies" / "author_2021.yaml").write_text("".join(study), encoding="utf-8")
    with (case / "case.yaml").open("a", encoding="utf-8") as file:
        file.write(anchor)
    findings = check_case(load_case(case))
    assert [str(one) for one in findings if one.level != "note"] == []
