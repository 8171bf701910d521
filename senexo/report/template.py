"""Pages of HTML from the templates beside this module, each with the one style sheet."""

from __future__ import annotations

from importlib import resources
from typing import Any


def rendered(name: str, **content: Any) -> str:
    """A page: `assets/NAME.html.j2` with its content; a name that is not there is an error."""
    import jinja2

    assets = resources.files("senexo.report") / "assets"
    # autoescape: arm names and titles come from a user's file and may hold markup
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((assets / f"{name}.html.j2").read_text(encoding="utf-8"))
    return template.render(**content, css=(assets / "page.css").read_text(encoding="utf-8"))
