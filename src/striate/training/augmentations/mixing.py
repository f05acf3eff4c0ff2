"""Mixing: which images are mixed with which others, how, and what their labels become."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from striate.training.augmentations.change import Rows
from striate.training.augmentations.cutmix import CutMix
from striate.training.augmentations.key import Key
from striate.training.augmentations.mixup import MixUp

if TYPE_CHECKING:
    from striate.runs.records import Task

__all__ = ["Mixing", "label_shares"]


@dataclass(frozen=True)
class Mixing:
    """Mix images with partners from the whole split, by MixUp or CutMix.

    The partners of an epoch are one random permutation of the split, so that every image is partner once, whatever the
    batches are; a partner looks exactly as it looks at its own place in that epoch. An image may be its own partner,
    on average one in the whole epoch.

    Args:
        kinds: what is done; with several, each image gets one of them with equal probability.
        share: of the images that are mixed at all.
    """

    kinds: tuple[MixUp | CutMix, ...]
    share: float = 1.0

    def draw(self, key: Key, count: int) -> Rows:
        """The partner of each image: int64 (count,); which of the kinds it gets, -1 for none: int64 (count,); and then
        what the kinds have drawn, in their order.
        """
        mixed, kind = key.uniform("mixing", count, 2).unbind(1)
        chosen = torch.where(mixed < self.share, (kind * len(self.kinds)).long(), -1)
        own = (row for kind in self.kinds for row in kind.draw(key, count))
        return key.permutation("partner", count), chosen, *own

    def partners(self, rows: Rows) -> Iterator[tuple[int, torch.Tensor, torch.Tensor]]:
        """For each kind in use: its number, which images of the batch it gets, and their partners' places."""
        partners, chosen, *_ = rows
        for number in range(len(self.kinds)):
            at = (chosen == number).nonzero()[:, 0]
            if len(at):
                yield number, at, partners[at]

    def apply(
        self,
        images: torch.Tensor,
        shares: torch.Tensor,
        rows: Rows,
        look_up: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Images and labels, mixed where they are to be.

        Args:
            images: (batch, channels, height, width), float.
            shares: (batch, classes), from :func:`label_shares`.
            rows: of the batch.
            look_up: images and label shares by their places in the split.
        """
        drawn, starts = rows[2:], list(itertools.accumulate((kind.columns for kind in self.kinds), initial=0))
        for number, at, partners in self.partners(rows):
            kind, own = self.kinds[number], drawn[starts[number] : starts[number + 1]]
            others, other_shares = look_up(partners)
            mixed, share = kind.apply(images[at], others, tuple(row[at] for row in own))
            both = shares[at] * share[:, None] + other_shares * (1 - share[:, None])
            images, shares = images.index_copy(0, at, mixed), shares.index_copy(0, at, both)
        return images, shares


def label_shares(labels: torch.Tensor, task: Task, classes: int) -> torch.Tensor:
    """Labels as shares of classes, (batch, classes) float32: one 1 among 0s, or the tags as they are.

    >>> label_shares(torch.tensor([1]), "classes", 3).tolist()
    [[0.0, 1.0, 0.0]]
    """
    whole = F.one_hot(labels, classes) if task == "classes" else labels
    return whole.to(torch.float32)
