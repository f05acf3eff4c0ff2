"""The errors of this package, and how texts of a file that may be anything are shown in them."""

from __future__ import annotations

from striate.errors import WeightsError
from striate.sources.wording import printable

__all__ = ["SIZE_LIMIT", "checked_shape", "damaged", "short"]

SIZE_LIMIT = 2**56
"""The most numbers that a tensor is believed to have."""
_RANK_LIMIT = 64


def short(text: object, limit: int = 200) -> str:
    """Text of a file, on one line, safe to print and not endless.

    >>> short("a\\x1b[2J")
    'a·[2J'
    """
    whole = text if isinstance(text, str) else str(text)
    return printable(whole if len(whole) <= limit else whole[: limit - 1] + "…")


def damaged(where: str, what: str, got: str) -> WeightsError:
    """The file cannot be what it begins like."""
    return WeightsError(
        f"this {what} is cut off or damaged", where=where, got=short(got), needs="a whole file of weights"
    )


def checked_shape(sizes: object) -> tuple[int, ...] | None:
    """Sizes as a shape; None where they are none."""
    if not isinstance(sizes, (list, tuple)) or len(sizes) > _RANK_LIMIT:
        return None
    total = 1
    for size in sizes:
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            return None
        total *= max(size, 1)
        if total > SIZE_LIMIT:
            return None
    return tuple(sizes)
