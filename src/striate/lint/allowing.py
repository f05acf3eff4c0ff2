"""Comments by which an author allows what a rule finds: ``# striate: allow even-kernel: it matches the sensor``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from striate.errors import near_miss

__all__ = ["Allow", "Comment", "IdleAllow", "read_allows", "sift"]

_ALLOW = re.compile(r"#+\s*striate:\s*(allow(?:-file)?)\b([^:]*)(?::.*)?$", re.IGNORECASE)
_OTHER = re.compile(r"#+\s*striate:\s*([A-Za-z-]{4,})", re.IGNORECASE)
_WORDS = ("allow", "allow-file")


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment of a text.

    Args:
        text: from its ``#`` on.
        line: where it stands, counted from 1.
        about: the line it belongs to: its own, or the next one with anything on it where it stands alone.
    """

    text: str
    line: int
    about: int


@dataclass(frozen=True, slots=True)
class Allow:
    """What one comment allows.

    Args:
        names: of rules, as they were written: names or codes.
        file: where the comment stands.
        line: the comment's own.
        about: the line whose layers it is about; None for the whole file.
        mistyped: the word that stands where ``allow`` should; then it allows nothing.
    """

    names: tuple[str, ...]
    file: str
    line: int
    about: int | None
    mistyped: str | None = None


@dataclass(frozen=True, slots=True)
class IdleAllow:
    """A name in a comment that allows nothing.

    Args:
        name: as it was written.
        origin: where the comment stands, ``net.yaml:7``.
        known: whether there is a rule of that name.
        hint: the rule that may be meant, where there is none.
        word: whether it is not the name of a rule, but the word before it that is wrong; ``hint`` is the right one.
    """

    name: str
    origin: str
    known: bool
    hint: str | None = None
    word: bool = False


def read_allows(comments: Iterable[Comment], file: str) -> Iterator[Allow]:
    """The comments that are addressed to the linter.

    Names stand one after the other, with commas or spaces between them; what follows a colon is the reason.

    >>> list(read_allows([Comment("# striate: allow even-kernel, N104: as in the paper", 3, 4)], "net.yaml"))
    [Allow(names=('even-kernel', 'N104'), file='net.yaml', line=3, about=4, mistyped=None)]
    """
    for comment in comments:
        if found := _ALLOW.match(comment.text.strip()):
            names = tuple(found[2].replace(",", " ").split())
            whole = found[1].lower() == "allow-file"
            yield Allow(names, file, comment.line, None if whole else comment.about)
        elif (other := _OTHER.match(comment.text.strip())) and _is_mistyped(other[1].lower()):
            yield Allow((), file, comment.line, comment.about, other[1])


def _is_mistyped(word: str) -> bool:
    """Whether ``allow`` is meant; ``allowed`` is a word of its own."""
    return not word.startswith("allow") and near_miss(word, _WORDS) is not None


def sift(
    found: Iterable[tuple[str, str | None]],
    allows: Sequence[Allow],
    known: Mapping[str, str],
    judged: Collection[str],
) -> tuple[list[bool], tuple[IdleAllow, ...]]:
    """Which findings are allowed, and which comments allow nothing.

    Args:
        found: code and place (``net.yaml:7``) of each finding; without a place it can be allowed for a file only.
        allows: the comments of all files that the network was written in.
        known: the code of every rule, by its name and by its code.
        judged: codes of the rules that could have found something; of the others nobody knows.
    """
    codes = [{known.get(name, "") for name in allow.names} for allow in allows]
    used: list[set[str]] = [set() for _ in allows]
    excused = []
    for code, origin in found:
        hits = [place for place, allow in enumerate(allows) if code in codes[place] and _covers(allow, origin)]
        for place in hits:
            used[place].add(code)
        excused.append(bool(hits))
    return excused, tuple(_idle(allows, used, known, judged))


def _covers(allow: Allow, origin: str | None) -> bool:
    if origin is None:
        return allow.about is None
    file, _, line = origin.rpartition(":")
    return file == allow.file and (allow.about is None or str(allow.about) == line)


def _idle(
    allows: Sequence[Allow], used: Sequence[set[str]], known: Mapping[str, str], judged: Collection[str]
) -> Iterator[IdleAllow]:
    for allow, codes in zip(allows, used, strict=True):
        origin = f"{allow.file}:{allow.line}"
        if allow.mistyped is not None:
            yield IdleAllow(allow.mistyped, origin, False, near_miss(allow.mistyped.lower(), _WORDS), word=True)
            continue
        for name in dict.fromkeys(allow.names or ("",)):
            code = known.get(name)
            if code is None:
                yield IdleAllow(name, origin, False, near_miss(name, known))
            elif code not in codes and code in judged:
                yield IdleAllow(name, origin, True)
