"""T401: the training loss does not fall."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["loss_not_decreasing"]

#: After so many epochs, and this share of all that are planned since the learning rate rises first, the loss has to be
#: below this share of that of a network that knows nothing.
_EPOCHS, _PLANNED, _SHARE = 3, 0.25, 0.95
#: Where only the time ends it, the epochs that are planned are not known.
_UNKNOWN = 20
#: And so many steps.
_STEPS = 50


@run_rule("T401", "loss-not-decreasing", "warning", "epochs")
def loss_not_decreasing(story: Story) -> Iterator[Remark]:
    """The training loss does not fall.

    What: after three epochs, a quarter of all epochs and 50 steps, no epoch had a mean training loss of less than 0.95
        of what a network has that knows nothing.
    Why: nothing is learnt: labels that do not belong to the images, a learning rate that is far too small or too large,
        dead units, an activation behind the logits.
    Fix: --learning-rate ten times larger or smaller; striate lint on the network; look at the images with their labels.
    Source: Ben Braiek and Khomh 2023 (TheDeepChecker), loss decreasing by less than 5 % in a window; Amazon SageMaker
        Debugger, rule LossNotDecreasing.
    """
    facts, first = story.facts, story.start_loss
    steps = len(story.epochs) * -(-facts.train // max(facts.batch, 1))
    needed = max(_EPOCHS, _PLANNED * (facts.epochs or _UNKNOWN))
    if first is None or first <= 0 or len(story.epochs) < needed or steps < _STEPS:
        return
    best = min(point.train_loss for point in story.epochs)
    if best > _SHARE * first:
        yield Remark(
            None,
            f"after {len(story.epochs)} epochs the training loss is {best:.3g} at best; it began at {first:.3g}",
            f"--learning-rate {facts.peak_rate * 10:.2g} or {facts.peak_rate / 10:.2g}; striate lint on the network",
        )
