"""Report: a result as one HTML page that stands alone.

The page loads nothing: style, figures and its one short script are inside, and its security policy forbids the rest.
All text of the result is escaped. Sections (`sections`) fold on the screen and unfold on paper.
"""

import base64
import hashlib
from collections.abc import Sequence
from itertools import groupby

from altair.utils.schemapi import debug_mode
from markupsafe import Markup

from gaddum.results import LEAST_DRAWS, AdjudicationResult, ClaimRow, Interval, PropositionRow
from gaddum.surface.files import asset
from gaddum.surface.html_page import render
from gaddum.surface.report.answers import TOO_FEW, first_screen, known_range, thin
from gaddum.surface.report.sections import SECTIONS, Section
from gaddum.surface.rounding import chance, chances, hypothesis_chance, percent, rounded, with_error

LEAST_CONTRACTION = 0.1
"""Share of the prior variance below which a parameter counts as decided by its prior."""


def write_report(result: AdjudicationResult, sections: Sequence[Section] = SECTIONS) -> str:
    """Write the result of an adjudication as a complete HTML page."""
    script = asset("unfold.js")
    filters = {
        "rounded": rounded,
        "with_error": with_error,
        "chance": lambda value: chance(value),
        "chances": chances,
        "hypothesis_chance": hypothesis_chance,
        "contraction": _contraction,
        "span": _span,
        "claim_chance": _claim_chance,
        "percent": percent,
        "by_name": _by_name,
        "range": lambda row: chances(*known_range(result, row) or (None, None)),
    }
    with debug_mode(
        False
    ):  # what our own functions draw need not be checked against Vega-Lite's schema each time
        contents = [(one, one.content(result)) for one in sections]
    return render(
        "report.html.j2",
        filters,
        conditions={"thin": thin},
        r=result,
        script=Markup(script),
        script_hash=_digest(script),
        first=first_screen(result),
        too_few=TOO_FEW,
        least_draws=LEAST_DRAWS,
        sections=[(one, content) for one, content in contents if content is not None],
    )


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _contraction(share: float | None) -> str:
    if share is None:
        return "not used"
    return "prior" if share < LEAST_CONTRACTION else percent(share)


def _span(one: Interval | dict[str, float] | None) -> str:
    """Middle and interval, to the place that the interval's width allows."""
    if not one:
        return "\u2013"
    row = Interval.model_validate(one)
    error = max((row.upper - row.lower) / 4, 0.01)
    return f"{rounded(row.median, error)} ({rounded(row.lower, error)} to {rounded(row.upper, error)})"


def _claim_chance(row: ClaimRow) -> str:
    """Probability of a claim, or that it was counted rather than weighed."""
    bases = {answer.basis for answer in row.answers}
    return "counted" if bases and bases <= {"ledger", "comparison"} else chance(row.probability)


def _by_name(rows: Sequence[PropositionRow]) -> list[list[PropositionRow]]:
    return [list(group) for _, group in groupby(rows, key=lambda row: row.name)]
