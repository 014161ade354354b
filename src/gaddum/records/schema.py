"""Schema: JSON Schemas of the files that people write, for editors to complete and mark.

The files allow two abbreviations that records do not: a source may be the key of a shared one, and a single Quantity
may stand where several are allowed. The schemas say so.
"""

from typing import Any

from pydantic import BaseModel

from gaddum.records.case import Case
from gaddum.records.curve import Curve
from gaddum.records.drug import Drug, Mixture
from gaddum.records.experiment import Study
from gaddum.records.finding import nearest
from gaddum.records.source import Source
from gaddum.records.target import Target

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILES: dict[str, type[BaseModel]] = {
    "case": Case,
    "curve": Curve,
    "drug": Drug,
    "mixture": Mixture,
    "study": Study,
    "target": Target,
}
"""Kinds of file and their records."""


def file_schema(name: str) -> dict[str, Any]:
    """JSON Schema of one kind of file.

    Parameters
    ----------
    name : str
        A key of `FILES`.

    Returns
    -------
    dict
        The schema (draft 2020-12).

    Examples
    --------
    >>> file_schema("study")["title"]
    'Study'
    """
    if name not in FILES:
        raise ValueError(
            f"A schema must be of a kind of file; got {name!r}. {nearest(name, [*FILES, 'result'], what='Kinds')}"
        )
    schema = FILES[name].model_json_schema()
    definitions = schema.setdefault("$defs", {})
    full = Source.model_json_schema()
    partial = {**full, "required": ["use"], "properties": {"use": {"type": "string"}, **full["properties"]}}
    definitions["FullSource"] = full
    definitions["Source"] = {"anyOf": [{"$ref": "#/$defs/FullSource"}, {"type": "string"}, partial]}
    schema["properties"]["sources"] = {
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/FullSource"},
    }
    return {"$schema": DIALECT, **_abbreviated(schema)}


def _abbreviated(part: Any) -> Any:
    if isinstance(part, list):
        return [_abbreviated(item) for item in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") == "array" and part.get("items") == {"$ref": "#/$defs/Quantity"}:
        return {"anyOf": [{"$ref": "#/$defs/Quantity"}, part]}
    if part.get("type") == "string" and not part.keys() & {"enum", "const", "pattern"}:
        return {**part, "type": ["string", "number"]}
    return {key: _abbreviated(item) for key, item in part.items()}
