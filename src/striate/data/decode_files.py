"""Many image files to pixels: into an array, or, stretch by stretch, into a file that a later start can go on with."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import statistics
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

import numpy as np

from striate.data.broken import BrokenImageError, reason_of
from striate.data.dataset import Images
from striate.data.decoding import Decoded, decode
from striate.data.headers import Header
from striate.data.memory import available_memory
from striate.data.pixel_file import images_at_once
from striate.data.pool import cores, map_in_order
from striate.data.target import Target

__all__ = ["Entry", "Outcome", "decode_file", "decode_into", "decode_to_file"]

BYTES_PER_PIXEL = 16
"""What decoding takes at its worst: Pillow's 4 bytes, times the copies that transparency needs."""
THREADS_PAY = 128 * 128
"""Pixels from which decoding outside the interpreter lock outweighs handing images to threads."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One image file whose header was read.

    Args:
        path: where to open it.
        header: what it says.
    """

    path: str
    header: Header


@dataclass(frozen=True, slots=True)
class Outcome:
    """How decoding one file went.

    Args:
        reason: why the image cannot be used, or None.
        traits: what was odd about it.
    """

    reason: str | None
    traits: tuple[str, ...]


def decode_into(images: Images, entries: Sequence[Entry], target: Target) -> list[Outcome]:
    """Decode each file into its row; the row of a broken one holds anything.

    Args:
        images: uint8 (entries, channels, height, width).
        entries: the files.
        target: the form wanted.
    """

    def read(index: int) -> Outcome:
        entry = entries[index]
        try:
            decoded = decode_file(entry.path, (entry.header.width, entry.header.height), target)
            images[index] = decoded.pixels
        except Exception as error:  # decoders of foreign bytes raise nearly anything
            return Outcome(reason_of(error), ())
        return Outcome(None, tuple(dict.fromkeys((*entry.header.traits, *decoded.traits))))

    return list(map_in_order(read, range(len(entries)), _workers(entries)))


def decode_file(path: str, size: tuple[int, int], target: Target) -> Decoded:
    """Decode one file.

    Args:
        path: where to open it.
        size: (width, height) that its header gave.
        target: the form wanted.

    Raises:
        BrokenImageError: it cannot be used.
        Exception: whatever Pillow raises on damaged bytes.
    """
    with open(path, "rb") as file:
        decoded = decode(file, target)
    if decoded.size != size and target.fit == "exact":
        raise BrokenImageError(f"its size is {decoded.size[0]}×{decoded.size[1]} only once it is decoded")
    return decoded


def _workers(entries: Sequence[Entry]) -> int:
    """Threads that pay for these images, and that memory allows: each holds one decoded image."""
    pixels = [entry.header.width * entry.header.height for entry in entries]
    if statistics.median(pixels) < THREADS_PAY:
        return 1
    room = available_memory() // 4 // (BYTES_PER_PIXEL * max(pixels))
    return max(1, min(cores(), len(entries) // 16, room))


@contextlib.contextmanager
def decode_to_file(
    path: Path, entries: Sequence[Entry], target: Target
) -> Iterator[tuple[Path, BinaryIO, list[Outcome], list[int]]]:
    """Decode into a file beside ``path``, going on where an earlier process was killed.

    What is done is written down in a journal, with a CRC-32 of each stretch. A later start takes over the stretches
    that are still as the journal says. Where another process is at it, or the system has no locks, a file of its own
    is written, which nobody goes on with.

    Args:
        path: what the file is to be called in the end; its name stands for the images and their form.
        entries: the files, in the order wanted.
        target: the form wanted.

    Yields:
        Name of the file, the file, how each image went, and the checksums. The block seals the file, and may rename
        it. An error removes the file; an interruption leaves it for the next start.

    Raises:
        OSError: it cannot be written.
    """
    shape = (target.channels, target.height, target.width)
    step = images_at_once(shape)
    with _unfinished(path) as (part, file, journal):
        outcomes, checksums = _taken_over(journal, file, entries, shape)
        for start in range(len(outcomes), len(entries), step):
            stretch = entries[start : start + step]
            images: Images = np.zeros((len(stretch), *shape), np.uint8)
            results = decode_into(images, stretch, target)
            file.write(images.data)
            file.flush()
            checksums.append(zlib.crc32(images.data))
            outcomes += results
            row = {"checksum": checksums[-1], "results": [[one.reason, *one.traits] for one in results]}
            journal.write(json.dumps(row) + "\n")
            journal.flush()
        yield part, file, outcomes, checksums


def _taken_over(
    journal: IO[str], file: BinaryIO, entries: Sequence[Entry], shape: tuple[int, int, int]
) -> tuple[list[Outcome], list[int]]:
    """What an earlier process has left whole; journal and file end behind it."""
    names = hashlib.sha256("\0".join(entry.path for entry in entries).encode("utf-8", "surrogateescape")).hexdigest()
    first = json.dumps({"shape": shape, "files": names}) + "\n"
    step, size = images_at_once(shape), int(np.prod(shape))
    outcomes: list[Outcome] = []
    checksums: list[int] = []
    lines = journal.read().splitlines(keepends=True)
    whole = [first]
    for line in lines[1:] if lines[:1] == [first] else []:
        wanted = min(step, len(entries) - len(outcomes))
        try:
            row = json.loads(line)
            results = [Outcome(reason, tuple(traits)) for reason, *traits in row["results"]]
        except (ValueError, KeyError, TypeError):
            break
        if wanted <= 0 or len(results) != wanted or zlib.crc32(file.read(wanted * size)) != row["checksum"]:
            break
        outcomes += results
        checksums.append(row["checksum"])
        whole.append(line)
    journal.seek(0)
    journal.truncate()
    journal.write("".join(whole))
    journal.flush()
    file.seek(len(outcomes) * size)
    file.truncate()
    return outcomes, checksums


@contextlib.contextmanager
def _unfinished(path: Path) -> Iterator[tuple[Path, BinaryIO, IO[str]]]:
    """The unfinished file and its journal: those an earlier process left, if nobody else is at them."""
    stem = path.with_suffix("")
    journal = open(f"{stem}.journal", "a+", encoding="utf-8")  # noqa: SIM115
    shared = _locked(journal)
    if not shared:
        journal.close()
        stem = stem.with_name(f"{stem.name}-{secrets.token_hex(4)}")
        journal = open(f"{stem}.journal", "x+", encoding="utf-8")  # noqa: SIM115
    part, log = Path(f"{stem}.part"), Path(f"{stem}.journal")
    keep = False
    try:
        journal.seek(0)
        with open(part, "r+b" if part.exists() else "w+b") as file:
            yield part, file, journal
    except Exception:
        raise  # a disk without room has no use for half a file, and images that will not do will be others next time
    except BaseException:
        keep = shared
        raise
    finally:
        if not keep:
            for leftover in (part, log):
                with contextlib.suppress(OSError):
                    leftover.unlink(missing_ok=True)
        journal.close()


def _locked(file: IO[str]) -> bool:
    """Whether this process alone has the file, as far as the system can say."""
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (ImportError, OSError):
        return False
    return os.fstat(file.fileno()).st_nlink > 0  # not one that its owner removed a moment ago
