"""From a decoded image of any kind to 8 bits per channel, grey or RGB."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from striate.data.broken import BrokenImageError

__all__ = ["LOW_16_BIT", "to_grey_or_rgb"]

LOW_16_BIT = 4095
"""A 16-bit image without a value above this keeps at most 16 of 256 levels."""

_ALPHA_MODES = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})


def to_grey_or_rgb(image: Image.Image, channels: int, background: int) -> tuple[Image.Image, tuple[str, ...]]:
    """Convert to mode ``L`` or ``RGB``.

    16-bit values are divided by 257, so that 0..65535 becomes 0..255; this does not look at the image's own range,
    because the same pixel must give the same number in every image. Transparent pixels are laid over grey
    ``background``. Colour becomes grey as ITU-R BT.601 luma, 0.299 R + 0.587 G + 0.114 B. Colour profiles are not
    applied.

    Args:
        image: decoded, any Pillow mode.
        channels: 1 or 3.
        background: 0..255.

    Returns:
        The image, and what only its pixels could tell: ``alpha``, ``low 16 bit``.

    Raises:
        BrokenImageError: pixels without an agreed range (floating point, 32-bit integers) or an unknown mode.
    """
    mode = "L" if channels == 1 else "RGB"
    if image.mode == mode and "transparency" not in image.info:
        return image, ()
    if image.mode == "I" or image.mode.startswith("I;16"):
        grey, traits = _from_16_bit(image, background)
        return grey.convert(mode), traits
    if image.mode == "F":
        raise BrokenImageError("floating point pixels have no agreed range; save 8-bit or 16-bit images")
    if image.mode in _ALPHA_MODES or "transparency" in image.info or _alpha_palette(image):
        return _over_background(image, background, mode)
    try:
        return image.convert(mode), ()
    except ValueError:
        raise BrokenImageError(f"its pixel format {image.mode} cannot be converted to {mode}") from None


def _alpha_palette(image: Image.Image) -> bool:
    return image.mode == "P" and image.palette is not None and image.palette.mode.endswith("A")


def _over_background(image: Image.Image, background: int, mode: str) -> tuple[Image.Image, tuple[str, ...]]:
    layer = image.convert("RGBA")
    lowest = layer.getchannel("A").getextrema()[0]
    if lowest == 255:
        return layer.convert("RGB").convert(mode), ()
    backdrop = Image.new("RGBA", layer.size, (background, background, background, 255))
    backdrop.alpha_composite(layer)
    return backdrop.convert("RGB").convert(mode), ("alpha",)


def _from_16_bit(image: Image.Image, background: int) -> tuple[Image.Image, tuple[str, ...]]:
    values: npt.NDArray[np.int64] = np.asarray(image).astype(np.int64)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise BrokenImageError(f"values from {low:,} to {high:,} have no agreed range; save 8-bit or 16-bit images")
    grey = ((values + 128) // 257).astype(np.uint8)
    traits = ("low 16 bit",) if high <= LOW_16_BIT else ()
    transparent = image.info.get("transparency")
    if isinstance(transparent, int) and (values == transparent).any():
        grey[values == transparent] = background
        traits = (*traits, "alpha")
    return Image.fromarray(grey), traits
