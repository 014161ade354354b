"""Theme: colours and fonts that all figures share."""

from typing import Any, NamedTuple

SUPPORTED, CONTRADICTED, OPEN, PALE = "#1f7a80", "#b4552d", "#8fa3ad", "#b9c4ca"
FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
"""Fonts of one width, so that text takes the room that was measured for it."""


class Theme(NamedTuple):
    """What differs between a figure in a page and one that stands alone."""

    ink: str
    muted: str
    background: str

    @property
    def axis(self) -> dict[str, Any]:
        """Settings of an axis without a line."""
        return {"domain": False, "tickSize": 0, "labelColor": self.ink, "titleColor": self.ink}

    @property
    def grid(self) -> dict[str, Any]:
        """Settings of an axis with a faint grid and no line."""
        return self.axis | {"grid": True, "gridColor": self.muted, "gridOpacity": 0.18}


INLINE = Theme(ink="currentColor", muted="#7b858c", background="transparent")
PAPER = Theme(ink="#1c2529", muted="#6b757c", background="#ffffff")
