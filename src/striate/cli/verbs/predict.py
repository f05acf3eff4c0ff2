"""Say what a run sees in image files.

The preprocessing and the class names are those stored in the run. A file that cannot be read does not stop the others.

Examples:
  striate predict latest cat.jpg dog.png
  striate predict runs/digits-simple-cnn-1 *.png --json
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.options import add_json, add_run
from striate.errors import DataError

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``RUN``, ``FILE ...``, ``--runs``, ``--json``."""
    add_run(parser, default=None)
    parser.words.add_argument("files", metavar="FILE", nargs="+", help="image files")
    add_json(parser)


def command(options: Namespace) -> None:
    """The classes of every file; files that cannot be read are named after the others have been answered.

    Raises:
        DataError: when there was such a file.
    """
    import striate as st
    from striate.cli.output import show, write_plain
    from striate.views import json_text, predictions_view

    predictions = st.predict(st.open_run(options.run, runs=options.runs), options.files)
    if options.json:
        write_plain(json_text([prediction.as_dict() for prediction in predictions]))
    else:
        show(predictions_view(predictions))
    unread = [prediction.path for prediction in predictions if prediction.error is not None]
    if unread:
        raise DataError(
            f"{len(unread)} of {len(predictions)} files could not be read",
            where=", ".join(unread[:3]) + (", …" if len(unread) > 3 else ""),
        )
