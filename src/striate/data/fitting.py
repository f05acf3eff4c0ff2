"""Resizing and cropping: the part of an image that is kept, and the one resize that gives it its size."""

from __future__ import annotations

from PIL import Image

from striate.data.options import Fit

__all__ = ["cover_box", "fit_image"]

Box = tuple[float, float, float, float]


def cover_box(size: tuple[int, int], target: tuple[int, int]) -> Box:
    """The part of an image that remains after resizing it to cover ``target`` and cropping at the centre.

    The resized image would be ``round(scale · width)`` by ``round(scale · height)`` pixels, with scale the larger of
    the two ratios, and the crop would start at ``(resized - target) // 2``. Resizing only this box gives the same
    pixels and never holds the whole resized image, which for a 1×10,000 image would be enormous.

    Args:
        size: (width, height) of the image.
        target: (width, height) wanted.

    Returns:
        (left, upper, right, lower) in the image's pixels.

    >>> cover_box((200, 100), (50, 50))
    (50.0, 0.0, 150.0, 100.0)
    """
    (width, height), (target_width, target_height) = size, target
    scale = max(target_width / width, target_height / height)
    resized_width = max(target_width, round(width * scale))
    resized_height = max(target_height, round(height * scale))
    left = (resized_width - target_width) // 2
    upper = (resized_height - target_height) // 2
    return (
        left * width / resized_width,
        upper * height / resized_height,
        (left + target_width) * width / resized_width,
        (upper + target_height) * height / resized_height,
    )


def fit_image(image: Image.Image, height: int, width: int, fit: Fit) -> Image.Image:
    """The image at height × width, antialiased bilinear; untouched when it has that size.

    Args:
        image: mode ``L`` or ``RGB``.
        height: pixels.
        width: pixels.
        fit: ``stretch`` resizes both axes; ``crop``, and ``exact`` for an image of another size, cover and crop.
    """
    if image.size == (width, height):
        return image
    box = None if fit == "stretch" else cover_box(image.size, (width, height))
    return image.resize((width, height), Image.Resampling.BILINEAR, box=box)
