"""Checks on tag labels, whatever source they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from striate.data.dataset import Labels
from striate.data.naming import examples
from striate.errors import DataError
from striate.findings import Finding

__all__ = ["check_tags"]


def check_tags(labels: Mapping[str, Labels], tags: Sequence[str], where: str) -> tuple[Finding, ...]:
    """Check that every tag can be learnt.

    Args:
        labels: by part, uint8 (images, tags); the first part is what is trained on.
        tags: names, in the order of the contract.
        where: the source, for messages.

    Returns:
        A finding for each held-out part in which a tag never occurs: nothing can be measured about it there.

    Raises:
        DataError: no tag at all, or one that no training image has.
    """
    (first, train), *others = labels.items()
    missing = [tag for tag, count in zip(tags, train.sum(axis=0, dtype=np.int64), strict=True) if count == 0]
    if missing or not tags:
        raise DataError(
            "tags without a training image" if tags else "no image has a tag",
            where=where,
            got=examples([repr(tag) for tag in missing]) or "no tags",
            needs="at least one training image with each tag",
        )
    found = []
    for part, values in others:
        absent = [tag for tag, count in zip(tags, values.sum(axis=0, dtype=np.int64), strict=True) if count == 0]
        if absent:
            text = f"no image of {part} has the tag {examples([repr(tag) for tag in absent])}"
            found.append(
                Finding("D016", "warning", text, where=part, fix=f"nothing is measured about it; {first} has it")
            )
    return tuple(found)
