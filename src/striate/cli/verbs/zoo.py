"""List the networks that come with Striate.

Examples:
  striate zoo
  striate zoo resnet
  striate zoo segmentation --json
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from striate.cli.options import add_json

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.analysis import Report
    from striate.cli.parser import Parser
    from striate.zoo import Architecture

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``TEXT ...`` and ``--json``."""
    parser.words.add_argument(
        "texts", metavar="TEXT", nargs="*", help="only networks with all of these in their name, purpose or description"
    )
    add_json(parser)


def command(options: Namespace) -> None:
    """Every network with the input and classes it was designed for, and what it costs there."""
    import striate as st
    from striate.cli.output import show, write_plain
    from striate.views import json_text, zoo_table

    entries = _chosen(options.texts)
    if not options.json:
        show(zoo_table(entries))
        return
    write_plain(json_text([_as_dict(entry, st.inspect(entry.build())) for entry in entries]))


def _chosen(texts: list[str]) -> list[Architecture]:
    from striate import zoo
    from striate.errors import UsageError, near_miss

    chosen = list(zoo.architectures().values())
    families = sorted({entry.family for entry in chosen})
    for text in texts:
        # resnet is also a part of wide_resnet50_2, but lenet is no part of mobilenet that anybody means.
        among = [entry for entry in chosen if any(_folded(start).startswith(_folded(text)) for start in _starts(entry))]
        chosen = among or [entry for entry in chosen if _folded(text) in _folded(_said(entry))]
        if not chosen:
            raise UsageError(
                "no network of the zoo is like this",
                where="striate zoo",
                got=" ".join(texts),
                needs=f"a part of a name or a description, or one of {', '.join(families)}",
                write=f"striate zoo {near_miss(text, [*zoo.names(), *families]) or ''}".rstrip(),
            )
    return chosen


def _said(entry: Architecture) -> str:
    return " ".join((entry.name, *entry.aliases, entry.family, entry.summary))


def _starts(entry: Architecture) -> list[str]:
    """All that is said of a network, from each of its words on."""
    said = _said(entry)
    return [said[found.start() :] for found in re.finditer(r"[^\W_]+", said)]


def _folded(text: str) -> str:
    return text.lower().replace("-", "").replace("_", "")


def _as_dict(entry: Architecture, report: Report) -> dict[str, object]:
    return {
        "name": entry.name,
        "aliases": list(entry.aliases),
        "family": entry.family,
        "input": list(entry.input),
        "classes": entry.classes if entry.adapts_classes else None,
        "parameters": report.parameters,
        "macs": report.macs,
        "summary": entry.summary,
    }
