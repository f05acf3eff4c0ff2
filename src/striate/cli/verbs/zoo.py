"""List the networks that come with Striate."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["command"]


def command(json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the networks that come with Striate, with their parameters and MACs."""
    from striate.analysis import inspect
    from striate.cli.output import show, write_plain
    from striate.views import json_text, zoo_table
    from striate.zoo import architectures

    entries = [(entry, inspect(entry.build())) for entry in architectures().values()]
    if json:
        write_plain(
            json_text(
                [
                    {
                        "name": entry.name,
                        "input": list(entry.input),
                        "classes": entry.classes,
                        "parameters": report.parameters,
                        "macs": report.macs,
                        "summary": entry.summary,
                    }
                    for entry, report in entries
                ]
            )
        )
    else:
        show(zoo_table(entry for entry, _ in entries))
