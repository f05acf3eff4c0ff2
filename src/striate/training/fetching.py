"""Images by their places in a split, as tensors: indexed where they are in memory, decoded where they are streamed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
import torch

from striate.data.image_source import expect
from striate.training.inputs import to_tensor

if TYPE_CHECKING:
    from striate.data.image_source import ImageSource

__all__ = ["Pictures", "ahead", "pictures"]


class Pictures(Protocol):
    """Images of a split; a tensor of all of them is one."""

    @property
    def device(self) -> torch.device:
        """Where they are."""
        ...

    def __getitem__(self, picked: torch.Tensor, /) -> torch.Tensor: ...


def pictures(images: ImageSource) -> Pictures:
    """The images by their places, int64 (batch,) to uint8 (batch, channels, height, width)."""
    return to_tensor(images) if isinstance(images, np.ndarray) else _Fetched(images)


def ahead(images: ImageSource, batches: Sequence[torch.Tensor]) -> None:
    """Say which images will be asked for next, so that streamed ones are decoded meanwhile."""
    expect(images, [batch.numpy() for batch in batches])


class _Fetched:
    device = torch.device("cpu")

    def __init__(self, images: ImageSource) -> None:
        self._images = images

    def __getitem__(self, picked: torch.Tensor) -> torch.Tensor:
        return to_tensor(self._images[picked.numpy()])
