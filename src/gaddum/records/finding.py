"""Finding: one thing that is wrong, or doubtful, in a file that somebody wrote.

Every reader of files collects findings instead of stopping at the first; `RecordError` carries those that make a
record unusable. Levels: ``error`` (cannot be used), ``warning`` (can be used, probably not meant), ``note``
(worth knowing, changes no exit code).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

_VARIABLE = re.compile(r"'[^']*'|got .*|[-+0-9.e]*[0-9][-+0-9.e]*")
"""What differs between messages of one kind."""

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


class MissingPrior(ValueError):
    """The prior table of a case lacks a row that is needed."""

    def __init__(self, row: str, there: Iterable[str]):
        self.row = row
        rows = ", ".join(there) or "none"
        super().__init__(
            f"The prior table must have a row {row!r}; it has {rows}. Add it to `priors` in case.yaml."
        )


def kind_of(finding: Finding) -> tuple[str, str]:
    """What findings have in common that differ in names and numbers only."""
    return finding.level, _VARIABLE.sub("", finding.message)


def capped(findings: Iterable[Finding], most: int = 20) -> list[Finding]:
    """Keep the first findings of each kind, the last of which counts those left out.

    What is said in the same words more than three times, as of a drug that the library lacks, is said once.
    """
    same: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        same.setdefault((finding.level, finding.message), []).append(finding)
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for alike in same.values():
        if len(alike) > 3:
            told = f"{alike[0].message} (And in {len(alike) - 1} more places.)"
            kinds.setdefault(kind_of(alike[0]), []).append(replace(alike[0], message=told))
        else:
            kinds.setdefault(kind_of(alike[0]), []).extend(alike)
    kept = []
    for alike in kinds.values():
        kept += alike[:most]
        if len(alike) > most:
            told = f"There are {len(alike) - most} more findings of the kind: {alike[0].message}"
            kept.append(Finding(alike[0].level, alike[0].file, "", told))
    return kept


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
    >>> nearest("antagonist", ["agonist", "competitive antagonist"])
    "Did you mean 'competitive antagonist'?"
    """
    names = list(dict.fromkeys(known))
    folded = {candidate.casefold(): candidate for candidate in names}
    close = [one for one in folded if len(name) > 3 and name.casefold() in one.split()][:3]
    close = close or get_close_matches(name.casefold(), folded, n=3, cutoff=0.7)
    if close:
        return f"Did you mean {' or '.join(repr(folded[key]) for key in close)}?"
    if len(names) > 40:
        return f"{what}: {', '.join(sorted(names)[:40])}, and {len(names) - 40} more."
    return f"{what}: {', '.join(sorted(names)) or 'none'}."
