"""The files of a listing as a stream: looked at once, and then decoded whenever they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from striate.data.card import hash_beginning
from striate.data.decode_files import Entry, Outcome
from striate.data.parts import Listing
from striate.data.placing import by_part, rows_of, without_broken
from striate.data.stored_files import Stored
from striate.data.stream_look import ExaminedImages, Look, Stretch, look_at
from striate.data.stream_workers import default_workers
from striate.data.streaming import FileStream, Numbers
from striate.data.target import Target
from striate.errors import DataError
from striate.findings import Finding

__all__ = ["Divided", "Drawn", "streamed"]

Divided = Mapping[str, Sequence[Sequence[int]]]
"""By part, the images of each split."""
Drawn = Callable[[Mapping[str, Sequence[int]]], Divided]
"""By part, usable images divided into the splits that they will be."""


def streamed(
    listing: Listing,
    entries: Mapping[str, Mapping[int, Entry]],
    target: Target,
    drawn: Drawn,
    finish: Callable[[Mapping[str, Mapping[int, Outcome]]], dict[str, Any]],
    workers: int | None,
) -> tuple[Stored, int]:
    """Decode every file once, to find those that are broken and what needs all pixels; keep no pixel.

    Args:
        listing: with ids and labels.
        entries: by part and by index into the listing, the files whose headers could be read.
        target: the form wanted.
        drawn: divides usable images.
        finish: told how each image went; raises if that will not do, and returns ``skipped`` and ``findings``.
        workers: processes; None: one for each processor.

    Returns:
        the images, which are decoded whenever they are asked for, and the number of processes that do it.

    Raises:
        StorageError: a process has died.
        DataError: an image was damaged meanwhile.
    """
    count = workers or default_workers()
    divided = drawn({part: list(files) for part, files in entries.items()})
    places = _places(divided)
    stream = FileStream([entries[part][index] for part, index in places], target, count)
    numbers = np.arange(stream.count)
    look = _looked_at(stream, numbers, listing, entries, divided)
    record = finish(by_part(places, look.outcomes))
    if any(outcome.reason is not None for outcome in look.outcomes):
        # what the splits are depends on which images are left, so all that is known of them is found out again
        divided = drawn(without_broken(places, look.outcomes))
        numbers = rows_of(_places(divided), places)
        look = _looked_at(stream, numbers, listing, entries, divided)
        broken = [number for number, one in zip(numbers, look.outcomes, strict=True) if one.reason is not None]
        if broken:
            raise DataError(
                "an image was damaged while it was read",
                where=stream.files.path(int(broken[0])),
                got=next(one.reason for one in look.outcomes if one.reason is not None),
                needs="images that nothing writes to while they are used",
            )
    rows = {part: [index for split in splits for index in split] for part, splits in divided.items()}
    images = ExaminedImages(stream, numbers, look)
    findings = tuple(Finding(**fields) for fields in record["findings"])
    return Stored(images, rows, target, tuple(record["skipped"]), findings), count


def _looked_at(
    stream: FileStream,
    numbers: Numbers,
    listing: Listing,
    entries: Mapping[str, Mapping[int, Entry]],
    divided: Divided,
) -> Look:
    traits: list[tuple[str, ...]] = []
    stretches = []
    for part, splits in divided.items():
        files = listing.files[part]
        for rows in splits:
            ids = tuple(files.ids[row] for row in rows)
            shape = (len(rows), *stream.shape)
            begun = hash_beginning(ids, files.labels[np.asarray(rows, np.intp)], shape)
            stretches.append(Stretch(len(traits), len(traits) + len(rows), begun))
            traits += [entries[part][row].header.traits for row in rows]
    return look_at(stream, numbers, traits, stretches)


def _places(divided: Divided) -> list[tuple[str, int]]:
    return [(part, index) for part, splits in divided.items() for rows in splits for index in rows]
