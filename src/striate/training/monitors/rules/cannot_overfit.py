"""T104: a handful of images cannot be learnt by heart."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["cannot_overfit"]

#: The loss has to fall to this share of the first one.
_ENOUGH = 0.7


@run_rule("T104", "cannot-overfit", "warning", "start")
def cannot_overfit(story: Story) -> Iterator[Remark]:
    """A few images cannot be learnt by heart.

    What: 100 steps of Adam on 8 training images, on a copy without dropout, bring their loss to no less than 0.7 of
        what it was. Where the steps take longer than 4 seconds, nothing is said.
    Why: a network that works learns a handful of images by heart at once. If it cannot, more images will not help:
        labels that do not belong to the images, an activation behind the logits, dead units, or no way back for
        the gradient.
    Fix: striate lint NET --loss LOSS; look at the images with their labels; --init auto.
    Source: Karpathy 2019, "A recipe for training neural networks" (overfit one batch); Ben Braiek and Khomh 2023
        (TheDeepChecker), unable to fit a batch of 16 in 1000 iterations.
    """
    start = story.start
    if start is None or not start.overfit_finished or len(start.overfit) < 2 or start.overfit[0] <= 0:
        return
    first, best = start.overfit[0], min((loss for loss in start.overfit if math.isfinite(loss)), default=math.nan)
    if not best <= _ENOUGH * first:
        steps = len(start.overfit) - 1
        yield Remark(
            None,
            f"{start.overfit_images} images could not be learnt by heart: after {steps} steps their loss is {best:.3g},"
            f" from {first:.3g}",
            "striate lint on the network; check that the labels belong to the images; --init auto",
        )
