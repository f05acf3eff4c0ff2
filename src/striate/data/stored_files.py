"""The decoded pixels of a listing in a file: found again by what the files are, or made."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
from PIL import __version__ as pillow

from striate.data.cache_folder import PIXELS, cache_folder, cache_problem, make_room, remove_others
from striate.data.decode_files import Entry, Outcome, decode_to_file
from striate.data.image_source import Images, ImageSource
from striate.data.naming import count_of
from striate.data.options import Options
from striate.data.parts import Listing
from striate.data.pixel_file import DamagedFileError, images_at_once, open_pixel_file, read_record, seal_pixel_file
from striate.data.placing import Rows, by_part, rows_of, without_broken
from striate.data.target import Target
from striate.findings import Finding
from striate.units import format_bytes

__all__ = ["Found", "Order", "Stored", "StoredName", "find_stored", "store", "stored_name"]

FORM = 1
"""Of the record and of what decoding does; another number makes all older files unknown."""

Order = Callable[[Mapping[str, Sequence[int]]], Rows]
"""Puts usable images into the order in which their splits lie side by side."""


@dataclass(frozen=True, slots=True)
class StoredName:
    """Where the pixels of a listing are, or will be.

    Args:
        path: of the file.
        prefix: what all files of this source and form start with.
    """

    path: Path
    prefix: str


@dataclass(frozen=True, eq=False)
class Stored:
    """Pixels in a file, and what was found out on the way.

    Args:
        images: uint8 (images, channels, height, width), part after part; memory-mapped, or a stream.
        rows: which images they are.
        target: their form.
        skipped: (id, reason) of the others.
        findings: about the images and the file.
    """

    images: ImageSource
    rows: Rows
    target: Target
    skipped: tuple[tuple[str, str], ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What looking for the file came to.

    Args:
        stored: the pixels, if they were found whole.
        findings: that a damaged file was found.
    """

    stored: Stored | None
    findings: tuple[Finding, ...] = ()


def stored_name(listing: Listing, options: Options, where: str) -> StoredName:
    """The name of the file: source, form asked for, splits, and size and time of change of every file, as hashes."""
    form = json.dumps([options.size, options.channels, options.fit])
    splits = json.dumps([options.seed, options.val, options.test, options.broken])
    digest = hashlib.sha256(json.dumps([FORM, pillow, listing.kind, listing.task, listing.classes]).encode())
    for part, files in listing.files.items():
        digest.update(json.dumps([part, files.ids]).encode())
        digest.update(np.ascontiguousarray(files.labels).tobytes())
        digest.update("".join(map(_state, files.paths)).encode())
    prefix = f"{_short(os.path.realpath(where))}-{_short(form)}-{_short(splits)}-"
    return StoredName(cache_folder() / f"{prefix}{digest.hexdigest()[:20]}{PIXELS}", prefix)


def find_stored(listing: Listing, options: Options, where: str) -> Found:
    """The pixels of a listing, if an earlier start has left them; no file is opened but theirs."""
    beginning = f"{_short(os.path.realpath(where))}-"
    if options.cache in ("memory", "stream") or not any(cache_folder().glob(f"{beginning}*{PIXELS}")):
        return Found(None)
    name = stored_name(listing, options, where)
    path = name.path if name.path.exists() else _of_that_form(name, beginning, options)
    if path is None:
        return Found(None)
    try:
        images, record = open_pixel_file(path)
        os.utime(path)  # the files that were not used for longest go first
        return Found(_stored(path, images, record))
    except DamagedFileError as error:
        reason = str(error)
    except OSError as error:
        reason = error.strerror or str(error)
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    text = f"the file of decoded pixels could not be used ({reason}); the images were decoded again"
    return Found(None, (Finding("D030", "warning", text, where=str(path), fix="if it happens again, check the disk"),))


