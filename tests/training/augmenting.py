"""What the tests of augmentation share: pictures, and random numbers that are not random."""

from __future__ import annotations

import numpy as np
import torch

from striate.training.augmentations.change import Change
from striate.training.augmentations.key import Key

__all__ = ["Fixed", "apply", "pictures"]


class Fixed(Key):
    """A key whose uniform numbers are those of a key, with some columns set."""

    def __init__(self, seed: int = 0, epoch: int = 1, **columns: float) -> None:
        super().__init__(seed, epoch)
        object.__setattr__(self, "columns", columns)

    def uniform(self, purpose: str, count: int, columns: int) -> torch.Tensor:
        table = super().uniform(purpose, count, columns)
        for name, value in self.columns.items():  # type: ignore[attr-defined]
            table[:, int(name[1:])] = value
        return table


def pictures(count: int = 40, shape: tuple[int, int, int] = (3, 6, 5), seed: int = 0) -> torch.Tensor:
    """Noise, uint8."""
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, *shape)).astype(np.uint8))


def apply(change: Change, images: torch.Tensor, seed: int = 0, epoch: int = 1, **columns: float) -> torch.Tensor:
    """What a change makes of images, which are all there are."""
    return change.apply(images, change.draw(Fixed(seed, epoch, **columns), len(images)))
