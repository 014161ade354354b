"""Move the tree: apply `moves.yaml` to a clean checkout, by the names that the code itself binds.

Modules move by `git mv`; imports, dotted names and paths follow them everywhere. A class, a function or a module's
name is rewritten where Python's scopes resolve it to what is renamed, and in back-quotes and types of docstrings;
prose is left alone. Nothing is decided here: what the table names and the tree lacks, what the tree has and the table
lacks, and what still bears an old name is listed. To be deleted with its table once the tree has moved.

    python tools/move.py            # move, rewrite, format
    python tools/move.py --check    # only say what the table and the tree do not share
"""

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from rewriting import Rewriter, Symbol, in_prose, in_strings, is_docstring, take_out, wrapped

ROOT = Path(__file__).parent.parent
TABLE = Path(__file__).with_name("moves.yaml")
DEFECTS = "tests/defects.yaml"
TEXT = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".j2"}


def git(*words: str) -> str:
    """Run git at the root of the checkout."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def module_of(path: str) -> str:
    """Dotted name of a file below `src`."""
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def path_of(module: str) -> str:
    """File of a module that is not a package."""
    return f"src/{module.replace('.', '/')}.py"


class Moves:
    """The table, as maps from what there is to what is to be; `notes` holds what a person should look at."""

    def __init__(self, table: dict[str, Any], tracked: set[str]) -> None:
        self.notes: list[str] = []
        self.table, self.tracked = table, tracked
        self.known = {
            module_of(path) for path in tracked if path.startswith("src/gaddum/") and path.endswith(".py")
        }
        wanted = {f"gaddum.{old}": f"gaddum.{new}" for old, new in table["modules"].items()}
        self.notes += [f"not in the tree: {old}" for old in wanted if old not in self.known]
        self.modules = {old: new for old, new in wanted.items() if old in self.known}
        self.symbols: dict[Symbol, Symbol] = {}
        for module, names in table["names"].items():
            for old, new in names.items():
                self.symbols[f"gaddum.{module}", old] = (f"gaddum.{module}", new)
        for part in table["parts"]:
            for name in part["names"]:
                source = (f"gaddum.{part['from']}", name)
                new = self.symbols.get(source, source)[1]
                self.symbols[source] = (f"gaddum.{part['to']}", new)
        self.paths = {path_of(old): path_of(new) for old, new in self.modules.items()}
        self.paths |= {old: new for old, new in self._tests() if old in tracked}

    def _tests(self) -> Iterator[Symbol]:
        """Tests mirror the source, unless the table says otherwise."""
        yield from ((f"tests/{old}", f"tests/{new}") for old, new in self.table["tests"].items())
        for old, new in self.modules.items():
            *package, leaf = old.split(".")[1:]
            *new_package, new_leaf = new.split(".")[1:]
            test = "/".join(["tests", *package, f"test_{leaf}.py"])
            if test.removeprefix("tests/") not in self.table["tests"]:
                yield test, "/".join(["tests", *new_package, f"test_{new_leaf}.py"])

    def new(self, symbol: Symbol) -> Symbol:
        """Where a symbol will be, and what it will be called."""
        module, name = self.symbols.get(symbol, symbol)
        return self.modules.get(module, module), name

    def dotted(self, text: str) -> str:
        """Rewrite dotted names of modules, and of what is in them."""
        return re.sub(r"\bgaddum(?:\.[A-Za-z_]\w*)+", lambda found: self._dotted(found[0]), text)

    def _dotted(self, name: str) -> str:
        parts = name.split(".")
        for size in range(len(parts), 1, -1):
            module = ".".join(parts[:size])
            if module in self.known:
                rest = parts[size:]
                if rest:
                    new_module, rest[0] = self.new((module, rest[0]))
                    return ".".join([new_module, *rest])
                return self.modules.get(module, module)
        return name

    def slashed(self, text: str) -> str:
        """Rewrite paths of files, with or without what is before their package."""

        def path(found: re.Match[str]) -> str:
            before = found[1] or ""
            root = "tests/" if before == "tests/" else "src/gaddum/"
            return before + self.paths.get(root + found[2], root + found[2]).removeprefix(root)

        return re.sub(r"((?:src/)?gaddum/|tests/)?\b((?:\w+/)+\w+\.py)\b", path, text)

    def short(self, text: str) -> str:
        """Rewrite `package.module` in back-quotes, whose `gaddum` is understood."""

        def quoted(found: re.Match[str]) -> str:
            name = f"gaddum.{found[1]}"
            return f"`{self._dotted(name).removeprefix('gaddum.')}`" if "." in found[1] else found[0]

        return re.sub(r"(?<!`)`([a-z_]+(?:\.\w+)+)`(?!`)", quoted, text)


def main() -> int:
    """Apply the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only list what table and tree do not share")
    check_only = parser.parse_args().check
    tracked = set(git("ls-files").split("\n")) - {""}
    table = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
    if "src/gaddum/numerics/__init__.py" in tracked:
        sys.exit("The tree must be as before the move; got one with gaddum.numerics. Nothing was done.")
    if not check_only and git("status", "--porcelain", "--untracked-files=no"):
        sys.exit("The checkout must be clean; commit or stash what is changed. Nothing was done.")
    moves = Moves(table, tracked)
    texts = rewritten(moves)
    if not check_only:
        write(moves, texts)
        moves.notes += stale_defects()
    for note in sorted(set(moves.notes)) + leftover(moves, texts):
        print(note)
    return 0


