"""A file of decoded pixels: uint8, image after image, then what is known about them, then a seal.

::

    pixels    count × channels × height × width bytes, C order; at the start, so that they can be memory-mapped
    record    JSON: the shape, a CRC-32 of each stretch of images, and what the writer wants to find again
    seal      the length of the record (8 bytes, little-endian), its sha256 (32 bytes), and 8 fixed bytes

The file takes its name only when it is whole and on the disk. Opening it reads every stretch once and compares it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from striate.data.dataset import Images

__all__ = ["CHUNK_BYTES", "DamagedFileError", "images_at_once", "open_pixel_file", "read_record", "seal_pixel_file"]

CHUNK_BYTES = 8 << 20
"""Pixels held in memory at a time, on writing and on checking."""
RECORD_LIMIT = 1 << 30
_MAGIC = b"STRPIX01"
_SEAL = struct.Struct("<Q32s8s")


class DamagedFileError(Exception):
    """A file of pixels that cannot be trusted; its text is the reason. Caught inside this package."""


def images_at_once(shape: Sequence[int]) -> int:
    """Images of (channels, height, width) in one stretch."""
    return max(1, CHUNK_BYTES // math.prod(shape))


def seal_pixel_file(
    file: BinaryIO, count: int, shape: Sequence[int], checksums: Sequence[int], record: dict[str, Any]
) -> None:
    """Write record and seal behind the pixels and put the file on the disk.

    Args:
        file: open for writing, with ``count`` images in it.
        count: images.
        shape: (channels, height, width).
        checksums: CRC-32 of each stretch of :func:`images_at_once` images.
        record: what is to be found again, ready for JSON.

    Raises:
        OSError: it cannot be written.
    """
    known = {"shape": [count, *shape], "checksums": list(checksums), "record": record}
    text = json.dumps(known, separators=(",", ":")).encode()
    file.seek(count * math.prod(shape))
    file.truncate()
    file.write(text + _SEAL.pack(len(text), hashlib.sha256(text).digest(), _MAGIC))
    file.flush()
    os.fsync(file.fileno())


def open_pixel_file(path: Path) -> tuple[Images, dict[str, Any]]:
    """The pixels, memory-mapped and read-only, and the record.

    Returns:
        uint8 (count, channels, height, width), and what ``seal_pixel_file`` was given.

    Raises:
        DamagedFileError: cut off, changed, or not such a file.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        shape, checksums, record = _read_record(file)
        _check_pixels(file, shape, checksums)
        # a file without a byte cannot be mapped, but there is no dataset without an image either
        images = np.memmap(file, np.uint8, mode="r", shape=shape)
    return np.asarray(images), record


def read_record(path: Path) -> dict[str, Any]:
    """The record alone; the pixels are not looked at.

    Raises:
        DamagedFileError: cut off, changed, or not such a file.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        return _read_record(file)[2]


def _read_record(file: BinaryIO) -> tuple[tuple[int, ...], list[int], dict[str, Any]]:
    end = file.seek(0, os.SEEK_END)
    if end < _SEAL.size:
        raise DamagedFileError("cut off")
    file.seek(end - _SEAL.size)
    length, digest, magic = _SEAL.unpack(file.read(_SEAL.size))
    if magic != _MAGIC or not 0 < length <= min(RECORD_LIMIT, end - _SEAL.size):
        raise DamagedFileError("cut off, or not a file of pixels")
    start = end - _SEAL.size - length
    file.seek(start)
    text = file.read(length)
    if hashlib.sha256(text).digest() != digest:
        raise DamagedFileError("its record was changed")
    known = json.loads(text)
    shape = tuple(known["shape"])
    if math.prod(shape) != start or start == 0:
        raise DamagedFileError("its size is not that of its pixels")
    return shape, known["checksums"], known["record"]


def _check_pixels(file: BinaryIO, shape: tuple[int, ...], checksums: list[int]) -> None:
    count, size = shape[0], math.prod(shape[1:])
    step = images_at_once(shape[1:])
    file.seek(0)
    for number, start in enumerate(range(0, count, step)):
        stretch = file.read(min(step, count - start) * size)
        if zlib.crc32(stretch) != checksums[number]:
            raise DamagedFileError(f"the pixels of images {start:,} to {min(start + step, count) - 1:,} were changed")
