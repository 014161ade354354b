"""Text as people type and paste it, brought to one spelling before anything else reads it.

Word processors, journals and PDF viewers write one minus sign, prime, micro sign or space in many ways. `plain` knows
them; every door that reads quantities, names or doses goes through it.
"""

import re

_ONE_FOR_ONE = str.maketrans(
    "\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"  # hyphens, figure and en dash, minus signs
    "\u2018\u2019\u02b9\u2032\u00b4"  # quotation marks and primes, as in 2'-hydroxy
    "\u03bc\u22c5\u2219\u2022\u2027\u2044\u2215"  # Greek mu as micro sign; multiplication dots; slashes
    "\u0130\u0131\u017f\u212a",  # letters that are i, s and k to who ignores case, but are not
    "-------" + "'''''" + "\u00b5" + "\u00b7\u00b7\u00b7\u00b7" + "//" + "IisK",
)
_INVISIBLE = re.compile("[\u00ad\u200b\u200c\u200d\u2060\ufeff]")
_RAISED = "\u207a\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
_LOWERED = str.maketrans(_RAISED, "+-0123456789")
_BRACKETED = re.compile(r"\b10\(([-+][0-9]{1,2})\)")
"""A power of ten as abstracts in plain text write it, 10(-6)."""
_SUPERSCRIPT = re.compile(f"(?P<before>[0-9]?)(?P<raised>[{_RAISED}]+)")


def plain(text: str) -> str:
    """Write text with ASCII signs, one micro sign and plain spaces, its words and their case left alone.

    Parameters
    ----------
    text : str
        Any text, such as a cell of a spreadsheet.

    Returns
    -------
    str
        The same words; a raised exponent after a digit is marked by ``^``, after a unit it follows at once.

    Examples
    --------
    >>> plain("10\u00a0mg\u2009kg\u207b\u00b9"), plain("3\u00d710\u207b\u2077 M")
    ('10 mg kg-1', '3×10^-7 M')
    """
    text = re.sub(r"\s", " ", _INVISIBLE.sub("", text.translate(_ONE_FOR_ONE)))
    return _BRACKETED.sub(r"10^\1", _SUPERSCRIPT.sub(_lowered, text))


def _lowered(found: re.Match[str]) -> str:
    mark = "^" if found["before"] else ""
    return found["before"] + mark + found["raised"].translate(_LOWERED)


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value, as programs write it.

    Examples
    --------
    >>> is_missing(" . "), is_missing("NaN"), is_missing("0")
    (True, True, False)
    """
    return cell.strip().casefold() in _MISSING


_MISSING = ("", ".", "na", "nan", "n/a", "#n/a", "null")
