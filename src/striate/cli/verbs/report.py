"""Write a run's report page again."""

from __future__ import annotations

from typing import Annotated

import typer

from striate.cli.options import Runs

__all__ = ["command"]


def command(
    run: Annotated[str, typer.Argument(help="A run folder, its name, or 'latest'.")] = "latest", runs: Runs = "runs"
) -> None:
    """Write report.html of a run again: one page that needs no network."""
    import striate as st
    from striate.cli.output import show

    show(str(st.report(st.open_run(run, runs=runs))))
