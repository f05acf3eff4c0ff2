"""How the errors of this package quote what somebody else wrote, and where they say it stands."""

from __future__ import annotations

from typing import TypeVar

from striate.errors import StriateError

__all__ = ["named_few", "printable", "quoted", "told_at"]

Told = TypeVar("Told", bound=StriateError)


def printable(text: str) -> str:
    """The text with every character that would move the cursor or be invisible replaced, one for one.

    >>> printable("a\\tb\\x1b[31m")
    'a b·[31m'
    """
    return "".join(char if char.isprintable() else " " if char.isspace() else "·" for char in text)


def quoted(text: str, limit: int = 60) -> str:
    """A foreign text in quotes, on one line and not longer than ``limit`` characters.

    >>> quoted("conv"), quoted("x" * 100, limit=8)
    ("'conv'", "'xxxxxxx…'")
    """
    short = text if len(text) <= limit else text[: limit - 1] + "…"
    return f"'{printable(short)}'"


def named_few(names: list[str], limit: int = 12) -> str:
    """The last few of many names, for a list of what there is.

    >>> named_few(["a", "b"]), named_few(["a", "b", "c"], limit=2)
    ('a, b', '…, b, c')
    """
    return ", ".join(["…", *names[-limit:]] if len(names) > limit else names)


def told_at(error: Told, where: str) -> Told:
    """The same error at the place that its reader can open, instead of the one inside the graph.

    >>> print(told_at(StriateError("the window is too large", where="net, node 'conv1'"), "net.yaml:7, layer 3 (conv)"))
    net.yaml:7, layer 3 (conv): the window is too large
    """
    return type(error)(error.problem, where=where, got=error.got, needs=error.needs, write=error.write)
