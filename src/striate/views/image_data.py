"""Pictures as ``data:`` addresses, so that a page holds its images itself."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

from PIL import Image

from striate.views.report_parts import Picture

__all__ = ["ImageData", "image_data"]


@dataclass(frozen=True, slots=True)
class ImageData:
    """A picture ready for an ``img`` element.

    Args:
        source: the ``data:`` address of a PNG.
        width: of the PNG, in pixels.
        height: of the PNG, in pixels.
        caption: what it shows.
        pixelated: whether its pixels are shown as squares, because there are fewer of them than room.
    """

    source: str
    width: int
    height: int
    caption: str
    pixelated: bool


def image_data(picture: Picture, most: int) -> ImageData:
    """A picture as PNG, made smaller where it is larger than it will be shown.

    Args:
        picture: any size.
        most: the longest side in pixels of the page.
    """
    image = Image.fromarray(picture.pixels)
    longest = max(image.size)
    if longest > most:
        size = (max(1, round(image.width * most / longest)), max(1, round(image.height * most / longest)))
        image = image.resize(size, Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    source = "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()
    return ImageData(source, image.width, image.height, picture.caption, pixelated=longest < most)
