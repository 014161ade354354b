"""Field: where in a record a value stands, and what may stand there.

A place is a path of field names, keys and positions, such as ``("arms", "KA", "doses", 0, "amount")``.
"""

from collections.abc import Iterator
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel

FieldPath = tuple[str | int, ...]


@cache
def fields_at(model: type[BaseModel], loc: FieldPath) -> tuple[str, ...]:
    """Names of the fields that a record may have at a location within it.

    Examples
    --------
    >>> from gaddum.records.source import Source
    >>> fields_at(Source, ())[:3]
    ('how', 'doi', 'pmid')
    """
    names = [
        name
        for one in types_at(model, loc)
        if isinstance(one, type) and issubclass(one, BaseModel)
        for name in one.model_fields
    ]
    return tuple(dict.fromkeys(names))


@cache
def types_at(model: type[BaseModel], loc: FieldPath) -> tuple[Any, ...]:
    """Types that a record may have at a location within it; none where it can have no such field.

    Examples
    --------
    >>> from gaddum.records.source import Source
    >>> types_at(Source, ("doi",)), types_at(Source, ("dio",))
    ((<class 'str'>, <class 'NoneType'>), ())
    """
    candidates = _unwrapped(model)
    for part in loc:
        stepped: list[Any] = []
        for candidate in candidates:
            arguments = get_args(candidate)
            origin = get_origin(candidate)
            if isinstance(candidate, type) and issubclass(candidate, BaseModel):
                if part in candidate.model_fields:
                    stepped += _unwrapped(candidate.model_fields[str(part)].annotation)
                elif any(part in get_args(info.annotation) for info in candidate.model_fields.values()):
                    stepped.append(candidate)  # the tag of a union
            elif origin in (tuple, list) and isinstance(part, int):
                inner = (
                    arguments[:1] if Ellipsis in arguments or origin is list else arguments[part : part + 1]
                )
                stepped += [one for argument in inner for one in _unwrapped(argument)]
            elif origin is dict:
                stepped += _unwrapped(arguments[1])
        candidates = stepped
    return tuple(candidates)


@cache
def leaves(model: type[BaseModel]) -> tuple[tuple[FieldPath, Any], ...]:
    """Places of a record that hold one value, and their types; ``*`` stands for any key.

    Annotated text keeps its annotation, which may say what it names.

    Examples
    --------
    >>> from gaddum.records.outcome.means import ArmMean, Means
    >>> [path for path, kind in leaves(Means) if kind is int]
    [('arms', '*', 'n')]
    """
    return tuple(dict.fromkeys(_leaves(model, ())))


def _leaves(kind: Any, path: FieldPath) -> Iterator[tuple[FieldPath, Any]]:
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        hints = get_type_hints(kind, include_extras=True)
        for name in kind.model_fields:
            yield from _leaves(hints[name], (*path, name))
    elif origin in (Union, UnionType):
        for one in arguments:
            if one is not NoneType:
                yield from _leaves(one, path)
    elif origin is Annotated and arguments[0] is not str:
        yield from _leaves(arguments[0], path)
    elif origin is dict:
        for key in get_args(arguments[0]) if get_origin(arguments[0]) is Literal else ("*",):
            yield from _leaves(arguments[1], (*path, key))
    elif origin is tuple and Ellipsis not in arguments:
        for place, one in enumerate(arguments):
            yield from _leaves(one, (*path, place))
    else:
        yield path, kind


def _unwrapped(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Annotated:
        return _unwrapped(get_args(annotation)[0])
    if isinstance(annotation, type) or get_origin(annotation) in (tuple, list, dict):
        return [annotation]
    return [one for argument in get_args(annotation) for one in _unwrapped(argument)]
