"""How many images there are of each class, and whether a split has enough of them to measure anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from striate.data.dataset import Split
from striate.data.naming import count_of
from striate.findings import Finding
from striate.runs.interval import wilson_interval
from striate.runs.records import Task

__all__ = ["balance_findings", "half_width"]

LARGEST_RATIO = 10.0
REFERENCE = 0.9
"""The accuracy at which the margin is worked out: near what such networks reach, and the same for every data set."""
UNCERTAIN, HOPELESS = 5.0, 10.0
"""Points of margin above which it is said, and above which it is a warning."""


def balance_findings(splits: Mapping[str, Split], classes: Sequence[str], task: Task) -> tuple[Finding, ...]:
    """D026: classes of very different sizes in training. D027: a val or test split too small to measure with.

    Values have no classes and no accuracy; nothing is said about them.
    """
    if task == "values":
        return ()
    found = [] if task == "tags" else _imbalance(splits["train"], classes)
    for name in ("val", "test"):
        if name in splits:
            found += _too_small(name, splits[name], classes, task)
    return tuple(found)


def half_width(count: int) -> float:
    """Half the 95 % Wilson interval, in percent points, when 90 % of ``count`` images are right.

    >>> round(half_width(200), 1)
    4.2
    """
    interval = wilson_interval(round(REFERENCE * count), count)
    return 50 * (interval.high - interval.low)


def _imbalance(train: Split, classes: Sequence[str]) -> list[Finding]:
    counts = np.bincount(train.labels, minlength=len(classes))
    most, least = int(counts.argmax()), int(counts.argmin())
    if counts[most] <= LARGEST_RATIO * counts[least]:
        return []
    share = 100 * counts[most] / counts.sum()
    text = (
        f"class {classes[most]!r} has {count_of(int(counts[most]), 'image')}, {classes[least]!r} has "
        f"{int(counts[least]):,}: {counts[most] / counts[least]:.0f} times fewer; always answering {classes[most]!r} "
        f"would be right for {share:.1f} %"
    )
    fix = "judge by the accuracy of each class, not by the whole; more images of the small classes help most"
    return [Finding("D026", "warning", text, where="train", fix=fix)]


def _too_small(name: str, split: Split, classes: Sequence[str], task: Task) -> list[Finding]:
    margin = half_width(len(split))
    if margin <= UNCERTAIN:
        return []
    text = f"{count_of(len(split), 'image')}: an accuracy of {REFERENCE:.0%} would be known to ±{margin:.1f} points"
    text = text.replace("90%", "90 %") + " (95 % interval)"
    if task == "classes":
        counts = np.bincount(split.labels, minlength=len(classes))
        least = int(counts.argmin())
        text += f"; class {classes[least]!r} has {int(counts[least]):,}"
    use = "choosing the best epoch" if name == "val" else "comparing two networks"
    fix = f"more images; until then {use} is largely chance"
    return [Finding("D027", "warning" if margin > HOPELESS else "info", text, where=name, fix=fix)]
