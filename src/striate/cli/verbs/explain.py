"""Say all there is to say about a finding: what, why, an example, what to write instead, and the source.

Examples:
  striate explain N301
  striate explain conv-bias-before-batchnorm
  striate explain --list
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json
from striate.errors import UsageError

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``RULE``, ``--list`` and ``--json``."""
    parser.words.add_argument("rule", metavar="RULE", nargs="?", help="a code (N301) or a name")
    parser.options.add_argument("--list", action="store_true", help="all codes with their names")
    add_json(parser)


def command(options: Namespace) -> None:
    """Print the documentation of one rule, or the list of all."""
    from striate.cli.output import show, write_plain
    from striate.lint.documentation import explanation, find_code, listing
    from striate.views import json_text

    if options.list == (options.rule is not None):
        raise UsageError(
            "RULE and --list are two questions" if options.list else "RULE is missing",
            where="striate explain",
            write="striate explain N301, or striate explain --list",
        )
    if options.list:
        if options.json:
            names = ("code", "name", "severity", "title")
            write_plain(json_text([dict(zip(names, row, strict=True)) for row in listing()]))
        else:
            from striate.views.rule_listing import rule_list

            show(rule_list(listing()))
        return
    entry = find_code(options.rule)
    if options.json:
        write_plain(json_text(_as_dict(entry)))
    else:
        write_plain(explanation(entry))


def _as_dict(entry: object) -> dict[str, object]:
    from dataclasses import fields

    return {
        field.name: getattr(entry, field.name)
        for field in fields(entry)  # type: ignore[arg-type]
        if field.name not in ("check", "judge")
    }
