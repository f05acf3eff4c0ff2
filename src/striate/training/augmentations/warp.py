"""Warp: zoom, scale and rotation as one resampling, so that the picture is interpolated once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from striate.training.augmentations.change import Rows
from striate.training.augmentations.key import Key

__all__ = ["Warp"]


@dataclass(frozen=True)
class Warp:
    """Show a window of the image, larger or smaller, and turned; bilinear, with repeated edges.

    Source: random crops and scales by Simonyan & Zisserman, "Very Deep Convolutional Networks", 2015, section 3.1.1;
    here they keep the aspect ratio.
    Does nothing: to images of one colour; a rotation to discs alone.

    Args:
        crop: smallest side of a window at a random place, as a share of the image's side; the share is uniform.
        scale: the picture becomes up to ``1 + scale`` times larger or smaller about its centre; the logarithm of the
            factor is uniform.
        rotate: largest angle in degrees, either way.
    """

    crop: float = 1.0
    scale: float = 0.0
    rotate: float = 0.0

    def draw(self, key: Key, count: int) -> Rows:
        """Cosine and sine of the angle, both times the size of the window, and the place of the window:
        float32 (count,) four times. The place is in halves of what is free.
        """
        size, angle, down, right, factor = key.uniform("warp", count, 5).double().unbind(1)
        window = 1 - size * (1 - self.crop)
        sampled = window * ((1 - 2 * factor) * math.log1p(self.scale)).exp()
        angle = (2 * angle - 1) * math.radians(self.rotate)
        free_y, free_x = (2 * down - 1) * (1 - window), (2 * right - 1) * (1 - window)
        drawn = sampled * angle.cos(), sampled * angle.sin(), free_y, free_x
        return tuple(column.float() for column in drawn)

    def apply(self, images_bchw: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Images (batch, channels, height, width), float."""
        height, width = images_bchw.shape[-2:]
        cos, sin, free_y, free_x = (row.view(-1, 1, 1) for row in rows)
        # Pixels from the centre, so that a turn of an image that is not square stays a turn.
        y = _centred(height, images_bchw).view(1, -1, 1)
        x = _centred(width, images_bchw).view(1, 1, -1)
        source_x = (cos * x - sin * y) / (width / 2) + free_x
        source_y = (sin * x + cos * y) / (height / 2) + free_y
        grid = torch.stack([source_x, source_y], dim=3)
        return F.grid_sample(images_bchw, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _centred(size: int, images: torch.Tensor) -> torch.Tensor:
    return torch.arange(size, dtype=images.dtype, device=images.device) - (size - 1) / 2
