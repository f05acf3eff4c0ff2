"""Why a file is not an image that can be used: one short reason, with nothing but words a user knows."""

from __future__ import annotations

import os
import stat

from PIL import Image, UnidentifiedImageError

__all__ = ["PIXEL_LIMIT", "BrokenImageError", "check_file", "reason_of"]

PIXEL_LIMIT = 64_000_000
"""Pixels an image may have. More is refused by its header, so that a decompression bomb is never decoded."""

_LOOKALIKES = (
    (b"version https://git-lfs", "a Git LFS pointer instead of the image (git lfs pull fetches it)"),
    (b"<!doctype html", "a web page, not an image"),
    (b"<html", "a web page, not an image"),
    (b"<svg", "an SVG drawing, not a pixel image"),
)


class BrokenImageError(Exception):
    """An image that cannot be used; its text is the reason. Caught inside this package."""


def check_file(path: str) -> None:
    """Check that ``path`` is a file with something in it, before it is opened: opening a pipe would wait for ever.

    Raises:
        BrokenImageError: it is not.
    """
    try:
        status = os.stat(path)
    except OSError as error:
        raise BrokenImageError(reason_of(error)) from None
    if not stat.S_ISREG(status.st_mode):
        raise BrokenImageError("not a file")
    if status.st_size == 0:
        raise BrokenImageError("empty (0 bytes)")


def reason_of(error: Exception, start: bytes = b"") -> str:
    """The reason in words.

    Args:
        error: what opening or decoding raised.
        start: the first bytes of the file, where they are known.
    """
    if isinstance(error, BrokenImageError):
        return str(error)
    if isinstance(error, UnidentifiedImageError):
        head = start.lstrip().lower()
        for lead, meaning in _LOOKALIKES:
            if head.startswith(lead):
                return meaning
        return f"not an image in a format that is read here (it starts with {start[:12]!r})"
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return f"more than {PIXEL_LIMIT // 1_000_000} million pixels"
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if isinstance(error, MemoryError):
        return "decoding it needs more memory than there is"
    if isinstance(error, EOFError) or "truncated" in str(error).lower():
        return "cut off: the file ends in the middle of the image"
    text = str(error) or type(error).__name__
    return f"damaged ({text[:100]})"
