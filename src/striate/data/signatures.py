"""One small record per image, taken in one pass: enough to find copies, near-copies and images of one colour."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from striate.data.examined import Examined, Signatures, Words
from striate.data.image_source import Images, ImageSource, stretches

__all__ = ["FLAT_LIMIT", "SMALLEST_COMPARED", "bits_set", "signatures", "thumbnails"]

CHUNK = 1 << 20
"""Pixels looked at together: few enough to stay in the processor's cache."""
ROWS, COLUMNS = 8, 9
FLAT_LIMIT = 16
"""Equal neighbours, of the 64 in a thumbnail, from which an image is too plain for its hash to mean anything."""
SMALLEST_COMPARED = 16
"""Side in pixels below which different images look too much alike to be called near-copies."""


def signatures(images: ImageSource) -> Signatures:
    """Look at every image once, in chunks, so that images on disk pass through little memory.

    Args:
        images: uint8 (images, channels, height, width).
    """
    if isinstance(images, Examined):
        return images.known_signatures()
    count, _, height, width = images.shape
    words, hashes = np.empty(count, np.uint64), np.empty(count, np.uint64)
    plain, uniform = np.empty(count, bool), np.empty(count, bool)
    brightness = np.empty(count, np.float32)
    factors = _factors(int(np.prod(images.shape[1:])))
    step = max(1, CHUNK // factors.size)
    for start, stretch in zip(range(0, count, step), stretches(images, step), strict=True):
        part = slice(start, start + step)
        chunk = np.ascontiguousarray(stretch)
        words[part] = _words(chunk.reshape(len(chunk), -1), factors)
        small = thumbnails(chunk)
        rises = small[:, :, 1:] - small[:, :, :-1]
        hashes[part] = np.packbits((rises > 0).reshape(-1, 64), axis=1).view(">u8")[:, 0]
        plain[part] = (np.abs(rises) < 1e-3).sum(axis=(1, 2)) > FLAT_LIMIT
        # the mean of one grey level can miss it by rounding
        uniform[part] = small.max(axis=(1, 2)) - small.min(axis=(1, 2)) < 0.01
        brightness[part] = small.mean(axis=(1, 2))
    if min(height, width) < SMALLEST_COMPARED:
        plain[:] = True
    return Signatures(words, hashes, plain, uniform, brightness)


def thumbnails(images: Images) -> npt.NDArray[np.float32]:
    """float32 (images, 8, 9): grey (the mean of the channels), each value the mean over its share of the area.

    >>> thumbnails(np.full((1, 3, 16, 18), 7, np.uint8)).round(3).min()
    np.float32(7.0)
    """
    count, channels, height, width = images.shape
    across = np.ascontiguousarray(_shares(width, COLUMNS).T)
    down = np.tile(_shares(height, ROWS), (1, channels)) / np.float32(channels)
    narrow = images.astype(np.float32).reshape(-1, width) @ across
    small: npt.NDArray[np.float32] = np.matmul(down, narrow.reshape(count, channels * height, COLUMNS))
    return small


def bits_set(words: Words) -> npt.NDArray[np.uint8]:
    """How many of the 64 bits are 1.

    >>> bits_set(np.array([0, 5, 2**64 - 1], np.uint64)).tolist()
    [0, 2, 64]
    """
    octets = np.ascontiguousarray(words)[:, None].view(np.uint8)
    counts: npt.NDArray[np.uint8] = _BITS[octets].sum(axis=1, dtype=np.uint8)
    return counts


_BITS = np.array([bin(value).count("1") for value in range(256)], np.uint8)


def _shares(length: int, parts: int) -> npt.NDArray[np.float32]:
    """(parts, length): how much of each pixel lies in each of the equal parts of an axis; rows sum to 1."""
    edges = np.linspace(0, length, parts + 1)
    pixel = np.arange(length)
    overlap = np.minimum(pixel + 1, edges[1:, None]) - np.maximum(pixel, edges[:-1, None])
    return np.asarray(np.clip(overlap, 0, None) * (parts / length), np.float32)


def _factors(size: int) -> Words:
    """Odd numbers, the same in every process: one for each 8 bytes of an image, and for each byte that is left."""
    generator = np.random.default_rng(0x5715A7E)
    return generator.integers(0, 2**63, size // 8 + size % 8, dtype=np.uint64) * np.uint64(2) + np.uint64(1)


def _words(rows: npt.NDArray[np.uint8], factors: Words) -> Words:
    """Multiply-add hash, modulo 2⁶⁴, of each row."""
    whole = rows.shape[1] // 8 * 8
    eights = np.ascontiguousarray(rows[:, :whole]).view(np.uint64)
    # upper halves are mixed in: a product of an odd number alone never moves a high bit down
    mixed = (eights ^ (eights >> np.uint64(32))) @ factors[: whole // 8]
    words: Words = mixed + rows[:, whole:].astype(np.uint64) @ factors[whole // 8 :]
    return words
