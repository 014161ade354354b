"""YAML in and out: files become records, or findings that a curator can act on.

The loader reads YAML 1.2's core schema (so ``no`` is a word, not false) and refuses what a record has no use for:
anchors, aliases and merge keys (which make bombs), tags, duplicate keys, deep nesting, large files. It remembers the
line of every field. A top-level mapping ``sources`` holds Sources that ``source: KEY`` or
``source: {use: KEY, locator: "Table 2"}`` refer to.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from gaddum.records.field import FieldPath, fields_at
from gaddum.records.finding import Finding, RecordError, nearest
from gaddum.records.source import Source

AnyModel = TypeVar("AnyModel", bound=BaseModel)

MAX_BYTES = 1_000_000
MAX_DEPTH = 60
MAX_FINDINGS = 100
"""Findings that are told of one file."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {word: True for word in ("true", "True", "TRUE")} | {
    word: False for word in ("false", "False", "FALSE")
}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True)
class Document:
    """A YAML file as plain values, with the line of every field."""

    file: str
    content: dict[str, Any]
    lines: Mapping[FieldPath, int] = field(repr=False)

    def line(self, path: FieldPath) -> int | None:
        """Line of a field, or of the innermost enclosing field that is in the file."""
        for end in range(len(path), -1, -1):
            if path[:end] in self.lines:
                return self.lines[path[:end]]
        return None

    def finding(
        self, path: FieldPath, message: str, level: Literal["error", "warning", "note"] = "error"
    ) -> Finding:
        """Make a finding about a field of this file."""
        return Finding(level, self.file, readable(path), message, self.line(path))


def read_record(path: Traversable, model: type[AnyModel]) -> AnyModel:
    """Read a YAML file as a record, or raise `RecordError` with every finding."""
    return to_record(read_document(path), model)


def read_document(path: Traversable, parse: Callable[[str, str], Document] | None = None) -> Document:
    """Read a YAML file as plain values, by default with `parse_document`, or raise `RecordError`."""
    if isinstance(path, Path) and path.exists() and not path.is_file():
        message = "This must be a regular file; got a folder, pipe or device."
        raise RecordError([Finding("error", str(path), "", message)])
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) <= MAX_BYTES:
            return (parse or parse_document)(content.decode("utf-8"), str(path))
        message = f"A file must not be larger than {MAX_BYTES // 1_000_000} MB; split it."
    except OSError as error:
        message = f"The file must be readable; got {error.strerror or error}."
    except UnicodeDecodeError as error:
        message = f"A file must be UTF-8 text; got another byte at position {error.start}."
    raise RecordError([Finding("error", str(path), "", message)])


def parse_document(text: str, file: str = "<text>") -> Document:
    """Read YAML text as plain values with shared sources put in place, or raise `RecordError`."""
    lines: dict[FieldPath, int] = {}
    try:
        content = _Builder(text, file, lines).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable text"
        line = None if mark is None else mark.line + 1
        message = f"The file must be valid YAML; got: {problem}. Check indentation, quotes and colons there."
        raise RecordError([Finding("error", file, "", message, line)]) from None
    if not isinstance(content, dict):
        found = "nothing" if content is None else f"a {_kind(content)}"
        raise RecordError([Finding("error", file, "", f"The file must hold a mapping; got {found}.", 1)])
    return _with_sources(Document(file, content, lines))


def to_record(document: Document, model: type[AnyModel]) -> AnyModel:
    """Validate plain values as a record, or raise `RecordError` with one finding per fault."""
    try:
        return model.model_validate(document.content)
    except ValidationError as error:
        merged: dict[FieldPath, list[str]] = {}
        for fault in error.errors(include_url=False):
            if fault["type"] == "too_short" and len(fault["input"]) >= fault.get("ctx", {})["min_length"]:
                continue  # its entries are at fault, and have findings of their own
            path = _data_path(
                document.content, fault["loc"], keep_last=fault["type"] in ("missing", "extra_forbidden")
            )
            message = _sentence(fault, model)
            if message not in merged.setdefault(path, []):
                merged[path].append(message)
        found = [document.finding(path, " Or: ".join(merged[path])) for path in [*merged][:MAX_FINDINGS]]
        if len(merged) > MAX_FINDINGS:
            more = (
                f"There are {len(merged) - MAX_FINDINGS} more findings of this kind; mend those above first."
            )
            found.append(Finding("error", document.file, "", more))
        raise RecordError(found) from None