def rewritten(moves: Moves) -> dict[str, str]:
    """Every text by its old path (new ones by their own), as it is to be."""
    texts = {
        path: (ROOT / path).read_text(encoding="utf-8")
        for path in sorted(moves.tracked)
        if Path(path).suffix in TEXT and not path.startswith("tools/") and (ROOT / path).is_file()
    }
    for part in moves.table["parts"]:
        source, target = f"gaddum.{part['from']}", f"gaddum.{part['to']}"
        if path_of(source) in texts:
            left, new = take_out(texts[path_of(source)], part["names"], part["doc"], source, target)
            if not new:
                moves.notes.append(f"no such names: {source} {part['names']}")
                continue
            texts[path_of(source)], texts[path_of(target)] = left, new
            moves.known.add(target)
    ambiguous = [old for names in moves.table["names"].values() for old in names]
    unique = {
        o: n for names in moves.table["names"].values() for o, n in names.items() if ambiguous.count(o) == 1
    }
    defined: dict[str, dict[str, str]] = {}
    for path, text in texts.items():
        if path.endswith(".py"):
            module = module_of(path) if path.startswith("src/") else None
            for old, new in moves.table["words"].get(path, {}).items():
                text = in_strings(text, lambda part, old=old, new=new: part.replace(f"`{old}`", f"`{new}`"))
            text = in_strings(text, lambda part: moves.short(moves.slashed(moves.dotted(part))))
            rewriter = Rewriter(moves, module, text, path)
            renamed = defined[path] = rewriter.renamed()
            strangers = {
                o: n for o, n in unique.items() if o not in rewriter.top.names and path.startswith("src/")
            }
            text = in_strings(in_prose(rewriter.result(), strangers | renamed), wrapped, is_docstring)
            if module:
                for old in moves.table["names"].get(module.removeprefix("gaddum."), {}):
                    if old not in rewriter.top.names:
                        moves.notes.append(f"not in its module: {module}.{old}")
        else:
            text = moves.short(moves.slashed(moves.dotted(text)))
        texts[path] = text
    rewrite_defects(moves, texts, defined)
    for old, title in moves.table["titles"].items():
        path = path_of(f"gaddum.{old}")
        if path in texts:
            texts[path] = re.sub(r'\A"""[^:\n]*:', f'"""{title}:', texts[path])
    texts["pyproject.toml"] = with_contracts(moves, texts)
    for path, changes in moves.table["texts"].items():
        for old, new in changes:
            if path not in texts or not re.search(old, texts[path], re.S):
                moves.notes.append(f"text not found: {path}: {old[:60]!r}")
            else:
                texts[path] = re.sub(old, lambda _, new=new: new, texts[path], count=1, flags=re.S)
    return texts


def with_contracts(moves: Moves, texts: dict[str, str]) -> str:
    """`pyproject.toml` with the contracts of the table, and in them what imports JAX today and should not."""
    modules = {moves.modules.get(module_of(path), module_of(path)): text for path, text in texts.items()}
    now = "".join(
        f'  "{module} -> jax",\n'
        for module, text in sorted(modules.items())
        if re.search(r"^\s*(?:import|from) jax\b", text, re.M)
        and module.startswith("gaddum.")
        and module.split(".")[1] not in moves.table["may_use_jax"]
    )
    block = re.compile(
        r"(?:^#[^\n]*\n)+\[tool\.importlinter\].*?(?=^\[tool\.(?!importlinter)|\Z)", re.M | re.S
    )
    new = moves.table["contracts"].replace("@jax@\n", now)
    return block.sub(lambda _: f"{new}\n", texts["pyproject.toml"]).rstrip() + "\n"


