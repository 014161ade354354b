"""The rows as a committed file: the rows, the blockades that could not be read, and the digest of what gave them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.prediction.engagement import RowEngagement
from benchmarks.prediction.rows import EVENTS, BlockadeRecord, Row

ROWS = Path(__file__).parent / "rows.json"
DIGITS = 6


def rows_document(record: BlockadeRecord, engagements: tuple[RowEngagement, ...]) -> dict[str, Any]:
    """Rows as a document; engagement is that of the scored rows."""
    engaged = dict(zip((row.name for row in record.scored), engagements, strict=True))
    return {
        "record": record.digest,
        "rows": [_row(row, engaged.get(row.name)) for row in record.rows],
        "unread": [one._asdict() for one in record.unread],
    }


def read(path: Path) -> dict[str, Any] | None:
    """Read a document; None where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def write(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document, a line an entry, so that changes can be read."""
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def rounded(numbers: Mapping[str, float | None]) -> dict[str, Any]:
    """Numbers with as many digits as the file keeps."""
    return {name: one if one is None else round(one, DIGITS) for name, one in numbers.items()}


def _row(row: Row, engaged: RowEngagement | None) -> dict[str, Any]:
    subject = {field: getattr(row.subject, field) for field in ("species", "stress", "sex", "preparation")}
    return {
        "name": row.name,
        "cohort": row.cohort,
        "laboratory": row.laboratory,
        "year": row.year,
        **subject,
        "antagonist": row.antagonist,
        "phase": row.phase,
        "weight": round(row.weight, DIGITS),
        "shares": dict(zip(EVENTS, np.round(row.shares, DIGITS).tolist(), strict=True)),
        "engagement": None if engaged is None else rounded(engaged._asdict()),
        "readings": [one._asdict() | {"chances": rounded(one.chances)} for one in row.readings],
    }
