"""Placing: where the training images lie, where batches are made of them, and where the network takes them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from striate.training.devices import CPU, free_memory, moved

if TYPE_CHECKING:
    from striate.training.augmentation import Draws
    from striate.training.fetching import Pictures

__all__ = ["RESIDENT", "Placed", "are_resident"]

#: Images lie on the device where they take no more than this share of its free memory; the rest is for the steps.
RESIDENT = 0.4


def are_resident(size: int, device: torch.device) -> bool:
    """Whether so many bytes of images are kept on a device, instead of being copied batch by batch.

    >>> are_resident(1 << 60, CPU)
    True
    """
    return device.type == "cpu" or (device.type == "cuda" and size <= RESIDENT * free_memory(device))


@dataclass(frozen=True, eq=False)
class Placed:
    """The training images and labels, ready to be picked from.

    Everything random is drawn on the processor, so that it is the same wherever it is used. A batch is made of it on
    the network's device; but for MPS on the processor, because augmentation is exact in float64, which MPS lacks.

    Args:
        images: uint8 (count, channels, height, width), on the device where they fit there, else on the processor;
            streamed ones by their places.
        labels: on the device where batches are made.
        device: of the network.
    """

    images: Pictures
    labels: torch.Tensor
    device: torch.device

    @staticmethod
    def of(images: Pictures, labels: torch.Tensor, device: torch.device) -> Placed:
        """Images and labels that are on the processor, placed; for the processor they are not copied.

        Streamed images stay with the processor, which decodes them.
        """
        if isinstance(images, torch.Tensor) and are_resident(images.nbytes, device):
            images = images.to(device)
        return Placed(images, labels.to(_making(device)), device)

    def draws(self, draws: Draws) -> Draws:
        """What was drawn for an epoch, where batches are made."""
        place = _making(self.device)
        if place.type == "cpu":
            return draws
        on_bytes, on_shares, on_inputs = (
            tuple(tuple(row.to(place) for row in rows) for rows in kind)
            for kind in (draws.on_bytes, draws.on_shares, draws.on_inputs)
        )
        mixing = tuple(row.to(place) for row in draws.mixing)
        return replace(draws, on_bytes=on_bytes, on_shares=on_shares, on_inputs=on_inputs, mixing=mixing)

    def places(self, picked: torch.Tensor) -> torch.Tensor:
        """Places in the split, where labels and draws are looked up with them."""
        return picked if self.device.type == "cpu" else moved(picked, _making(self.device))

    def some(self, picked: torch.Tensor) -> torch.Tensor:
        """The images at places in the split, where batches are made."""
        if self.device.type == "cpu":
            return self.images[picked]
        return moved(self.images[picked.to(self.images.device)], _making(self.device))

    def given(self, batch: torch.Tensor) -> torch.Tensor:
        """A batch as the network takes it: on its device."""
        return batch if self.device.type == "cpu" else batch.to(self.device)


def _making(device: torch.device) -> torch.device:
    """Where batches for a device are made."""
    return CPU if device.type == "mps" else device
