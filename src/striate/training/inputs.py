"""From stored pixels to what a network sees. Training, evaluation and prediction all come through here."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.runs.records import Preprocessing

__all__ = ["layout_name", "memory_layout", "normalize_", "to_input", "to_tensor", "to_unit"]

_LAYOUTS = {"channels-last": torch.channels_last, "contiguous": torch.contiguous_format}


def memory_layout(name: str) -> torch.memory_format:
    """The memory order of that name, ``channels-last`` or ``contiguous``."""
    return _LAYOUTS[name]


def layout_name(layout: torch.memory_format) -> str:
    """The name of a memory order."""
    return next(name for name, known in _LAYOUTS.items() if known == layout)


def to_tensor(array: NDArray[Any]) -> torch.Tensor:
    """The same numbers as a tensor that shares their memory and is only read."""
    with warnings.catch_warnings():
        # torch warns of arrays that may not be written to; nothing here writes.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writ", category=UserWarning)
        return torch.from_numpy(array)


def to_unit(images: torch.Tensor, layout: torch.memory_format) -> torch.Tensor:
    """uint8 0..255 → a new float32 tensor 0..1 in that memory order."""
    return images.to(torch.float32, memory_format=layout).div_(255)


def normalize_(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """``(x - mean) / std`` for each channel, in place.

    Args:
        images: (batch, channels, height, width), float 0..1.
        preprocessing: with mean and std of the training split.
    """
    mean = torch.tensor(preprocessing.mean, dtype=images.dtype, device=images.device).view(1, -1, 1, 1)
    std = torch.tensor(preprocessing.std, dtype=images.dtype, device=images.device).view(1, -1, 1, 1)
    return images.sub_(mean).div_(std)


def to_input(images: torch.Tensor, preprocessing: Preprocessing, layout: torch.memory_format) -> torch.Tensor:
    """What a network sees, ``(pixel / 255 - mean) / std`` in float32, from uint8 (batch, channels, height, width)."""
    return normalize_(to_unit(images, layout), preprocessing)
