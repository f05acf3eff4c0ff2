"""Tones: changes of uint8 images that map each value of a channel to another one, whatever pixel it stands in."""

from __future__ import annotations

from collections.abc import Callable

import torch

from striate.training.augmentations.grey import as_grey_bytes

__all__ = ["TONES", "ToneTable", "blended", "changed_tones", "factors"]

ToneTable = Callable[[torch.Tensor, torch.Tensor, float], torch.Tensor]
"""From (images, signs, strength) to the new value of every old one: (batch, 1 or channels, 256).

The images are uint8 (batch, channels, height, width), the signs -1 or 1, the strength is 0..1.
"""

#: How far a factor is from 1 at full strength.
_FARTHEST = 0.9


def changed_tones(images_bchw: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    """Every value looked up in the table of its image and channel: uint8.

    >>> inverse = torch.arange(255, -1, -1).view(1, 1, 256)
    >>> changed_tones(torch.full((1, 1, 1, 2), 5, dtype=torch.uint8), inverse).tolist()
    [[[[250, 250]]]]
    """
    table = table.to(torch.uint8).expand(-1, images_bchw.shape[1], -1)
    return table.gather(2, images_bchw.flatten(2).long()).view(images_bchw.shape)


def _values(images: torch.Tensor) -> torch.Tensor:
    """0 to 255: (1, 1, 256) int64."""
    return torch.arange(256, device=images.device).view(1, 1, -1)


def blended(ground: torch.Tensor, values: torch.Tensor, factor: torch.Tensor) -> torch.Tensor:
    """``ground + factor · (values - ground)``, cut off at 0 and 255 and rounded down, as Pillow's blend."""
    ground = ground.to(torch.float32)
    return (ground + factor * (values.to(torch.float32) - ground)).clamp_(0, 255).floor_()


def factors(signs: torch.Tensor, strength: float) -> torch.Tensor:
    """``1 ± 0.9 · strength``: float32 (batch, 1, 1)."""
    return (1 + signs.to(torch.float32) * (_FARTHEST * strength)).view(-1, 1, 1)


def _brightness(images: torch.Tensor, signs: torch.Tensor, strength: float) -> torch.Tensor:
    """Blend with black."""
    values = _values(images)
    return blended(torch.zeros_like(values), values, factors(signs, strength))


def _contrast(images: torch.Tensor, signs: torch.Tensor, strength: float) -> torch.Tensor:
    """Blend with the image's mean grey, rounded."""
    total = as_grey_bytes(images).long().sum(dim=(2, 3))
    mean = (total.double() / images[0, 0].numel() + 0.5).floor()
    return blended(mean[:, :, None], _values(images), factors(signs, strength))


def _posterize(images: torch.Tensor, signs: torch.Tensor, strength: float) -> torch.Tensor:
    """Keep 8 bits at strength 0, and 4 at strength 1."""
    values = _values(images) & (0xFF << round(4 * strength) & 0xFF)
    return values.expand(len(images), -1, -1)


def _solarize(images: torch.Tensor, signs: torch.Tensor, strength: float) -> torch.Tensor:
    """Invert what is at or above a threshold, which falls from 256 to 0."""
    values = _values(images)
    return torch.where(values < 256 * (1 - strength), values, 255 - values).expand(len(images), -1, -1)


def _autocontrast(images: torch.Tensor, signs: torch.Tensor, strength: float) -> torch.Tensor:
    """Stretch each channel, so that its darkest value becomes 0 and its brightest 255; the strength has no effect."""
    pixels = images.flatten(2)
    low, high = (extreme(dim=2, keepdim=True).long() for extreme in (pixels.amin, pixels.amax))
    values = _values(images)
    span = (high - low).clamp(min=1).double()
    # A number divided by a tensor is multiplied by its reciprocal, which rounds twice.
    scale = torch.full_like(span, 255.0) / span
    stretched = (values * scale + -low * scale).clamp_(0, 255).floor_()
    return torch.where(high > low, stretched, values.double())


def _equalize(images: torch.Tensor, signs: torch.Tensor, strength: float) -> torch.Tensor:
    """Make the values of each channel about equally frequent; the strength has no effect."""
    pixels = images.flatten(2).long()
    rows = pixels.flatten(0, 1)
    starts = torch.arange(len(rows), device=rows.device)[:, None] * 256
    counts = (rows + starts).flatten().bincount(minlength=256 * len(rows)).view(*pixels.shape[:2], 256)
    last = counts.gather(2, pixels.amax(dim=2, keepdim=True))
    step = (pixels.shape[2] - last) // 255
    below = counts.cumsum(dim=2) - counts
    spread = ((below + step // 2) // step.clamp(min=1)).clamp_(max=255)
    return torch.where(step > 0, spread, _values(images))


TONES: dict[str, ToneTable] = {
    "autocontrast": _autocontrast,
    "brightness": _brightness,
    "contrast": _contrast,
    "equalize": _equalize,
    "posterize": _posterize,
    "solarize": _solarize,
}
"""Each as Pillow has it, to the last bit."""
