"""Pages that follow from the package: commands, files, library, Python interface, and the gallery of examples.

Each is a function that returns Markdown. Sphinx writes them before it reads the sources, so that they cannot be older
than the code; they and what the examples draw are ignored by git.
"""

import ast
import inspect
import io
import os
import runpy
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import gaddum
from gaddum.records.base import Record
from gaddum.surface.occupancy.chart import PALETTE

UNLISTED = ("gaddum.concentration_response.binding_constants", "gaddum.concentration_response.least_squares")
"""Modules whose own text tells users more than their functions do."""

LOOK = {
    "axis": {"labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal"},
    "background": "white",
    "legend": {"orient": "top", "labelFontSize": 12},
    "range": {"category": list(PALETTE)},
    "view": {"stroke": None},
}
"""Of all pictures, so that the scripts need not say it."""


def write(docs: Path) -> None:
    """Write all pages that differ from what is there, so that Sphinx reads no page twice."""
    pages = {
        "reference/commands": commands(),
        "reference/files": files(),
        "reference/library": library(),
        "reference/python": python(),
        "examples/index": gallery(docs / "examples"),
    }
    for name, text in pages.items():
        path = docs / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def commands() -> str:
    """Every command with what `--help` says of it."""
    from typer.main import get_command
    from typer.testing import CliRunner

    from gaddum.surface.cli import app

    def named(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from named(command, (*words, name))
            else:
                yield (*words, name)

    parts = [
        "# Commands",
        "Results go to standard output, progress and messages to standard error. Exit codes: 0 done (also when the "
        "verdict is undecided), 1 findings of `check` or serious concerns of `audit`, 2 wrong usage or input that "
        "cannot be used, 130 interrupted. A command that lacks an extra says which `pip install` brings it.",
    ]
    os.environ["TERMINAL_WIDTH"] = "84"
    for words in sorted(named(get_command(app))):
        said = CliRunner().invoke(app, [*words, "--help"], prog_name="gaddum", terminal_width=84)
        parts += [f"## gaddum {' '.join(words)}", f"```text\n{said.output.strip()}\n```"]
    return "\n\n".join(parts) + "\n"


def files() -> str:
    """Every kind of file, record by record: fields, what they hold, and what they mean."""
    from gaddum.records.schema import FILES, file_schema

    schemas = {kind: file_schema(kind) for kind in FILES}
    parts = [
        "# Files",
        "What a file may say, from the records that check it. Fields in bold must be given. `gaddum schema KIND` "
        "prints the same as JSON Schema, for editors. A source may be the key of one that stands under `sources`, and "
        "one quantity may stand where several reports are allowed. A quantity is written `10 mg/kg`, with its unit.",
    ]
    shared: dict[str, Any] = {}
    for kind, schema in schemas.items():
        shared |= {name: one for name, one in schema["$defs"].items() if name not in ("FullSource", "Source")}
        shared["Source"] = schema["$defs"]["FullSource"]
        parts += [f"## {kind}", *_record(schema)]
    parts += ["## Records inside them"]
    for name in sorted(shared):
        if "properties" in shared[name]:
            parts += [f"({_anchor(name)})=\n### {name}", *_record(shared[name])]
    return "\n\n".join(parts) + "\n"


def library() -> str:
    """Every drug and target of the library, by the names that are understood."""
    from gaddum.surface.library import drug_row

    found = gaddum.load_library()
    parts = [
        "# Library",
        f"The {len(found.drugs)} drugs and {len(found.targets)} targets that come with gaddum. Names are understood in "
        "any case. A drug that is not here is a file in the `drugs/` folder of a case: [Add a drug in ten "
        "minutes](../how-to/add-a-drug.md).",
        "## Targets",
        "| Target | Name | Also called |\n|---|---|---|\n"
        + "\n".join(
            f"| `{name}` | {one.full_name} | {', '.join(one.synonyms)} |"
            for name, one in found.targets.items()
        ),
        "## Drugs",
        "| Drug | Also called | Binds | Given to, by |\n|---|---|---|---|\n"
        + "\n".join(
            f"| `{name}` | {' | '.join([*drug_row(found, name).values()][1:])} |"
            for name in sorted(found.drugs, key=str.casefold)
        ),
    ]
    return "\n\n".join(parts) + "\n"


def python() -> str:
    """The public names of gaddum, by the package that holds them."""
    homes: dict[str, list[str]] = {}
    for name, home in gaddum._HOMES.items():
        homes.setdefault(home.split(".")[1], []).append(name)
    parts = [
        "# Python",
        "Functions compute in double precision and set it for their own duration; importing gaddum changes no setting "
        "of JAX and loads nothing before it is used.",
    ]
    for package, names in sorted(homes.items()):
        lines = [f".. automodule:: gaddum.{package}\n   :no-members:"]
        lines += [f".. automodule:: {one}\n   :no-members:" for one in UNLISTED if f".{package}." in one]
        for name in sorted(names):
            kind = "class" if inspect.isclass(getattr(gaddum, name)) else "function"
            lines.append(f".. auto{kind}:: gaddum.{name}")
        parts += [
            f"## {package.replace('_', ' ').capitalize()}",
            "```{eval-rst}\n" + "\n\n".join(lines) + "\n```",
        ]
    return "\n\n".join(parts) + "\n"


def gallery(folder: Path) -> str:
    """Every example: what it says of itself, its code, what it prints and what it draws."""
    parts = [
        "# Examples",
        "Each is a script of a few lines that runs on the base install. Pictures and numbers were made by the script "
        "under them when this page was built.",
    ]
    for script in sorted(folder.glob("*.py")):
        printed, drawn = run_example(script)
        title, _, text = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition(
            "\n"
        )
        picture = script.with_suffix(".gen.svg")
        picture.write_text(drawn, encoding="utf-8")
        parts += [
            f"## {title.rstrip('.')}",
            text.strip(),
            f"![{title}]({picture.name})",
            f"```text\n{printed.rstrip()}\n```",
            f":::{{dropdown}} The script, `{script.name}`\n"
            f"```{{literalinclude}} {script.name}\n:language: python\n:start-at: import altair\n```\n:::",
        ]
    return "\n\n".join(parts) + "\n"


def run_example(script: Path) -> tuple[str, str]:
    """Run a script; what it printed, and what it left as `chart`, as SVG."""
    import vl_convert

    with redirect_stdout(io.StringIO()) as printed:
        left = runpy.run_path(str(script))
    return printed.getvalue(), vl_convert.vegalite_to_svg(left["chart"].to_dict() | {"config": LOOK})


def _record(schema: dict[str, Any]) -> list[str]:
    """What a record is, and the table of its fields."""
    said = _said(schema["title"])
    must = schema.get("required", [])
    rows = [
        f"| {f'**`{name}`**' if name in must else f'`{name}`'} | {_kind(field)} "
        f"| {_cell(field.get('description') or said.get(name, ''))} |"
        for name, field in schema["properties"].items()
    ]
    return [schema.get("description", ""), "| Field | Holds | Meaning |\n|---|---|---|\n" + "\n".join(rows)]


def _kind(field: dict[str, Any]) -> str:
    """What a field holds, in words."""
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[1].replace("FullSource", "Source")
        return f"[{name}](#{_anchor(name)})"
    if "const" in field or "enum" in field:
        return ", ".join(f"`{one}`" for one in field.get("enum", [field.get("const")]))
    for several in ("anyOf", "oneOf"):
        if several in field:
            kinds = [_kind(one) for one in field[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    kind = field.get("type", "anything")
    if isinstance(kind, list):
        return "text" if "string" in kind else " or ".join(kind)
    if kind == "array":
        return f"list of {_kind(field['items'])}" if "items" in field else "list"
    if kind == "object":
        values = field.get("additionalProperties")
        return f"mapping to {_kind(values)}" if isinstance(values, dict) else "mapping"
    unit = field.get("unit", "1")
    words = {"string": "text", "boolean": "true or false", "integer": "whole number", "number": "number"}
    return words.get(kind, kind) + (f" ({unit})" if unit != "1" else "")


@cache
def _records() -> dict[str, type[Record]]:
    modules = [
        import_module(one.name)
        for one in walk_packages(import_module("gaddum.records").__path__, "gaddum.records.")
    ]
    classes = [one for module in modules for _, one in inspect.getmembers(module, inspect.isclass)]
    return {one.__name__: one for one in classes if issubclass(one, Record)}


def _said(name: str) -> dict[str, str]:
    """What stands below each field of a record."""
    found: dict[str, str] = {}
    for one in reversed(_records()[name].__mro__ if name in _records() else ()):
        if not issubclass(one, Record) or one is Record:
            continue
        body = ast.parse(inspect.getsource(one)).body[0].body  # pyright: ignore[reportAttributeAccessIssue]
        for field, text in zip(body, body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(text, ast.Expr)
                and isinstance(field.target, ast.Name)
            ):
                found[field.target.id] = inspect.cleandoc(ast.literal_eval(text.value))
    return found


def _anchor(name: str) -> str:
    return f"record-{name.lower()}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("``", "`")
