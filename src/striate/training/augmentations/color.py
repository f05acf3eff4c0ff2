"""Color: brightness, contrast and saturation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from striate.training.augmentations.change import Rows
from striate.training.augmentations.grey import as_grey
from striate.training.augmentations.key import Key

__all__ = ["Color"]

#: Grey values are summed in units of 2⁻²⁴: a sum of integers is the same in every order, a float sum is not.
_UNITS = 1 << 24


@dataclass(frozen=True)
class Color:
    """Brightness, then contrast around each image's mean grey, then saturation; clipped to 0..1.

    Each is a factor uniform in 1 - strength..1 + strength: ``x · f``; ``mean + (x - mean) · f`` with the mean grey of
    the image; ``grey + (x - grey) · f`` with the grey of the pixel, only where there are three channels.

    Source: Howard, "Some Improvements on Deep Convolutional Neural Network Based Image Classification", 2013,
    section 2.2; in this order, which is fixed.
    Does nothing: to black images.
    """

    strength: float

    def draw(self, key: Key, count: int) -> Rows:
        """The factors of brightness, contrast and saturation: float32 (count,) three times."""
        return (1 + (2 * key.uniform("color", count, 3) - 1) * self.strength).unbind(1)

    def apply(self, images_bchw: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Images (batch, channels, height, width), float, 0..1."""
        brightness, contrast, saturation = (row.view(-1, 1, 1, 1) for row in rows)
        images = images_bchw * brightness
        mean = _mean(as_grey(images))
        images = (images - mean).mul_(contrast).add_(mean)
        if images.shape[1] == 3:
            grey = as_grey(images)
            images = (images - grey).mul_(saturation).add_(grey)
        return images.clamp_(0, 1)


def _mean(grey_b1hw: torch.Tensor) -> torch.Tensor:
    """The mean of each image, (batch, 1, 1, 1)."""
    whole = (grey_b1hw * _UNITS).round().long().sum(dim=(1, 2, 3), keepdim=True)
    return (whole.double() / (_UNITS * grey_b1hw[0].numel())).to(grey_b1hw.dtype)
