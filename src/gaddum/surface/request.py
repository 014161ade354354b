"""Requests: what is asked of a verb, as a frozen record.

Every field is declared once, as an argument or option with its default, its limits and its help. A command line, the
query string of a URL and keywords of Python are three encodings of the same request: each gives it again. A form asks
for what a query string holds.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import MISSING, dataclass, fields
from functools import cache, wraps
from inspect import Parameter, Signature, signature
from operator import ge, le
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl, urlencode

import typer

from gaddum.records.finding import nearest

_USAGE: Any = typer.BadParameter.__bases__
"""What a command line that cannot be read raises: UsageError, of click or of typer's own copy of it."""


class FormField(NamedTuple):
    """What a form asks for, under the key that a query string has for it."""

    key: str
    help: str
    needed: bool
    several: bool
    kind: Literal["text", "number", "flag", "choice"]
    words: tuple[str, ...]
    """What may be chosen."""
    least: float | None
    most: float | None
    step: Literal["1", "any"]
    usual: str
    """Value where none is given."""


@dataclass(frozen=True)
class Request:
    """Base of all requests; a field of several values is a tuple of texts."""

    verb: ClassVar[str]

    def __post_init__(self) -> None:
        """Hold what Python gives to the limits that the command line has."""
        for name, (kind, option) in _declared(type(self)).items():
            value = getattr(self, name)
            allowed = [
                word
                for one in (kind, *get_args(kind))
                if get_origin(one) is Literal
                for word in get_args(one)
            ]
            if value is not None and allowed and value not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}.")
            for bound, limit, holds in (("at least", option.min, ge), ("at most", option.max, le)):
                if value is not None and limit is not None and not holds(value, limit):
                    raise ValueError(f"{name} must be {bound} {limit}; got {value!r}.")

    def command(self) -> str:
        """Command line that repeats a run: all that is not None or false, since a default may change."""
        arguments = [text for one, text in self._said() if _is_argument(one)]
        options = [word for one, text in self._said() if not _is_argument(one) for word in _option(one, text)]
        # What looks like an option is an argument after a double dash only, and so is all else that follows.
        dashed = any(text.startswith("-") for text in arguments)
        words = [*options, "--", *arguments] if dashed else [*arguments, *options]
        return shlex.join(["gaddum", *self.verb.split(), *words])

    def query(self) -> str:
        """Query string of a URL; its keys are the names of arguments and the long names of options."""
        return urlencode([(_key(one), text) for one, text in self._said()], safe="/:,")

    @classmethod
    def form_fields(cls) -> tuple[FormField, ...]:
        """Fields of a form that asks for a request, in the order of their declaration."""
        kinds = _declared(cls)
        return tuple(_form_field(one, kinds[one.name][0]) for one in _parser(cls).params)

    @classmethod
    def from_command(cls, words: Sequence[str]) -> Self:
        """Read the words of a command line, `gaddum` and the verb included."""
        begin = ["gaddum", *cls.verb.split()]
        if list(words[: len(begin)]) != begin:
            raise ValueError(
                f"The command must begin with '{shlex.join(begin)}'; got {shlex.join(words)[:80]!r}."
            )
        return cls._read(words[len(begin) :])

    @classmethod
    def from_query(cls, text: str) -> Self:
        """Read the query string of a URL."""
        known = {_key(one): one for one in _parser(cls).params}
        arguments, options = [], []
        for key, value in parse_qsl(text, keep_blank_values=True):
            if key not in known:
                told = nearest(key[:80], known, what="It takes")
                raise ValueError(
                    f"A query of {cls.verb} must have keys that it takes; got {key[:80]!r}. {told}"
                )
            if _is_argument(known[key]):
                arguments.append(value)
            else:
                options += _option(known[key], value)
        return cls._read([*options, "--", *arguments])

    @classmethod
    def _read(cls, words: Sequence[str]) -> Self:
        try:
            return _parser(cls).main(list(words), standalone_mode=False)
        except _USAGE as error:
            raise ValueError(error.format_message()) from None

    def _said(self) -> Iterator[tuple[Any, str]]:
        """Each value that is given, as text, with the argument or option that takes it."""
        for one in _parser(type(self)).params:
            given = getattr(self, one.name)
            for value in given if isinstance(given, tuple) else (given,):
                if value is not None and value is not False:
                    yield one, "true" if value is True else str(value)


def words(text: str) -> list[str]:
    """Parts of a list that is written with commas."""
    return [word.strip() for word in text.split(",") if word.strip()]


def asking(verb: Callable[..., None]) -> Callable[..., None]:
    """Make a command of what is done with a request, whose fields take the place of the first parameter."""
    first, *rest = signature(verb).parameters.values()
    return _spread(first.annotation, verb, rest)


def _spread(request: type[Request], verb: Callable[..., Any], rest: list[Parameter]) -> Callable[..., Any]:
    own = []
    for field in fields(request):
        kind, option = _declared(request)[field.name]
        hint = Annotated[list[str] if get_origin(kind) is tuple else kind, option]
        default = Parameter.empty if field.default is MISSING else field.default
        own.append(Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=hint))

    @wraps(verb)
    def command(**given: Any) -> Any:
        asked = {one.name: given.pop(one.name) for one in own}
        return verb(request(**{k: tuple(v) if isinstance(v, list) else v for k, v in asked.items()}), **given)

    shown: Any = command
    shown.__signature__ = Signature([*own, *(one.replace(kind=one.KEYWORD_ONLY) for one in rest)])
    return shown


@cache
def _declared(request: type[Request]) -> dict[str, Any]:
    """Type, and argument or option, of every field."""
    hints = get_type_hints(request, include_extras=True)
    return {one.name: get_args(hints[one.name]) for one in fields(request)}


@cache
def _parser(request: type[Request]) -> Any:
    """Command that reads a request's words and gives the request."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(add_help_option=False)(_spread(request, lambda asked: asked, []))
    return typer.main.get_command(app)


def _is_argument(one: Any) -> bool:
    return one.param_type_name == "argument"


def _key(one: Any) -> str:
    return max(one.opts, key=len).lstrip("-")


def _option(one: Any, text: str) -> list[str]:
    name = max(one.opts, key=len)
    if not one.is_flag:
        return [name, text]
    if text not in ("true", "false"):
        raise ValueError(f"{_key(one)} must be true or false; got {text[:80]!r}.")
    return [name] if text == "true" else []


def _form_field(one: Any, kind: Any) -> FormField:
    """What a form asks for, by the parameter of the command and the type of the request's field."""
    kinds = {kind, *get_args(kind)}
    words = tuple(word for part in kinds if get_origin(part) is Literal for word in get_args(part))
    number = bool(kinds & {int, float})
    return FormField(
        key=_key(one),
        help=one.help or "",
        needed=one.required,
        several=get_origin(kind) is tuple,
        kind="choice" if words else "flag" if bool in kinds else "number" if number else "text",
        words=words,
        least=one.min,
        most=one.max,
        step="1" if int in kinds else "any",
        usual=""
        if one.default is None or one.default in ((), []) or one.default is False
        else str(one.default),
    )
