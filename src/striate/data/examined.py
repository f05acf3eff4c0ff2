"""What may be known of images that were all looked at before, so that nobody has to look at all of them again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = ["Counts", "Examined", "Signatures", "Words", "joined"]

Counts = npt.NDArray[np.int64]
"""(channels, 256): how often each value occurs."""
Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Signatures:
    """What is kept of the images of one split; every array has one entry per image.

    Args:
        words: uint64, equal for equal pixels and different, but for one chance in 2⁶⁴, for others.
        hashes: uint64 difference hash of the 8×9 thumbnail: bit (row, column) says that the thumbnail is brighter at
            column + 1 than at column.
        plain: bool, too flat or too small for the hash to mean anything.
        uniform: bool, the thumbnail has one grey level: the image may have one colour.
        brightness: float32, mean over pixels and channels, 0..255.
    """

    words: Words
    hashes: Words
    plain: npt.NDArray[np.bool_]
    uniform: npt.NDArray[np.bool_]
    brightness: npt.NDArray[np.float32]

    def at(self, places: npt.NDArray[np.intp]) -> Signatures:
        """Those of some of the images."""
        return Signatures(*(getattr(self, name)[places] for name in _COLUMNS))


_COLUMNS = tuple(field.name for field in fields(Signatures))


def joined(parts: Sequence[Signatures]) -> Signatures:
    """Those of several stretches of images, one after the other."""
    return Signatures(*(np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS))


@runtime_checkable
class Examined(Protocol):
    """What an image source can do beyond that where all its images have been looked at before."""

    def known_signatures(self) -> Signatures:
        """What :func:`striate.data.signatures.signatures` would find."""
        ...

    def known_counts(self) -> Counts | None:
        """How often each value of each channel occurs, where that was counted."""
        ...

    def known_hash(self, begun: str) -> str | None:
        """The hash of the split of these images, where it was taken; ``begun`` is that of all but their pixels."""
        ...
