"""T406: half of the training brought nothing."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["plateau"]

_EPOCHS, _GAIN, _LEFT, _RIGHT = 8, 0.02, 0.2, 0.98


@run_rule("T406", "plateau", "warning", "end")
def plateau(story: Story) -> Iterator[Remark]:
    """The second half of the training brought nothing.

    What: in the second half of eight epochs and more the best training loss is less than 2 % below that of the first
        half, still above a fifth of what a network has that knows nothing, and no epoch was 98 % right.
    Why: the time was spent for nothing, and what could be learnt was not: the network is too small for the task, or the
        learning rate was wrong from some point on.
    Fix: a wider or deeper network, --schedule one-cycle, another --learning-rate; less augmentation.
    Source: Zhang et al. 2021, "AutoTrainer", slow convergence; Amazon SageMaker Debugger, rule LossNotDecreasing.
    """
    points, first = story.epochs, story.start_loss
    if len(points) < _EPOCHS or first is None or first <= 0 or story.facts.mixed:
        return
    # With smoothed labels the loss ends far above 0.
    if any(point.train_accuracy is not None and point.train_accuracy > _RIGHT for point in points):
        return
    half = len(points) // 2
    before, after = (min(point.train_loss for point in part) for part in (points[:half], points[half:]))
    # A training that has learnt nothing at all is another matter (T401).
    if _LEFT * first < after < 0.95 * first and after > (1 - _GAIN) * before:
        yield Remark(
            None,
            f"the training loss was {before:.3g} at best in epochs 1 to {half}, and {after:.3g} in those after",
            "a wider or deeper network, --schedule one-cycle, or another --learning-rate",
        )
