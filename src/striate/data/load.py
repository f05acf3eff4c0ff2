"""load_data: from the name of a source to a Dataset."""

from __future__ import annotations

import os
from typing import Literal

from striate.data.card import split_card
from striate.data.checks import check_images
from striate.data.dataset import Dataset, Split
from striate.data.dividing import divide
from striate.data.options import Options, check_options
from striate.data.parts import SPLIT_NAMES, Collected
from striate.data.sources import collect
from striate.data.statistics import channel_statistics
from striate.data.tags import check_tags
from striate.data.target import Target
from striate.findings import Finding
from striate.runs.records import DataCard, Preprocessing, Task

__all__ = ["load_data"]


def load_data(
    source: str | os.PathLike[str],
    *,
    size: int | tuple[int, int] | None = None,
    channels: Literal[1, 3] | None = None,
    fit: Literal["exact", "crop", "stretch"] | None = None,
    seed: int = 0,
    val: float | None = None,
    test: float | None = None,
    broken: Literal["skip", "error"] = "skip",
    task: Task | None = None,
    cache: Literal["auto", "memory", "disk", "stream"] = "auto",
    workers: int | None = None,
) -> Dataset:
    """Read images and labels, check them, split them and decode them.

    Args:
        source: ``digits`` (embedded); a folder of class folders, with ``train/``, ``val/`` and ``test/`` above them or
            without; a folder with MNIST's IDX files, or one IDX file of images beside its labels; a ``.csv`` with the
            columns path and label, labels (tags, ``a|b``), value or value:NAME, and perhaps split; an ``.npz``.
        size: of the images in pixels, one number or (height, width). Default: their common size, else a square with
            the training images' median short side, rounded to a multiple of 8, at most 128.
        channels: 1 (grey) or 3 (RGB). Default: 1 if every training image is grey.
        fit: ``exact`` (an image of another size is an error), ``crop`` (cover, then crop at the centre) or
            ``stretch``. Default: ``exact`` when all images have the size, else ``crop``.
        seed: of the splits that are taken here. With each image's id it decides alone.
        val: share of the training images to hold out, 0 for none. Default: 0.1 where the source gives no val.
        test: share of the images to hold out, 0 for none. Default: 0.2 where the source gives no split at all.
        broken: ``skip`` leaves unreadable images out and names them; ``error`` stops at the first.
        task: ``classes``, ``tags`` or ``values``, where the source leaves it open (``.npz``).
        cache: ``auto`` keeps the decoded pixels of image files in memory; or, when they would fill more than half of
            what is available, in a file under the user's cache folder; or, when they would fill more than half of the
            disk's room, nowhere: then other processes decode each image whenever it is asked for. ``disk`` keeps
            them in that file in any case, so that the next start decodes nothing; ``stream`` keeps them nowhere;
            ``memory`` neither writes nor reads such a file.
        workers: processes that decode where nothing is kept. Default: one for each processor.

    Raises:
        UsageError: an option that cannot be, that the source already answers, or that has no effect on it.
        DataError: the source, its images or its labels cannot be used; says where, what was found and what to do.
        StorageError: the file of decoded pixels cannot be written, or a process that decodes has died.

    >>> dataset = load_data("digits")
    >>> dataset.shape, {name: len(split) for name, split in dataset.splits.items()}
    ((1, 8, 8), {'train': 1294, 'val': 144, 'test': 359})
    """
    options = check_options(
        size=size,
        channels=channels,
        fit=fit,
        seed=seed,
        val=val,
        test=test,
        broken=broken,
        task=task,
        cache=cache,
        workers=workers,
    )
    where = os.fspath(source)
    return _assemble(collect(source, options), options, where)


def _assemble(collected: Collected, options: Options, where: str) -> Dataset:
    """Split, measure and describe what was collected."""
    divided = divide(collected, options, where)
    splits, classes, task = divided.splits, collected.classes, collected.task
    found = list(divided.findings)
    if task == "tags":
        found.extend(check_tags({name: split.labels for name, split in splits.items()}, classes, where))
    preprocessing, constant = _measure(splits["train"], collected.target)
    findings = (*collected.findings, *found, *constant, *check_images(splits, classes, task))
    card = DataCard(
        source=where,
        kind=collected.kind,
        task=task,
        classes=classes,
        splits={name: split_card(splits[name], classes, task) for name in SPLIT_NAMES if name in splits},
        split_seed=options.seed if divided.drawn else None,
        split_rule=divided.rule,
        preprocessing=preprocessing,
        notes=tuple(finding.message for finding in findings),
    )
    return Dataset(
        train=splits["train"],
        val=splits.get("val"),
        test=splits.get("test"),
        classes=classes,
        task=task,
        preprocessing=preprocessing,
        card=card,
        findings=findings,
        skipped=collected.skipped,
        kept=collected.kept,
    )


def _measure(train: Split, target: Target) -> tuple[Preprocessing, tuple[Finding, ...]]:
    mean, std, constant = channel_statistics(train.images)
    preprocessing = Preprocessing(
        channels=target.channels,
        height=target.height,
        width=target.width,
        fit=target.fit,
        mean=mean,
        std=std,
        background=target.background,
    )
    return preprocessing, constant
