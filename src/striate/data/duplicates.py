"""Images that are there twice, pixel for pixel: within a split, across splits, and with labels that disagree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from striate.data.dataset import Split
from striate.data.examined import Signatures
from striate.data.naming import count_of, examples, share_of
from striate.findings import Finding

__all__ = ["HARMFUL", "Place", "copies", "duplicate_findings"]

HARMFUL = 0.001
"""Share of a split from which copies in it move an accuracy visibly: a warning; below, it is only said."""
Place = tuple[str, int]
"""A split's name, and the index of an image in it."""

Skips = Mapping[str, npt.NDArray[np.bool_]]


def copies(splits: Mapping[str, Split], found: Mapping[str, Signatures], skip: Skips) -> list[list[Place]]:
    """Groups of images with the same pixels, each of two or more.

    Images with equal words are compared pixel by pixel with the first of them, so that no group is a coincidence.
    The work is one sort: n log n.

    Args:
        splits: by name.
        found: the signatures of each.
        skip: True for images that do not count, such as those of one colour.
    """
    names = list(splits)
    part = np.concatenate([np.full(len(splits[name]), number) for number, name in enumerate(names)])
    index = np.concatenate([np.arange(len(splits[name])) for name in names])
    words = np.concatenate([found[name].words for name in names])
    kept = np.flatnonzero(~np.concatenate([skip[name] for name in names]))
    order = kept[np.argsort(words[kept], kind="stable")]
    groups = []
    for run in _runs(words[order]):
        members = [(names[part[at]], int(index[at])) for at in order[run]]
        name, first = members[0]
        pixels = splits[name].images[first]
        same = [place for place in members if np.array_equal(splits[place[0]].images[place[1]], pixels)]
        if len(same) > 1:
            groups.append(same)
    return groups


def duplicate_findings(splits: Mapping[str, Split], groups: Sequence[Sequence[Place]]) -> tuple[Finding, ...]:
    """What groups of equal images mean: D021 (within a split), D022 (across splits), D023 (labels that disagree).

    Args:
        splits: by name, with ids and labels.
        groups: as :func:`copies` gives them.
    """
    within = [same for group in groups for same in _by_split(group).values() if len(same) > 1]
    found = [*_across(splits, groups), *_disagreeing(splits, groups)]
    if within:
        extra = sum(len(group) - 1 for group in within)
        shown = examples([_pair(splits, group) for group in within])
        text = f"{count_of(extra, 'image')} {_are(extra)} an exact copy of another in the same split: {shown}"
        fix = "remove the copies, unless they are meant to count more"
        found.append(Finding("D021", "info", text, fix=fix))
    return tuple(found)


def _across(splits: Mapping[str, Split], groups: Sequence[Sequence[Place]]) -> Iterator[Finding]:
    """A copy of a training image in val or test, or of a val image in test: what is measured there is memory."""
    names = list(splits)
    for number, name in enumerate(names[1:], 1):
        pairs = []
        for group in groups:
            sides = _by_split(group)
            earlier = next((sides[other][0] for other in names[:number] if other in sides), None)
            if earlier is not None:
                pairs += [(place, earlier) for place in sides.get(name, [])]
        if pairs:
            shown = examples([f"{_id(splits, a)} = {_id(splits, b)} ({b[0]})" for a, b in pairs])
            total = len(splits[name])
            text = f"{share_of(len(pairs), total)} {_are(len(pairs))} an exact copy of an image in an earlier split"
            yield Finding(
                "D022",
                "warning" if len(pairs) >= HARMFUL * total else "info",
                f"{text}: {shown}",
                where=name,
                fix=f"remove them from {name}, or keep all copies in one split (a CSV with a column split says which)",
            )


def _disagreeing(splits: Mapping[str, Split], groups: Sequence[Sequence[Place]]) -> Iterator[Finding]:
    pairs = []
    for group in groups:
        first, *others = group
        label = _label(splits, first)
        other = next((place for place in others if not np.array_equal(_label(splits, place), label)), None)
        if other is not None:
            pairs.append(f"{_id(splits, first)} ({first[0]}) = {_id(splits, other)} ({other[0]})")
    if pairs:
        text = f"{count_of(len(pairs), 'image')} {_are(len(pairs))} there more than once, with labels that disagree"
        fix = "keep the copy with the right label, or give it tags if both are right"
        yield Finding("D023", "warning", f"{text}: {examples(pairs)}", fix=fix)


def _runs(values: npt.NDArray[np.uint64]) -> Iterator[slice]:
    """The stretches of two or more equal values in sorted ones."""
    bounds = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1], [True]]))
    for number in np.flatnonzero(np.diff(bounds) > 1):
        yield slice(int(bounds[number]), int(bounds[number + 1]))


def _by_split(group: Sequence[Place]) -> dict[str, list[Place]]:
    sides: dict[str, list[Place]] = {}
    for place in group:
        sides.setdefault(place[0], []).append(place)
    return sides


def _id(splits: Mapping[str, Split], place: Place) -> str:
    return splits[place[0]].ids[place[1]]


def _label(splits: Mapping[str, Split], place: Place) -> npt.NDArray[np.generic]:
    return np.asarray(splits[place[0]].labels[place[1]])


def _pair(splits: Mapping[str, Split], group: Sequence[Place]) -> str:
    return f"{_id(splits, group[0])} = {_id(splits, group[1])}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
