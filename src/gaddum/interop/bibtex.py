"""BibTeX: the works that a ledger rests on, as far as its sources name them.

A study is an entry under its id, with year, DOI and PubMed's number; other works that its numbers come from follow it
as ``ID_2``, ``ID_3``. Nothing is made up: a ledger calls reports by words of its own, so titles stand in brackets;
it knows no authors and no journals, so entries are of the type ``misc`` without them. What a source cites freely stands
in `note`, how it was read in `annote`. A reference manager fills in the rest by the DOI.
"""

import re
from collections.abc import Iterator

from gaddum.interop.tables import sources_of
from gaddum.records.experiment import Study
from gaddum.records.ledger import Ledger
from gaddum.records.source import Source

_SPECIAL = {char: "\\" + char for char in "&%$#_"} | {
    "{": r"\textbraceleft{}",  # BibTeX counts braces even where they are escaped
    "}": r"\textbraceright{}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def write_bibtex(ledger: Ledger) -> str:
    r"""Write the works that a ledger cites as BibTeX.

    Parameters
    ----------
    ledger : Ledger
        The studies.

    Returns
    -------
    str
        Entries in the order of the ledger; a work that several studies cite is listed once.

    Examples
    --------
    >>> from gaddum import load_case
    >>> print(write_bibtex(load_case("morphine").ledger.select(["matthes_1996"])), end="")
    @misc{matthes_1996,
      title = {[Morphine in mice without the mu receptor gene]},
      year = {1996},
      doi = {10.1038/383819a0},
      pmid = {8893006},
      annote = {read as: abstract}
    }
    """
    entries: list[str] = []
    listed: set[str] = set()
    for study in ledger.studies:
        entries.append(_entry(study.id, _own(study)))
        listed |= _names(study.source)
        for number, source in enumerate(_others(study, listed), 2):
            entries.append(_entry(f"{study.id}_{number}", _fields(source)))
    return "\n\n".join(entries) + "\n" if entries else ""


def _own(study: Study) -> dict[str, str]:
    return {"title": f"[{_escaped(study.title)}]", "year": str(study.year)} | _fields(study.source)


def _others(study: Study, listed: set[str]) -> Iterator[Source]:
    """Works beside the study itself that are not listed yet; notes each as listed."""
    for _, source in sources_of(study):
        names = _names(source)
        if names and not names & listed:
            yield source
        listed |= names


def _names(source: Source) -> set[str]:
    """What a work is known by; a free citation only where there is nothing better."""
    known = {name.casefold() for name in (source.doi, source.pmid) if name}
    return known or ({source.cites.casefold()} if source.cites else set())


def _fields(source: Source) -> dict[str, str]:
    fields = {
        "doi": source.doi,
        "pmid": source.pmid,
        "note": source.cites and _escaped(source.cites),
        "annote": f"read as: {source.how}",
    }
    return {name: text for name, text in fields.items() if text}


def _entry(key: str, fields: dict[str, str]) -> str:
    return f"@misc{{{key},\n" + ",\n".join(f"  {name} = {{{text}}}" for name, text in fields.items()) + "\n}"


def _escaped(text: str) -> str:
    return re.sub(r"[\\&%$#_{}~^]", lambda found: _SPECIAL[found[0]], " ".join(text.split()))
