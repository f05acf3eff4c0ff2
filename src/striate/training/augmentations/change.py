"""What every random change of images can do."""

from __future__ import annotations

from typing import Protocol

import torch

from striate.training.augmentations.key import Key

__all__ = ["Change", "Rows"]

Rows = tuple[torch.Tensor, ...]
"""What was drawn: tensors with one row for each image."""


class Change(Protocol):
    """A change: what it draws for all images of an epoch, and what it makes of a batch with its rows of that.

    Neither the batch given nor the rows are changed. The result for an image is the same to the last bit in whatever
    batch it stands, so an operation that rounds differently from batch to batch (a float sum over pixels, a sine) has
    no place in :meth:`apply`.
    """

    def draw(self, key: Key, count: int) -> Rows:
        """The random numbers of one epoch, one row for each of ``count`` images."""
        ...

    def apply(self, images_bchw: torch.Tensor, rows: Rows) -> torch.Tensor:
        """The images changed, in the same form."""
        ...
