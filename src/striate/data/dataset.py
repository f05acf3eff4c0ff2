"""Split and Dataset: images and labels, with everything that is known about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from striate.data.image_source import Images, ImageSource, selected
from striate.errors import DataError
from striate.units import Shape

if TYPE_CHECKING:
    from striate.findings import Finding
    from striate.runs.records import DataCard, Preprocessing, Task

__all__ = ["Dataset", "Images", "Labels", "Split"]

Labels = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Split:
    """One part of a dataset, decoded.

    Args:
        images: uint8 (images, channels, height, width), C-contiguous, 0..255; in memory, or mapped from a file and then
            read-only: only what is touched is read. Or a stream, which decodes what it is indexed with: see
            :class:`striate.data.image_source.ImageSource`.
        labels: int64 (images,), index into the classes; for tags uint8 (images, tags), 0 or 1; for values
            float32 (images, values).
        ids: one name per image: its path relative to the source, or ``train/17``.

    Raises:
        DataError: the three do not fit each other.
    """

    images: ImageSource = field(repr=False)
    labels: Labels = field(repr=False)
    ids: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        flat = not isinstance(self.images, np.ndarray) or self.images.flags.c_contiguous
        if len(self.images.shape) != 4 or self.images.dtype != np.uint8 or not flat:
            raise DataError(
                "images of a split have the wrong form",
                got=f"{self.images.dtype} {self.images.shape}",
                needs="uint8 (images, channels, height, width), C-contiguous",
            )
        if not len(self.images) == len(self.labels) == len(self.ids):
            raise DataError(
                "images, labels and ids differ in number",
                got=f"{len(self.images)} images, {len(self.labels)} labels, {len(self.ids)} ids",
                needs="one label and one id per image",
            )

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Split({len(self)} images of {self.images.shape[1:]}, labels {self.labels.dtype} {self.labels.shape})"

    def take(self, indices: npt.NDArray[np.intp]) -> Split:
        """The images at ``indices``, in that order: copied, but for a stretch of neighbours, which is a view.

        Those of a stream are decoded when they are asked for, as before.
        """
        ids = self.ids
        # pixels on disk are laid out split by split, so that this reads none of them
        neighbours = len(indices) > 0 and bool((np.diff(indices) == 1).all())
        images = selected(self.images, slice(indices[0], indices[-1] + 1) if neighbours else indices)
        return Split(
            np.ascontiguousarray(images) if isinstance(images, np.ndarray) else images,
            self.labels[indices],
            tuple(ids[int(index)] for index in indices),
        )


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images ready for training, and what was learnt about them on the way.

    Args:
        train: the training split.
        val: the validation split, or None.
        test: the test split, or None.
        classes: names of the classes or tags, or of the value columns; their order is the contract.
        task: ``classes``, ``tags`` or ``values``.
        preprocessing: how any further image gets the same form (``striate.data.read_image``).
        card: what a run stores as ``data.json``.
        findings: everything that was decided or skipped, each said once.
        skipped: (id, reason) of every image that could not be read.
        kept: where the decoded pixels of image files are, and why there, in one sentence; empty for other sources.
    """

    train: Split
    val: Split | None
    test: Split | None
    classes: tuple[str, ...]
    task: Task
    preprocessing: Preprocessing
    card: DataCard = field(repr=False)
    findings: tuple[Finding, ...] = ()
    skipped: Sequence[tuple[str, str]] = field(default=(), repr=False)
    kept: str = field(default="", repr=False)

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that exist, by name."""
        named = {"train": self.train, "val": self.val, "test": self.test}
        return {name: split for name, split in named.items() if split is not None}

    @property
    def shape(self) -> Shape:
        """(channels, height, width) of every image."""
        channels, height, width = self.train.images.shape[1:]
        return (channels, height, width)
