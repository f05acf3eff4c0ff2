"""The words of an inline text with their places, and errors that mark the wrong ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeVar

from striate.errors import SourceError, StriateError
from striate.sources.wording import printable
from striate.units import format_count

__all__ = ["INLINE_LIMIT", "WHERE", "Part", "Span", "marked", "split_text"]

INLINE_LIMIT = 10_000
"""The longest inline text, in characters."""
WHERE = "inline text"
"""What errors call it."""

_WINDOW = 72
Told = TypeVar("Told", bound=StriateError)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the text: where it begins, and what it says."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Part:
    """What stands between two ``>``: all of it, and its words."""

    whole: Span
    words: tuple[Span, ...]


def split_text(text: str) -> list[Part]:
    """What stands between the ``>`` of a text.

    Raises:
        SourceError: it is too long, or nothing stands there.
    """
    if len(text) > INLINE_LIMIT:
        raise SourceError(
            "this is too long for inline text",
            where=WHERE,
            got=f"{format_count(len(text))} characters",
            needs=f"at most {format_count(INLINE_LIMIT)}",
            write="a YAML file",
        )
    parts: list[Part] = []
    start = 0
    for piece in text.split(">"):
        words = tuple(Span(start + match.start(), match[0]) for match in re.finditer(r"\S+", piece))
        if not words:
            # The mark goes under the '>' that has nothing before it, or at the end of the text.
            mark = Span(min(start + len(piece), max(len(text) - 1, 0)), ">")
            error = SourceError("a layer is missing here", where=WHERE, needs="a layer on each side of every '>'")
            raise marked(error, text, mark)
        stripped = piece.strip()
        parts.append(Part(Span(words[0].start, stripped), words))
        start += len(piece) + 1
    return parts


def marked(error: Told, text: str, span: Span) -> Told:
    """The error with the text shown below what was got, and a mark under the wrong part."""
    begin = max(0, min(span.start - _WINDOW // 3, len(text) - _WINDOW))
    end = min(len(text), begin + _WINDOW)
    before, after = ("…" if begin else ""), ("…" if end < len(text) else "")
    shown = before + printable(text[begin:end]) + after
    width = max(1, min(len(span.text), end - span.start))
    mark = " " * (len(before) + span.start - begin) + "^" * width
    # Nine columns are what stands before the text on its own line.
    picture = f"{shown}\n         {mark}"
    got = picture if error.got is None else f"{error.got}\n  in:    {picture}"
    return type(error)(error.problem, where=error.where, got=got, needs=error.needs, write=error.write)
