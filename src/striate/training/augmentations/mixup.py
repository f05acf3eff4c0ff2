"""MixUp: two images blended, and their labels with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from striate.training.augmentations.change import Rows
from striate.training.augmentations.key import Key

__all__ = ["MixUp"]


@dataclass(frozen=True)
class MixUp:
    """``λ · image + (1 - λ) · partner``, with λ from Beta(alpha, alpha) for each image.

    Source: Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018 (arXiv 1710.09412), section 2 (alpha 1 for
    CIFAR-10, 0.2 for ImageNet). There one λ holds for a batch; here each image has its own, so that it does not depend
    on the batch.
    Does nothing: to an image that is its own partner, one in an epoch on average; a small alpha draws λ near 0 or 1.
    """

    #: How many tensors it draws.
    columns: ClassVar[int] = 1

    alpha: float

    def draw(self, key: Key, count: int) -> Rows:
        """λ: float32 (count,)."""
        return (key.beta("mixup", count, self.alpha),)

    def apply(self, own: torch.Tensor, partner: torch.Tensor, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
        """Two batches (batch, channels, height, width), float, to the blend and each image's own share (batch,)."""
        share = rows[0]
        factor = share.view(-1, 1, 1, 1)
        return (own * factor).add_(partner * (1 - factor)), share
