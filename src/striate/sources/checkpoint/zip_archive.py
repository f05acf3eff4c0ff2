"""A zip archive that may be anything: its directory and every part are bounded before memory is taken."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import BinaryIO

from striate.errors import WeightsError
from striate.sources.checkpoint.faults import damaged, short
from striate.units import format_bytes, format_count

__all__ = ["PART_LIMIT", "Archive"]

PART_LIMIT = 64 * 1024**2
"""The largest part that is read, in bytes."""

_DIRECTORY_LIMIT = 32 * 1024**2
_PARTS_LIMIT = 200_000
#: More than this many times its size no text grows when it is unpacked.
_RATIO_LIMIT = 200
_SMALL = 1024**2


class Archive:
    """An open archive; only names and small parts are read.

    Args:
        stream: the file.
        where: the file, for errors.

    Raises:
        WeightsError: it is no archive, its directory is too large, or a part claims an impossible size.
    """

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self._where = where
        try:
            self._zip = zipfile.ZipFile(_Clamped(stream, where))
        except (zipfile.BadZipFile, OSError, ValueError, OverflowError, MemoryError, NotImplementedError) as error:
            raise damaged(where, "archive", str(error)) from None
        self.parts = {entry.filename: entry for entry in self._zip.infolist()}
        if len(self.parts) > _PARTS_LIMIT:
            raise damaged(where, "archive", f"{format_count(len(self.parts))} parts")
        if len(self.parts) < len(self._zip.infolist()):
            raise damaged(where, "archive", "two parts of one name, of which programs may read either")
        for entry in self.parts.values():
            self._check(entry)

    def _check(self, entry: zipfile.ZipInfo) -> None:
        grows = entry.file_size > _SMALL and entry.file_size > _RATIO_LIMIT * max(entry.compress_size, 1)
        if grows or (entry.compress_type == zipfile.ZIP_STORED and entry.file_size != entry.compress_size):
            raise damaged(
                self._where,
                "archive",
                f"{short(entry.filename, 80)}: {entry.compress_size} bytes that claim to be {entry.file_size}",
            )

    def named(self, ending: str) -> list[str]:
        """The parts whose names end like this, in the order of the archive."""
        return [name for name in self.parts if name == ending or name.endswith(f"/{ending}")]

    def size(self, name: str) -> int:
        """How large a part is, unpacked."""
        return self.parts[name].file_size

    def read(self, name: str, limit: int = PART_LIMIT) -> bytes:
        """A part.

        Raises:
            WeightsError: it is larger than the limit, or damaged.
        """
        if self.size(name) > limit:
            raise WeightsError(
                "a part of this archive is too large to be looked at",
                where=self._where,
                got=f"{short(name, 80)}: {format_bytes(self.size(name))}",
                needs=f"at most {format_bytes(limit)}",
            )
        try:
            with self._zip.open(name) as part:
                content = part.read(limit + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            OSError,
            ValueError,
            EOFError,
            OverflowError,
            MemoryError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise damaged(self._where, "archive", f"{short(name, 80)}: {error}") from None
        if len(content) > limit:
            raise damaged(self._where, "archive", f"{short(name, 80)} is larger than it says")
        return content


class _Clamped(io.RawIOBase):
    """A file of which no more is read at once than the directory of an archive may take."""

    def __init__(self, stream: BinaryIO, where: str) -> None:
        self._stream = stream
        self._where = where
        self._size = stream.seek(0, io.SEEK_END)
        stream.seek(0)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0, /) -> int:
        return self._stream.seek(place, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > PART_LIMIT:
            raise damaged(self._where, "archive", f"a directory of {size} bytes")
        # A plain file takes memory for what it is asked for, not for what there is.
        left = min(max(self._size - self._stream.tell(), 0), PART_LIMIT)
        return self._stream.read(left if size is None or size < 0 else min(size, left))
