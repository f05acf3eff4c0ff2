"""Mean and standard deviation of the training pixels, exact."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from striate.data.examined import Counts, Examined
from striate.data.image_source import Images, ImageSource, stretches
from striate.findings import Finding

__all__ = ["channel_statistics", "count_values"]

CHUNK = 1 << 22
"""Pixels counted at a time: bincount widens each to 8 bytes."""


def channel_statistics(images: ImageSource) -> tuple[tuple[float, ...], tuple[float, ...], tuple[Finding, ...]]:
    """Mean and standard deviation of pixel / 255 for each channel.

    The 256 possible values are counted, and mean = Σ v·n / N and variance = Σ v²·n / N - mean² are worked out in whole
    numbers, so that nothing is lost to rounding however many images there are.

    Args:
        images: uint8 (images, channels, height, width), the training split and nothing else.

    Returns:
        The means, the standard deviations, and a finding for each channel without any variation; its standard
        deviation is given as 1, since dividing by 0 is no number.

    >>> import numpy as np
    >>> channel_statistics(np.array([[[[0, 255]]]], np.uint8))[:2]
    ((0.5,), (0.5,))
    """
    means, deviations, constant = [], [], []
    for channel, row in enumerate(_counts(images)):
        counts = [int(count) for count in row]
        total = sum(counts)
        first = Fraction(sum(value * count for value, count in enumerate(counts)), total)
        second = Fraction(sum(value * value * count for value, count in enumerate(counts)), total)
        variance = second - first * first
        means.append(float(first / 255))
        deviations.append(math.sqrt(variance) / 255 if variance else 1.0)
        if not variance:
            constant.append((channel, int(first)))
    return tuple(means), tuple(deviations), tuple(_constant(*pair) for pair in constant)


def count_values(images: Images) -> Counts:
    """How often each value of each channel occurs. Pairs of pixels are counted, which takes as long as bytes.

    Args:
        images: uint8 (images, channels, height, width).
    """
    counts = np.empty((images.shape[1], 256), np.int64)
    for channel in range(images.shape[1]):
        pixels = images[:, channel].ravel()
        even = len(pixels) // 2 * 2
        pairs = np.bincount(pixels[:even].view(np.uint16), minlength=1 << 16).reshape(256, 256)
        counts[channel] = pairs.sum(axis=0) + pairs.sum(axis=1) + np.bincount(pixels[even:], minlength=256)
    return counts


def _counts(images: ImageSource) -> Counts:
    found = images.known_counts() if isinstance(images, Examined) else None
    if found is not None:
        return found
    counts = np.zeros((images.shape[1], 256), np.int64)
    for stretch in stretches(images, max(1, CHUNK // (images.shape[2] * images.shape[3]))):
        counts += count_values(stretch)
    return counts


def _constant(channel: int, value: int) -> Finding:
    text = f"every pixel of channel {channel} of the training images is {value}; its standard deviation is taken as 1"
    return Finding("D013", "warning", text, where="train", fix="such a channel tells nothing; look at the images")
