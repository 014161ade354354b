"""Occupancy as one HTML page that stands alone, and as a table of comma-separated values."""

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from gaddum.surface.csv_table import csv_of
from gaddum.surface.hours import written
from gaddum.surface.html_page import render
from gaddum.surface.occupancy import chart
from gaddum.surface.occupancy.evidence import met_words, said, unknown
from gaddum.surface.occupancy.terminal_table import either, in_people, reached
from gaddum.surface.origin import install_lines
from gaddum.surface.report import charts

FILTERS: dict[str, Callable[..., Any]] = {
    "written": written,
    "said": said,
    "unknown": unknown,
    "met_words": met_words,
    "either": either,
    "reached": reached,
    "in_people": in_people,
}
"""What writes the numbers of the page."""
COLUMNS = ("protocol", "species", "kind", "target", "ligand", "time_h", "median", "lower", "upper", "unit")


def write_page(document: dict[str, Any]) -> str:
    """Write the page.

    Parameters
    ----------
    document : dict
        As `gaddum occupancy --json` prints it.

    Returns
    -------
    str
        A complete HTML page; it loads nothing.
    """
    parts = document["protocols"]
    return render(
        "occupancy.html.j2",
        FILTERS,
        d=document,
        title=parts[0]["label"] if len(parts) == 1 else "Occupancy under several protocols",
        figure=Markup(charts.svg(chart.inline(document), "occupancy")),
        tests=any(part["tests"] for part in parts),
        humps=any(part["humps"] for part in parts),
        install=install_lines(document["manifest"]["version"]),
        times=lambda part: next(iter(part["table"].values()))["time_h"],
    )


def write_table(document: dict[str, Any]) -> str:
    """Write every curve as comma-separated values, one row per time."""
    rows = list[tuple]()
    for part in document["protocols"]:
        who = (part["protocol"], part["species"])
        curves = [("occupied, curve", name, "", one) for name, one in part["curves"].items()]
        for kind, key in (
            ("occupied", "targets"),
            ("blocked", "blocked"),
            ("activated", "activated"),
            ("tone", "tone"),
        ):
            curves += [(kind, name, "", one) for name, one in part[key].items()]
        curves += [
            ("held", name, drug, one)
            for name, drugs in part["ligands"].items()
            for drug, one in drugs.items()
        ]
        curves += [("concentration", "", drug, one) for drug, one in part["concentrations"].items()]
        for kind, target, drug, one in curves:
            unit = "nM" if kind == "concentration" else "1"
            for values in zip(*(one[key] for key in ("time_h", "median", "lower", "upper")), strict=True):
                rows.append((*who, kind, target, drug, *(float(f"{value:.6g}") for value in values), unit))
    return csv_of(COLUMNS, rows)
