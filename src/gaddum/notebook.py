"""Notebook: how a result shows itself in one, as a short table that the surface draws."""

from importlib import import_module
from typing import Any

SHOWN = 160
"""Longest list of names in a line that says what a result is (characters)."""


def html_of(result: Any) -> str:
    """A result as HTML; the surface lies above all that have results, so it is loaded when a notebook asks."""
    return import_module("gaddum.surface.plot").html_table(result)
