"""Images that are decoded each time they are asked for: for sets that fit neither in memory nor on the disk."""

from __future__ import annotations

import collections
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data.decode_files import Entry
from striate.data.image_source import Images
from striate.data.stream_files import Chunk, write_file_set
from striate.data.stream_workers import Workers
from striate.data.target import Target
from striate.errors import DataError, StorageError

__all__ = ["FileStream", "StreamedImages"]

Numbers = npt.NDArray[np.intp]


class FileStream:
    """Image files by number, decoded ahead by other processes where it is known what will be asked for.

    What is decoded again is compared with what it was the first time.

    Args:
        entries: the files.
        target: the form wanted.
        workers: processes; 0 decodes everything in this one.

    Raises:
        StorageError: the list of the files cannot be written into the system's folder for temporary files.
    """

    def __init__(self, entries: Sequence[Entry], target: Target, workers: int) -> None:
        try:
            folder = tempfile.mkdtemp(prefix="striate-stream-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            self.files = write_file_set(Path(folder), entries, target)
        except OSError as error:
            raise StorageError(
                "the list of the images cannot be written",
                where=tempfile.gettempdir(),
                got=error.strerror or str(error),
                write="TMPDIR=DIR names another folder",
            ) from None
        self.count, self.shape = len(entries), target.shape
        self._workers = Workers(self.files, workers)
        self._expected: collections.deque[Numbers] = collections.deque()
        self._checks = np.zeros(self.count, np.uint32)

    @property
    def workers(self) -> int:
        """Processes."""
        return self._workers.count

    @property
    def at_once(self) -> int:
        """Images that a process decodes together."""
        return self._workers.at_once

    def first_look(self, numbers: Numbers) -> Iterator[tuple[int, Chunk]]:
        """Decode files that are looked at for the first time, a few at a time, and remember what came of it.

        Yields:
            the place of the first in ``numbers``, and the images.
        """
        parts = self._parts(numbers)
        self.expect(parts)
        start = 0
        for part in parts:
            [chunk] = self._chunks(part)
            self._checks[part] = chunk.checks
            yield start, chunk
            start += len(part)

    def expect(self, batches: Sequence[Numbers]) -> None:
        """What will be asked for next; it replaces what was expected before."""
        self._expected.clear()
        if self.workers and (batches or self._workers.started):
            self._workers.ask([part.tolist() for batch in batches for part in self._parts(batch)])
            self._expected.extend(batches)

    def take(self, numbers: Numbers) -> Images:
        """Decoded images, uint8 (numbers, channels, height, width), new in memory.

        Raises:
            DataError: an image is not what it was; names it.
            StorageError: a process that decodes has died.
        """
        if not self._expected and len(numbers) > self.at_once:
            self.expect([numbers])
        chunks, start = [], 0
        for chunk in self._chunks(numbers):
            self._check(numbers[start : start + len(chunk.pixels)], chunk)
            chunks.append(chunk.pixels)
            start += len(chunk.pixels)
        if not chunks:
            return np.empty((0, *self.shape), np.uint8)
        # copied even if it is one: what came from another process is in shared memory, of which there is little
        return np.concatenate(chunks)

    def release(self) -> None:
        """End the processes."""
        self._expected.clear()
        self._workers.close()

    def _chunks(self, numbers: Numbers) -> Iterator[Chunk]:
        """Those that were expected now from the other processes, in whatever order; others are decoded here."""
        parts = self._parts(numbers)
        if not (self.workers and self._expected and np.array_equal(self._expected[0], numbers)):
            yield from (self.files.read(part.tolist()) for part in parts)
            return
        whole = False
        try:
            self._expected.popleft()
            for _ in parts:
                yield self._workers.next()
            whole = True
        finally:
            if not whole:  # what comes next from the processes belongs to these, and to nothing expected later
                self._expected.clear()

    def _parts(self, numbers: Numbers) -> list[Numbers]:
        return [numbers[start : start + self.at_once] for start in range(0, len(numbers), self.at_once)]

    def _check(self, numbers: Numbers, chunk: Chunk) -> None:
        differing = [*chunk.reasons, *np.flatnonzero(chunk.checks != self._checks[numbers]).tolist()]
        if not differing:
            return
        place = differing[0]
        raise DataError(
            "an image is not what it was when it was first read",
            where=self.files.path(int(numbers[place])),
            got=chunk.reasons.get(place, "other pixels"),
            needs="images that nothing writes to or moves while they are used",
            write="the image as it was; striate resume goes on with a training that stopped here",
        )


class StreamedImages:
    """Some of the files of a stream, as the images of a split: see :class:`striate.data.image_source.ImageSource`.

    Args:
        stream: the files.
        numbers: which of them.
    """

    dtype = np.dtype(np.uint8)
    nbytes = 0

    def __init__(self, stream: FileStream, numbers: Numbers) -> None:
        self.stream, self.numbers = stream, numbers

    @property
    def shape(self) -> tuple[int, ...]:
        """(images, channels, height, width)."""
        return (len(self.numbers), *self.stream.shape)

    @property
    def ndim(self) -> int:
        """4."""
        return 4

    def __len__(self) -> int:
        return len(self.numbers)

    def __repr__(self) -> str:
        return f"StreamedImages({len(self)} images of {self.shape[1:]}, decoded by {self.stream.workers} processes)"

    def __getitem__(self, key: Any) -> Images:
        """Decoded images: one (channels, height, width) for an index, several for a slice or an array."""
        if isinstance(key, int | np.integer):
            one: Images = self.stream.take(self.numbers[np.array([key])])[0]
            return one
        return self.stream.take(self.numbers[key])

    def selected(self, key: Any) -> StreamedImages:
        """Some of the images, not decoded yet."""
        return StreamedImages(self.stream, self.numbers[key])

    def expect(self, batches: Sequence[Numbers]) -> None:
        """Which images will be asked for next."""
        self.stream.expect([self.numbers[batch] for batch in batches])

    def release(self) -> None:
        """End the processes that decode."""
        self.stream.release()
