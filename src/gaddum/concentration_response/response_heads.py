"""Heads of a table of responses: which concentration, in which unit and scale, and which statistic a column holds.

A head is parsed whole, ``[words] number unit [statistic]`` for a level of antagonist, ``[-log] words unit`` for a
column of concentrations. What is left over is refused, since a number that is dropped is a wrong level.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from gaddum import units
from gaddum.interop.grid import head_unit, is_unit, number
from gaddum.records.library import load_library
from gaddum.text import is_missing, plain

_CONTROL = re.compile(
    r"(?:control|vehicle|saline|dmso|none|alone|(?:[\w-]+ ){1,2}alone|(?:no|without) (?:antagonist|blocker|inhibitor))"
)
_STATISTICS = {"mean": "mean", "sd": "sd", "sem": "sem", "se": "sem", "n": "n"}
_ROLES = {"", "antagonist", "blocker", "inhibitor", "with", "plus"}
"""Words before a number that leave no doubt that it is a concentration, though it has no unit."""
_LOG = re.compile(r"(?P<minus>- ?)?log(?:10|\(10\))?(?=[^a-z]|m\b|agonist|antagonist)")
_NEARLY = re.compile(r"[fpnumµ]m|[fpnumµ]?mol/?l?|[pnumµ]?g/?[dumµ]?l")
"""What a unit of concentration looks like in lower case."""
_LARGEST_LOG = 30.0
MOST_SUBJECTS = 1000
"""Largest n of a mean."""


class LevelHead(NamedTuple):
    """What a column of responses is headed by."""

    level: float
    """Concentration of antagonist (nM), 0 where there is none."""
    drug: str
    """Words before the number, in lower case."""
    statistic: str
    """"mean", "sd", "sem" or "n"; "" for single responses."""


class ConcentrationHead(NamedTuple):
    """What a column of concentrations is headed by."""

    words: str
    """What is named, in lower case: agonist, antagonist or anything else."""
    to_nanomolar: Callable[[float], float]
    says: str
    """How its numbers are read."""


def parse_level(head: str, unit: str, drug: str | None = None) -> LevelHead:
    """Read the head of a column of responses.

    Parameters
    ----------
    head : str
        For example ``"AM251 10 nM"``, ``"control"`` or ``"0.01 umol/L SEM"``.
    unit : str
        Unit of a number that has none.
    drug : str, optional
        The antagonist, where its molar mass is needed and the head does not name it.

    Examples
    --------
    >>> parse_level("+ AM251 (0.01 umol/L) n", "nM")
    LevelHead(level=10.0, drug='am251', statistic='n')
    """
    if is_missing(head):
        raise ValueError(
            f"A column of responses must have a head, such as '10 nM' or 'control'; got {head!r}."
        )
    words = re.sub(r"[()\[\]=:_]|(?<!\S)\+(?!\S)|,(?!\S)", " ", plain(head)).split()
    statistic = _STATISTICS.get(words[-1].casefold().replace(".", ""), "") if words else ""
    words = words[:-1] if statistic else words
    text = " ".join(words).casefold()
    if _CONTROL.fullmatch(text):
        return LevelHead(0.0, "", statistic)
    for place in range(len(words)):
        before, rest = " ".join(words[:place]).casefold(), " ".join(words[place:])
        level = _concentration(rest, unit if before in _ROLES else None, drug or before)
        if level is not None and (not before or re.search("[^\\W\\d_]", before)) and "log" not in before:
            return LevelHead(level, "" if before in _ROLES else before, statistic)
    raise ValueError(
        "A column of a wide table must be headed by the antagonist's concentration, such as 'AM251 10 nM' or "
        f"'control', perhaps with mean, SD, SEM or n, and by nothing else; got {head!r}. Replicates have the same head."
    )


def parse_concentration_head(head: str, unit: str, drug: str | None = None) -> ConcentrationHead:
    """Read the head of a column of concentrations.

    Parameters
    ----------
    head : str
        For example ``"agonist (uM)"``, ``"log[agonist]"`` (log10 of molar) or ``"-log agonist (M)"``.
    unit : str
        Unit where the head names none.
    drug : str, optional
        The drug, where its molar mass is needed.

    Examples
    --------
    >>> found = parse_concentration_head("log10 [agonist] (uM)", "nM")
    >>> found.words, found.to_nanomolar(-1.0), found.says
    ('agonist', 100.0, 'log10 of uM')
    """
    text = " ".join(plain(head).replace("_", " ").split())
    if not re.search("[^\\W\\d_]{2}|[^\\W\\d_e]", text.casefold()):
        raise ValueError(
            f"A column of concentrations must have a head in words, such as 'agonist (nM)'; got {head!r}."
        )
    log = _LOG.match(text.casefold())
    text = text[log.end() :] if log else text
    words, own = head_unit(text)
    if own is None:
        before, _, last = re.sub(r"[()\[\]]", " ", text).strip().rpartition(" ")
        words, own = (before, last) if is_unit(last) else (text, None)
        near = [one for one in re.findall(r"[^\s()\[\],]+", text) if _NEARLY.fullmatch(one.casefold())]
        if near and own is None:
            raise ValueError(
                f"A unit must be written in its own case, such as nM or ug/mL; got {near[-1]!r} in {head!r}."
            )
    used = own or ("M" if log else unit)
    scale = nanomolar(f"1 {used}", drug or words)
    words = " ".join(re.sub(r"[()\[\]]", " ", words).split()).casefold()
    if re.match(r"ln\b", words) or "log" in words:
        raise ValueError(f"A concentration must be linear or log10; got {head!r}.")
    if not log:
        return ConcentrationHead(words, lambda value: value * scale, used)
    sign = -1.0 if log["minus"] else 1.0

    def taken_back(value: float) -> float:
        if not abs(value) <= _LARGEST_LOG:
            raise ValueError(f"A log10 must lie within {_LARGEST_LOG:g}; got {value:g}.")
        return 10.0 ** (sign * value) * scale

    return ConcentrationHead(words, taken_back, f"{'-' if sign < 0 else ''}log10 of {used}")


def nanomolar(text: str, drug: str) -> float:
    """A concentration in nM, from mass by the molar mass that the library has of the drug.

    Examples
    --------
    >>> nanomolar("1 uM", ""), round(nanomolar("34.14 ng/mL", "naltrexone"), 6)
    (1000.0, 100.0)
    """
    value = units.magnitude(text, "concentration")
    if value < 0:
        raise ValueError(f"A concentration must not be negative; got {text!r}.")
    if units.canonical_unit(text, "concentration") == "nM":
        return value
    library = load_library()
    try:
        parts = library.species(library.drug_name(drug))
    except ValueError as error:
        raise ValueError(
            f"A concentration must be molar, such as nM, or the drug's molar mass be known; got {text!r}. {error} "
            "Name the drug with --agonist or --antagonist."
        ) from None
    ((mass, unit),) = {(part.molar_mass.value, part.molar_mass.unit) for part, _ in parts}
    return 1000.0 * value / units.magnitude(f"{mass!r} {unit}", "molar mass")


def _concentration(text: str, unit: str | None, drug: str) -> float | None:
    """Concentration (nM) that a text is, if it is one and nothing else; a bare number needs a unit."""
    try:
        bare = number(text)
    except ValueError:
        try:
            units.magnitude(text, "concentration")
        except ValueError:
            return None
        return nanomolar(text, drug)
    if bare == 0:
        return 0.0
    return None if unit is None else nanomolar(f"{bare!r} {unit}", drug)