def dump_record(record: BaseModel) -> str:
    """Write a record as YAML text that `read_record` reads back as an equal record.

    Fields that hold their default are left out, except tags of unions.
    """
    content = record.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def readable(path: FieldPath) -> str:
    """Write a field path as a reader would.

    Examples
    --------
    >>> readable(("experiments", 0, "arms", "KA", "n"))
    'experiments[0].arms.KA.n'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")


def plain_value(text: str) -> Any:
    """Read an unquoted scalar by YAML 1.2's core schema.

    Examples
    --------
    >>> plain_value("1e-3"), plain_value("no"), plain_value("010"), plain_value("1:30"), plain_value("~")
    (0.001, 'no', 10, '1:30', None)
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    return text


class _Builder:
    """Builds plain values from the parser's events, refusing what a record has no use for."""

    def __init__(self, text: str, file: str, lines: dict[FieldPath, int]):
        self.file = file
        self.lines = lines
        self.events: Iterator[Any] = yaml.parse(text, Loader=_Loader)

    def document(self) -> Any:
        next(self.events)  # start of stream
        if isinstance(next(self.events), yaml.StreamEndEvent):
            return None
        content = self.value(next(self.events), ())
        next(self.events)  # end of document
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            self.refuse(event, (), "A file must hold one document; got a second one after `---`.")
        return content

    def value(self, event: Any, path: FieldPath) -> Any:
        self.lines.setdefault(path, event.start_mark.line + 1)
        if event.anchor:  # an alias is an event with an anchor
            self.refuse(
                event, path, "A record must not use anchors or aliases (& and *); write the value out."
            )
        tag = event.tag
        if tag is not None and tag != "!":
            self.refuse(event, path, f"A record must not use YAML tags; got {tag!r}. Remove it.")
        if isinstance(event, yaml.ScalarEvent):
            if _CONTROL.search(event.value):
                told = "Text must be free of control characters, which speak to a terminal"
                self.refuse(event, path[:-1], f"{told}; got {event.value[:40]!r}.")
            return (
                plain_value(event.value) if event.implicit[0] and event.style in (None, "") else event.value
            )
        if len(path) >= MAX_DEPTH:
            self.refuse(event, path[:5], f"A record must not be nested deeper than {MAX_DEPTH} levels.")
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
                items.append(self.value(event, (*path, len(items))))
            return items
        return self.mapping(path)

    def mapping(self, path: FieldPath) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                self.refuse(event, path, "A key must be plain text; got a list, a mapping or an alias.")
            self.value(event, (*path, event.value))  # refuses anchors and tags on keys, notes the line
            if event.value == "<<" and event.style in (None, ""):
                self.refuse(event, path, "A record must not use merge keys (<<); write the fields out.")
            if event.value in entries:
                self.refuse(event, (*path, event.value), f"A key must occur once; got {event.value!r} again.")
            entries[event.value] = self.value(next(self.events), (*path, event.value))
        return entries

    def refuse(self, event: Any, path: FieldPath, message: str) -> None:
        line = event.start_mark.line + 1
        raise RecordError([Finding("error", self.file, readable(path), message, line)])


