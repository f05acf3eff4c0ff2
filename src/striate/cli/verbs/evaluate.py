"""Measure a run: accuracy with its 95 % interval, class by class.

Examples:
  striate evaluate
  striate evaluate digits-simple-cnn-1 --split val
  striate evaluate latest --data photos/ --json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json, add_run

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``RUN``, ``--runs``, ``--data``, ``--split``, ``--json``."""
    add_run(parser)
    parser.options.add_argument("--data", metavar="DATA", help="other data with the same classes [the run's own]")
    parser.options.add_argument("--split", metavar="test|val|train", default="test", help="which images [test]")
    add_json(parser)


def command(options: Namespace) -> None:
    """The evaluation of a run on its own images, or on others."""
    import striate as st
    from striate.cli.output import show, write_plain
    from striate.views import evaluation_view, json_text

    evaluation = st.evaluate(st.open_run(options.run, runs=options.runs), options.data, split=options.split)
    if options.json:
        write_plain(json_text(evaluation))
    else:
        show(evaluation_view(evaluation))
