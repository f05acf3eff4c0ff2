"""Say what is wrong with a run, finished or not, worst first, and what to do about it: from its files alone.

Exit code 1 where an error is found. 'striate explain CODE' says more about each.

Examples:
  striate diagnose
  striate diagnose digits-simple-cnn-1
  striate diagnose runs/photos-1 --json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json, add_run

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``RUN``, ``--runs``, ``--json``."""
    add_run(parser)
    add_json(parser)


def command(options: Namespace) -> None:
    """Show the findings."""
    from striate.cli.output import show, write_plain
    from striate.lint.diagnosis import diagnose
    from striate.views import json_text

    diagnosis = diagnose(options.run, runs=options.runs)
    if options.json:
        write_plain(json_text(diagnosis))
    else:
        from striate.views.diagnosis import diagnosis_view

        show(diagnosis_view(diagnosis))
    if any(finding.severity == "error" for finding in diagnosis.findings):
        raise SystemExit(1)
