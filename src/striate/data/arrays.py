"""Images that are in memory already: brought to one form, like those from files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from striate.data.dataset import Images, Labels, Split
from striate.data.decode_files import THREADS_PAY
from striate.data.keeping import refuse_other_keeping
from striate.data.memory import check_fits
from striate.data.options import Options
from striate.data.parts import Collected, Kind
from striate.data.pool import cores, map_in_order
from striate.data.preprocess import fit_pixels
from striate.data.target import Outline, Target, choose_target
from striate.findings import Finding
from striate.runs.records import Task

__all__ = ["ArrayPart", "collect_arrays"]


@dataclass(frozen=True, eq=False)
class ArrayPart:
    """Images and labels of one part.

    Args:
        images: uint8 (images, channels, height, width), 1 or 3 channels.
        labels: as in Split.
        prefix: of the ids, which count from 0.
    """

    images: Images
    labels: Labels
    prefix: str


def collect_arrays(
    kind: Kind,
    task: Task,
    classes: tuple[str, ...],
    arrays: Mapping[str, ArrayPart],
    rule: str,
    options: Options,
    where: str,
    found: tuple[Finding, ...] = (),
) -> Collected:
    """Bring arrays to the form the user asked for, or leave them as they are.

    Args:
        kind: of the source.
        task: of the labels.
        classes: names, in the order of the contract.
        arrays: by part.
        rule: how the splits came about; empty when none is given.
        options: what the user asked for.
        where: the source, for messages.
        found: findings so far.

    Raises:
        DataError: images of another size under ``fit="exact"``, or not enough memory.
        UsageError: the pixels are to be kept elsewhere than in memory.
    """
    refuse_other_keeping(options, where)
    outlines = {}
    for part, array in arrays.items():
        channels, height, width = array.images.shape[1:]
        # all images of a part have one form, so one outline per image, shared
        outline = Outline(f"{array.prefix}/0", width, height, channels == 1)
        outlines[part] = [outline] * len(array.images)
    held_out = [outline for part in ("val", "test") for outline in outlines.pop(part, [])]
    (train,) = outlines.values()
    target, said = choose_target(train, held_out, options, where)
    count = sum(len(array.images) for array in arrays.values())
    check_fits(count, target.channels, target.height, target.width, where)
    parts = {
        part: Split(
            _fit_all(array.images, target),
            array.labels,
            tuple(f"{array.prefix}/{index}" for index in range(len(array.images))),
        )
        for part, array in arrays.items()
    }
    return Collected(kind, task, classes, parts, rule, target, (*found, *said))


def _fit_all(images: Images, target: Target) -> Images:
    shape = (target.channels, target.height, target.width)
    if images.shape[1:] == shape:
        return np.ascontiguousarray(images)
    fitted: Images = np.empty((len(images), *shape), np.uint8)

    def fit(index: int) -> None:
        pixels = images[index].transpose(1, 2, 0)
        fitted[index] = fit_pixels(np.ascontiguousarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels), target)

    workers = cores() if images.shape[2] * images.shape[3] >= THREADS_PAY else 1
    for _ in map_in_order(fit, range(len(images)), workers):
        pass
    return fitted
