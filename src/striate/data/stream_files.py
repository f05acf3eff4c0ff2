"""What a process that decodes for a stream does: some of many files, when their numbers are sent to it.

This file is all that such a process imports of Striate, with what it needs to decode.
"""

from __future__ import annotations

import os
import signal
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from striate.data.broken import reason_of
from striate.data.decode_files import Entry, decode_file
from striate.data.image_source import Images
from striate.data.target import Target

__all__ = ["Chunk", "FileSet", "begin_worker", "unchanged", "write_file_set"]

_NAMES, _ENDS, _SIZES = "names.bin", "ends.npy", "sizes.npy"


@dataclass(frozen=True, eq=False)
class Chunk:
    """A few decoded images.

    Args:
        pixels: uint8 (images, channels, height, width).
        checks: CRC-32 of each.
        reasons: why an image could not be decoded, by its place here; its pixels are anything.
        traits: what was odd about an image, by its place here.
    """

    pixels: Images
    checks: npt.NDArray[np.uint32]
    reasons: dict[int, str]
    traits: dict[int, tuple[str, ...]]


def write_file_set(folder: Path, entries: Sequence[Entry], target: Target) -> FileSet:
    """Write the paths and sizes of many files into a folder.

    A million paths would take each process a hundred megabytes and a second to receive; from files it maps them.

    Raises:
        OSError: they cannot be written.
    """
    # absolute: a new process begins in the folder that this one began in, which need not be the one it is in now
    names = [os.path.abspath(entry.path).encode("utf-8", "surrogateescape") for entry in entries]
    (folder / _NAMES).write_bytes(b"".join(names))
    np.save(folder / _ENDS, np.cumsum([len(name) for name in names], dtype=np.int64))
    np.save(folder / _SIZES, np.array([(one.header.width, one.header.height) for one in entries], np.int32))
    return FileSet(str(folder), target)


@dataclass(eq=False)
class FileSet:
    """Files by number, as torch's DataLoader asks for them.

    Args:
        folder: what :func:`write_file_set` has filled.
        target: the form wanted.
    """

    folder: str
    target: Target
    _open: tuple[npt.NDArray[Any], ...] | None = field(default=None, repr=False)

    def __getstate__(self) -> tuple[str, Target]:
        return self.folder, self.target

    def __setstate__(self, state: tuple[str, Target]) -> None:
        self.folder, self.target = state
        self._open = None

    def __len__(self) -> int:
        return len(self._mapped()[1])

    def path(self, number: int) -> str:
        """Of a file."""
        names, ends, _ = self._mapped()
        start = int(ends[number - 1]) if number else 0
        return bytes(names[start : int(ends[number])]).decode("utf-8", "surrogateescape")

    def read(self, numbers: Sequence[int]) -> Chunk:
        """Decode files in this process; what is wrong with one of them is in the chunk, and no exception."""
        sizes = self._mapped()[2]
        pixels: Images = np.zeros((len(numbers), *self.target.shape), np.uint8)
        chunk = Chunk(pixels, np.zeros(len(numbers), np.uint32), {}, {})
        for place, number in enumerate(numbers):
            width, height = sizes[number].tolist()
            try:
                decoded = decode_file(self.path(number), (width, height), self.target)
            except Exception as error:  # decoders of foreign bytes raise nearly anything
                chunk.reasons[place] = reason_of(error)
                continue
            pixels[place] = decoded.pixels
            chunk.checks[place] = zlib.crc32(pixels[place].data)
            if decoded.traits:
                chunk.traits[place] = decoded.traits
        return chunk

    def __getitems__(self, numbers: Sequence[int]) -> tuple[Any, ...]:
        """The same in a process of its own; the pixels go back through shared memory, which takes a tensor."""
        import torch

        chunk = self.read(numbers)
        return torch.from_numpy(chunk.pixels), chunk.checks, chunk.reasons, chunk.traits

    def _mapped(self) -> tuple[npt.NDArray[Any], ...]:
        if self._open is None:
            folder = Path(self.folder)
            names = np.memmap(folder / _NAMES, np.uint8, mode="r")
            self._open = names, np.load(folder / _ENDS, mmap_mode="r"), np.load(folder / _SIZES, mmap_mode="r")
        return self._open


def unchanged(batch: Any) -> Any:
    """What DataLoader is to make of the decoded images: nothing more."""
    return batch


def begin_worker(_: int) -> None:
    """Ctrl-C reaches every process of a terminal; what it means is decided in the one that trains."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
