"""Find what is wrong with a network before any training: with the line, the harm in numbers, and what to write.

Exit code 1 where an error is found, or with --strict a warning.

Examples:
  striate lint resnet18
  striate lint net.yaml other.yaml --strict
  striate lint net.yaml --diff
  striate lint net.yaml --fix
  striate lint resnet18 --set conv1.kernel=8
  striate lint runs/latest --format sarif -o lint.sarif
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.cli.lint_options import add_lint_options, check_options, read_choice

if TYPE_CHECKING:
    from argparse import Namespace

    from striate.cli.parser import Parser

__all__ = ["arguments", "command"]


def arguments(parser: Parser) -> None:
    """``NET ...`` and the options of :mod:`striate.cli.lint_options`."""
    parser.words.add_argument(
        "nets",
        metavar="NET",
        nargs="*",
        help="one or more: zoo names, YAML or ONNX files, run folders, model.py:Net, inline texts",
    )
    add_lint_options(parser)


def command(options: Namespace) -> None:
    """Show the findings; mend what is asked to be mended."""
    check_options(options)
    choice = read_choice(options)
    from striate.cli.lint_running import lint_one, tell
    from striate.cli.lint_showing import deliver

    linted = [lint_one(options, choice, net) for net in options.nets]
    if not options.set and not options.diff:
        deliver(options, choice, linted)
    if choice.note is not None:
        tell(choice.note)
    levels = ("error", "warning") if choice.strict else ("error",)
    if any(finding.severity in levels for one in linted for finding in one.result.findings):
        raise SystemExit(1)
