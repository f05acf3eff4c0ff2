"""The worst mistakes: images that the network is surest of, and wrong about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from striate.views import Mistake, Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.data import Split

__all__ = ["as_picture", "worst_mistakes"]

MOST = 24


def worst_mistakes(outputs: torch.Tensor, split: Split, classes: tuple[str, ...]) -> tuple[Mistake, ...]:
    """The wrong images by descending confidence in the wrong class.

    Args:
        outputs: (count, classes), raw.
        split: with images and labels.
        classes: names of the outputs.
    """
    probabilities = outputs.softmax(dim=1).numpy()
    predicted = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(predicted != split.labels)
    worst = wrong[np.argsort(-confidence[wrong], kind="stable")][:MOST]
    return tuple(
        Mistake(
            picture=as_picture(split.images[index], split.ids[index]),
            true=classes[int(split.labels[index])],
            predicted=classes[int(predicted[index])],
            confidence=float(confidence[index]),
            id=split.ids[index],
        )
        for index in worst
    )


def as_picture(image: NDArray[np.uint8], caption: str) -> Picture:
    """A stored image, uint8 (channels, height, width), as a picture."""
    return Picture(image[0] if len(image) == 1 else image.transpose(1, 2, 0), caption)