def rewrite_defects(moves: Moves, texts: dict[str, str], defined: dict[str, dict[str, str]]) -> None:
    """In the list of seeded defects, names within code fragments, by the file that each is of."""
    if DEFECTS not in texts:
        return
    original = (ROOT / DEFECTS).read_text(encoding="utf-8")
    lines = texts[DEFECTS].splitlines(keepends=True)
    parted = {
        path_of(f"gaddum.{part['from']}"): path_of(f"gaddum.{part['to']}") for part in moves.table["parts"]
    }
    for node in yaml.compose(original).value:
        item = {key.value: value.value for key, value in node.value}
        rows = range(node.start_mark.line, min(node.end_mark.line + 1, len(lines)))
        for key, value in node.value:
            for row in (
                range(key.start_mark.line, value.end_mark.line + 1) if key.value in ("find", "put") else ()
            ):
                for old, new in defined.get(item["file"], {}).items():
                    lines[row] = re.sub(rf"\b{old}\b", new, lines[row])
        target = parted.get(item["file"])
        if target in texts and item["find"] in texts[target]:  # its definition went to a module of its own
            for row in rows:
                lines[row] = re.sub(
                    r"^(\s*(?:- )?file: ).*", lambda found, to=target: found[1] + to, lines[row]
                )
    texts[DEFECTS] = "".join(lines)


def stale_defects() -> list[str]:
    """Seeded defects whose text is not there once any more: ruff may have wrapped it."""
    if not (ROOT / DEFECTS).exists():
        return []
    rows = yaml.safe_load((ROOT / DEFECTS).read_text(encoding="utf-8"))
    there = {
        row["file"]: (ROOT / row["file"]).read_text(encoding="utf-8")
        for row in rows
        if (ROOT / row["file"]).exists()
    }
    return [
        f"stale defect: {row['id']}" for row in rows if there.get(row["file"], "").count(row["find"]) != 1
    ]


def write(moves: Moves, texts: dict[str, str]) -> None:
    """Move files, write texts and packages, drop packages that are empty, and let ruff sort imports and wrap lines."""
    for old, new in moves.paths.items():
        (ROOT / new).parent.mkdir(parents=True, exist_ok=True)
        git("mv", old, new)
    for path, text in texts.items():
        place = ROOT / moves.paths.get(path, path)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists() or place.read_text(encoding="utf-8") != text:
            place.write_text(text, encoding="utf-8")
    for package, doc in moves.table["packages"].items():
        folder = ROOT / "src/gaddum" / package
        folder.mkdir(parents=True, exist_ok=True)
        end = "\n" if "\n" in doc.strip() else ""
        (folder / "__init__.py").write_text(f'"""{doc.strip()}{end}"""\n', encoding="utf-8")
    for package in moves.table["emptied"]:
        folder = ROOT / "src/gaddum" / package
        left = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
        if left:
            moves.notes += [f"stays where it is: {package}/{name}" for name in left]
        else:
            git("rm", "-q", "-f", f"src/gaddum/{package}/__init__.py")
            shutil.rmtree(folder, ignore_errors=True)  # compiled files of what was there
    for words in (["format"], ["check", "--fix", "-q"], ["format"]):
        subprocess.run([sys.executable, "-m", "ruff", *words, "."], cwd=ROOT, stdout=subprocess.DEVNULL)
    git("add", "-u")
    git("add", *(path for path in texts if path not in moves.tracked))
    git("add", *(f"src/gaddum/{package}/__init__.py" for package in moves.table["packages"]))


def leftover(moves: Moves, texts: dict[str, str]) -> list[str]:
    """Lines that still speak of packages that are gone, and tests that mirror nothing."""
    gone = "|".join(moves.table["emptied"])
    found = [
        f"old name left: {moves.paths.get(path, path)}: {line.strip()[:110]}"
        for path, text in texts.items()
        for line in text.splitlines()
        if re.search(rf"gaddum[./](?:{gone})\b|\b(?:{gone})/\w+\.py", line)
    ]
    stay = [p for p in moves.tracked if re.match(rf"tests/(?:{gone})/", p) and p not in moves.paths]
    return found + [f"stays where it is: {path}" for path in sorted(stay)]


if __name__ == "__main__":
    sys.exit(main())
