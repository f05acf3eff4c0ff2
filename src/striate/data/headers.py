"""Reading an image's header: its size, colour and oddities, without decoding a pixel."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import BinaryIO

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from striate.data.broken import PIXEL_LIMIT, BrokenImageError, check_file, reason_of

__all__ = ["FORMATS", "IMAGE_SUFFIXES", "Header", "open_image", "orientation_of", "read_header"]

# naming the plugins makes Pillow register them here, once, and not in the middle of a thread
_PLUGINS = (
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
"""The decoders that may see a file. Every further one is code that strangers' bytes can reach."""

_SUFFIXES = {
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "PNG": (".png", ".apng"),
    "BMP": (".bmp", ".dib"),
    "GIF": (".gif",),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
_FORMAT_OF = {suffix: name for name, suffixes in _SUFFIXES.items() for suffix in suffixes}
IMAGE_SUFFIXES = frozenset(_FORMAT_OF)
_SAME_FORMAT = {"MPO": "JPEG", "DIB": "BMP"}
_GREY_MODES = frozenset({"1", "L", "LA", "La", "I"})


EMPTY_EXIF = 20
"""Bytes of EXIF data that holds no tag: lead, header, a count of 0, and no further directory."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a header says.

    Args:
        width: pixels, after the EXIF rotation.
        height: pixels, after the EXIF rotation.
        grey: no colour, going by the pixel format.
        traits: oddities, as words that ``traits.py`` puts into sentences.
        broken: why the image cannot be used, or None.
        format: of the file, such as ``JPEG``.
    """

    width: int = 0
    height: int = 0
    grey: bool = True
    traits: tuple[str, ...] = ()
    broken: str | None = None
    format: str = ""


def open_image(file: BinaryIO) -> Image.Image:
    """Open an image without decoding it, going by its content and not by its name.

    Raises:
        BrokenImageError: it has no pixels, or more than ``PIXEL_LIMIT``.
        Exception: whatever Pillow raises on bytes that are no image.
    """
    image = Image.open(file, formats=FORMATS)
    width, height = image.size
    if width < 1 or height < 1:
        raise BrokenImageError("it has no pixels")
    if width * height > PIXEL_LIMIT:
        limit = f"more than the {PIXEL_LIMIT // 1_000_000} million that are read here"
        raise BrokenImageError(f"{width:,}×{height:,} pixels, {limit}")
    return image


def read_header(path: str) -> Header:
    """The header of one file; a file that cannot be read gives its reason and never raises."""
    start = b""
    try:
        check_file(path)
        with open(path, "rb") as file:
            start = file.read(32)
            file.seek(0)
            return _describe(open_image(file), path)
    except Exception as error:  # decoders of foreign bytes raise nearly anything
        return Header(broken=reason_of(error, start))


def orientation_of(image: Image.Image) -> int | None:
    """The EXIF orientation, 1 (upright) to 8; None when the EXIF data cannot be read."""
    # a PNG without EXIF in front of its pixels would be decoded whole to look behind them
    if image.format == "PNG" and not image.info.keys() & {"exif", "Raw profile type exif", "XML:com.adobe.xmp"}:
        return 1
    try:
        tags = image.getexif()
        value = tags.get(0x0112, 1)
    except Exception:  # damaged EXIF data raises nearly anything; the pixels may still be whole
        return None
    # other damage leaves no tag at all; data without tags is no longer than this
    if not tags and len(image.info.get("exif", b"")) > EMPTY_EXIF:
        return None
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _describe(image: Image.Image, path: str) -> Header:
    width, height = image.size
    traits = []
    orientation = orientation_of(image)
    if orientation is None:
        traits.append("exif unreadable")
    elif orientation > 1:
        traits.append("exif")
    # Pillow turns a TIFF by itself and states the size after the turn
    if orientation is not None and orientation >= 5 and image.format != "TIFF":
        width, height = height, width
    name = _SAME_FORMAT.get(image.format or "", image.format)
    if _FORMAT_OF.get(os.path.splitext(path)[1].lower(), name) != name:
        traits.append("suffix")
    if getattr(image, "is_animated", False) and image.format != "MPO":
        traits.append("frames")
    rawmode = _rawmode(image)
    if image.mode == "CMYK":
        traits.append("cmyk")
    elif image.mode in ("P", "PA"):
        traits.append("palette")
    elif image.mode == "1":
        traits.append("one bit")
    elif image.mode == "I" or image.mode.startswith("I;16"):
        traits.append("16 bit")
    elif ";16" in rawmode:
        traits.append("16 bit colour")
    grey = (
        image.mode in _GREY_MODES or image.mode.startswith("I;16") or rawmode.startswith("LA") or _grey_palette(image)
    )
    return Header(width, height, grey, tuple(traits), format=name or "")


def _rawmode(image: Image.Image) -> str:
    """How the pixels lie in the file, such as ``RGB;16B``; empty where Pillow does not say."""
    tiles = getattr(image, "tile", ())
    arguments = tiles[0][3] if tiles else ""
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _grey_palette(image: Image.Image) -> bool:
    if image.mode not in ("P", "PA") or image.palette is None:
        return False
    rawmode, data = image.palette.getdata()
    step = len(rawmode)
    red, green, blue = (bytes(data[start::step]) for start in range(3))
    return step >= 3 and len(red) > 0 and red == green == blue
