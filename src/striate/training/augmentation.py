"""Augmentation: random changes to a whole batch of images at once.

What happens to an image depends on (seed, epoch, its index in the training split) and on nothing else: not on the
batch it falls into, the order, or how often the process was started.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from striate.training.randomness import seeded

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["Augmentation", "epoch_draws"]

#: Luma weights of ITU-R BT.601, as image libraries use them to turn colour into grey.
LUMA = (0.299, 0.587, 0.114)
#: Random numbers for each image: 0 and 1 flips, 2 and 3 shift, 4 zoom, 5 angle, 6 and 7 place of the zoom, 8 to 10
#: colour. Each has its own, so that one option does not change what another does.
DRAWS = 11


def epoch_draws(seed: int, epoch: int, count: int) -> torch.Tensor:
    """The random numbers of one epoch: float32 (count, 11), uniform in 0..1, one row for each training image."""
    return torch.rand((count, DRAWS), generator=seeded(seed, epoch, "augmentation"), dtype=torch.float32)


@dataclass(frozen=True)
class Augmentation:
    """Which changes are made, and how strong.

    Args:
        flip: ``none``, ``horizontal``, ``vertical`` or ``both``; each with probability 1/2.
        shift: largest shift along each axis in pixels; the edge pixel fills what becomes free.
        crop: smallest side of a random square zoom, as a share of the image's side.
        rotate: largest angle in degrees, either way.
        color: largest relative change of brightness, contrast and (with three channels) saturation.
    """

    flip: str = "none"
    shift: int = 0
    crop: float = 1.0
    rotate: float = 0.0
    color: float = 0.0

    @staticmethod
    def of(recipe: Recipe) -> Augmentation:
        """The augmentation a recipe asks for."""
        return Augmentation(recipe.flip, recipe.shift, recipe.crop, recipe.rotate, recipe.color)

    @property
    def active(self) -> bool:
        """Whether anything is changed at all."""
        return self != Augmentation()

    def moves(self, images: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
        """Flips and shifts: exact on uint8.

        Args:
            images: (batch, channels, height, width), any dtype.
            draws: (batch, 11), in 0..1.
        """
        if self.flip in ("horizontal", "both"):
            images = torch.where((draws[:, 0] < 0.5).view(-1, 1, 1, 1), images.flip(-1), images)
        if self.flip in ("vertical", "both"):
            images = torch.where((draws[:, 1] < 0.5).view(-1, 1, 1, 1), images.flip(-2), images)
        if self.shift:
            images = _shifted(images, self.shift, draws[:, 2], draws[:, 3])
        return images

    def changes(self, images: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
        """Zoom, rotation and colour.

        Args:
            images: (batch, channels, height, width), float, 0..1.
            draws: (batch, 11), in 0..1.
        """
        if self.crop < 1 or self.rotate:
            images = _warped(images, self.crop, self.rotate, draws[:, 4:8])
        if self.color:
            images = _recolored(images, self.color, draws[:, 8:11])
        return images


def _shifted(images: torch.Tensor, most: int, down: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Every image moved by a whole number of pixels in -most..most along each axis."""
    _, channels, height, width = images.shape
    dy = (down * (2 * most + 1)).floor().long() - most
    dx = (right * (2 * most + 1)).floor().long() - most
    rows = (torch.arange(height) + dy[:, None]).clamp(0, height - 1)
    columns = (torch.arange(width) + dx[:, None]).clamp(0, width - 1)
    images = images.gather(2, rows[:, None, :, None].expand(-1, channels, -1, width))
    return images.gather(3, columns[:, None, None, :].expand(-1, channels, height, -1))


def _warped(images: torch.Tensor, crop: float, rotate: float, draws: torch.Tensor) -> torch.Tensor:
    """Every image zoomed into a random square and turned, with bilinear interpolation and repeated edges."""
    count, _, height, width = images.shape
    scale = 1 - draws[:, 0] * (1 - crop)
    angle = (2 * draws[:, 1] - 1) * math.radians(rotate)
    free_y = (2 * draws[:, 2] - 1) * (1 - scale)
    free_x = (2 * draws[:, 3] - 1) * (1 - scale)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    # The grid is in units of half the image, so a turn of a non-square image needs the aspect ratio.
    aspect = height / width
    top = torch.stack([cos, -sin * aspect, free_x], dim=1)
    bottom = torch.stack([sin / aspect, cos, free_y], dim=1)
    theta = torch.stack([top, bottom], dim=1)
    grid = F.affine_grid(theta, [count, 1, height, width], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _recolored(images: torch.Tensor, strength: float, draws: torch.Tensor) -> torch.Tensor:
    """Brightness, then contrast around each image's mean grey, then saturation; clipped to 0..1."""
    factors = 1 + (2 * draws - 1) * strength
    brightness, contrast, saturation = (factors[:, i].view(-1, 1, 1, 1) for i in range(3))
    images = images * brightness
    grey = _grey(images)
    mean = grey.mean(dim=(1, 2, 3), keepdim=True)
    images = mean + (images - mean) * contrast
    if images.shape[1] == 3:
        grey = _grey(images)
        images = grey + (images - grey) * saturation
    return images.clamp(0, 1)


def _grey(images: torch.Tensor) -> torch.Tensor:
    if images.shape[1] != 3:
        return images.mean(dim=1, keepdim=True)
    return (images * torch.tensor(LUMA, dtype=images.dtype).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
