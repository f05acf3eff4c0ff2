"""Decoding one image file: content to uint8 (channels, height, width)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import Image

from striate.data.broken import BrokenImageError
from striate.data.dataset import Images
from striate.data.fitting import fit_image
from striate.data.headers import open_image, orientation_of
from striate.data.pixels import to_grey_or_rgb
from striate.data.target import Target

__all__ = ["Decoded", "decode", "to_array"]

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """One image in its target form.

    Args:
        pixels: uint8 (channels, height, width).
        size: (width, height) it had before fitting, upright.
        traits: what only its pixels could tell.
    """

    pixels: Images
    size: tuple[int, int]
    traits: tuple[str, ...]


def decode(file: BinaryIO, target: Target) -> Decoded:
    """Decode, turn upright, convert and fit one image.

    A JPEG at least four times too large is decoded at 1/2, 1/4 or 1/8 of its size, at twice the target or more, which
    is three times as fast; the antialiased resize that follows hides all but a few levels of the difference.

    Args:
        file: an open image file.
        target: the form wanted.

    Raises:
        BrokenImageError: no pixels, too many, or a pixel format without an agreed range.
        Exception: whatever Pillow raises on damaged bytes.
    """
    image = open_image(file)
    size = image.size
    if image.format in ("JPEG", "MPO"):
        turned = (orientation_of(image) or 1) >= 5
        wanted = (target.height, target.width) if turned else (target.width, target.height)
        image.draft(None, (2 * wanted[0], 2 * wanted[1]))
    image.load()
    # asked again: a PNG may carry its EXIF behind the pixels, and Pillow has turned a TIFF already
    orientation = orientation_of(image) or 1
    turn = _TURNS.get(orientation)
    upright = image if turn is None else image.transpose(turn)
    if image.format == "TIFF":
        size = upright.size
    elif orientation >= 5:
        size = (size[1], size[0])
    converted, traits = to_grey_or_rgb(upright, target.channels, target.background)
    if turn is not None:
        traits = (*traits, "exif")
    return Decoded(to_array(fit_image(converted, target.height, target.width, target.fit)), size, traits)


def to_array(image: Image.Image) -> Images:
    """uint8 (channels, height, width) of an ``L`` or ``RGB`` image; a view that need not be contiguous.

    Raises:
        BrokenImageError: the image has another mode.
    """
    pixels: Images = np.asarray(image)
    if image.mode == "L":
        return pixels[None]
    if image.mode == "RGB":
        return pixels.transpose(2, 0, 1)
    raise BrokenImageError(f"unexpected pixel format {image.mode}")
