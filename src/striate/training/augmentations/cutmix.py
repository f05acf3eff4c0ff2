"""CutMix: a rectangle of one image pasted into another, and the labels shared by area."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from striate.training.augmentations.change import Rows
from striate.training.augmentations.cutout import window
from striate.training.augmentations.key import Key

__all__ = ["CutMix"]


@dataclass(frozen=True)
class CutMix:
    """Paste the partner's rectangle of relative sides ``√(1 - λ)``, with λ from Beta(alpha, alpha) for each image.

    Its centre is any pixel with equal probability; what lies outside the image is cut off, and the image's own share
    of the label is the share of its pixels that are left, exactly.

    Source: Yun et al., "CutMix", 2019 (arXiv 1905.04899), section 3.1 (alpha 1). There one rectangle holds for a batch;
    here each image has its own, so that it does not depend on the batch.
    Does nothing: where the rectangle is smaller than a pixel, or an image is its own partner.
    """

    #: How many tensors it draws.
    columns: ClassVar[int] = 3

    alpha: float

    def draw(self, key: Key, count: int) -> Rows:
        """The relative side, and the centre as shares of height and width: float32 (count,) three times."""
        side = (1 - key.beta("cutmix", count, self.alpha)).sqrt()
        down, right = key.uniform("cutmix/place", count, 2).unbind(1)
        return side, down, right

    def apply(self, own: torch.Tensor, partner: torch.Tensor, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """Two batches (batch, channels, height, width) to one of both, and each image's own share (batch,)."""
        side, down, right = rows
        height, width = own.shape[-2:]
        inside_y = window(down, (side * height).floor().long(), height)
        inside_x = window(right, (side * width).floor().long(), width)
        pasted = (inside_y[:, :, None] & inside_x[:, None, :])[:, None]
        area = inside_y.sum(dim=1) * inside_x.sum(dim=1)
        share = (height * width - area).to(torch.float32) / (height * width)
        return torch.where(pasted, partner, own), share
