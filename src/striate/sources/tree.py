"""The tree of a YAML text: scalars, lists and mappings that know their line, and what a plain word means."""

from __future__ import annotations

import re
from dataclasses import dataclass

from striate.errors import SourceError
from striate.sources.wording import quoted
from striate.units import format_count

__all__ = ["NUMBER_LIMIT", "ListNode", "MapNode", "Scalar", "TreeNode", "scalar_value"]

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
    """One word, as it was written; ``plain`` means without quotes."""

    text: str
    plain: bool
    line: int
    height: int = 0
    values: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class ListNode:
    """A list; ``height`` counts the levels below and ``values`` everything in it, aliases expanded."""

    items: tuple[TreeNode, ...]
    line: int
    height: int
    values: int


@dataclass(frozen=True, slots=True, eq=False)
class MapNode:
    """A mapping with keys that are words, each there once."""

    entries: tuple[tuple[Scalar, TreeNode], ...]
    line: int
    height: int
    values: int


TreeNode = Scalar | ListNode | MapNode


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
