"""RandAugment: a few operations on each image, drawn from a list, all of one strength."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from striate.training.augmentations.change import Rows
from striate.training.augmentations.grey import as_grey_bytes
from striate.training.augmentations.key import Key
from striate.training.augmentations.moves import MOVES, moved
from striate.training.augmentations.tones import TONES, blended, changed_tones, factors

__all__ = ["OPERATIONS", "RandAugment", "operations"]

OPERATIONS = ("identity", *TONES, *MOVES, "sharpness", "color")
"""The 14 of the paper; the last needs colour."""


def operations(channels: int) -> tuple[str, ...]:
    """What is drawn from for images with so many channels: without colour there is no saturation to change.

    >>> len(operations(3)), len(operations(1))
    (14, 13)
    """
    return OPERATIONS if channels == 3 else OPERATIONS[:-1]


@dataclass(frozen=True)
class RandAugment:
    """Apply ``count`` operations to each image one after the other, each drawn anew from all; exact on uint8.

    With the strength ``magnitude / 10``: rotate ±30°, shear ±0.3, translate ±45 % of the side (freed pixels are mid
    grey), brightness, contrast, color and sharpness by a factor 1 ± 0.9, posterize to 8 - 4 bits, solarize above
    256 - 256; autocontrast, equalize and identity have no strength. The sign is drawn.

    Source: Cubuk et al., "RandAugment", 2020 (arXiv 1909.13719), section 3: N is ``count``, M is ``magnitude``, 10 the
    largest. Every operation grows with the magnitude, as in later implementations; in the first one solarize and
    posterize became weaker.
    Does nothing: at magnitude 0 all but autocontrast and equalize; equalize to images of fewer than 256 pixels, as in
    Pillow.

    Args:
        count: operations on each image.
        magnitude: 0..10.
    """

    count: int
    magnitude: float

    def draw(self, key: Key, count: int) -> Rows:
        """Which operations, as shares of the list: float32 (count, n); and their signs: int8 (count, n)."""
        chosen, signs = key.uniform("randaugment", count, 2 * self.count).chunk(2, dim=1)
        return chosen, torch.where(signs < 0.5, -1, 1).to(torch.int8)

    def apply(self, images_bchw: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Images (batch, channels, height, width) uint8."""
        names = operations(images_bchw.shape[1])
        images, strength = images_bchw.clone(), self.magnitude / 10
        for chosen, signs in zip(*(row.unbind(1) for row in rows), strict=True):
            drawn = (chosen * len(names)).long()
            _retouch(images, names, drawn, signs, strength)
            _move(images, names, drawn, signs, strength)
        return images


def _retouch(
    images: torch.Tensor, names: tuple[str, ...], drawn: torch.Tensor, signs: torch.Tensor, strength: float
) -> None:
    """The operations on tones and on sharpness and colour, in place: each on those images that drew it."""
    for number, name in enumerate(names):
        if name in MOVES or name == "identity":
            continue
        at = (drawn == number).nonzero()[:, 0]
        if not len(at):
            continue
        some, sign = images[at], signs[at]
        if name in TONES:
            images[at] = changed_tones(some, TONES[name](some, sign, strength))
        else:
            ground = as_grey_bytes(some) if name == "color" else _smoothed(some)
            images[at] = blended(ground, some, factors(sign, strength)[..., None]).to(torch.uint8)


def _move(
    images: torch.Tensor, names: tuple[str, ...], drawn: torch.Tensor, signs: torch.Tensor, strength: float
) -> None:
    """All images that drew a move, in place, at once: a move is a matrix."""
    height, width = images.shape[-2:]
    none = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    matrices = torch.tensor(
        [
            [MOVES[name](height, width, sign * strength) if name in MOVES else none for name in names]
            for sign in (-1, 1)
        ],
        dtype=torch.float64,
        device=images.device,
    )
    moves = torch.tensor([name in MOVES for name in names], device=images.device)
    at = moves[drawn].nonzero()[:, 0]
    if len(at):
        images[at] = moved(images[at], matrices[(signs[at] > 0).long(), drawn[at]])


def _smoothed(images_bchw: torch.Tensor) -> torch.Tensor:
    """The mean of the 3×3 pixels around, the middle one five times; the rim as it is, as Pillow's SMOOTH: int32.

    >>> _smoothed(torch.tensor([[[[0, 0, 0], [0, 26, 0], [0, 0, 0]]]], dtype=torch.uint8))[0, 0, 1, 1].item()
    10
    """
    images = images_bchw.int()
    height, width = images.shape[-2:]
    if min(height, width) < 3:
        return images
    across = images[..., :-2] + images[..., 1:-1] + images[..., 2:]
    around = across[..., :-2, :] + across[..., 1:-1, :] + across[..., 2:, :]
    result = images.clone()
    # Half of 13 is 6.5, and a whole number plus 6.5 rounds down as plus 6 does.
    result[..., 1:-1, 1:-1] = (around + 4 * images[..., 1:-1, 1:-1] + 6) // 13
    return result
