"""Arguments and options that several verbs share."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from striate.errors import NetworkError, UsageError
from striate.units import Shape, parse_shape

if TYPE_CHECKING:
    from striate.cli.parser import Parser

__all__ = [
    "add_json",
    "add_kwargs",
    "add_network",
    "add_run",
    "add_runs",
    "as_option",
    "read_count",
    "read_options",
    "read_shape",
    "read_shapes",
]

_DIGITS = 18
#: How Python would write another input shape.
_INPUT = re.compile(r"input=\((\d+(?:, \d+)+)\)")


def add_network(parser: Parser) -> None:
    """``NET``, ``--input`` and ``--classes``."""
    parser.words.add_argument(
        "net",
        metavar="NET",
        help="a zoo name (simple-cnn), a YAML file, a run folder, model.py:Net, or inline text such as"
        " 'conv 16 3 same > relu > flatten > dense 10'",
    )
    parser.options.add_argument(
        "--input",
        metavar="SHAPE",
        action=_Once,
        help="another input shape, channels first, such as 3x64x48; several inputs: 3x64x48,1x8x8",
    )
    parser.options.add_argument("--classes", metavar="N", help="another number of classes")


def add_kwargs(parser: Parser) -> None:
    """``--kwargs``."""
    parser.options.add_argument(
        "--kwargs",
        metavar="NAME=VALUE",
        action="append",
        help="what the class or function of model.py:Net is called with, also as a JSON object",
    )


def read_options(texts: list[str] | None) -> dict[str, Any] | None:
    """What stands behind ``--kwargs``, or None.

    Raises:
        UsageError: it is not NAME=VALUE, nor JSON.
    """
    if texts is None:
        return None
    from striate.sources.python_reference import read_kwargs

    return read_kwargs(texts)


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


class _Once(argparse.Action):
    """An option that is given once: the last of several would win in silence."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:
        if getattr(namespace, self.dest) is not None:
            raise UsageError(
                f"{option_string} is given twice",
                where=option_string,
                got=f"{getattr(namespace, self.dest)} and {values}",
                needs="one",
                write=f"{option_string} {getattr(namespace, self.dest)},{values}, for a network with several inputs",
            )
        setattr(namespace, self.dest, values)


def read_shapes(text: str | None) -> Shape | tuple[Shape, ...] | None:
    """The shape behind ``--input``, or one for each input of the network.

    Raises:
        UsageError: when it is neither.

    >>> read_shapes("3x64x48"), read_shapes("3,64,48"), read_shapes("3x32x32,1x8")
    ((3, 64, 48), (3, 64, 48), ((3, 32, 32), (1, 8)))
    """
    if text is None or "," not in text or not set(text.lower()) & set("x×"):
        return read_shape(text)
    shapes = (read_shape(part) for part in text.split(","))
    return tuple(shape for shape in shapes if shape is not None)


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
    # Python refuses to read thousands of digits, and a count that means something has few.
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS and int(text)):
        more = f", of at most {_DIGITS} digits" if len(text) > _DIGITS else ""
        got = text if len(text) <= 2 * _DIGITS else f"{text[:_DIGITS]}… ({len(text)} characters)"
        raise UsageError("this is not a count", where=option, got=got, needs=f"a whole number of at least 1{more}")
    return int(text)


def as_option(error: NetworkError, parser: Parser) -> NetworkError:
    """An error whose last line is an argument of Python's, with the option of the verb instead.

    >>> from striate.cli.parser import Parser
    >>> parser = Parser("inspect", "")
    >>> add_network(parser)
    >>> print(as_option(NetworkError("too small", write="input=(3, 4, 9)"), parser))
    too small
      write: --input 3x4x9
    """
    found = _INPUT.fullmatch(error.write or "")
    if found is None:
        return error
    sizes = found[1].split(", ")
    taken = {option for action in parser._actions for option in action.option_strings}
    write = f"--input {'x'.join(sizes)}" if "--input" in taken else f"--size {'x'.join(sizes[1:])}"
    return type(error)(error.problem, where=error.where, got=error.got, needs=error.needs, write=write)
