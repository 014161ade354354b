"""Manifest: what made a result."""

from pydantic import ConfigDict, JsonValue

from gaddum.records.base import Record


class Manifest(Record):
    """What made a result. A run may say more of itself than is named here."""

    model_config = ConfigDict(extra="allow")

    version: str
    python: str
    jax: str
    numpy: str
    case_hash: str
    library_hash: str
    settings: dict[str, JsonValue]
    command: str = ""
    """The command line that gives the same; empty where there was none."""
    note: str = ""
