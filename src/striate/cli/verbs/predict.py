"""Say what a run sees in image files."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli.options import Json, Runs

__all__ = ["command"]


def command(
    run: Annotated[str, typer.Argument(help="A run folder, its name, or 'latest'.", show_default=False)],
    files: Annotated[list[str], typer.Argument(help="Image files.", show_default=False)],
    runs: Runs = "runs",
    json: Json = False,
) -> None:
    """Say what a run sees in image files, with the preprocessing and class names stored in it."""
    import striate as st
    from striate.cli.output import show, write_plain
    from striate.errors import DataError
    from striate.views import json_text, predictions_view

    predictions = st.predict(st.open_run(run, runs=runs), files)
    if json:
        write_plain(json_text([prediction.as_dict() for prediction in predictions]))
    else:
        show(predictions_view(predictions))
    unread = [prediction.path for prediction in predictions if prediction.error is not None]
    if unread:
        raise DataError(
            f"{len(unread)} of {len(predictions)} files could not be read",
            where=", ".join(unread[:3]) + (", …" if len(unread) > 3 else ""),
        )
