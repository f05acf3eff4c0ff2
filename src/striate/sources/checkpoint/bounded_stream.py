"""A part of a file as a stream that never gives, or takes memory for, more than there is."""

from __future__ import annotations

import io
from typing import BinaryIO

__all__ = ["BoundedStream"]

_LINE_LIMIT = 1024**2


class BoundedStream(io.RawIOBase):
    """The bytes from the stream's present place on, up to a limit.

    ``read(n)`` of a plain file takes memory for n bytes before it looks how many there are; a damaged file may ask for
    10 TB.

    >>> stream = BoundedStream(io.BytesIO(b"abcdef"), 4)
    >>> stream.read(10**13), stream.read(1)
    (b'abcd', b'')
    """

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._left = self._limit = limit

    def readable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """How much has been read."""
        return self._limit - self._left

    def read(self, size: int | None = -1, /) -> bytes:
        """At most ``size`` bytes, and at most what is left."""
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        content = self._stream.read(wanted)
        self._left -= len(content)
        return content

    def readline(self, size: int | None = -1, /) -> bytes:
        """A line, of at most a MiB."""
        content = self._stream.readline(min(self._left, _LINE_LIMIT))
        self._left -= len(content)
        return content
