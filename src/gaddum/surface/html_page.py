"""HTML page: a template with its styles inside, so that the page stands alone; all text in it is escaped."""

from collections.abc import Callable
from typing import Any

import jinja2
from markupsafe import Markup

from gaddum.surface.files import asset


def render(
    template: str,
    filters: dict[str, Callable],
    *,
    conditions: dict[str, Callable] | None = None,
    styles: tuple[str, ...] = (),
    **content: Any,
) -> str:
    """Fill in a file of `templates`; `styles` follow the style sheet of all pages."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset),
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= filters
    environment.tests |= conditions or {}
    style = Markup("".join(map(asset, ("report.css", *styles))))
    return environment.get_template(template).render(content, style=style)
