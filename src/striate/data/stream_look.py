"""The one pass over the files of a stream that finds out everything which needs all pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.data.decode_files import Outcome
from striate.data.examined import Counts, Signatures, joined
from striate.data.signatures import signatures
from striate.data.statistics import count_values
from striate.data.streaming import FileStream, Numbers, StreamedImages

if TYPE_CHECKING:
    from hashlib import _Hash

__all__ = ["ExaminedImages", "Look", "Stretch", "look_at"]


@dataclass(frozen=True, eq=False)
class Stretch:
    """Files that will be a split, if none of them is broken.

    Args:
        start, stop: their places among those that are looked at.
        hash: of the split, begun with everything but the pixels.
    """

    start: int
    stop: int
    hash: _Hash


@dataclass(frozen=True, eq=False)
class Look:
    """What was found out.

    Args:
        outcomes: how each file went.
        signatures: of each file's image.
        counts: by place of the first and number of images, how often each value of each channel occurs in a stretch.
        hashes: of a split whose hash has begun with the key.
    """

    outcomes: list[Outcome]
    signatures: Signatures
    counts: Mapping[tuple[int, int], Counts]
    hashes: Mapping[str, str]


def look_at(
    stream: FileStream, numbers: Numbers, traits: Sequence[tuple[str, ...]], stretches: Sequence[Stretch]
) -> Look:
    """Decode files once, and keep of each image what is small.

    Args:
        stream: of the files.
        numbers: which of them, in which order.
        traits: of their headers.
        stretches: the splits that they will be.

    Raises:
        StorageError: a process that decodes has died.
    """
    outcomes: list[Outcome] = []
    signed: list[Signatures] = []
    counts = {(one.start, one.stop - one.start): np.zeros((stream.shape[0], 256), np.int64) for one in stretches}
    hashes = {one.hash.hexdigest(): one.hash.copy() for one in stretches}
    for start, chunk in stream.first_look(numbers):
        for place in range(len(chunk.pixels)):
            seen = (*traits[start + place], *chunk.traits.get(place, ()))
            reason = chunk.reasons.get(place)
            outcomes.append(Outcome(reason, tuple(dict.fromkeys(seen)) if reason is None else ()))
        signed.append(signatures(chunk.pixels))
        for one in stretches:
            own = chunk.pixels[max(one.start - start, 0) : max(one.stop - start, 0)]
            if len(own):
                hashes[one.hash.hexdigest()].update(own.data)
                counts[one.start, one.stop - one.start] += count_values(own)
    return Look(outcomes, joined(signed), counts, {begun: done.hexdigest() for begun, done in hashes.items()})


class ExaminedImages(StreamedImages):
    """Streamed images of which everything is known that needs all of them: nobody has to decode them for that again.

    Args:
        stream: the files.
        numbers: which of them.
        look: what was found out about these, and perhaps others.
        places: where they are in it; None: they are all of it.
    """

    def __init__(self, stream: FileStream, numbers: Numbers, look: Look, places: Numbers | None = None) -> None:
        super().__init__(stream, numbers)
        self._look, self._places = look, np.arange(len(numbers)) if places is None else places

    def selected(self, key: Any) -> ExaminedImages:
        """Some of the images, not decoded yet."""
        return ExaminedImages(self.stream, self.numbers[key], self._look, self._places[key])

    def known_signatures(self) -> Signatures:
        """What :func:`striate.data.signatures.signatures` would find."""
        return self._look.signatures.at(self._places)

    def known_counts(self) -> Counts | None:
        """How often each value of each channel occurs, where that was counted for just these images."""
        neighbours = len(self) > 0 and bool((np.diff(self._places) == 1).all())
        return self._look.counts.get((int(self._places[0]), len(self))) if neighbours else None

    def known_hash(self, begun: str) -> str | None:
        """The hash of the split of these images, where it was taken; ``begun`` is that of all but their pixels."""
        return self._look.hashes.get(begun)
