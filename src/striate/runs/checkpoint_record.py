"""What a checkpoint says beside its tensors: where the training stands, to the last digit, and what it belongs to."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import Field

from striate.runs.record_base import FORMAT, Record, Settings
from striate.runs.spent_record import SpentRecord

__all__ = ["BestRecord", "CheckpointRecord", "MeterRecord", "ProgressRecord", "sealed"]

Count = Annotated[int, Field(ge=0)]
Size = Annotated[int, Field(ge=1)]
Strides = dict[str, tuple[Size, ...]]


class MeterRecord(Record):
    """The running means of an epoch that is not over.

    Attributes:
        steps: batches counted, which is the position in the order of the epoch.
        images: in those batches.
        loss: sum of the losses, each times the weight of its batch.
        weight: sum of those weights.
        right: images that were right.
        seconds: spent in the epoch.
        learning_rate: of the last step.
    """

    steps: Count = 0
    images: Count = 0
    loss: float = 0.0
    weight: float = 0.0
    right: Count = 0
    seconds: float = 0.0
    learning_rate: float = 0.0


class BestRecord(Record):
    """Which epoch was best, and since when nothing was better.

    Attributes:
        epoch: the best; 0 before there is one.
        loss: its validation loss; None without validation.
        accuracy: its validation accuracy; None without classes.
        improved: the epoch that patience counts from.
        lowest: the lowest validation loss ever; infinite before there is one.
    """

    epoch: Count
    loss: float | None
    accuracy: float | None
    improved: Count
    lowest: float


class ProgressRecord(Record):
    """How far a training has come.

    Attributes:
        epochs: finished, with their validation.
        steps: updates altogether.
        seconds: since training began, without the time between two processes.
        images: of finished epochs.
        training_seconds: of finished epochs, without validation.
        checkpoint_seconds: spent on writing checkpoints.
        best: the best epoch so far.
        meter: the epoch that is not over.
        parts: in how many parts the images of an update are computed.
        spent: where the time went.
        spent_in_epochs: of that, up to the end of the newest epoch.
    """

    epochs: Count
    steps: Count
    seconds: float
    images: Count
    training_seconds: float
    checkpoint_seconds: float
    best: BestRecord
    meter: MeterRecord
    parts: Size = 1
    spent: SpentRecord = Field(default_factory=SpentRecord)
    spent_in_epochs: SpentRecord = Field(default_factory=SpentRecord)


class CheckpointRecord(Record):
    """``checkpoint/<number>.json``.

    Attributes:
        format: version of the layout of a checkpoint.
        number: counts the checkpoints of a run.
        written: ISO 8601, UTC.
        tensors_hash: sha256, in hexadecimal, of the file of tensors.
        tensors_bytes: size of that file.
        strides: memory order of each tensor of the optimizer; arithmetic runs over memory as it lies.
        progress: how far the training has come.
        rows: lines of ``metrics.jsonl`` at that moment.
        network: sha256 of the network as YAML.
        data: sha256 of each split.
        recipe: every option.
        plan: every open question as it was answered, the arithmetic included.
        versions: of what wrote it.
        seal: sha256 of this record with an empty seal, so that a single changed digit is noticed.
    """

    format: Size = FORMAT
    number: Size
    written: str
    tensors_hash: str
    tensors_bytes: Count
    strides: Strides
    progress: ProgressRecord
    rows: Count
    network: str
    data: dict[str, str]
    recipe: Settings
    plan: Settings
    versions: dict[str, str]
    seal: str = ""


def sealed(record: CheckpointRecord) -> CheckpointRecord:
    """The record with the seal that fits it."""
    bare = record.model_copy(update={"seal": ""})
    return bare.model_copy(update={"seal": hashlib.sha256(bare.json_bytes()).hexdigest()})
