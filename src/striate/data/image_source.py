"""What a split's images may be: an array, or anything that gives arrays when it is asked for some of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

__all__ = ["ImageSource", "Images", "Streamed", "expect", "release", "selected", "stretches"]

Images = npt.NDArray[np.uint8]


class ImageSource(Protocol):
    """Images of one form: uint8 (images, channels, height, width). A NumPy array is one.

    An index, a slice or an array of indices gives pixels, in memory. Code that takes this works for arrays and streams;
    what passes over all images goes by :func:`stretches`, so that not all of them are in memory at once.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """(images, channels, height, width)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8."""
        ...

    @property
    def nbytes(self) -> int:
        """Bytes of the pixels that are kept; 0 where none are."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any, /) -> Images: ...


@runtime_checkable
class Streamed(Protocol):
    """What an image source can do beyond that where its images are decoded when they are asked for."""

    def selected(self, key: Any) -> ImageSource:
        """Some of the images, not decoded yet."""
        ...

    def expect(self, batches: Sequence[npt.NDArray[np.intp]]) -> None:
        """Which images will be asked for next, batch by batch, so that they can be decoded ahead."""
        ...

    def release(self) -> None:
        """End the processes that decode; they start again when they are needed."""
        ...


def selected(images: ImageSource, key: slice | npt.NDArray[np.intp]) -> ImageSource:
    """Some of the images, without decoding them.

    >>> selected(np.zeros((4, 1, 2, 2), np.uint8), slice(1, 3)).shape
    (2, 1, 2, 2)
    """
    return images.selected(key) if isinstance(images, Streamed) else images[key]


def expect(images: ImageSource, batches: Sequence[npt.NDArray[np.intp]]) -> None:
    """Say which images will be asked for next, batch by batch; it changes how soon they are there, and nothing else.

    Args:
        images: an array has them already, and nothing is done.
        batches: indices into them. Later ones replace what was expected before.
    """
    if isinstance(images, Streamed):
        images.expect(batches)


def release(images: ImageSource) -> None:
    """Give back the processes that decode these images, if there are any; they start again when they are needed."""
    if isinstance(images, Streamed):
        images.release()


def stretches(images: ImageSource, step: int) -> Iterator[Images]:
    """All images, ``step`` at a time, in order.

    >>> [len(stretch) for stretch in stretches(np.zeros((5, 1, 2, 2), np.uint8), 2)]
    [2, 2, 1]
    """
    starts = range(0, len(images), step)
    expect(images, [np.arange(start, min(start + step, len(images))) for start in starts])
    for start in starts:
        yield images[start : start + step]
