"""Report: a result as one HTML page that stands alone.

The page loads nothing: style, figures and its one short script are inside, and its security policy forbids the rest.
All text of the document is escaped. Sections fold on the screen and unfold on paper.
"""

import base64
import hashlib
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from gaddum.surface.files import asset
from gaddum.surface.html_page import render
from gaddum.surface.origin import install_lines
from gaddum.surface.report import charts
from gaddum.surface.report.held_out_chart import chart_held_out
from gaddum.surface.report.timeline_chart import chart_timeline
from gaddum.surface.rounding import chance, chances, hypothesis_chance, percent, rounded, with_error

LEAST_CONTRACTION = 0.1
"""Share of the prior variance below which a parameter counts as decided by its prior."""


def write_report(document: dict[str, Any]) -> str:
    """Write a result, as `gaddum adjudicate --json` prints it, as a complete HTML page."""
    hypotheses = sorted(document["hypotheses"], key=lambda row: -row["probability"])
    reference = next((row for row in hypotheses if row["reference"]), hypotheses[0])
    script = asset("unfold.js")
    filters = {
        "rounded": rounded,
        "with_error": with_error,
        "chance": lambda value: chance(value),
        "chances": chances,
        "hypothesis_chance": hypothesis_chance,
        "contraction": _contraction,
        "interests": lambda value: value if isinstance(value, str) else "; ".join(value) or "unknown",
        "span": _span,
        "claim_chance": _claim_chance,
        "percent": percent,
        "groupby_ordered": _groups,
    }
    return render(
        "report.html.j2",
        filters,
        d=document,
        script=Markup(script),
        script_hash=_digest(script),
        charts=_figures(document),
        verdict=_paragraphs(document["verdict"]),
        hypotheses=hypotheses,
        reference=reference,
        reference_log_ml=reference["log_ml"],
        established=all(row["established"] for row in hypotheses),
        counts=_counts(document),
        parts=any(row.get("parts") for row in hypotheses),
        methods=methods_paragraph(document),
        commands=_commands(document["manifest"]),
        manifest=list(_manifest_rows(document["manifest"])),
    )


def methods_paragraph(document: dict[str, Any]) -> str:
    """Describe what was done, in words that a paper can take over."""
    settings = document["manifest"].get("settings") or {}
    count = len(document["hypotheses"])
    scored = sum(row["scored"] for row in document["studies"])
    until = f" up to {document['until']}" if document.get("until") else ""
    sampler = publication = ""
    if (document.get("selection") or {}).get("settings"):
        publication = (
            f" For {document['selection']['flagged']} outcomes whose publication may have hung on significance the set "
            "includes step selection."
        )
    if settings.get("populations") and settings.get("particles"):
        sampler = f" ({settings['populations']} populations of {settings['particles']} particles)"
    return (
        f"{count} rival accounts of {document['effect']} were compared on {scored} outcomes of "
        f"{len(document['studies'])} studies{until}. Each account is a gate over receptor features; exposure, receptor "
        "engagement and circuit were computed in closed form with shared prior distributions. Outcomes entered through "
        "the probability of what was reported under the test that was run, so that a published verdict without numbers "
        "counts for what it is worth; cohorts have a common multiplicative effect, integrated out, and may fail "
        "altogether with a small prior probability. Unknown group sizes, doubtful error bars and unstated decision "
        "rules were averaged over. Log marginal likelihoods were estimated by sequential Monte Carlo through the "
        f"record with final gradient moves and bridge sampling{sampler}; errors are Monte-Carlo standard errors. "
        "Accounts that the "
        "record cannot tell apart share one prior mass. A proposition counts as supported (contradicted) only if its "
        "probability stays above 0.95 (below 0.05) over the declared prior set, both parameterisations and with any "
        f"one cohort removed.{publication} Software: gaddum {document['manifest'].get('version', '')}, "
        f"seed {document['seed']}."
    )


def _digest(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _figures(document: dict[str, Any]) -> dict[str, Any]:
    figures: dict[str, Any] = {"posterior": Markup(charts.svg(charts.chart_posterior(document), "posterior"))}
    if document["propositions"]:
        figures["propositions"] = Markup(charts.svg(charts.chart_propositions(document), "propositions"))
    if len(document.get("timeline") or []) > 1:
        figures["timeline"] = Markup(charts.svg(chart_timeline(document), "timeline"))
    if document["forest"]:
        figures["forest"] = Markup(charts.svg(charts.chart_forest(document), "forest"))
    if (document.get("held_out") or {}).get("histogram"):
        figures["held_out"] = Markup(charts.svg(chart_held_out(document), "held-out"))
    studies = dict.fromkeys(row["study"] for row in document["engagement"])
    figures["engagement"] = [
        (study, Markup(charts.svg(charts.chart_engagement(document, study=study), f"engagement-{place}")))
        for place, study in enumerate(studies)
    ]
    return figures


def _paragraphs(verdict: str) -> list[str]:
    """Set the first sentence apart; it is the verdict, the rest explains it."""
    first, dot, rest = verdict.partition("). ")
    return [first + ").", rest] if dot else [verdict]


def _counts(document: dict[str, Any]) -> dict[str, Any]:
    studies = document["studies"]
    years = sorted(row["year"] for row in studies)
    return {
        "scored": sum(row["scored"] for row in studies),
        "outcomes": sum(row["n_outcomes"] for row in studies),
        "verbal": sum(row["form"] == "verdict" for row in document["forest"]),
        "years": "–"
        if not years
        else f"{years[0]}"
        if years[0] == years[-1]
        else f"{years[0]}\u2013{years[-1]}",
        "settled": sum(row["verdict"] != "undecided" for row in document["propositions"]),
    }


def _contraction(share: float | None) -> str:
    if share is None:
        return "not used"
    return "prior" if share < LEAST_CONTRACTION else percent(share)


def _span(row: dict[str, float] | None) -> str:
    """Middle and interval, to the place that the interval's width allows."""
    if not row:
        return "–"
    middle = row.get("effect", row.get("median"))
    error = max((row["upper"] - row["lower"]) / 4, 0.01)
    return f"{rounded(middle, error)} ({rounded(row['lower'], error)} to {rounded(row['upper'], error)})"


def _claim_chance(row: dict[str, Any]) -> str:
    """Probability of a claim, or that it was counted rather than weighed."""
    bases = {answer["basis"] for answer in row.get("answers") or []}
    return "counted" if bases and bases <= {"ledger", "comparison"} else chance(row["probability"])


def _groups(rows: list[dict[str, Any]], key: str) -> list[list[dict[str, Any]]]:
    groups: dict[Any, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row[key], []).append(row)
    return list(groups.values())


def _commands(manifest: dict[str, Any]) -> list[str]:
    listed = manifest.get("commands") or [manifest.get("command", "")]
    return [*install_lines(manifest.get("version", ""), "weigh"), *listed]


def _manifest_rows(manifest: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for key, value in manifest.items():
        if key in ("command", "commands"):
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{name} {one}" for name, one in value.items())
        elif isinstance(value, list | tuple):
            value = ", ".join(str(one) for one in value)
        yield key.replace("_", " "), str(value)
