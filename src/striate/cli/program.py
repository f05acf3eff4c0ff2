"""From arguments to a verb, and from what comes of it to an exit code."""

from __future__ import annotations

import importlib
import pkgutil
from argparse import Namespace
from collections.abc import Sequence
from types import ModuleType

from striate.cli import verbs
from striate.cli.failures import report_failure
from striate.cli.options import as_option
from striate.cli.output import flush, write_plain
from striate.cli.parser import Parser
from striate.errors import NetworkError, UsageError, near_miss

__all__ = ["make_parser", "run", "verb_modules"]

#: In the order of a day's work; a verb that is not named here comes last.
_ORDER = (
    *("zoo", "inspect", "lint", "compare", "bench", "train", "resume", "ablate"),
    *("evaluate", "predict", "diagnose", "report"),
)

_HELP = """\
Usage: striate VERB ...
       striate VERB --help

A workbench for convolutional networks: design one, check it, train it, see inside it.

Commands:
{verbs}

Options:
  -h, --help  show this text
  --version   show the version

Exit codes: 0 done, 1 a budget is exceeded, lint found an error, or the disk or the memory refused,
2 usage, network or run, 3 data, 4 training diverged, 130 interrupted, 143 told to end (SIGTERM).
"""


def run(arguments: Sequence[str]) -> int:
    """Run one verb.

    Args:
        arguments: what follows ``striate``.

    Returns:
        the exit code; see :func:`striate.cli.main`. Errors are told on standard error.
    """
    try:
        code = _run(list(arguments))
        flush()
    except BaseException as error:
        return report_failure(error)
    return code


def verb_modules() -> dict[str, ModuleType]:
    """Every verb with its module, in the order of a day's work."""
    order = {name: place for place, name in enumerate(_ORDER)}
    names = sorted(_verb_names(), key=lambda name: (order.get(name, len(order)), name))
    return {name: importlib.import_module(f"{verbs.__name__}.{name}") for name in names}


def make_parser(verb: str, module: ModuleType) -> Parser:
    """The parser of a verb: the file's documentation is its help."""
    parser = Parser(verb, module.__doc__ or "")
    module.arguments(parser)
    return parser


def _run(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        write_plain(_help())
        return 0 if words else UsageError.exit_code
    if words[0] == "--version":
        from striate import __version__

        write_plain(f"striate {__version__}")
        return 0
    verb = words[0]
    if verb not in _verb_names():
        known = list(verb_modules())
        what = "option" if verb.startswith("-") else "verb"
        raise UsageError(
            f"there is no {what} {verb!r}",
            where="striate",
            needs=f"one of {', '.join(known)}",
            write=_near(verb, known),
        )
    module = importlib.import_module(f"{verbs.__name__}.{verb}")
    parser = make_parser(verb, module)
    if "-h" in words or "--help" in words:
        write_plain(parser.format_help())
        return 0
    options = parser.parse(words[1:])
    try:
        module.command(Namespace(**vars(options), words=words))
    except NetworkError as error:
        raise as_option(error, parser) from None
    return 0


def _verb_names() -> list[str]:
    return [entry.name for entry in pkgutil.iter_modules(verbs.__path__)]


def _near(verb: str, known: list[str]) -> str:
    return f"striate {near_miss(verb, known) or '--help'}"


def _help() -> str:
    modules = verb_modules()
    width = max(map(len, modules))
    lines = [f"  {name:<{width}}  {(module.__doc__ or '').splitlines()[0]}" for name, module in modules.items()]
    return _HELP.format(verbs="\n".join(lines))
