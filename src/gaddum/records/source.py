"""Source: where a number comes from, and how it was read.

A number without a Source does not load. `how` grades the reading:

- ``measured``: read in the paper itself, or in the authors' own tables;
- ``abstract``: read in an abstract or excerpt, the paper was not opened;
- ``secondary``: quoted by another text;
- ``derived``: computed from sourced numbers (`reason` states the method);
- ``assumption``: nobody measured it, or nobody could be read (`reason` states why this value and spread).

Assumptions are listed in every report.
"""

from collections.abc import Iterable
from typing import Literal

from pydantic import model_validator

from gaddum.records.base import Record

How = Literal["measured", "abstract", "secondary", "derived", "assumption"]
_READ: tuple[How, ...] = ("measured", "abstract", "secondary")


class Source(Record):
    """The origin of a number, a protocol or a result."""

    how: How
    doi: str | None = None
    pmid: str | None = None
    cites: str | None = None
    """Free citation where neither DOI nor PMID is known (author, year, journal, page title)."""
    locator: str | None = None
    """Figure, table, paragraph."""
    reason: str | None = None
    """Method of a derivation, or reason of an assumption."""
    occupancies_of: tuple[str, ...] = ()
    """Drugs whose occupancies in the living the number was drawn from; it is then calibrated on them, not predicted."""

    @model_validator(mode="after")
    def _traceable(self) -> "Source":
        if self.how in ("derived", "assumption") and not self.reason:
            raise ValueError(
                f"A source read as {self.how!r} must state its reason (method of derivation, or why this "
                "value and spread were assumed); got none. Add `reason:`."
            )
        if self.how in ("measured", "abstract", "secondary") and not (self.doi or self.pmid or self.cites):
            raise ValueError(
                f"A source read as {self.how!r} must be traceable; got neither `doi`, `pmid` nor `cites`. "
                "Add one, or call the number an assumption."
            )
        return self


def least_direct(sources: Iterable[Source]) -> How:
    """How texts were read: in the least direct of their ways; "assumption" where nothing was.

    Examples
    --------
    >>> least_direct([Source(how="measured", doi="10.1/a"), Source(how="secondary", cites="a review")])
    'secondary'
    """
    ways = {one.how for one in sources}
    worst: How = "assumption"
    for how in _READ:
        worst = how if how in ways else worst
    return worst
