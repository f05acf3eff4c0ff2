"""Class labels that come as whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from striate.data.contract import check_labelled, class_contract
from striate.data.dataset import Labels
from striate.errors import DataError

__all__ = ["check_integers"]


def check_integers(
    labels: Mapping[str, Labels], names: Sequence[str] | None, origins: Mapping[str, str], where: str
) -> tuple[str, ...]:
    """Check that labels number the classes 0, 1, 2 … in every part.

    Args:
        labels: by part, whole numbers (images,); the first part is what is trained on.
        names: of the classes, or None: then the classes are the numbers up to the largest training label.
        origins: by part, the file or array its labels come from, for messages.
        where: the source, for messages.

    Returns:
        The class names, in order.

    Raises:
        DataError: a label below 0 or too large (with its index), a number that no training image has, or parts that
            break the class contract.
    """
    first = next(iter(labels))
    for part, values in labels.items():
        if (values < 0).any():
            raise _wrong(
                "a negative label", values, values < 0, origins[part], "0 for the first class, 1 for the next …"
            )
    if names is None:
        _check_dense(labels[first], origins[first])
        names = [str(number) for number in range(int(labels[first].max()) + 1)]
    class_contract({first: list(names)}, where=where)
    for part, values in labels.items():
        beyond = values >= len(names)
        if beyond.any():
            needs = f"0 to {len(names) - 1}: there are {len(names)} classes"
            raise _wrong("a label out of range", values, beyond, origins[part], needs)
    check_labelled(labels, names, where)
    return tuple(names)


def _wrong(problem: str, values: Labels, wrong: Labels, origin: str, needs: str) -> DataError:
    index = int(np.flatnonzero(wrong)[0])
    return DataError(problem, where=origin, got=f"{int(values[index])} at index {index}", needs=needs)


def _check_dense(values: Labels, origin: str) -> None:
    """Without names nothing says how many classes there are; a gap in the numbers would be a class nobody has seen."""
    numbers = np.unique(values)
    gap = next((number for number, value in enumerate(numbers.tolist()) if number != value), None)
    if gap is None:
        return
    largest = int(numbers[-1])
    index = int(np.flatnonzero(values == largest)[0])
    raise DataError(
        f"no training image has the label {gap}",
        where=origin,
        got=f"{len(numbers)} different labels, {int(numbers[0])} to {largest} ({largest} at index {index})",
        needs="labels 0, 1, 2 … without a gap",
        write="y - 1" if gap == 0 and largest == len(numbers) else "numpy.unique(y, return_inverse=True)[1]",
    )
