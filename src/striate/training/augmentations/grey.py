"""Grey: the brightness of a pixel, from its channels."""

from __future__ import annotations

import torch

__all__ = ["LUMA", "as_grey", "as_grey_bytes"]

#: Luma weights of ITU-R BT.601, as image libraries use them to turn colour into grey.
LUMA = (0.299, 0.587, 0.114)


def as_grey(images_bchw: torch.Tensor) -> torch.Tensor:
    """``0.299 R + 0.587 G + 0.114 B``, or the mean of channels that are not three: (batch, 1, height, width).

    >>> as_grey(torch.ones(1, 3, 1, 1, dtype=torch.float32)).item()
    1.0
    """
    channels = images_bchw.unbind(1)
    if len(channels) == 1:
        return images_bchw
    if len(channels) == 3:
        red, green, blue = channels
        return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue)[:, None]
    return (torch.stack(channels).sum(dim=0) / len(channels))[:, None]


def as_grey_bytes(images_bchw: torch.Tensor) -> torch.Tensor:
    """The same on uint8, rounded as Pillow does: int32 (batch, 1, height, width), 0..255.

    >>> as_grey_bytes(torch.full((1, 3, 1, 1), 200, dtype=torch.uint8)).item()
    200
    """
    channels = [channel.int() for channel in images_bchw.unbind(1)]
    if len(channels) == 3:
        red, green, blue = channels
        return ((19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16)[:, None]
    return (torch.stack(channels).sum(dim=0, dtype=torch.int32) // len(channels))[:, None]
