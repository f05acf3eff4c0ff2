"""Mean and standard deviation of the training pixels, exact."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from striate.data.dataset import Images
from striate.findings import Finding

__all__ = ["channel_statistics"]

CHUNK = 1 << 22
"""Pixels counted at a time: bincount widens each to 8 bytes."""


def channel_statistics(images: Images) -> tuple[tuple[float, ...], tuple[float, ...], tuple[Finding, ...]]:
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
    for channel in range(images.shape[1]):
        counts = _histogram(images, channel)
        total = sum(counts)
        first = Fraction(sum(value * count for value, count in enumerate(counts)), total)
        second = Fraction(sum(value * value * count for value, count in enumerate(counts)), total)
        variance = second - first * first
        means.append(float(first / 255))
        deviations.append(math.sqrt(variance) / 255 if variance else 1.0)
        if not variance:
            constant.append((channel, int(first)))
    return tuple(means), tuple(deviations), tuple(_constant(*pair) for pair in constant)


def _histogram(images: Images, channel: int) -> list[int]:
    """How often each value occurs. Pairs of pixels are counted, because counting takes as long for 16 bits as for 8."""
    pairs, single = np.zeros(1 << 16, np.int64), np.zeros(256, np.int64)
    step = max(1, CHUNK // (images.shape[2] * images.shape[3]))
    for start in range(0, len(images), step):
        pixels = images[start : start + step, channel].ravel()
        even = len(pixels) // 2 * 2
        pairs += np.bincount(pixels[:even].view(np.uint16), minlength=1 << 16)
        single += np.bincount(pixels[even:], minlength=256)
    both = pairs.reshape(256, 256)
    return [int(count) for count in both.sum(axis=0) + both.sum(axis=1) + single]


def _constant(channel: int, value: int) -> Finding:
    text = f"every pixel of channel {channel} of the training images is {value}; its standard deviation is taken as 1"
    return Finding("D013", "warning", text, where="train", fix="such a channel tells nothing; look at the images")
