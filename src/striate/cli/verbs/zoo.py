"""List the networks that come with Striate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.analysis import Report
    from striate.cli.parser import Parser
    from striate.zoo import Architecture

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``--json``."""
    add_json(parser)


def command(options: Namespace) -> None:
    """Every network with the input and classes it was designed for, and what it costs there."""
    import striate as st
    from striate import zoo
    from striate.cli.output import show, write_plain
    from striate.views import json_text, zoo_table

    entries = zoo.architectures().values()
    if not options.json:
        show(zoo_table(entries))
        return
    write_plain(json_text([_as_dict(entry, st.inspect(entry.build())) for entry in entries]))


def _as_dict(entry: Architecture, report: Report) -> dict[str, object]:
    return {
        "name": entry.name,
        "aliases": list(entry.aliases),
        "input": list(entry.input),
        "classes": entry.classes if entry.adapts_classes else None,
        "parameters": report.parameters,
        "macs": report.macs,
        "summary": entry.summary,
    }
