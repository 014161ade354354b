"""Finding: one thing that is wrong, or doubtful, in a file that somebody wrote.

Every reader of files collects findings instead of stopping at the first; `RecordError` carries those that make a
record unusable. Levels: ``error`` (cannot be used), ``warning`` (can be used, probably not meant), ``note``
(worth knowing, changes no exit code).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One finding: where it is, what must hold and what was found."""

    level: Level
    file: str
    where: str
    """Field path, such as ``experiments[0].outcomes[2].p``; empty for the file as a whole."""
    message: str
    """What must hold, what was found, what to do."""
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.level, self.where, self.message) if part)


class RecordError(ValueError):
    """Files that could not be read as records, with all findings."""

    def __init__(self, findings: Iterable[Finding]):
        self.findings = tuple(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))

    def __reduce__(self) -> tuple:
        return type(self), (self.findings,)


def nearest(name: str, known: Iterable[str], *, what: str = "Known") -> str:
    """Say which known keys are near an unknown one, or list the known ones if they are few.

    Examples
    --------
    >>> nearest("naltrexon", ["naltrexone", "naloxone", "CTAP"])
    "Did you mean 'naltrexone' or 'naloxone'?"
    >>> nearest("x", ["CTAP", "MOR"])
    'Known: CTAP, MOR.'
    >>> nearest("x", [])
    'Known: none.'
    """
    names = list(dict.fromkeys(known))
    folded = {candidate.casefold(): candidate for candidate in names}
    close = get_close_matches(name.casefold(), folded, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(repr(folded[key]) for key in close)}?"
    if len(names) > 40:
        return f"{what}: {', '.join(sorted(names)[:40])}, and {len(names) - 40} more."
    return f"{what}: {', '.join(sorted(names)) or 'none'}."
