"""What all pages share: how their templates are read, their style sheets, and the rows of a network's table."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from striate.units import format_count
from striate.views.inspect_rows import InspectRow, inspect_rows
from striate.views.number_wording import format_percent

if TYPE_CHECKING:
    from striate.analysis.report import Report

__all__ = ["network_rows", "page_css", "page_environment", "page_text"]


def page_environment() -> Environment:
    """Jinja with everything escaped that is not marked as safe; a name that is missing is an error."""
    environment = Environment(
        loader=PackageLoader("striate.views", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["count"] = format_count
    environment.filters["percent"] = lambda share: "–" if share is None else f"{format_percent(share)} %"
    environment.filters["breakable"] = _breakable
    return environment


def page_text(name: str) -> str:
    """A file of the templates as it is."""
    return (files("striate.views") / "templates" / name).read_text(encoding="utf-8")


def page_css(*names: str) -> Markup:
    """Style sheets, one after the other."""
    return Markup("\n".join(page_text(name) for name in names))


def network_rows(network: Report) -> list[tuple[InspectRow, float, float]]:
    """The rows with the lengths of the bars behind their shares, in percent."""
    parameters, macs = max(network.parameters, 1), max(network.macs, 1)
    return [
        (row, round(100 * node.parameters / parameters, 1), round(100 * node.macs / macs, 1))
        for row, node in zip(inspect_rows(network), network.nodes, strict=True)
    ]


def _breakable(name: str) -> Markup:
    """A long name that may go on in the next line behind a dot or an underscore."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(name))))
