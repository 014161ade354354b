"""What nobody can reach: public functions and classes that no command and no public name leads to."""

import ast
import re
from functools import cache
from pathlib import Path

import gaddum
from gaddum.records.outcome import RECORDS
from gaddum.sampling.settings import SAMPLERS
from gaddum.surface.cli import COMMANDS

SOURCE = Path(gaddum.__file__).parent
Name = tuple[str, str]
"""Module and name; an empty name is what the module does when it is imported."""


@cache
def modules() -> dict[str, ast.Module]:
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        name = ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def bound(module: str, tree: ast.Module) -> dict[str, Name]:
    """What names of a module stand for, wherever in it they are imported."""
    names = {name: (module, name) for statement in tree.body for name in defined(statement)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gaddum"):
            for one in node.names:
                full = f"{node.module}.{one.name}"
                names[one.asname or one.name] = (
                    (full, "") if full in modules() else (str(node.module), one.name)
                )
    return names


def defined(statement: ast.stmt) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return {
            node.id
            for node in ast.walk(statement)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
    return set()


def needs(statement: ast.AST, names: dict[str, Name]) -> set[Name]:
    """What a statement refers to, annotations in quotes included."""
    found = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id in names:
            found.add(names[node.id])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {names[word] for word in re.findall(r"\b[A-Z]\w+", node.value) if word in names}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            base = names.get(node.value.id)
            if base is not None and not base[1]:
                found.add((base[0], node.attr))
    return found


@cache
def references() -> dict[Name, set[Name]]:
    found: dict[Name, set[Name]] = {}
    for module, tree in modules().items():
        names = bound(module, tree)
        for statement in tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                continue
            for name in defined(statement) or {""}:
                found.setdefault((module, name), set()).update(needs(statement, names))
    for form, record in RECORDS.items():  # found by the name of the form
        found["gaddum.records.outcome", "RECORDS"].add((record.__module__, record.__name__))
        likelihood = f"gaddum.outcomes.{form.replace('-', '_')}"
        found["gaddum.outcomes.form", "likelihood_of"] |= {(likelihood, "table"), (likelihood, "compared")}
    for home in SAMPLERS.values():
        found["gaddum.sampling.settings", "sampler_of"].add((home, "sample_posterior"))
    found["gaddum.notebook", "html_of"].add(
        ("gaddum.surface.plot", "html_table")
    )  # drawn when it is asked for
    return found


def reached() -> set[Name]:
    homes = {(home, name) for name, home in gaddum._HOMES.items()}
    homes |= {(home, verb.replace(" ", "_")) for verb, home in COMMANDS.items()}
    waiting = homes | {name for name in references() if name[0] == "gaddum.surface.cli"}
    found: set[Name] = set()
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting |= references().get(one, set()) | {(one[0], "")}
    return found


def test_every_public_name_leads_from_a_command_or_the_interface():
    public = {
        (module, statement.name)
        for module, tree in modules().items()
        for statement in tree.body
        if isinstance(statement, ast.FunctionDef | ast.ClassDef) and not statement.name.startswith("_")
    }
    found = {f"{module.removeprefix('gaddum.')}.{name}" for module, name in public - reached()}
    assert sorted(found) == [], "Give these a command or a caller, or take them out."


def test_a_name_is_reached_through_modules_and_quotes():
    tree = ast.parse('def f(x: "Shape") -> None:\n    tools.g(x)\n')
    names = {"Shape": ("gaddum.a", "Shape"), "tools": ("gaddum.tools", "")}
    assert needs(tree, names) == {("gaddum.a", "Shape"), ("gaddum.tools", ""), ("gaddum.tools", "g")}
