"""Names as people sort, count and compare them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

__all__ = ["and_list", "count_of", "examples", "folded", "natural_key", "natural_sort", "printable", "share_of"]

_DIGITS = re.compile(r"([0-9]+)")
SHOWN = 3


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """A sort key under which numbers count as numbers and case only breaks ties.

    >>> sorted(["img10", "img2", "Img1"], key=natural_key)
    ['Img1', 'img2', 'img10']
    """
    parts = []
    for index, part in enumerate(_DIGITS.split(name)):
        if index % 2:
            # compared by length and then as text: int() refuses very long numbers
            digits = part.lstrip("0")
            parts.append((0, len(digits), digits))
        elif part:
            parts.append((1, 0, part.casefold()))
    return tuple(parts), name


def natural_sort(names: Iterable[str]) -> list[str]:
    """The names, each once, in natural order.

    >>> natural_sort(["b", "a10", "a9", "b"])
    ['a9', 'a10', 'b']
    """
    return sorted(set(names), key=natural_key)


def folded(name: str) -> str:
    """What is left of a name when case, Unicode form, spaces, ``-`` and ``_`` do not count.

    >>> folded("Golden Retriever") == folded("golden_retriever")
    True
    """
    plain = unicodedata.normalize("NFKC", name).casefold()
    return re.sub(r"[\s_-]+", "", plain) or plain


def count_of(count: int, noun: str) -> str:
    """A count with its noun.

    >>> count_of(1, "image"), count_of(1200, "class")
    ('1 image', '1,200 classes')
    """
    plural = noun + ("es" if noun.endswith("s") else "s")
    return f"{count:,} {noun if count == 1 else plural}"


def share_of(count: int, total: int) -> str:
    """A count with its total and percentage; small ones keep two digits.

    >>> share_of(3, 10_000), share_of(20, 20)
    ('3 of 10,000 images (0.03 %)', '20 of 20 images (100 %)')
    """
    percent = 100 * count / total
    return f"{count:,} of {count_of(total, 'image')} ({percent:.{0 if percent >= 10 else 1 if percent >= 1 else 2}f} %)"


def and_list(words: Sequence[str]) -> str:
    """Words as a sentence lists them.

    >>> and_list(["train", "val", "test"])
    'train, val and test'
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def examples(names: Sequence[str], shown: int = SHOWN) -> str:
    """The first few names and how many more there are.

    >>> examples(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    text = ", ".join(names[:shown])
    return text if len(names) <= shown else f"{text} and {len(names) - shown:,} more"


def printable(path: str) -> str:
    r"""A file name that can be encoded: bytes that are not UTF-8 are written as ``\xff``."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
