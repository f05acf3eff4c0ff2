"""Moves: uint8 images sheared, moved and turned, each pixel taken from the nearest one."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

__all__ = ["MOVES", "moved"]

#: The value of pixels that come from outside the image.
OUTSIDE = 128

Matrix = tuple[float, float, float, float, float, float]

#: At full strength: a shear, a share of a side, and an angle in degrees.
_SHEAR, _TRANSLATION, _ANGLE = 0.3, 150 / 331, 30.0


def _rotation(height: int, width: int, amount: float) -> Matrix:
    """About the centre of the image, counterclockwise."""
    cos, sin = math.cos(math.radians(_ANGLE * amount)), math.sin(math.radians(_ANGLE * amount))
    y, x = height / 2, width / 2
    return cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y


MOVES: dict[str, Callable[[int, int, float], Matrix]] = {
    "rotate": _rotation,
    "shear-x": lambda height, width, amount: (1, _SHEAR * amount, 0, 0, 1, 0),
    "shear-y": lambda height, width, amount: (1, 0, 0, _SHEAR * amount, 1, 0),
    "translate-x": lambda height, width, amount: (1, 0, _TRANSLATION * amount * width, 0, 1, 0),
    "translate-y": lambda height, width, amount: (1, 0, 0, 0, 1, _TRANSLATION * amount * height),
}
"""From height, width and an amount in -1..1 to a, b, c, d, e, f: the pixel at (x, y) comes from
``(a·x + b·y + c, d·x + e·y + f)``, in pixels from the upper left corner, with their centres at halves.
"""


def moved(images_bchw: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Every image by its own matrix; :data:`OUTSIDE` where there is no pixel.

    Args:
        images_bchw: (batch, channels, height, width) uint8.
        matrices: (batch, 6) float64, see :data:`MOVES`.

    >>> right = torch.tensor([MOVES["translate-x"](2, 2, -331 / 300)], dtype=torch.float64)
    >>> moved(torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.uint8), right).tolist()
    [[[[128, 1], [128, 3]]]]
    """
    height, width = images_bchw.shape[-2:]
    a, b, c, d, e, f = (column.view(-1, 1, 1) for column in matrices.unbind(1))
    y = (torch.arange(height, dtype=torch.float64, device=matrices.device) + 0.5).view(1, -1, 1)
    x = (torch.arange(width, dtype=torch.float64, device=matrices.device) + 0.5).view(1, 1, -1)
    from_x = ((a * x + c) + b * y).floor_()
    from_y = ((d * x + f) + e * y).floor_()
    inside = (from_x >= 0) & (from_x < width) & (from_y >= 0) & (from_y < height)
    place = (from_y * width + from_x).long().masked_fill_(~inside, 0)
    pixels = images_bchw.flatten(2)
    found = pixels.gather(2, place.flatten(1)[:, None].expand(-1, pixels.shape[1], -1)).view(images_bchw.shape)
    return found.masked_fill_(~inside[:, None], OUTSIDE)
