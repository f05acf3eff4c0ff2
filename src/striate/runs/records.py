"""The records stored in a run folder, as they are read from and written to JSON.

They come from outside (somebody may have edited or truncated the file), so they are pydantic models: frozen, with
every unknown key refused. A number that is not finite is written as the text "NaN" or "Infinity", because JSON has no
word for it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from striate.findings import Finding
from striate.runs.record_base import FORMAT, Record, Results, Settings, parse_record
from striate.runs.spent_record import SpentRecord

__all__ = [
    "ClassScore",
    "DataCard",
    "Evaluation",
    "FindingsFile",
    "Interval",
    "Preprocessing",
    "Record",
    "RunRecord",
    "SplitCard",
    "Status",
    "Task",
    "parse_record",
]

Task = Literal["classes", "tags", "values"]
"""One class per image, several tags per image, or numbers to regress."""

Status = Literal["running", "done", "interrupted", "diverged", "failed", "out of time", "stopped early"]
"""How a run stands, or how it ended."""

Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Size = Annotated[int, Field(ge=1)]


class Preprocessing(Record):
    """How any image becomes the network's input; travels with the network for ever.

    Attributes:
        channels: 1 (grey) or 3 (RGB).
        height: of the input, in pixels.
        width: of the input, in pixels.
        fit: ``exact``: an image of another size is an error at training time, and at prediction is resized like
            ``crop``; ``crop``: resized to cover height × width (aspect kept, antialiased bilinear), then cropped
            at the centre; ``stretch``: both axes resized.
        mean: per channel, of pixel / 255, from the training split only.
        std: like ``mean``; above 0.
        background: grey level 0..255 put behind transparent pixels.

    >>> Preprocessing(channels=1, height=8, width=8, fit="exact", mean=(0.3,), std=(0.4,)).background
    255
    """

    channels: Literal[1, 3]
    height: Size
    width: Size
    fit: Literal["exact", "crop", "stretch"]
    mean: tuple[Finite, ...]
    std: tuple[Annotated[float, Field(gt=0.0, allow_inf_nan=False)], ...]
    background: Annotated[int, Field(ge=0, le=255)] = 255

    @model_validator(mode="after")
    def _one_value_per_channel(self) -> Preprocessing:
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != self.channels:
                raise ValueError(f"{name} has {len(values)} values for {self.channels} channels")
        return self


class SplitCard(Record):
    """One split of a dataset.

    Attributes:
        count: images in it.
        counts: images per class or tag; empty for values.
        hash: sha256, in hexadecimal, over ids, labels and pixels.
    """

    count: Count
    counts: dict[str, Count] = Field(default_factory=dict)
    hash: str


class DataCard(Record):
    """``data.json``: which data a network learnt from, and how images reach it.

    Attributes:
        format: version of this file's layout.
        source: ``digits``, or a path as the user gave it.
        kind: ``digits``, ``idx``, ``folder``, ``csv`` or ``npz``.
        task: classes, tags or values.
        classes: names of the classes or tags, or of the value columns; their order is the contract.
        splits: ``train``, ``val`` and ``test``; the last two may be missing.
        split_seed: seed of the split, None when the data came divided.
        split_rule: such as "given by folders" or "stratified 80/20, seed 0".
        preprocessing: how any image becomes the network's input.
        notes: what was done and said: "3 images had an EXIF rotation; applied".
    """

    format: Size = FORMAT
    source: str
    kind: str
    task: Task
    classes: tuple[str, ...]
    splits: dict[Literal["train", "val", "test"], SplitCard]
    split_seed: int | None
    split_rule: str
    preprocessing: Preprocessing
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _class_names_differ(self) -> DataCard:
        if len(set(self.classes)) != len(self.classes):
            repeated = sorted({name for name in self.classes if self.classes.count(name) > 1})
            raise ValueError(f"names that appear twice: {', '.join(repeated)}")
        return self


class Interval(Record):
    """95 % Wilson score interval of a share (Wilson 1927); both ends lie in 0..1."""

    low: Share
    high: Share

    @model_validator(mode="after")
    def _ordered(self) -> Interval:
        if self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self


class ClassScore(Record):
    """How well one class or tag is recognised; a share is None where its denominator is 0.

    Attributes:
        name: of the class or tag.
        count: images that truly have it.
        precision: share of the images said to have it that do.
        recall: share of the images having it that are said to.
        f1: harmonic mean of the two.
    """

    name: str
    count: Count
    precision: Share | None
    recall: Share | None
    f1: Share | None


class Evaluation(Record):
    """``evaluation-<split>.json``: a network measured on a split.

    Attributes:
        format: version of this file's layout.
        split: name of the split.
        task: classes, tags or values.
        classes: names in the order of the network's outputs.
        count: images measured.
        loss: mean over the images; NaN where the network's output is.
        accuracy: share of images with the right class (tags: with every tag right); None for values.
        interval: 95 % Wilson score interval of the accuracy.
        confusion: images by true class (rows) and predicted class (columns); None unless the task is classes.
        per_class: one score per class or tag; empty for values.
        rmse: root mean squared error; None unless the task is values.
        mae: mean absolute error; None unless the task is values.
    """

    format: Size = FORMAT
    split: str
    task: Task
    classes: tuple[str, ...]
    count: Count
    loss: float
    accuracy: Share | None
    interval: Interval | None
    confusion: tuple[tuple[Count, ...], ...] | None
    per_class: tuple[ClassScore, ...] = ()
    rmse: float | None = None
    mae: float | None = None

    @model_validator(mode="after")
    def _confusion_is_square(self) -> Evaluation:
        if self.confusion is not None:
            size = len(self.classes)
            if len(self.confusion) != size or any(len(row) != size for row in self.confusion):
                raise ValueError(f"confusion is not {size}×{size}, one row and one column per class")
        return self


class RunRecord(Record):
    """``run.json``: what was asked, what was resolved, on what, and how it ended.

    In ``asked``, ``recipe`` and ``resolved`` tuples become lists and paths text; there and in ``results`` a number
    that is not finite becomes None.

    Attributes:
        format: version of this file's layout.
        name: of the run folder.
        command: the command line that started it; None from Python.
        created: ISO 8601, UTC.
        finished: like ``created``; None while it runs.
        resumed: when it was continued, each like ``created``.
        status: how it stands or ended.
        reason: one sentence on how it ended.
        network: the graph's name.
        parameters: of the network.
        asked: the options the user gave.
        recipe: every option as resolved.
        resolved: precision, memory layout, threads, device, batches per epoch, and why.
        versions: of striate, python, torch, numpy and the platform.
        seed: of the run.
        results: best_epoch, epochs_done, val_accuracy, test_accuracy, seconds, images_per_second …
        spent: where the time went, and what to do about it; None where that was not measured.
    """

    format: Size = FORMAT
    name: str
    command: str | None
    created: str
    finished: str | None = None
    resumed: tuple[str, ...] = ()
    status: Status
    reason: str | None = None
    network: str
    parameters: Count
    asked: Settings
    recipe: Settings
    resolved: Settings
    versions: dict[str, str]
    seed: int
    results: Results = Field(default_factory=dict)
    spent: SpentRecord | None = None


class FindingsFile(Record):
    """``findings.json``: what was found about the network, its data and its training."""

    format: Size = FORMAT
    findings: tuple[Finding, ...]
