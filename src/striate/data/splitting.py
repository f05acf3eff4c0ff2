"""Taking val and test from the training images: stratified, reproducible, and never leaving a class out.

Which images are taken depends on the seed and on each image's own id (by sha256), not on their order, their number or
the version of a random generator. An image added later moves hardly any other to another split.

scikit-learn's stratified split is not used: it leaves small classes out of the smaller split (one tenth of five images
is none), refuses classes of one image without saying which, and takes most of a second to import.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from striate.data.dataset import Labels
from striate.data.multilabel import deal_tags
from striate.runs.records import Task

__all__ = ["draw_share", "share_counts"]


def draw_share(
    labels: Labels, ids: Sequence[str], share: float, *, name: str, keep: int, seed: int, task: Task
) -> npt.NDArray[np.bool_]:
    """Choose a share of the images.

    Classes: per class, the number nearest the share, by largest remainder, at least 1. Tags: iterative stratification
    (Sechidis et al. 2011). Values: any images.

    Args:
        labels: as in Split.
        ids: one per image.
        share: of the images to take, above 0 and below 1.
        name: of the split to make; ``val`` and ``test`` draw independently.
        keep: images (of each class) that must stay, one for each split still to be made.
        seed: of the draw.
        task: of the labels.

    Returns:
        bool (images,), True where an image is taken.
    """
    order = _draw(ids, name, seed)
    if task == "classes":
        return _take_classes(labels, order, share, keep)
    if task == "tags":
        taken = deal_tags(labels, order, share)
        if 0 < taken.sum() <= len(ids) - keep:
            return taken
    taken = np.zeros(len(ids), bool)
    taken[order[: min(max(1, round(share * len(ids))), len(ids) - keep)]] = True
    return taken


def share_counts(counts: Sequence[int], share: float, keep: int) -> list[int]:
    """How many images of each class to take, by largest remainder (Hamilton), so that the total is near the share.

    Every class gives at least 1 and keeps at least ``keep``; otherwise its number is within one of its exact share.

    >>> share_counts([100, 50, 3], 0.1, keep=1)
    [10, 5, 1]
    """
    exact = [share * count for count in counts]
    taken = [max(1, math.floor(value)) for value in exact]
    missing = round(share * sum(counts)) - sum(taken)
    by_remainder = sorted(range(len(counts)), key=lambda index: (math.floor(exact[index]) - exact[index], index))
    for index in by_remainder:
        if missing > 0 and exact[index] > taken[index]:
            taken[index] += 1
            missing -= 1
    return [min(number, count - keep) for number, count in zip(taken, counts, strict=True)]


def _draw(ids: Sequence[str], name: str, seed: int) -> npt.NDArray[np.intp]:
    """Indices in an order that only the ids, the split's name and the seed decide."""
    start = hashlib.sha256(f"{seed}\0{name}\0".encode())
    keys = []
    for image in ids:
        digest = start.copy()
        digest.update(image.encode())
        keys.append(digest.digest())
    return np.array(sorted(range(len(ids)), key=keys.__getitem__), np.intp)


def _take_classes(labels: Labels, order: npt.NDArray[np.intp], share: float, keep: int) -> npt.NDArray[np.bool_]:
    taken = np.zeros(len(labels), bool)
    drawn = labels[order]
    for label, number in enumerate(share_counts(np.bincount(labels).tolist(), share, keep)):
        taken[order[drawn == label][:number]] = True
    return taken
