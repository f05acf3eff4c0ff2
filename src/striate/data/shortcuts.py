"""Properties of the files or pixels that give the class away, so that a network may learn them instead of the object.

Silent when in doubt: only a property that nearly all images of one class have, and nearly none of the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from striate.data.dataset import Labels
from striate.data.naming import examples
from striate.findings import Finding

__all__ = ["brightness_finding", "property_finding"]

FEWEST = 20
"""Images a class, and all others together, must have before anything is said."""
NEARLY_ALL, NEARLY_NONE = 0.95, 0.01
FEWEST_FOR_BRIGHTNESS = 50
SEPARATED = 0.998
"""Area under the ROC curve from which brightness alone tells a class from the others. 0.5 is chance, 1 certainty."""


def property_finding(
    labels: Labels, classes: Sequence[str], properties: Mapping[str, Sequence[Hashable]]
) -> tuple[Finding, ...]:
    """D028 about sizes, file formats and the like.

    Args:
        labels: int64 (images,), of the training images.
        classes: names, in the order of the contract.
        properties: by what to call it, one value per image: ``{"size": [(640, 480), …]}``.

    >>> labels = np.repeat([0, 1], 30)
    >>> [finding] = property_finding(labels, ["cat", "dog"], {"format": ["JPEG"] * 30 + ["PNG"] * 30})
    >>> finding.message.partition(": ")[2].partition(",")[0]
    "format JPEG stands for 30 of 30 'cat' and 0 of 30 others"
    """
    totals = np.bincount(labels, minlength=len(classes)).tolist()
    clues = []
    for name, values in properties.items():
        have = Counter(zip(values, labels.tolist(), strict=True))
        everywhere = Counter(values)
        for (value, label), count in have.items():
            inside, outside = totals[label], len(labels) - totals[label]
            if min(inside, outside) < FEWEST or count < NEARLY_ALL * inside:
                continue
            others = everywhere[value] - count
            if others <= NEARLY_NONE * outside:
                rest = f"{others:,} of {outside:,} others"
                clues.append(f"{name} {value} stands for {count:,} of {inside:,} {classes[label]!r} and {rest}")
    if not clues:
        return ()
    text = f"the class can be told without looking at the object: {examples(clues)}"
    fix = "bring all images to one form the same way, or take them with one camera; else the network may learn the form"
    return (Finding("D028", "warning", text, where="train", fix=fix),)


def brightness_finding(
    labels: Labels, classes: Sequence[str], brightness: npt.NDArray[np.float32]
) -> tuple[Finding, ...]:
    """D028 about mean brightness: by the area under the ROC curve of each class against the rest.

    With ranks r (ties share theirs) of all images by brightness, the area is (Σ r over the class - n(n + 1)/2) / (n m)
    for n images of the class and m others (Mann and Whitney 1947).

    Args:
        labels: int64 (images,), of the training images.
        classes: names, in the order of the contract.
        brightness: mean over the pixels of each image, 0..255.
    """
    counts = np.bincount(labels, minlength=len(classes)).astype(np.float64)
    others = len(labels) - counts
    _, inverse, ties = np.unique(brightness, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[inverse.ravel()]
    sums = np.bincount(labels, weights=ranks, minlength=len(classes))
    enough = np.minimum(counts, others) >= FEWEST_FOR_BRIGHTNESS
    areas = np.where(enough, (sums - counts * (counts + 1) / 2) / np.maximum(counts * others, 1), 0.5)
    clues = []
    for label in np.flatnonzero(np.maximum(areas, 1 - areas) >= SEPARATED).tolist():
        mean, rest = (float(brightness[mask].mean()) for mask in (labels == label, labels != label))
        word = "brighter" if mean > rest else "darker"
        clues.append(f"{classes[label]!r} is {word} ({mean:.0f}, the others {rest:.0f} of 255)")
    if not clues:
        return ()
    text = f"a class can be told by its mean brightness alone: {examples(clues)}"
    fix = "nothing, if that is what sets it apart; else take the images under one light"
    return (Finding("D028", "info", text, where="train", fix=fix),)
