"""What a confusion matrix says in words: which class was taken for which other, how often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Confusion", "largest_confusions"]


@dataclass(frozen=True, slots=True)
class Confusion:
    """One class taken for another.

    Args:
        true: the class of the images.
        predicted: what they were taken for.
        count: how many.
        of: images of the true class.
    """

    true: str
    predicted: str
    count: int
    of: int


def largest_confusions(
    matrix: Sequence[Sequence[int]], classes: Sequence[str], most: int | None = None
) -> tuple[Confusion, ...]:
    """Pairs of classes that were mixed up, the most frequent first.

    Args:
        matrix: images by true class (rows) and predicted class (columns).
        classes: their names.
        most: how many pairs at most.

    >>> [(c.true, c.predicted, c.count, c.of) for c in largest_confusions([[8, 2], [1, 9]], ["cat", "dog"])]
    [('cat', 'dog', 2, 10), ('dog', 'cat', 1, 10)]
    """
    found = [
        Confusion(classes[true], classes[predicted], count, sum(row))
        for true, row in enumerate(matrix)
        for predicted, count in enumerate(row)
        if true != predicted and count
    ]
    found.sort(key=lambda confusion: (-confusion.count, -confusion.count / confusion.of))
    return tuple(found[:most])
