"""From stored pixels to what a network sees. Training, evaluation and prediction all come through here."""

from __future__ import annotations

import torch

from striate.runs.records import Preprocessing

__all__ = ["normalize", "to_input", "to_unit"]


def to_unit(images: torch.Tensor) -> torch.Tensor:
    """uint8 0..255 → float32 0..1."""
    return images.float().div_(255)


def normalize(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """``(x - mean) / std`` for each channel.

    Args:
        images: (batch, channels, height, width), float 0..1; not changed.
        preprocessing: with mean and std of the training split.
    """
    mean = torch.tensor(preprocessing.mean, dtype=images.dtype).view(1, -1, 1, 1)
    std = torch.tensor(preprocessing.std, dtype=images.dtype).view(1, -1, 1, 1)
    return (images - mean) / std


def to_input(images: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """uint8 pixels (batch, channels, height, width) → what the network was trained on."""
    return normalize(to_unit(images), preprocessing)
