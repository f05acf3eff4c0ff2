"""The command line: one file for each verb in ``verbs/``, found by themselves.

Only the verb that was asked for is imported; the others are listed by the first line of their file. So ``--help``
and the verbs that need no torch start at once.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from striate.cli.failures import guarded

__all__ = ["main", "verb_summaries"]


def verb_summaries() -> dict[str, str]:
    """Every verb with its one-line summary, in the order of a day's work."""
    order = ["zoo", "inspect", "train", "evaluate", "predict", "report"]
    found = {}
    for path in (Path(__file__).parent / "verbs").glob("*.py"):
        if path.stem != "__init__":
            text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            found[path.stem] = text.splitlines()[0]
    return dict(sorted(found.items(), key=lambda item: (order.index(item[0]) if item[0] in order else 99, item[0])))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; ends with :class:`SystemExit`.

    Exit codes: 0 done, 1 the disk refused, 2 usage or network, 3 data, 4 diverged, 130 interrupted.
    """
    import importlib

    import typer

    given = list(sys.argv[1:] if arguments is None else arguments)
    app = typer.Typer(
        name="striate",
        help="A workbench for convolutional networks: design one, check it, train it, see inside it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    asked = next((word for word in given if not word.startswith("-")), None)

    @app.callback(invoke_without_command=True)
    def root(
        version: bool = typer.Option(False, "--version", help="Print the version and stop."),
    ) -> None:
        if version:
            from striate import __version__

            typer.echo(f"striate {__version__}")
            raise typer.Exit

    for verb, summary in verb_summaries().items():
        function: Callable[..., None] = _unused
        if verb == asked:
            function = guarded(importlib.import_module(f"striate.cli.verbs.{verb}").command)
        app.command(verb, help=None if verb == asked else summary, short_help=summary)(function)
    app(args=given, prog_name="striate")


def _unused() -> None:
    """Stands for a verb that was not asked for."""
