"""Showing: the training images and their labels, batch by batch, as an epoch shows them to the network."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from striate.training.augmentations.mixing import label_shares
from striate.training.devices import CPU
from striate.training.fetching import ahead, pictures
from striate.training.inputs import normalize_, to_input, to_tensor, to_unit
from striate.training.placing import Placed
from striate.training.spent import Spent

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.training.augmentation import Augmentation, Draws
    from striate.training.augmentations.change import Change, Rows

__all__ = ["EpochShown", "Showing"]


@dataclass(frozen=True, eq=False)
class Showing:
    """How the training images are shown.

    Args:
        dataset: of whose training split the images are.
        augmentation: what is changed.
        layout: memory order of what the network sees.
        seed: of the recipe.
        device: of the network.
        spent: told what the time of showing them goes to.
    """

    dataset: Dataset
    augmentation: Augmentation
    layout: torch.memory_format
    seed: int
    device: torch.device = CPU
    spent: Spent = field(default_factory=Spent)

    @functools.cached_property
    def placed(self) -> Placed:
        """The images and labels of the training split; copied to the device once, and not for the processor."""
        train = self.dataset.train
        return Placed.of(pictures(train.images), to_tensor(train.labels), self.device)

    def epoch(self, epoch: int, batches: Sequence[torch.Tensor] = ()) -> EpochShown:
        """The images of an epoch, counted from 1.

        Args:
            epoch: decides how they look.
            batches: that will be asked for, in this order; streamed images are decoded ahead of it.
        """
        draws = self.augmentation.draw(self.seed, epoch, len(self.dataset.train))
        self.spent.mark("augment" if self.augmentation.active else "other")
        ahead(self.dataset.train.images, [picked for batch in batches for picked in self._needed(batch, draws)])
        self.spent.mark("wait")
        return EpochShown(self, draws)

    def _needed(self, picked: torch.Tensor, draws: Draws) -> Iterator[torch.Tensor]:
        """The images that a batch is made of: its own, and those that are mixed into them."""
        yield picked
        mixing = self.augmentation.mixing
        if mixing is not None:
            yield from (partners for _, _, partners in mixing.partners(tuple(row[picked] for row in draws.mixing)))


class EpochShown:
    """The images as one epoch shows them. How an image looks depends on the seed, the epoch and its place in the split.

    Args:
        showing: the images and how they are shown.
        draws: for all of them.
    """

    def __init__(self, showing: Showing, draws: Draws) -> None:
        self._showing, self._placed = showing, showing.placed
        self._draws = self._placed.draws(draws)
        # The first epoch copies the images to the device.
        showing.spent.mark("prepare")

    def batch(self, picked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Some of the images and their targets.

        Args:
            picked: their places in the training split, int64 (batch,).

        Returns:
            what the network sees, float32 (batch, channels, height, width), normalised; and the labels as the split
            has them, or, where images are mixed, the shares of the classes or tags: float32 (batch, classes).
        """
        self._showing.spent.mark("other")
        mixing, placed = self._showing.augmentation.mixing, self._placed
        picked = placed.places(picked)
        if mixing is None:
            return placed.given(self._alone(picked)), placed.given(placed.labels[picked])
        rows = tuple(row[picked] for row in self._draws.mixing)
        images, shares = mixing.apply(*self._with_shares(picked), rows, self._with_shares)
        self._showing.spent.mark("augment", "mixing")
        return placed.given(images.contiguous(memory_format=self._showing.layout)), placed.given(shares)

    def _alone(self, picked: torch.Tensor) -> torch.Tensor:
        """The images before they are mixed."""
        augmentation, draws, spent = self._showing.augmentation, self._draws, self._showing.spent
        preprocessing, layout = self._showing.dataset.preprocessing, self._showing.layout
        images = self._placed.some(picked)
        # Where the images are pages of a file, this is where they are read.
        spent.mark("wait")
        if not augmentation.active:
            return to_input(images, preprocessing, layout)
        images = self._changed(images, picked, augmentation.on_bytes, draws.on_bytes)
        images = to_unit(images, layout)
        spent.mark("prepare")
        images = self._changed(images, picked, augmentation.on_shares, draws.on_shares)
        images = normalize_(images, preprocessing)
        spent.mark("prepare")
        images = self._changed(images, picked, augmentation.on_inputs, draws.on_inputs)
        return images.contiguous(memory_format=layout)

    def _changed(
        self, images: torch.Tensor, picked: torch.Tensor, changes: tuple[Change, ...], draws: tuple[Rows, ...]
    ) -> torch.Tensor:
        for change, rows in zip(changes, draws, strict=True):
            images = change.apply(images, tuple(row[picked] for row in rows))
            self._showing.spent.mark("augment", type(change).__name__.lower())
        return images

    def _with_shares(self, picked: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        dataset = self._showing.dataset
        return self._alone(picked), label_shares(self._placed.labels[picked], dataset.task, len(dataset.classes))
