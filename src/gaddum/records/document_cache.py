"""Document cache: what the YAML files of large ledgers say, kept by their content, so that they are parsed once.

It lies in ``$XDG_CACHE_HOME/gaddum`` (``~/.cache/gaddum``) and may be deleted at any time. What is kept are plain
values, which are validated as records at every reading, so that nothing found here is believed more than a file is. Any
number of processes may use it at once; where it cannot be read or written, files are parsed.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any
from zlib import compress, decompress
from zlib import error as CompressionError

from gaddum.records.field import FieldPath
from gaddum.records.yaml import Document, parse_document

MOST = 50_000
"""Files that are kept, some 2 kB each; the oldest go first."""
_FORMAT = "1"
"""To be raised when `parse_document` gives something else for the same text."""
_WAIT = 2.0
"""How long another writer is waited for (s)."""


@contextmanager
def remembering(is_worth_it: bool = True) -> Iterator[Callable[[str, str], Document]]:
    """Give a `parse_document` that remembers what it read, also for later processes."""
    store = _opened() if is_worth_it else None
    if store is None:
        yield parse_document
        return
    new: dict[str, tuple[bytes, bytes]] = {}

    def parse(text: str, file: str) -> Document:
        key = sha256(f"{_FORMAT}\n{text}".encode()).hexdigest()
        found = _found(store, key, file)
        if found is None:
            found = parse_document(text, file)
            new[key] = (_packed(found.content), _packed([*found.lines.items()]))
        return found

    try:
        yield parse
    finally:
        with suppress(sqlite3.Error), store:
            rows = [(key, *said) for key, said in new.items()]
            store.executemany("INSERT OR REPLACE INTO documents VALUES (?, ?, ?)", rows)
            count = "(SELECT count(*) FROM documents)"
            store.execute(
                "DELETE FROM documents WHERE rowid IN "
                f"(SELECT rowid FROM documents ORDER BY rowid LIMIT max(0, {count} - ?))",
                [MOST],
            )
        store.close()


def _opened() -> sqlite3.Connection | None:
    """The store; None where it cannot be had. One that is damaged is begun anew."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")) / "gaddum"
    path = folder / "documents.sqlite"
    for _ in range(2):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            store = sqlite3.connect(path, timeout=_WAIT)
            store.execute(
                "CREATE TABLE IF NOT EXISTS documents (key TEXT PRIMARY KEY, content BLOB, lines BLOB)"
            )
            return store
        except sqlite3.OperationalError:  # not writable, or held by another
            return None
        except sqlite3.DatabaseError:
            with suppress(OSError):
                path.unlink()
        except OSError:
            return None
    return None


def _found(store: sqlite3.Connection, key: str, file: str) -> Document | None:
    try:
        row = store.execute("SELECT content, lines FROM documents WHERE key = ?", [key]).fetchone()
        return None if row is None else Document(file, dict(_unpacked(row[0])), _Lines(row[1]))
    except (sqlite3.Error, CompressionError, ValueError, TypeError):
        return None


class _Lines(Mapping[FieldPath, int]):
    """Lines of a file's fields, unpacked when one is asked for: most files have no findings."""

    def __init__(self, packed: bytes) -> None:
        self._packed = packed

    @cached_property
    def _known(self) -> dict[FieldPath, int]:
        try:
            return {tuple(path): line for path, line in _unpacked(self._packed)}
        except (CompressionError, ValueError, TypeError):
            return {}

    def __getitem__(self, path: FieldPath) -> int:
        return self._known[path]

    def __iter__(self) -> Iterator[FieldPath]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _packed(value: Any) -> bytes:
    return compress(json.dumps(value).encode(), 1)


def _unpacked(packed: bytes) -> Any:
    return json.loads(decompress(packed))
