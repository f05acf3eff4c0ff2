"""The tree of a YAML text: scalars, lists and mappings that know their line, and what a plain word means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from striate.errors import SourceError
from striate.sources.wording import quoted
from striate.units import format_count

__all__ = ["NUMBER_LIMIT", "ListNode", "MapNode", "Scalar", "TreeNode", "content_end", "scalar_value"]

NUMBER_LIMIT = 2**31 - 1
"""The largest whole number that an attribute or a shape may be."""

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True, eq=False)
class Scalar:
    """One word, as it was written; ``plain`` means without quotes.

    It stands from ``start`` to before ``end`` in the text, counted in characters; a list and a mapping do so too.
    """

    text: str
    plain: bool
    line: int
    height: int = 0
    values: int = 1
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class ListNode:
    """A list; ``height`` counts the levels below and ``values`` everything in it, aliases expanded.

    ``flow`` means in brackets; without them it ends where what follows begins.
    """

    items: tuple[TreeNode, ...]
    line: int
    height: int
    values: int
    start: int = 0
    end: int = 0
    flow: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class MapNode:
    """A mapping with keys that are words, each there once; ``flow`` means in braces."""

    entries: tuple[tuple[Scalar, TreeNode], ...]
    line: int
    height: int
    values: int
    start: int = 0
    end: int = 0
    flow: bool = False


TreeNode = Scalar | ListNode | MapNode


def content_end(node: TreeNode) -> int:
    """Where the last character of a value stands: without brackets or braces it ends only where something else begins.

    >>> content_end(MapNode(((Scalar("relu", True, 1, start=2, end=6), Scalar("", True, 1)),), 1, 1, 2, 2, 40))
    7
    """
    if isinstance(node, Scalar) or node.flow:
        return node.end
    last = node.items[-1] if isinstance(node, ListNode) else node.entries[-1][1]
    if isinstance(node, MapNode) and isinstance(last, Scalar) and last.plain and not last.text:
        # Nothing follows the colon.
        return node.entries[-1][0].end + 1
    return content_end(last)


def scalar_value(scalar: Scalar, where: str) -> bool | int | float | str | None:
    """What a word means by YAML 1.2: null, true, false, a number, or text (so ``yes`` is text).

    Raises:
        SourceError: for a whole number beyond ±2,147,483,647.

    >>> [scalar_value(Scalar(text, True, 1), "") for text in ("3", "1e-5", "yes", "true", "~")]
    [3, 1e-05, 'yes', True, None]
    """
    text = scalar.text
    if not scalar.plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        # The length is checked first: Python refuses to convert very long digit strings with an error of its own.
        if len(text) > 20 or abs(int(text)) > NUMBER_LIMIT:
            raise SourceError(
                "this number is too large",
                where=where,
                got=quoted(text, 30),
                needs=f"at most {format_count(NUMBER_LIMIT)}",
            )
        return int(text)
    if text.lower() in (".inf", "+.inf", "-.inf", ".nan"):
        return float(text.replace(".", "", 1))
    return float(text) if _FLOAT.fullmatch(text) else text
