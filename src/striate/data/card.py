"""What is written down about a dataset: counts and a fingerprint of each split."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from striate.data.dataset import Split
from striate.runs.records import SplitCard, Task

__all__ = ["split_card", "split_hash"]


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
    digest = hashlib.sha256()
    digest.update(json.dumps(split.ids).encode())
    for array in (split.labels, split.images):
        portable = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        digest.update(f"{portable.dtype.str}{portable.shape}".encode())
        digest.update(portable.data)
    return digest.hexdigest()
