"""The tree: what may be called what, what leads where, and that pages which describe it tell the truth."""

import ast
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import gaddum

ROOT = Path(__file__).parent.parent
SOURCE = Path(gaddum.__file__).parent
LONGEST = 400
"""Lines of a file beyond which it should be parted by concept."""
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "docs" / "explanation" / "architecture.md"]


@cache
def modules() -> dict[str, ast.Module]:
    """Every module and its syntax."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def packages() -> set[str]:
    """Packages directly under gaddum, and the folder of facts."""
    return {path.parent.name for path in SOURCE.glob("*/__init__.py")} | {"library"}


def imports(tree: ast.Module) -> set[str]:
    """Modules of gaddum that a module imports when it is imported itself."""
    found = set()
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and (statement.module or "").startswith("gaddum"):
            for one in statement.names:
                full = f"{statement.module}.{one.name}"
                found.add(full if full in modules() else str(statement.module))
    return found


def run(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, cwd=ROOT
    )
    return ran.stdout.strip() or ran.stderr.strip()


def test_imports_have_no_circle():
    order = list(TopologicalSorter({name: imports(tree) for name, tree in modules().items()}).static_order())
    assert set(order) >= set(modules())


def test_no_package_or_module_directly_under_gaddum_bears_a_public_name():
    """`gaddum.audit` would be the function or the package, by what was imported first."""
    beneath = {name.split(".")[1] for name in modules() if name.count(".") == 1}
    assert sorted(beneath & set(gaddum.__all__)) == []


def test_public_names_can_be_called_after_every_module_was_imported():
    code = (
        "import gaddum, importlib\n"
        f"[importlib.import_module(name) for name in {sorted(modules())}]\n"
        "print([name for name in gaddum.__all__ if name != '__version__' and not callable(getattr(gaddum, name))])"
    )
    assert run(code) == "[]"


@pytest.mark.slow
def test_every_package_can_be_imported_first():
    """Each in a process of its own, forked from one that has loaded what is not gaddum's; modules have no circle."""
    parts = [
        sorted(name for name in modules() if f"{name}.".startswith(f"gaddum.{one}.")) for one in packages()
    ]
    code = (
        "import importlib, os, altair, arviz_base, arviz_stats, jax.numpy, jaxtyping, pydantic, xarray\n"
        "failed = []\n"
        f"for names in {parts}:\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        try:\n"
        "            [importlib.import_module(name) for name in names]\n"
        "        except BaseException:\n"
        "            os._exit(1)\n"
        "        os._exit(0)\n"
        "    if os.waitpid(child, 0)[1]:\n"
        "        failed.append(names)\n"
        "print(failed)"
    )
    assert run(code) == "[]"


def test_names_of_classes_are_unique():
    names = Counter(
        node.name for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_every_package_says_its_place_in_the_chain():
    """What it is, what it takes from below and what it gives: three lines at least, ten at most."""
    said = {name: ast.get_docstring(modules()[f"gaddum.{name}"]) or "" for name in packages() - {"library"}}
    assert {name: text for name, text in said.items() if not 3 <= len(text.splitlines()) <= 10} == {}


def test_no_file_is_long():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCE.rglob("*.py")}
    assert {path.name: count for path, count in lines.items() if count > LONGEST} == {}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_names_every_package_and_no_other(page: Path):
    section = page.read_text(encoding="utf-8").partition("## Where things live\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^(?:\|.*|- )`([a-z_]+)/`", section, re.M)) == packages()


def test_picture_shows_every_package_and_no_other():
    picture = (ROOT / "docs" / "images" / "chain.svg").read_text(encoding="utf-8")
    assert set(re.findall(r">([a-z_]+)/<", picture)) == packages()
