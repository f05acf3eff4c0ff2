"""Measure a run on its own test images or on other data."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli.options import Json, Runs

__all__ = ["command"]


def command(
    run: Annotated[str, typer.Argument(help="A run folder, its name, or 'latest'.")] = "latest",
    data: Annotated[
        str | None,
        typer.Option("--data", help="Other data with the same classes; default: the run's own.", show_default=False),
    ] = None,
    split: Annotated[str, typer.Option("--split", help="test, val or train.")] = "test",
    runs: Runs = "runs",
    json: Json = False,
) -> None:
    """Measure a run: accuracy with its 95 % interval, per class, and what it confuses."""
    import striate as st
    from striate.cli.output import show, write_plain
    from striate.views import evaluation_view

    evaluation = st.evaluate(st.open_run(run, runs=runs), data, split=split)
    if json:
        write_plain(evaluation.json_bytes().decode())
    else:
        show(evaluation_view(evaluation))
