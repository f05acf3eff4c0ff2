"""Hue: colours turned around the colour circle."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from striate.training.augmentations.change import Rows
from striate.training.augmentations.key import Key

__all__ = ["Hue"]


@dataclass(frozen=True)
class Hue:
    """Turn the hue of all pixels of an image by the same share of a circle, uniform in -most..most.

    Hue is that of the HSV colour model; value and saturation stay as they are.

    Source: Smith, "Color gamut transform pairs", 1978, for the model; with V the largest channel and C the difference
    of the largest and the smallest, channel n = 5, 3, 1 (red, green, blue) is ``V - C·clip(min(k, 4 - k), 0, 1)`` with
    ``k = (n + hue) mod 6`` and the hue in sixths of a circle.
    Does nothing: to grey pixels; images with one channel are refused.
    """

    most: float

    def draw(self, key: Key, count: int) -> Rows:
        """The turn of each image in sixths of a circle: float32 (count,)."""
        return ((2 * key.uniform("hue", count, 1)[:, 0] - 1) * (6 * self.most),)

    def apply(self, images_bchw: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Images (batch, 3, height, width), float, 0..1."""
        red, green, blue = images_bchw.unbind(1)
        value = torch.maximum(torch.maximum(red, green), blue)
        chroma = value - torch.minimum(torch.minimum(red, green), blue)
        # Where the chroma is 0 the hue is anything, and 0 / 1 does.
        divisor = torch.where(chroma == 0, 1.0, chroma)
        hue = torch.where(
            value == red,
            (green - blue) / divisor,
            torch.where(value == green, (blue - red) / divisor + 2, (red - green) / divisor + 4),
        )
        hue = hue + rows[0].view(-1, 1, 1)
        channels = []
        for place in (5, 3, 1):
            k = hue + place
            k = k - 6 * (k / 6).floor()
            channels.append(value - chroma * torch.minimum(k, 4 - k).clamp_(0, 1))
        return torch.stack(channels, dim=1)
