"""Names as Python's scopes resolve them, rewritten in one file; docstrings, and modules that are parted.

Used by `move.py`, and to be deleted with it.
"""

import ast
import io
import re
import tokenize
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from move import Moves

Symbol = tuple[str, str]
"""Module and name; the name is empty for the module itself."""
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
WIDTH = 120
"""Longest line (characters) that ruff allows."""


@dataclass
class Scope:
    """Names bound in one scope: a symbol of gaddum, or None for anything else."""

    above: "Scope | None"
    is_class: bool = False
    names: dict[str, Symbol | None] = field(default_factory=dict)

    def find(self, name: str, *, inner: bool = False) -> tuple["Scope", Symbol | None] | None:
        """Scope that binds a name as seen from here, and what to."""
        if name in self.names and not (inner and self.is_class):
            return self, self.names[name]
        return self.above.find(name, inner=True) if self.above else None


class Rewriter(ast.NodeVisitor):
    """Edits of one file: imports, names as scopes resolve them, string annotations."""

    def __init__(self, moves: "Moves", module: str | None, text: str, where: str) -> None:
        self.moves, self.module, self.where = moves, module, where
        self.lines = text.encode().splitlines(keepends=True)
        self.edits: list[tuple[int, int, bytes]] = []
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.data = text.encode()
        self.scope = Scope(None)
        self.extra: set[str] = set()
        self.formatted: Any = None
        tree = ast.parse(text)
        self._bind(tree.body, self.scope, own=module)
        self.top = self.scope
        self.visit(tree)

    def result(self) -> str:
        """Text with all edits made."""
        data = self.data
        for start, end, new in sorted(set(self.edits), reverse=True):
            data = data[:start] + new + data[end:]
        text = data.decode()
        if self.extra:
            lines = text.splitlines(keepends=True)
            last = max(i for i, line in enumerate(lines) if re.match(r"(from|import) ", line))
            lines[last:last] = [f"{line}\n" for line in sorted(self.extra)]
            text = "".join(lines)
        return text

    def renamed(self) -> dict[str, str]:
        """Names that the file binds at the top and that change, as it would write them."""
        found = {}
        for name, symbol in self.top.names.items():
            if symbol and symbol[1]:
                new = self.moves.new(symbol)[1]
                if new != symbol[1] == name:
                    found[name] = new
        return found

    def _replace(self, node: Any, new: str) -> None:
        start, end = self._span(node)
        if (
            isinstance(node, ast.Name) and self.data[start:end] != node.id.encode()
        ):  # before 3.12, in an f-string
            start, end = self._span(self.formatted)
            for found in re.finditer(rb"(?<![.\w])" + node.id.encode() + rb"\b", self.data[start:end]):
                self.edits.append((start + found.start(), start + found.end(), new.encode()))
            return
        self.edits.append((start, end, new.encode()))

    def _span(self, node: Any) -> tuple[int, int]:
        return (
            self.starts[node.lineno - 1] + node.col_offset,
            self.starts[node.end_lineno - 1] + node.end_col_offset,
        )

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:  # noqa: D102, N802
        self.formatted = node
        self.generic_visit(node)

    def _bind(self, body: list[Any], scope: Scope, own: str | None = None) -> None:
        """Enter what statements bind into their scope, but not what scopes within them do."""
        stack = list(body)
        while stack:
            node = stack.pop()
            if isinstance(node, ast.ImportFrom):
                for one in node.names:
                    full = f"{node.module}.{one.name}"
                    symbol = (full, "") if full in self.moves.known else (str(node.module), one.name)
                    scope.names[one.asname or one.name] = symbol if full.startswith("gaddum") else None
            elif isinstance(node, ast.Import):
                for one in node.names:
                    scope.names[one.asname or one.name.split(".")[0]] = None
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                scope.names[node.name] = (own, node.name) if own else None
                stack += [*node.decorator_list]
                continue
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                scope.names.setdefault(node.id, (own, node.id) if own else None)
            elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
                scope.names[node.name] = None
            if not isinstance(node, (*SCOPES, *COMPREHENSIONS)):
                stack += list(ast.iter_child_nodes(node))

    def _enter(self, node: Any, body: list[Any], arguments: ast.arguments | None = None) -> None:
        above, self.scope = self.scope, Scope(self.scope, isinstance(node, ast.ClassDef))
        if arguments:
            every = [
                *arguments.posonlyargs,
                *arguments.args,
                *arguments.kwonlyargs,
                arguments.vararg,
                arguments.kwarg,
            ]
            self.scope.names |= {one.arg: None for one in every if one}
        self._bind(body, self.scope)
        for one in body:
            self.visit(one)
        self.scope = above

    def visit_ClassDef(self, node: ast.ClassDef) -> None:  # noqa: D102, N802
        self._definition(node)
        for one in [*node.decorator_list, *node.bases, *node.keywords]:
            self.visit(one)
        self._enter(node, node.body)

    def visit_FunctionDef(self, node: Any) -> None:  # noqa: D102, N802
        self._definition(node)
        for one in node.decorator_list:
            self.visit(one)
        self._signature(node.args)
        if node.returns:
            self._annotation(node.returns)
        self._enter(node, node.body, node.args)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:  # noqa: D102, N802
        self._signature(node.args)
        self._enter(node, [node.body], node.args)

    def _signature(self, arguments: ast.arguments) -> None:
        for one in ast.walk(arguments):
            if isinstance(one, ast.arg) and one.annotation:
                self._annotation(one.annotation)
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default:
                self.visit(default)

    def visit_Assign(self, node: ast.Assign) -> None:  # noqa: D102, N802
        if self.scope is self.top and ast.unparse(node.targets[0]) == "__all__":
            for one in ast.walk(node.value):
                if isinstance(one, ast.Constant) and (new := self.renamed().get(str(one.value))):
                    self._replace(one, f'"{new}"')
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:  # noqa: D102, N802
        self._annotation(node.annotation)
        self.visit(node.target)
        if node.value:
            self.visit(node.value)

    def _annotation(self, node: ast.expr) -> None:
        self.visit(node)
        for one in ast.walk(node):
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                new = re.sub(r"\b[A-Z]\w*", self._word, one.value)
                if new != one.value:
                    self._replace(one, f'"{new}"')

    def _word(self, found: re.Match[str]) -> str:
        bound = self.scope.find(found[0])
        return self.moves.new(bound[1])[1] if bound and bound[1] and bound[1][1] == found[0] else found[0]

    def _comprehension(self, node: Any) -> None:
        self._enter(node, list(ast.iter_child_nodes(node)))

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815

    def _definition(self, node: Any) -> None:
        """Rewrite the name that a definition at the top of a module gives."""
        if self.scope is self.top and self.module:
            new = self.moves.new((self.module, node.name))[1]
            if new != node.name:
                at = self.data.index(node.name.encode(), self._span(node)[0])
                self.edits.append((at, at + len(node.name.encode()), new.encode()))

    def visit_Name(self, node: ast.Name) -> None:  # noqa: D102, N802
        bound = self.scope.find(node.id)
        if not bound or not bound[1]:
            return
        old = bound[1]
        new = self.moves.new(old)
        leaf = (old[1] or old[0].rsplit(".", 1)[1], new[1] or new[0].rsplit(".", 1)[1])
        if node.id == leaf[0] != leaf[1]:
            self._replace(node, leaf[1])
            taken = self.scope.find(leaf[1])
            if taken and taken[1] != new:
                self.moves.notes.append(f"CLASH {self.where}:{node.lineno}: {leaf[1]} is already bound")

    def visit_Attribute(self, node: ast.Attribute) -> None:  # noqa: D102, N802
        bound = self.scope.find(node.value.id) if isinstance(node.value, ast.Name) else None
        if bound and bound[1] and not bound[1][1]:
            new = self.moves.new((bound[1][0], node.attr))
            if new[0] != self.moves.new(bound[1])[0]:  # a part of the module that goes elsewhere
                package, leaf = new[0].rsplit(".", 1)
                self._replace(node, f"{leaf}.{new[1]}")
                self.extra.add(f"from {package} import {leaf}")
                return
            if new[1] != node.attr:
                end = self._span(node)[1]
                self.edits.append((end - len(node.attr.encode()), end, new[1].encode()))
        self.visit(node.value)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:  # noqa: D102, N802
        if node.level or not (node.module or "").startswith("gaddum"):
            return
        by_module: dict[str, list[str]] = {}
        for one in node.names:
            full = f"{node.module}.{one.name}"
            if full in self.moves.known:
                module, name = self.moves.modules.get(full, full).rsplit(".", 1)
            else:
                module, name = self.moves.new((str(node.module), one.name))
            named = f" as {one.asname}" if one.asname and one.asname != name else ""
            by_module.setdefault(module, []).append(name + named)
        if by_module != {
            node.module: [f"{a.name} as {a.asname}" if a.asname else a.name for a in node.names]
        }:
            new = [f"from {module} import {', '.join(names)}" for module, names in sorted(by_module.items())]
            self._replace(node, f"\n{' ' * node.col_offset}".join(new))

    def visit_Import(self, node: ast.Import) -> None:  # noqa: D102, N802
        for one in node.names:
            if one.name in self.moves.modules:
                self._replace(one, self.moves.modules[one.name])


