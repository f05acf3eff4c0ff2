"""Write a run's report.html again: one page that needs no network.

Examples:
  striate report
  striate report digits-simple-cnn-1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_run

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``RUN``, ``--runs``."""
    add_run(parser)


def command(options: Namespace) -> None:
    """Write the page and say where it is."""
    import striate as st
    from striate import insight
    from striate.cli.interrupts import begin_work
    from striate.cli.output import write_plain

    run = st.open_run(options.run, runs=options.runs)
    _ = insight.write_report  # torch comes with it
    begin_work()
    write_plain(str(st.report(run)))
