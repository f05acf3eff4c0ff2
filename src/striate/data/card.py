"""What is written down about a dataset: counts and a fingerprint of each split."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence

import numpy as np

from striate.data.dataset import Labels, Split
from striate.data.examined import Examined
from striate.data.image_source import stretches
from striate.runs.records import SplitCard, Task

__all__ = ["hash_beginning", "split_card", "split_hash"]

CHUNK = 1 << 24
"""Bytes of pixels taken in at a time."""


def split_card(split: Split, classes: Sequence[str], task: Task) -> SplitCard:
    """Count and fingerprint one split.

    Args:
        split: the images and labels.
        classes: names, in the order of the contract.
        task: of the labels; values have no counts per name.
    """
    if task == "classes":
        numbers = np.bincount(split.labels, minlength=len(classes)).tolist()
    else:
        numbers = split.labels.sum(axis=0, dtype=np.int64).tolist() if task == "tags" else []
    counts = dict(zip(classes, numbers, strict=True)) if numbers else {}
    return SplitCard(count=len(split), counts=counts, hash=split_hash(split))


def split_hash(split: Split) -> str:
    """sha256, in hexadecimal, over ids, labels and pixels with their types and shapes.

    Equal on every machine: numbers are taken in little-endian byte order.
    """
    digest = hash_beginning(split.ids, split.labels, split.images.shape)
    found = split.images.known_hash(digest.hexdigest()) if isinstance(split.images, Examined) else None
    if found is not None:
        return found
    for stretch in stretches(split.images, max(1, CHUNK // math.prod(split.images.shape[1:]))):
        digest.update(np.ascontiguousarray(stretch).data)
    return digest.hexdigest()


def hash_beginning(ids: Sequence[str], labels: Labels, shape: tuple[int, ...]) -> hashlib._Hash:
    """The hash of a split before its pixels are taken in.

    Args:
        ids, labels: of its images.
        shape: (images, channels, height, width).
    """
    digest = hashlib.sha256()
    digest.update(json.dumps(ids).encode())
    portable = np.ascontiguousarray(labels, labels.dtype.newbyteorder("<"))
    digest.update(f"{portable.dtype.str}{portable.shape}".encode())
    digest.update(portable.data)
    digest.update(f"|u1{shape}".encode())
    return digest