def in_prose(text: str, renamed: dict[str, str]) -> str:
    """Rewrite names in docstrings and comments: in back-quotes, and where a docstring states a type."""
    if not renamed:
        return text
    word = re.compile(r"\b(" + "|".join(map(re.escape, renamed)) + r")\b")

    def plain(part: str) -> str:
        return word.sub(lambda found: renamed[found[0]], part)

    def prose(part: str) -> str:
        part = re.sub(r"`([A-Za-z_]\w*)((?:\.\w+)*)`", lambda m: f"`{renamed.get(m[1], m[1])}{m[2]}`", part)
        part = re.sub(r"(?m)^(\s+\w[\w, ]* : )(.*)$", lambda m: m[1] + plain(m[2]), part)
        part = re.sub(r"(?m)^\s+(?:(?:list|tuple) of )?[A-Z]\w*(?: or None)?$", lambda m: plain(m[0]), part)
        return re.sub(
            r"(?m)^\s*>>> .*(?:\n(?!\s*$).*)*", lambda m: plain(m[0]), part
        )  # examples, to the next gap

    return in_strings(text, prose, is_docstring)


def is_docstring(string: str) -> bool:
    """Whether a string looks like one; strings that are not are left as they are."""
    return string.startswith(('"""', 'r"""'))


