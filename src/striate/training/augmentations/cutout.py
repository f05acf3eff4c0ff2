"""Cutout: a square of each image is blotted out."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from striate.training.augmentations.change import Rows
from striate.training.augmentations.key import Key

__all__ = ["Cutout", "window"]


@dataclass(frozen=True)
class Cutout:
    """Set a square to 0, which is the mean of the training images, because it comes after normalisation.

    Its centre is any pixel with equal probability, so that part of it may lie outside the image.

    Source: DeVries & Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout", 2017
    (arXiv 1708.04552), section 3 (16 pixels for CIFAR-10, 8 for CIFAR-100).
    Does nothing: to what is the mean already; a square as large as the image is refused.

    Args:
        side: of the square in pixels.
    """

    side: int

    def draw(self, key: Key, count: int) -> Rows:
        """The centre of each square as shares of height and width: float32 (count,) twice."""
        return key.uniform("cutout", count, 2).unbind(1)

    def apply(self, images_bchw: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Images (batch, channels, height, width), normalised."""
        height, width = images_bchw.shape[-2:]
        inside_y = window(rows[0], self.side, height)
        inside_x = window(rows[1], self.side, width)
        return images_bchw.masked_fill((inside_y[:, :, None] & inside_x[:, None, :])[:, None], 0)


def window(centre: torch.Tensor, length: torch.Tensor | int, size: int) -> torch.Tensor:
    """Which pixels of an axis lie in a window around a centre: bool (batch, size).

    The window begins ``length // 2`` pixels before the pixel of the centre, and is cut off at the ends of the axis.

    Args:
        centre: (batch,), 0 ≤ u < 1, as a share of the axis.
        length: in pixels, for each of the batch or for all.
        size: of the axis.

    >>> window(torch.tensor([0.5, 0.0]), 2, 4).int().tolist()
    [[0, 1, 1, 0], [1, 0, 0, 0]]
    """
    start = (centre * size).floor().long().clamp_(max=size - 1) - length // 2
    place = torch.arange(size, device=centre.device) - start[:, None]
    end = length[:, None] if isinstance(length, torch.Tensor) else length
    return (place >= 0) & (place < end)
