"""Shift: images moved by whole pixels; the same as padding them and cropping at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from striate.training.augmentations.change import Rows
from striate.training.augmentations.key import Key

__all__ = ["Shift", "ShiftFill"]

ShiftFill = Literal["edge", "reflect", "zero"]


@dataclass(frozen=True)
class Shift:
    """Move each image by -most..most whole pixels along each axis, every shift as likely as any other; exact on uint8.

    What becomes free is filled by repeating the ``edge``, by reflecting the image at its outermost pixel (``reflect``)
    or with black (``zero``). A random crop from the image padded by ``most`` pixels all round is the same thing.

    Source: the usual augmentation of CIFAR-10, by He et al., "Deep Residual Learning", 2016, section 4.2 (4 pixels,
    zero); Jordan 2024, section 3.1 (2 pixels, reflect).
    Does nothing: to images of one colour, unless filled with black.
    """

    most: int
    fill: ShiftFill = "edge"

    def draw(self, key: Key, count: int) -> Rows:
        """By how much each image's rows and columns are looked up further on: int64 (count,) twice."""
        shifts = (key.uniform("shift", count, 2) * (2 * self.most + 1)).floor().long() - self.most
        down, right = shifts.unbind(1)
        return down, right

    def apply(self, images_bchw: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Images (batch, channels, height, width) of any dtype; reflecting needs more pixels than ``most``."""
        _, channels, height, width = images_bchw.shape
        ys, seen_y = self._places(rows[0], height)
        xs, seen_x = self._places(rows[1], width)
        images = images_bchw.gather(2, ys[:, None, :, None].expand(-1, channels, -1, width))
        images = images.gather(3, xs[:, None, None, :].expand(-1, channels, height, -1))
        if self.fill == "zero":
            images.mul_((seen_y[:, None, :, None] & seen_x[:, None, None, :]).to(images.dtype))
        return images

    def _places(self, shifts: torch.Tensor, size: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Where each pixel of an axis comes from, (batch, size), and whether there is a pixel."""
        places = torch.arange(size, device=shifts.device) + shifts[:, None]
        seen = (places >= 0) & (places < size)
        if self.fill == "reflect":
            places = (size - 1) - ((size - 1) - places.abs()).abs()
        return places.clamp(0, size - 1), seen