def _with_sources(document: Document) -> Document:
    content = dict(document.content)
    shared = content.pop("sources", None)
    findings: list[Finding] = []
    if shared is not None and not isinstance(shared, dict):
        raise RecordError(
            [document.finding(("sources",), f"`sources` must map keys to Sources; got a {_kind(shared)}.")]
        )
    known: dict[str, Any] = shared or {}
    for key, entry in known.items():
        try:
            Source.model_validate(entry)
        except ValidationError as error:
            for fault in error.errors(include_url=False):
                findings.append(document.finding(("sources", key, *fault["loc"]), _sentence(fault, Source)))

    def resolve(value: Any, path: FieldPath) -> Any:
        if isinstance(value, list):
            return [resolve(item, (*path, index)) for index, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        out = {}
        for key, item in value.items():
            here = (*path, key)
            out[key] = source_of(item, here) if key == "source" else resolve(item, here)
        return out

    def source_of(item: Any, path: FieldPath) -> Any:
        key = item.get("use") if isinstance(item, dict) and "use" in item else item
        if isinstance(key, dict) or key is None:
            return resolve(item, path)
        key = str(key)
        if key not in known:
            hint = nearest(key, known, what="Keys under `sources`")
            findings.append(
                document.finding(path, f"A source must be a key under `sources`; got {key!r}. {hint}")
            )
            return _PLACEHOLDER
        overrides = (
            {name: part for name, part in item.items() if name != "use"} if isinstance(item, dict) else {}
        )
        return known[key] | overrides if isinstance(known[key], dict) else _PLACEHOLDER

    content = resolve(content, ())
    if findings:
        raise RecordError(findings)
    return Document(document.file, content, document.lines)


_PLACEHOLDER: dict[str, Any] = {}


def _kind(value: Any) -> str:
    names = {dict: "mapping", list: "list", str: "text", bool: "truth value", int: "number", float: "number"}
    return names.get(type(value), "null" if value is None else type(value).__name__)


def _data_path(content: Any, loc: FieldPath, *, keep_last: bool) -> FieldPath:
    """Drop what pydantic adds to a location (tags of unions, the index in a wrapped single value)."""
    path: list[str | int] = []
    here = content
    for index, part in enumerate(loc):
        if isinstance(here, Mapping) and part in here:
            here = here[part]
        elif isinstance(here, list) and isinstance(part, int) and 0 <= part < len(here):
            here = here[part]
        elif not (keep_last and index == len(loc) - 1):
            continue
        path.append(part)
    return tuple(path)


def _sentence(fault: Any, model: type[BaseModel]) -> str:
    kind, found, context = fault["type"], fault["input"], fault.get("ctx", {})
    last = fault["loc"][-1] if fault["loc"] else ""
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        return f"The field {last!r} must be given; got none."
    if kind == "extra_forbidden":
        known = fields_at(model, fault["loc"][:-1])
        return f"A field must be one of the record's own; got {last!r}. {nearest(str(last), known, what='Fields')}"
    if kind == "literal_error":
        options = re.findall(r"'([^']*)'", context["expected"])
        return (
            f"This must be one of {context['expected']}; got {_show(found)}. {_hint(found, options)}".strip()
        )
    if kind == "union_tag_invalid":
        options = re.findall(r"'([^']*)'", context["expected_tags"])
        key, tag = context["discriminator"].strip("'"), context["tag"]
        return f"`{key}` must be one of {', '.join(options)}; got {tag!r}. {_hint(tag, options)}".strip()
    if kind == "union_tag_not_found":
        return f"The field {context['discriminator']} must be given; got none."
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return f"This must be a mapping of fields; got {_show(found)}."
    if kind == "string_pattern_mismatch":
        return f"This must match {context['pattern']}; got {_show(found)}."
    if kind == "too_short":
        return f"This must have at least {context['min_length']} entries; got {context['actual_length']}."
    what = fault["msg"].replace("Input should be ", "").replace("Value should be ", "")
    what = what.replace("a valid tuple", "a list").replace("a valid string", "text")
    return f"This must be {what}; got {_show(found)}."


def _hint(found: Any, options: list[str]) -> str:
    if found is None:
        return ""
    hint = nearest(str(found), options)
    return hint if hint.startswith("Did you mean") else ""


def _show(value: Any) -> str:
    if isinstance(value, (dict, list, tuple)):
        return f"a {_kind(value)}"
    text = "null" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


class _Dumper(yaml.SafeDumper):
    """Writes text so that the core schema reads it back as text; no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_plain = isinstance(plain_value(text), str) and text != "<<" and text.splitlines() == [text]
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


_Dumper.add_representer(str, _represent_text)
