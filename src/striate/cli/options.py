"""Arguments and options that several verbs share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.errors import UsageError
from striate.units import Shape, parse_shape

if TYPE_CHECKING:
    from striate.cli.parser import Parser

__all__ = ["add_json", "add_network", "add_run", "add_runs", "read_count", "read_shape"]


def add_network(parser: Parser) -> None:
    """``NET``, ``--input`` and ``--classes``."""
    parser.words.add_argument(
        "net",
        metavar="NET",
        help="a zoo name (simple-cnn), a YAML file, a run folder, or inline text such as"
        " 'conv 16 3 same > relu > flatten > dense 10'",
    )
    parser.options.add_argument("--input", metavar="SHAPE", help="another input shape, channels first, such as 3x64x48")
    parser.options.add_argument("--classes", metavar="N", help="another number of classes")


def add_run(parser: Parser, *, default: str | None = "latest") -> None:
    """``RUN`` and ``--runs``; without a default RUN has to be given."""
    text = "a run folder, the name of one below --runs, or 'latest'"
    if default is None:
        parser.words.add_argument("run", metavar="RUN", help=text)
    else:
        parser.words.add_argument("run", metavar="RUN", nargs="?", default=default, help=f"{text} [{default}]")
    add_runs(parser)


def add_runs(parser: Parser) -> None:
    """``--runs``."""
    parser.options.add_argument("--runs", metavar="DIR", default="runs", help="the folder of all runs [runs]")


def add_json(parser: Parser, text: str = "write JSON, for programs") -> None:
    """``--json``."""
    parser.options.add_argument("--json", action="store_true", help=text)


def read_shape(text: str | None) -> Shape | None:
    """The shape behind ``--input``.

    Raises:
        UsageError: when it is not one.
    """
    if text is None:
        return None
    try:
        return parse_shape(text)
    except ValueError:
        raise UsageError(
            "this is not a shape", where="--input", got=text, needs="channels and sizes", write="--input 3x64x48"
        ) from None


def read_count(text: str | None, option: str) -> int | None:
    """The whole number of at least 1 behind an option.

    Raises:
        UsageError: when it is not one.
    """
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and int(text)):
        raise UsageError("this is not a count", where=option, got=text, needs="a whole number of at least 1")
    return int(text)
