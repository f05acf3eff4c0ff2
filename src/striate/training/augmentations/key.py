"""Key: the source of everything random in an augmentation, so that it follows from seed, epoch and index alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from striate.training.randomness import seed_of, seeded

__all__ = ["Key"]


@dataclass(frozen=True)
class Key:
    """One epoch of a training. Row i of whatever is drawn belongs to image i of the training split.

    A whole epoch is drawn at once: an image has its numbers whatever batch it falls into, in whatever order, and
    however often the process was started. Each purpose has a generator of its own, so that one change does not alter
    what another draws.

    Args:
        seed: of the recipe.
        epoch: from 1.
    """

    seed: int
    epoch: int

    def uniform(self, purpose: str, count: int, columns: int) -> torch.Tensor:
        """Uniform numbers: float32 (count, columns), 0 ≤ u < 1.

        >>> Key(0, 1).uniform("flip", 3, 2).shape
        torch.Size([3, 2])
        """
        generator = seeded(self.seed, self.epoch, f"augmentation/{purpose}")
        return torch.rand((count, columns), generator=generator, dtype=torch.float32, device="cpu")

    def permutation(self, purpose: str, count: int) -> torch.Tensor:
        """0 to count-1 in random order: int64 (count,)."""
        return torch.randperm(count, generator=seeded(self.seed, self.epoch, f"augmentation/{purpose}"), device="cpu")

    def beta(self, purpose: str, count: int, alpha: float) -> torch.Tensor:
        """Numbers from Beta(alpha, alpha): float32 (count,), 0..1; for 1 they are uniform.

        They come from NumPy's RandomState, whose numbers NumPy has promised never to change.
        """
        random = np.random.RandomState(seed_of(self.seed, self.epoch, f"augmentation/{purpose}"))
        return torch.from_numpy(random.beta(alpha, alpha, count).astype(np.float32))
