"""IDX files: the format of MNIST (LeCun, Cortes and Burges), big-endian, optionally gzipped.

A file is two zero bytes, a byte for the type, a byte for the number of axes, the length of each axis as four bytes,
and then the numbers.
"""

from __future__ import annotations

import gzip
import math
import os
import struct
import zlib
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from striate.data.memory import memory_bound
from striate.errors import DataError
from striate.units import format_bytes

__all__ = ["read_idx"]

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_DEFLATE_LIMIT = 1032
"""Deflate cannot shrink anything further than this, so a gzip file's size bounds its content."""


def read_idx(path: str) -> npt.NDArray[Any]:
    """The array in an IDX file, in the machine's byte order.

    Nothing is allocated before the header's sizes are found to agree with the size of the file.

    Raises:
        DataError: not an IDX file, cut off, longer than its header says, damaged, or larger than memory.
    """
    try:
        with open(path, "rb") as raw:
            stored = os.fstat(raw.fileno()).st_size
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                return _read(raw, path, exact=stored, most=stored)
            with gzip.GzipFile(fileobj=raw) as unpacked:
                return _read(unpacked, path, exact=None, most=stored * _DEFLATE_LIMIT)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        got = str(error) or type(error).__name__
        raise DataError("the gzip file is cut off or damaged", where=path, got=got, needs="the whole file") from None
    except OSError as error:
        raise DataError("the file cannot be read", where=path, got=str(error)) from None


def _read(file: BinaryIO | gzip.GzipFile, path: str, exact: int | None, most: int) -> npt.NDArray[Any]:
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _TYPES or not 1 <= magic[3] <= 4:
        needs = "two zero bytes, a type (8 to 14) and 1 to 4 axes"
        raise DataError("not an IDX file", where=path, got=f"a file that starts with {magic!r}", needs=needs)
    lengths = file.read(4 * magic[3])
    if len(lengths) < 4 * magic[3]:
        raise DataError("the IDX file is cut off in its header", where=path, needs="the whole file")
    shape = struct.unpack(f">{magic[3]}I", lengths)
    dtype = np.dtype(_TYPES[magic[2]])
    size, header = math.prod(shape) * dtype.itemsize, 4 + len(lengths)
    said = f"{' × '.join(map(str, shape))} numbers of {dtype.itemsize} bytes = {size:,} bytes"
    if (exact is not None and size + header != exact) or size + header > most:
        got = f"{exact - header:,} bytes" if exact is not None else "a gzip file too small to hold them"
        raise DataError("the IDX file does not have the size its header says", where=path, got=got, needs=said)
    if size > memory_bound():
        raise DataError("the array does not fit in memory", where=path, got=said, needs=format_bytes(memory_bound()))
    content = bytearray()
    while len(content) <= size and (chunk := file.read(min(1 << 22, size + 1 - len(content)))):
        content += chunk
    if len(content) != size:
        more = "more" if len(content) > size else f"{len(content):,}"
        got = f"{more} bytes"
        raise DataError("the IDX file does not have the size its header says", where=path, got=got, needs=said)
    return np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)
