"""The list of seeded defects is sound: each can be put into the source as it is, and names tests that exist."""

import ast
from functools import cache

import pytest
from benchmarks.defects import ROOT, read_defects

DEFECTS = read_defects()


@cache
def names_in(path: str) -> set[str]:
    """Functions of a file of tests."""
    file = ROOT / path
    found = ast.parse(file.read_text(encoding="utf-8")).body if file.is_file() else []
    return {one.name for one in found if isinstance(one, ast.FunctionDef)}


def test_there_are_at_least_sixty_each_with_an_id_of_its_own():
    ids = [one.id for one in DEFECTS]
    assert len(set(ids)) == len(ids) >= 60


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda one: one.id)
def test_each_stands_once_in_its_file_and_leaves_python_that_says_something_else(defect):
    assert defect.file.startswith("src/")
    text = (ROOT / defect.file).read_text(encoding="utf-8")
    assert text.count(defect.find) == 1
    spoilt = ast.dump(ast.parse(text.replace(defect.find, defect.put)))
    assert spoilt != ast.dump(ast.parse(text))
    assert defect.wrong.endswith(".")


def test_the_tests_that_must_catch_them_exist():
    named = {test for one in DEFECTS for test in one.caught_by}
    assert all(one.caught_by for one in DEFECTS)
    missing = []
    for test in sorted(named):
        path, _, function = test.partition("::")
        if not names_in(path) or (function and function not in names_in(path)):
            missing.append(test)
    assert missing == []
