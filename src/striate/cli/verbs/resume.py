"""Go on with a run that was stopped, killed or cut off, as if it had never been.

From its newest whole checkpoint, on the same machine to the last bit; a time budget counts the time trained.

Examples:
  striate resume
  striate resume digits-simple-cnn-1
  striate resume runs/photos-1 --data /moved/photos
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json, add_run
from striate.cli.verbs.train import add_checkpoint_every, read_checkpoint_every, show_run

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``RUN``, ``--runs``, ``--data``, ``--checkpoint-every``, ``--json``."""
    add_run(parser)
    parser.options.add_argument("--data", metavar="DATA", help="where the same images are now [where they were]")
    add_checkpoint_every(parser)
    add_json(parser, "write the finished run's record as JSON")


def command(options: Namespace) -> None:
    """Train on, tell how it goes on standard error, and show the evaluation."""
    every = read_checkpoint_every(options)
    import striate as st
    from striate import insight, training
    from striate.cli.interrupts import begin_work
    from striate.cli.progress import progress_listener

    _ = training.resume, insight.write_report  # torch comes with them
    begin_work()
    with progress_listener() as progress:
        run = st.resume(options.run, options.data, runs=options.runs, checkpoint_every=every, listen=progress)
    show_run(run, as_json=options.json)
