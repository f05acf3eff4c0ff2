"""The order in which pixels lie: part after part, and in the part that is divided, split after split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from striate.data.decode_files import Outcome

__all__ = ["Places", "Rows", "by_part", "rows_of", "without_broken"]

Rows = dict[str, list[int]]
"""By part, the images that are there, as indices into the files of the listing, in the order of the pixels."""
Places = Sequence[tuple[str, int]]
"""Part and index of each image, in the order of the pixels."""


def by_part(places: Places, decoded: Sequence[Outcome]) -> dict[str, dict[int, Outcome]]:
    """How each image went, by part and index.

    >>> by_part([("train", 4), ("test", 0)], [Outcome(None, ()), Outcome("empty", ())])["test"][0].reason
    'empty'
    """
    parts: dict[str, dict[int, Outcome]] = {}
    for (part, index), one in zip(places, decoded, strict=True):
        parts.setdefault(part, {})[index] = one
    return parts


def without_broken(places: Places, decoded: Sequence[Outcome]) -> Rows:
    """The images that could be used, by part and in the order of the source.

    >>> without_broken([("train", 4), ("train", 0)], [Outcome(None, ()), Outcome(None, ())])
    {'train': [0, 4]}
    """
    rows: Rows = {part: [] for part, _ in places}
    for (part, index), one in zip(places, decoded, strict=True):
        if one.reason is None:
            rows[part].append(index)
    return {part: sorted(indices) for part, indices in rows.items()}


def rows_of(wanted: Places, places: Places) -> npt.NDArray[np.intp]:
    """Where each wanted image lies.

    >>> rows_of([("test", 0), ("train", 4)], [("train", 4), ("test", 0)]).tolist()
    [1, 0]
    """
    row = {place: number for number, place in enumerate(places)}
    return np.array([row[place] for place in wanted], np.intp)
