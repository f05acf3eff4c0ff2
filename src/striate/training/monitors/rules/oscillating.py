"""T403: the training goes up and down."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["oscillating"]

_FALL, _SHARE, _EPOCHS, _FALLS = 0.05, 0.25, 6, 2


@run_rule("T403", "oscillating", "warning", "epochs")
def oscillating(story: Story) -> Iterator[Remark]:
    """The training accuracy goes up and down.

    What: in a quarter of the epochs and more, and at least twice in six, the training accuracy is 5 points and more
        below that of the epoch before. Without an accuracy: the training loss is above it by a quarter and more.
    Why: the steps are too large to settle, or the batches too small to agree.
    Fix: a smaller --learning-rate, a larger --batch, --schedule one-cycle.
    Source: Zhang et al. 2021, "AutoTrainer", oscillating loss (its code: swings of 0.05 in a quarter of the epochs).
    """
    points = story.epochs
    if len(points) < _EPOCHS or story.facts.mixed:
        return
    falls = 0
    for before, after in itertools.pairwise(points):
        if before.train_accuracy is not None and after.train_accuracy is not None:
            falls += before.train_accuracy - after.train_accuracy >= _FALL
        else:
            falls += after.train_loss > (1 + _SHARE) * before.train_loss
    if falls >= _FALLS and falls >= _SHARE * (len(points) - 1):
        what = (
            "accuracy fell by 5 points and more" if points[0].train_accuracy is not None else "loss rose by a quarter"
        )
        yield Remark(
            None,
            f"the training {what} in {falls} of {len(points) - 1} epochs",
            f"--learning-rate {story.facts.peak_rate / 3:.2g}, or --batch {2 * story.facts.batch}",
        )