def _of_that_form(name: StoredName, beginning: str, options: Options) -> Path | None:
    """A file made without asking for a form, when the form it got is now asked for, as by a run that was trained."""
    ending = "-".join(name.path.name.split("-")[2:])
    for path in sorted(cache_folder().glob(f"{beginning}*-{ending}")):
        with contextlib.suppress(OSError, DamagedFileError):
            target = Target(**read_record(path)["target"])
            if (options.size, options.channels, options.fit) == (target.shape[1:], target.channels, target.fit):
                return path
    return None


def store(
    name: StoredName,
    entries: Mapping[str, Mapping[int, Entry]],
    target: Target,
    order: Order,
    finish: Callable[[Mapping[str, Mapping[int, Outcome]]], dict[str, Any]],
    where: str,
) -> Stored:
    """Decode into the file, and open it.

    Args:
        name: of the file.
        entries: by part and by index into the listing, the files whose headers could be read.
        target: the form wanted.
        order: of the usable images.
        finish: told how each image went; raises if that will not do, and returns ``skipped`` and ``findings``.
        where: the source, for messages.

    Raises:
        DataError: the disk has no room for it.
        StorageError: the file cannot be written.
    """
    shape = (target.channels, target.height, target.width)
    planned = order({part: list(files) for part, files in entries.items()})
    places = [(part, index) for part, rows in planned.items() for index in rows]
    what = f"{count_of(len(places), 'image')} of {'×'.join(map(str, shape))}"
    needed = len(places) * math.prod(shape)
    make_room(name.path.parent, needed, f"{what} = {format_bytes(needed)}", where)
    try:
        flat = [entries[part][index] for part, index in places]
        with decode_to_file(name.path, flat, target) as (part_path, file, decoded, checksums):
            record = finish(by_part(places, decoded))
            rows = order(without_broken(places, decoded))
            record |= {"rows": rows, "target": asdict(target)}
            wanted = [(part, index) for part, indices in rows.items() for index in indices]
            if wanted == places:
                seal_pixel_file(file, len(places), shape, checksums, record)
                os.replace(part_path, name.path)
            else:
                new = _rearranged(part_path, rows_of(wanted, places), shape, record)
                os.replace(new, name.path)
        remove_others(name.path.parent, name.prefix, name.path)
        images, record = open_pixel_file(name.path)
    except OSError as error:
        raise cache_problem(error, name.path) from None
    return _stored(name.path, images, record)


def _rearranged(path: Path, rows: npt.NDArray[np.intp], shape: tuple[int, int, int], record: dict[str, Any]) -> Path:
    """The chosen images of an unfinished file, in the order given, in a new one: broken images leave no gaps."""
    new = path.with_suffix(".new.part")
    size, step = math.prod(shape), images_at_once(shape)
    try:
        with open(path, "rb") as source, open(new, "wb") as file:
            checksums = []
            for start in range(0, len(rows), step):
                stretch = b"".join(_row(source, int(row), size) for row in rows[start : start + step])
                checksums.append(zlib.crc32(stretch))
                file.write(stretch)
            seal_pixel_file(file, len(rows), shape, checksums, record)
    except BaseException:
        new.unlink(missing_ok=True)
        raise
    return new


def _row(file: BinaryIO, row: int, size: int) -> bytes:
    file.seek(row * size)
    return file.read(size)


def _stored(path: Path, images: Images, record: dict[str, Any]) -> Stored:
    size = format_bytes(path.stat().st_size)
    text = f"the decoded pixels ({size}) lie in a file and are read from there"
    fix = "a smaller size= may fit in memory; the file may be removed at any time"
    said = Finding("D029", "info", text, where=str(path), fix=fix)
    return Stored(
        images,
        cast("Rows", record["rows"]),
        Target(**record["target"]),
        tuple((name, reason) for name, reason in record["skipped"]),
        (*(Finding(**fields) for fields in record["findings"]), said),
    )


def _state(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return "gone\n"
    return f"{status.st_size} {status.st_mtime_ns}\n"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:12]
