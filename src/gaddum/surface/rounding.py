"""Rounding: numbers as text, with no more digits than their error allows.

Report, terminal and charts print every computed number through these functions.
"""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaddum.results import Odds, PropositionRow

MOST_DECIMALS = 3
UNKNOWN = "not known"


def rounded(value: float | None, error: float | None = None) -> str:
    """Write a number down to the decimal place of its error's first digit.

    Parameters
    ----------
    value : float or None
        The number.
    error : float or None
        Its standard error, in the same unit. Without one, or with an error of 0, two decimals are written.

    Returns
    -------
    str
        The number; "not known" where number or error is missing or not finite.

    Examples
    --------
    >>> rounded(3.14159, 0.04), rounded(3.14159, 0.4), rounded(1234.5, 37)
    ('3.14', '3.1', '1230')
    >>> rounded(-0.004, 0.1), rounded(-2.5, 0.02), rounded(float("nan"), 0.1)
    ('0.0', '\u22122.50', 'not known')
    """
    if value is None or not math.isfinite(value) or (error is not None and not math.isfinite(error)):
        return UNKNOWN
    decimals = 2 if not error else min(-math.floor(math.log10(abs(error))), MOST_DECIMALS)
    text = f"{round(value, decimals):.{max(decimals, 0)}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "\u2212")


def with_error(value: float | None, error: float | None) -> str:
    """Write a number and its error to the same decimal place.

    Examples
    --------
    >>> with_error(-12.345, 0.06), with_error(0.0, 0.0), with_error(5.21, 0.096)
    ('\u221212.35 \u00b1 0.06', '0', '5.2 \u00b1 0.1')
    """
    if value is not None and value == 0 and error == 0:
        return "0"
    if not error or not math.isfinite(error):
        return rounded(value, error)
    shown = float(f"{error:.1g}")
    return f"{rounded(value, shown)} \u00b1 {rounded(shown, shown)}"


def chance(probability: float | None, error: float | None = None) -> str:
    """Write a probability with at most two decimals, never as 0 or 1.

    Examples
    --------
    >>> chance(0.4567), chance(0.4567, 0.2), chance(0.9999), chance(1e-9), chance(None)
    ('0.46', '0.5', '> 0.99', '< 0.01', '\u2013')
    """
    if probability is None or not math.isfinite(probability):
        return "\u2013"
    if probability < 0.01:
        return "< 0.01"
    if probability > 0.99:
        return "> 0.99"
    return rounded(probability, max(error or 0.0, 0.01))


def chances(lower: float | None, upper: float | None) -> str:
    """Write a range of probabilities.

    Examples
    --------
    >>> chances(0.123, 0.5), chances(0.001, 0.002)
    ('0.12 to 0.50', '< 0.01')
    """
    first, last = chance(lower), chance(upper)
    return first if first == last else f"{first} to {last}"


def hypothesis_chance(row: "Odds") -> str:
    """Write a hypothesis's probability; its error is that of `log_ml` carried through Bayes' rule.

    Examples
    --------
    >>> from gaddum.results import Odds
    >>> hypothesis_chance(Odds(log_ml=0, log_ml_mcse=0.05, log_bf=0, log_bf_mcse=0, probability=0.4321))
    '0.43'
    >>> hypothesis_chance(Odds(log_ml=0, log_ml_mcse=0.9, log_bf=0, log_bf_mcse=0, probability=0.4321))
    '0.4'
    """
    return chance(row.probability, row.probability * (1 - row.probability) * row.log_ml_mcse)


def where(row: "PropositionRow") -> str:
    """Write where a proposition was asked: its stratum and phase, or `all`."""
    return row.stratum if row.stratum == row.phase else f"{row.stratum}, {row.phase}"


def percent(share: float | None) -> str:
    """Write a fraction as per cent; a dash where there is none."""
    return "\u2013" if share is None else f"{100 * share:.0f} %"
