"""Papers: by what one is known again where a number, a curve or a fit cites it."""

import re
from collections.abc import Iterable

from gaddum.records.source import Source

_IDENTIFIER = r"PMC\d+|PMID \d+|\b[0-9a-f]{8}\b|\b\d{7,8}\b|(?<=reg\. )\d{5}|(?<=oddb )\d{5}"
"""What a citation without a DOI is known by: numbers of databases, and of labels in a register."""


def paper_keys(sources: Iterable[Source]) -> set[str]:
    """DOIs, PMIDs and other numbers by which the papers of some sources are known again.

    Examples
    --------
    >>> sorted(paper_keys([Source(how="abstract", doi="10.1000/1", cites="a table (PMC123)")]))
    ['10.1000/1', 'PMC123']
    """
    found = set[str]()
    for one in sources:
        found |= {key for key in (one.doi, one.pmid) if key} | set(re.findall(_IDENTIFIER, one.cites or ""))
    return found


def cites_paper(source: Source, keys: Iterable[str]) -> bool:
    """Whether a source cites a paper that is known by any of these keys."""
    text = f"{source.doi} {source.pmid} {source.cites}"
    return any(key in text for key in keys)
