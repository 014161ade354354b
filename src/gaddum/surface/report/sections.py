"""Sections of the report: each a heading, a template of `templates/report`, and what that needs beside the result.

A section is added by its template and one line in `SECTIONS`. Templates see the result as `r` and what the function of
their section gave as `s`; where that gives None, the section is left out.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import altair as alt
from markupsafe import Markup

from gaddum.records.manifest import Manifest
from gaddum.results import AdjudicationResult
from gaddum.surface.origin import install_lines
from gaddum.surface.report import charts
from gaddum.surface.report.answers import thin
from gaddum.surface.report.held_out_chart import chart_held_out
from gaddum.surface.report.timeline_chart import chart_timeline

Content = dict[str, Any] | None


class Section(NamedTuple):
    """A part of the report that unfolds."""

    title: str
    aside: str
    """What it is about, beside the title; `aside` of the content where that depends on the result."""
    template: str
    content: Callable[[AdjudicationResult], Content] = lambda r: {}


def _figure(chart: alt.TopLevelMixin, name: str) -> dict[str, Markup]:
    return {"figure": Markup(charts.svg(chart, name))}


def _verdict(r: AdjudicationResult) -> Content:
    first, dot, rest = r.verdict.partition("). ")
    years = sorted({row.year for row in r.studies})
    return {
        "verdict": [first + ").", rest] if dot else [r.verdict],
        "scored": sum(row.scored for row in r.studies),
        "outcomes": sum(row.n_outcomes for row in r.studies),
        "verbal": sum(row.form == "verdict" for row in r.forest),
        "years": "\u2013".join(map(str, dict.fromkeys([years[0], years[-1]]))) if years else "\u2013",
        "settled": sum(row.verdict != "undecided" for row in r.propositions),
    }


def _accounts(r: AdjudicationResult) -> Content:
    established = all(row.established for row in r.hypotheses)
    return _figure(charts.chart_posterior(r), "posterior") | {"established": established}


def _propositions(r: AdjudicationResult) -> Content:
    return _figure(charts.chart_propositions(r), "propositions") if r.propositions else None


def _timeline(r: AdjudicationResult) -> Content:
    return _figure(chart_timeline(r), "timeline") if len(r.timeline) > 1 else None


def _forest(r: AdjudicationResult) -> Content:
    return _figure(charts.chart_forest(r), "forest") if r.forest else None


def _held_out(r: AdjudicationResult) -> Content:
    if not r.held_out:
        return None
    return {} if all(map(thin, r.held_out)) else _figure(chart_held_out(r), "held-out")


def _engagement(r: AdjudicationResult) -> Content:
    studies = dict.fromkeys(row.study for row in r.engagement)
    figures = [
        (study, Markup(charts.svg(charts.chart_engagement(r.engagement, study=study), f"engagement-{place}")))
        for place, study in enumerate(studies)
    ]
    return {"figures": figures} if figures else None


def _repeat(r: AdjudicationResult) -> Content:
    return {"commands": _commands(r.manifest), "manifest": list(_manifest_rows(r.manifest))}


def _commands(manifest: Manifest) -> list[str]:
    return [*install_lines(manifest.version, "weigh"), *filter(None, [manifest.command])]


def _manifest_rows(manifest: Manifest) -> Iterable[tuple[str, str]]:
    for key, value in manifest:
        if key == "command":
            continue
        if isinstance(value, dict):
            value = ", ".join(f"{name} {one}" for name, one in value.items())
        yield key.replace("_", " "), str(value)


def methods_paragraph(r: AdjudicationResult) -> str:
    """Describe what was done, in words that a paper can take over."""
    settings = r.manifest.settings
    scored = sum(row.scored for row in r.studies)
    until = f" up to {r.until}" if r.until else ""
    sampler = publication = ""
    if r.flagged:
        publication = (
            f" For {r.flagged} outcomes whose publication may have hung on significance the set includes step "
            "selection."
        )
    if settings.get("populations") and settings.get("particles"):
        sampler = f" ({settings['populations']} populations of {settings['particles']} particles)"
    return (
        f"{len(r.hypotheses)} rival accounts of {r.effect} were compared on {scored} outcomes of "
        f"{len(r.studies)} studies{until}. Each account is a mechanism, a logical rule over receptor features; "
        "exposure, receptor engagement and circuit were computed in closed form with shared prior "
        "distributions. Outcomes entered through the probability of what was reported under the test that was "
        "run, so that a published verdict without numbers counts for what it is worth; cohorts have a common "
        "multiplicative effect, integrated out, and may fail altogether with a small prior probability. Unknown "
        "group sizes, doubtful error bars and unstated decision rules were averaged over. Log marginal "
        "likelihoods were estimated by sequential Monte Carlo through the record with final gradient moves and "
        f"bridge sampling{sampler}; errors are Monte-Carlo standard errors. Accounts that the record cannot tell "
        "apart share one prior mass. A proposition counts as supported (contradicted) only if its probability "
        "stays above 0.95 (below 0.05) over the declared prior set, both parameterisations and with any one "
        f"cohort removed.{publication} Software: gaddum {r.manifest.version}, seed {r.seed}."
    )


SECTIONS: Sequence[Section] = (
    Section("The verdict in a paragraph", "to quote", "verdict", _verdict),
    Section("What is missing", "", "missing", lambda r: {} if r.missing else None),
    Section("Probability of each account", "given the record, and before it", "accounts", _accounts),
    Section("Propositions", "what the record says, per stratum and phase", "propositions", _propositions),
    Section(
        "Claims",
        "one row each: what the record says, what drives it, what would test it",
        "claims",
        lambda r: {} if r.claims else None,
    ),
    Section(
        "Accounts in numbers",
        "log Bayes factors with Monte-Carlo errors, in both parameterisations",
        "hypotheses",
    ),
    Section(
        "Where the Bayes factors come from",
        "verdicts without numbers, unknown sizes, time course",
        "bayes_factors",
        lambda r: {} if any(row.parts for row in r.hypotheses) else None,
    ),
    Section(
        "Sensitivity",
        "other priors, other parameterisation, each cohort left out",
        "sensitivity",
        lambda r: {} if r.sensitivity else None,
    ),
    Section("Timeline", "what the record said after each year", "timeline", _timeline),
    Section("Observed against predicted", "every scored outcome", "forest", _forest),
    Section("Held-out outcomes", "each foretold by the rest of the record", "held_out", _held_out),
    Section("Engagement per study", "how far each arm moves each target", "engagement", _engagement),
    Section("Priors and assumptions", "what was put in, and how much the record taught", "priors"),
    Section(
        "Studies and competing interests",
        "",
        "studies",
        lambda r: {"aside": f"{len(r.studies)} in the ledger"},
    ),
    Section("Methods", "a paragraph to adapt", "methods", lambda r: {"text": methods_paragraph(r)}),
    Section("How to repeat it", "", "repeat", _repeat),
)
"""In the order of the page."""