def wrapped(docstring: str) -> str:
    """Docstring whose lines, but for the first, are at most `WIDTH` wide; what is over goes to the next line."""
    lines = docstring.split("\n")
    for place in range(1, 1000):
        if place < len(lines) and len(lines[place]) > WIDTH:
            indent = len(lines[place]) - len(lines[place].lstrip())
            cut = lines[place].rindex(" ", 0, WIDTH)
            rest, lines[place] = lines[place][cut + 1 :], lines[place][:cut]
            following = lines[place + 1] if place + 1 < len(lines) else ""
            if re.match(rf" {{{indent}}}[^\s\"]", following):
                lines[place + 1] = f"{' ' * indent}{rest} {following.strip()}"
            else:
                lines.insert(place + 1, " " * indent + rest)
    return "\n".join(lines)


def in_strings(text: str, change: Callable[[str], str], wanted: Callable[[str], bool] = bool) -> str:
    """Change comments, and the strings that are wanted."""
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    spans = [
        (starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1])
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT or (token.type == tokenize.STRING and wanted(token.string))
    ]
    for start, end in reversed(spans):
        text = text[:start] + change(text[start:end]) + text[end:]
    return text


def take_out(text: str, names: list[str], doc: str, source: str, target: str) -> tuple[str, str]:
    """Part a module: what is left of it, which imports what went; and the new one, with all imports of the old."""
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    imports, moved, gone = [], [], set[int]()
    for place, node in enumerate(tree.body):
        start, end = node.lineno, node.end_lineno or node.lineno
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.decorator_list:
            start = node.decorator_list[0].lineno
        bound = {getattr(node, "name", "")} | {
            one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
        }
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append((start, end))
        elif (
            not isinstance(node, ast.If)
            and bound & set(names)
            and isinstance(node, (ast.Assign, ast.AnnAssign, *SCOPES))
        ):
            while lines[start - 2].startswith("#"):
                start -= 1
            after = tree.body[place + 1] if place + 1 < len(tree.body) else None
            if (
                not isinstance(node, SCOPES)
                and isinstance(after, ast.Expr)
                and isinstance(after.value, ast.Constant)
            ):
                end = after.end_lineno or end
            moved.append("\n\n" * isinstance(node, SCOPES) + "".join(lines[start - 1 : end]))
            gone |= set(range(start, end + 1))
    if not moved:
        return text, ""
    head = "".join("".join(lines[start - 1 : end]) for start, end in imports)
    new = (
        f'"""{doc.strip()}\n"""\n\n{head}\n\n'
        if "\n" in doc.strip()
        else f'"""{doc.strip()}"""\n\n{head}\n\n'
    )
    last = imports[-1][1]
    left = [line for number, line in enumerate(lines, 1) if number not in gone]
    position = last - sum(1 for number in gone if number <= last)
    left[position:position] = [f"from {target} import {', '.join(names)}\n"]
    return "".join(left), new + "".join(moved)
