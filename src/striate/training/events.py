"""What training tells whoever listens: plain records, so that a terminal, a notebook or a test can show them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.runs.spent_record import SpentRecord

__all__ = ["EpochDone", "Event", "Listener", "Note", "Started", "StepDone", "silent"]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about what was decided or found."""

    text: str


@dataclass(frozen=True, slots=True)
class Started:
    """Training begins.

    Args:
        run: path of the run folder.
        epochs: how many are begun; None when only the time is planned.
        steps: updates in the first epoch; the last one may have fewer.
        images: training images.
    """

    run: str
    epochs: int | None
    steps: int
    images: int


@dataclass(frozen=True, slots=True)
class StepDone:
    """One update.

    Args:
        epoch: counted from 1.
        step: in this epoch, counted from 1.
        steps: in this epoch; fewer than in the others where the training ends within it.
        loss: mean over the epoch so far.
        accuracy: share of the epoch's images so far that were right while training; None without classes.
        images_per_second: over the epoch so far.
        seconds_left: estimated for the whole training.
        done: steps since the training began.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    accuracy: float | None
    images_per_second: float
    seconds_left: float
    done: int = 0


@dataclass(frozen=True, slots=True)
class EpochDone:
    """One pass over the training images, with its validation.

    Args:
        epoch: counted from 1.
        epochs: how many are planned; None when only the time is.
        train_loss, train_accuracy: means over the epoch, measured while training.
        val_loss, val_accuracy: on the validation split afterwards; None without one.
        best: whether this is the best epoch so far.
        images_per_second: training only.
        seconds: since training began.
        spent: where the time went since the epoch before was over; None where nobody measured it.
    """

    epoch: int
    epochs: int | None
    train_loss: float
    train_accuracy: float | None
    val_loss: float | None
    val_accuracy: float | None
    best: bool
    images_per_second: float
    seconds: float
    spent: SpentRecord | None = None


Event = Note | Started | StepDone | EpochDone
Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """Listen and say nothing."""
