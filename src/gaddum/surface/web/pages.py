"""Pages: which requests the workbench asks, and how each is answered.

One line of `PAGES` is a page, its JSON, and its figures and table: what a command prints is what they are made from.
"""

import json
import tempfile
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from gaddum.surface.cli import COMMANDS
from gaddum.surface.request import Request
from gaddum.surface.web.child import answer
from gaddum.surface.web.shelf import Shelf, admit


class Page(NamedTuple):
    """A request as a page."""

    verb: str
    request: str
    """Name of the request's class in the module of its command."""
    title: str
    question: str
    example: str
    """Query string of what is shown where nothing is asked; empty where nothing can be."""
    fields: tuple[str, ...]
    """Keys that the form shows."""
    more: tuple[str, ...] = ()
    """Keys that it folds."""
    kinds: tuple[str, ...] = ("json",)
    """What else may be downloaded under the page's name."""

    @property
    def path(self) -> str:
        """Where it is."""
        return f"/{self.verb.replace(' ', '/')}"

    @property
    def template(self) -> str:
        """How its answer is written."""
        return f"web/{self.verb.replace(' ', '_')}.html.j2"

    @property
    def kind(self) -> type[Request]:
        """What it asks."""
        return getattr(import_module(COMMANDS[self.verb]), self.request)


PAGES = (
    Page(
        "occupancy",
        "OccupancyRequest",
        "Occupancy",
        "How much of each receptor is occupied, when, and how sure is that?",
        "protocols=naltrexone+50+mg+po+at+-45+min+%2B+ketamine+0.5+mg/kg+iv+over+40+min",
        ("protocols", "species", "targets", "at"),
        (
            "until",
            "weight",
            "preparation",
            "tone",
            "case",
            "above",
            "reach",
            "vary",
            "drug",
            "human-equivalent",
            "draws",
            "seed",
        ),
        ("json", "csv", "svg", "png", "html"),
    ),
    Page(
        "audit",
        "AuditRequest",
        "Audit",
        "Was the antagonist there, and would the test have seen a difference?",
        "what=klein2020",
        ("what",),
        ("case", "draws", "seed"),
        ("json", "html"),
    ),
    Page(
        "schild",
        "SchildRequest",
        "Schild",
        "How strongly does the antagonist bind: pA2 with its interval, or a bound?",
        "",
        ("file", "unit"),
        ("hold", "level", "agonist", "antagonist", "separator", "decimal"),
        ("json", "png"),
    ),
    Page(
        "adjudicate",
        "AdjudicateRequest",
        "Verdict",
        "Which account of the effect does the record support, and how sure is that?",
        "case=ketamine",
        ("case", "until"),
        ("hypotheses", "link", "comparator", "seed"),
        ("json", "html"),
    ),
    Page(
        "ledger list",
        "LedgerListRequest",
        "Ledger",
        "Which studies does a case rest on?",
        "case=ketamine",
        ("case",),
        (),
        ("json", "csv"),
    ),
    Page(
        "ledger show",
        "LedgerShowRequest",
        "Study",
        "What does the record say of one study?",
        "case=ketamine&study=klein2020",
        ("case", "study"),
    ),
    Page(
        "check",
        "CheckRequest",
        "Check",
        "What is wrong, or doubtful, in the files of a case or a table of curves?",
        "case=morphine",
        ("case",),
    ),
)
"""Every page that asks a request."""


class PageAnswer(NamedTuple):
    """What a command says."""

    text: str
    """As its `--json` prints it."""
    document: Any
    figure: bytes = b""
    """What it draws itself, where it reads the user's own files."""
    own: bool = False
    """Whether it reads the user's own files."""


def answered(page: Page, asked: Request, shelf: Shelf) -> PageAnswer:
    """Answer a request that a page was asked.

    Raises
    ------
    ValueError
        As the command does, or because the page may not ask that.
    """
    keys = {*page.fields, *page.more}
    own = admit(asked, shelf, [name.replace("-", "_") for name in keys])
    if page.verb == "adjudicate":
        return _verdict(asked, shelf)
    if own or page.verb == "check":  # whose readiness needs JAX
        return _by_child(asked, shelf, shelf.stamps())
    return _here(page.verb, asked)


@lru_cache(32)
def _here(verb: str, asked: Request) -> PageAnswer:
    """Answer in this process what reads the bundled library alone."""
    from gaddum.surface.files import as_json

    found = import_module(COMMANDS[verb]).run(asked)
    document = found.model_dump(mode="json") if hasattr(found, "model_dump") else found
    return PageAnswer(as_json(document) + "\n", document)


@lru_cache(8)
def _by_child(asked: Request, shelf: Shelf, stamps: str) -> PageAnswer:
    """Answer by the command itself what reads the user's own files; `stamps` tell when they changed."""
    import shlex

    words = shlex.split(asked.command())
    if asked.verb != "schild":
        text = answer([*words, "--json"], shelf.folder)
        return PageAnswer(text, json.loads(text), own=True)
    with tempfile.TemporaryDirectory() as place:
        text = answer([*words[:2], "--out", place, "--json", *words[2:]], shelf.folder)
        return PageAnswer(text, json.loads(text), (Path(place) / "schild.png").read_bytes(), own=True)


def _verdict(asked: Any, shelf: Shelf) -> PageAnswer:
    """A verdict that was computed before, of these inputs by this version."""
    from gaddum.surface.web.verdicts import kept

    found = kept(asked, shelf.folder)
    if found is None:
        raise NotYet(f"The verdict of {asked.case} on these inputs is not computed yet; it takes minutes.")
    return PageAnswer(found.to_json() + "\n", found)


class NotYet(ValueError):
    """What a job must compute before it can be shown."""


def made(verb: str, kind: str, found: PageAnswer) -> str | bytes:
    """What is made of an answer, by the ending of its name; the figures and tables that `--out` writes."""
    match verb, kind:
        case _, "json":
            return found.text
        case "occupancy", "csv":
            from gaddum.surface.occupancy.page import write_table

            return write_table(found.document)
        case "occupancy", "html":
            from gaddum.surface.occupancy.page import write_page

            return write_page(found.document)
        case "occupancy", "svg":
            from gaddum.surface.occupancy.chart import svg

            return svg(found.document)
        case "occupancy", "png":
            from gaddum.surface.occupancy.chart import png

            return png(found.document)
        case "schild", "png":
            return found.figure
        case "audit", "html":
            from gaddum.surface.audit_page import write_page as write_audit

            return write_audit(found.document)
        case "adjudicate", "html":
            from gaddum.surface.report.page import write_report

            return write_report(found.document)
        case "ledger list", "csv":
            from gaddum.surface.ledger.listing import csv_of_studies

            return csv_of_studies(found.document)
    raise ValueError(f"What is made must be of a page; got {verb}.{kind}.")


MEDIA = {
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "html": "text/html; charset=utf-8",
}
"""Kind of content by the ending of its name."""
