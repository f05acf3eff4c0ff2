"""One more image in the form a dataset had: what prediction and serving use, from the stored Preprocessing."""

from __future__ import annotations

import io
import os

import numpy as np
from PIL import Image

from striate.data.broken import check_file, reason_of
from striate.data.dataset import Images
from striate.data.decoding import decode, to_array
from striate.data.fitting import fit_image
from striate.data.pixels import to_grey_or_rgb
from striate.data.target import Target
from striate.errors import DataError
from striate.runs.records import Preprocessing

__all__ = ["apply_preprocessing", "read_image"]


def read_image(source: str | os.PathLike[str] | bytes, preprocessing: Preprocessing) -> Images:
    """Read one image exactly as the dataset's images were read.

    Args:
        source: a path, or the bytes of an image file.
        preprocessing: stored with the network. ``fit="exact"`` treats an image of another size like ``crop``.

    Returns:
        uint8 (channels, height, width), C-contiguous. Mean and std are not applied here: the network's input is
        ``(pixel / 255 - mean) / std``.

    Raises:
        DataError: no such file, or not an image that can be used; says why.
    """
    target = Target.of(preprocessing)
    start = source[:32] if isinstance(source, bytes) else b""
    try:
        if isinstance(source, bytes):
            return np.ascontiguousarray(decode(io.BytesIO(source), target).pixels)
        path = os.fspath(source)
        check_file(path)
        with open(path, "rb") as file:
            start = file.read(32)
            file.seek(0)
            return np.ascontiguousarray(decode(file, target).pixels)
    except Exception as error:  # decoders of foreign bytes raise nearly anything
        raise DataError(
            "the image cannot be used",
            where=f"{len(source):,} bytes" if isinstance(source, bytes) else str(source),
            got=reason_of(error, start),
            needs="a whole JPEG, PNG, BMP, GIF, TIFF, WebP or PPM image",
        ) from None


def apply_preprocessing(pixels: Images, preprocessing: Preprocessing) -> Images:
    """Give pixels that are already in memory the dataset's form: channels and size.

    Args:
        pixels: uint8 (height, width), (height, width, channels) or (channels, height, width), with 1 or 3 channels.
        preprocessing: stored with the network.

    Returns:
        uint8 (channels, height, width), C-contiguous.

    Raises:
        DataError: another type or shape, or one where the channel axis cannot be told.

    >>> from striate.runs.records import Preprocessing
    >>> form = Preprocessing(channels=3, height=8, width=8, fit="crop", mean=(0, 0, 0), std=(1, 1, 1))
    >>> apply_preprocessing(np.zeros((16, 20), np.uint8), form).shape
    (3, 8, 8)
    """
    target = Target.of(preprocessing)
    return np.ascontiguousarray(fit_pixels(_channels_last(pixels), target))


def fit_pixels(pixels: Images, target: Target) -> Images:
    """uint8 (channels, height, width) from uint8 (height, width) or (height, width, 3)."""
    image, _ = to_grey_or_rgb(Image.fromarray(pixels), target.channels, target.background)
    return to_array(fit_image(image, target.height, target.width, target.fit))


def _channels_last(pixels: Images) -> Images:
    shape = pixels.shape
    if pixels.dtype == np.uint8 and pixels.size:
        if len(shape) == 2:
            return pixels
        first, last = len(shape) == 3 and shape[0] in (1, 3), len(shape) == 3 and shape[2] in (1, 3)
        if first != last:
            ordered = pixels.transpose(1, 2, 0) if first else pixels
            return np.ascontiguousarray(ordered[:, :, 0] if ordered.shape[2] == 1 else ordered)
    raise DataError(
        "an image in memory has the wrong form",
        got=f"{pixels.dtype} {shape}",
        needs="uint8 (height, width), (height, width, channels) or (channels, height, width), with 1 or 3 channels",
    )
