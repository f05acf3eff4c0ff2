"""Images that are nearly the same in two splits: saved again, resized, brightened, or the next frame of a film."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from striate.data.dataset import Split
from striate.data.duplicates import HARMFUL
from striate.data.examined import Signatures
from striate.data.image_source import ImageSource
from striate.data.naming import examples, share_of
from striate.data.signatures import bits_set
from striate.findings import Finding

__all__ = ["DISTANCE", "LEAST_CORRELATION", "near_duplicate_findings"]

BANDS = 4
WINDOW = 8
"""Neighbours in the sorted hashes that each image is compared with: what keeps the work from growing as n²."""
DISTANCE = 8
"""Bits of 64 in which the hashes of two near-copies may differ."""
LEAST_CORRELATION = 0.99
"""Of the pixels. Two different photographs, or two different handwritten digits of MNIST, never reach it."""
PAIRS_AT_ONCE = 1 << 22
"""Pixels of pairs compared together."""

Pairs = npt.NDArray[np.int64]


def near_duplicate_findings(
    splits: Mapping[str, Split], found: Mapping[str, Signatures], known: set[tuple[str, int]]
) -> tuple[Finding, ...]:
    """D024: images of val or test that have a near-copy in an earlier split.

    Two images are near-copies when their 64-bit difference hashes differ in at most 8 bits, one of the four groups of
    16 bits is equal, and their pixels correlate (Pearson) at 0.99 or more over all channels. Each image is compared
    with at most 8 others per group, the next in the sorted order, so that not every near-copy is found: the number is
    a lower bound. Images below 16 pixels and images that are plain over more than a quarter of their thumbnail are
    left out: there different images can be that alike.

    Args:
        splits: by name, ``train`` first.
        found: the signatures of each.
        known: places of exact copies, which are told elsewhere.
    """
    names = list(splits)
    part = np.concatenate([np.full(len(splits[name]), number) for number, name in enumerate(names)])
    index = np.concatenate([np.arange(len(splits[name])) for name in names])
    hashes = np.concatenate([found[name].hashes for name in names])
    useful = ~np.concatenate([found[name].plain | found[name].uniform for name in names])
    copied = np.array([(names[p], int(i)) in known for p, i in zip(part, index, strict=True)]) if known else None
    places = np.flatnonzero(useful if copied is None else useful & ~copied)
    pairs = places[_candidates(hashes[places], part[places])]
    # the later split first: that is where the harm is
    pairs = np.where((part[pairs[:, 0]] > part[pairs[:, 1]])[:, None], pairs, pairs[:, ::-1])
    alike = _alike(pairs, [splits[name].images for name in names], part, index)
    return tuple(
        _finding(name, pairs[alike & (part[pairs[:, 0]] == number)], splits, part, index)
        for number, name in enumerate(names)
        if (alike & (part[pairs[:, 0]] == number)).any()
    )


def _candidates(hashes: npt.NDArray[np.uint64], part: npt.NDArray[np.int64]) -> Pairs:
    """Pairs from different splits with near hashes, each once; the nearest first, and no more than a fixed share."""
    found: list[Pairs] = [np.empty((0, 2), np.int64)]
    for band in range(BANDS):
        shift = np.uint64(16 * band)
        # the band comes to the front, and what follows it brings like hashes together inside it
        turned = (hashes << shift) | (hashes >> (np.uint64(64) - shift)) if band else hashes
        order = np.argsort(turned, kind="stable")
        sorted_, sides = turned[order], part[order]
        for ahead in range(1, WINDOW + 1):
            differing = sorted_[ahead:] ^ sorted_[:-ahead]
            near = np.flatnonzero((differing >> np.uint64(48) == 0) & (sides[ahead:] != sides[:-ahead]))
            near = near[bits_set(differing[near].astype(np.uint64, copy=False)) <= DISTANCE]
            found.append(np.stack([order[near], order[near + ahead]], axis=1))
    both = np.sort(np.concatenate(found), axis=1)
    keys = np.unique(both[:, 0] * np.int64(len(hashes)) + both[:, 1])
    pairs: Pairs = np.stack([keys // len(hashes), keys % len(hashes)], axis=1) if keys.size else both
    most = 1000 + len(hashes) // 8
    if len(pairs) > most:
        pairs = pairs[np.argsort(bits_set(hashes[pairs[:, 0]] ^ hashes[pairs[:, 1]]), kind="stable")[:most]]
    return pairs


def _alike(
    pairs: Pairs, images: list[ImageSource], part: npt.NDArray[np.int64], index: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Whether the pixels of each pair correlate enough."""
    alike = np.zeros(len(pairs), bool)
    step = max(1, PAIRS_AT_ONCE // int(np.prod(images[0].shape[1:])))
    for start in range(0, len(pairs), step):
        sides = [_pixels(column, images, part, index) for column in pairs[start : start + step].T]
        a, b = (side - side.mean(axis=1, keepdims=True) for side in sides)
        product = np.einsum("nd,nd->n", a, b)
        squares = np.einsum("nd,nd->n", a, a) * np.einsum("nd,nd->n", b, b)
        alike[start : start + step] = product >= LEAST_CORRELATION * np.sqrt(np.maximum(squares, 1e-12))
    return alike


def _pixels(
    places: npt.NDArray[np.int64],
    images: list[ImageSource],
    part: npt.NDArray[np.int64],
    index: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """The pixels of images from several splits: (places, values); each split is asked once, which a stream needs."""
    pixels = np.empty((len(places), int(np.prod(images[0].shape[1:]))), np.float32)
    for number in np.unique(part[places]):
        rows = np.flatnonzero(part[places] == number)
        pixels[rows] = images[number][index[places[rows]]].reshape(len(rows), -1)
    return pixels


def _finding(
    name: str,
    pairs: Pairs,
    splits: Mapping[str, Split],
    part: npt.NDArray[np.int64],
    index: npt.NDArray[np.int64],
) -> Finding:
    names = list(splits)
    earlier = dict(zip(pairs[::-1, 0].tolist(), pairs[::-1, 1].tolist(), strict=True))
    shown = [
        f"{splits[name].ids[index[one]]} ≈ {splits[names[part[other]]].ids[index[other]]} ({names[part[other]]})"
        for one, other in sorted(earlier.items())
    ]
    count, total = len(earlier), len(splits[name])
    text = f"at least {share_of(count, total)} {'is' if count == 1 else 'are'} nearly the same as an image"
    return Finding(
        "D024",
        "warning" if count >= HARMFUL * total else "info",
        f"{text} in an earlier split: {examples(shown)}",
        where=name,
        fix="keep frames of one film and versions of one picture in one split (a CSV with a column split says which)",
    )
