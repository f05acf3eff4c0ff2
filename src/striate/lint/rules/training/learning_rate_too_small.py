"""T408: the loss falls all the time, and hardly."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["learning_rate_too_small"]

_EPOCHS, _LEFT, _STEP = 4, 0.5, 0.08


@run_rule("T408", "learning-rate-too-small", "warning", "end")
def learning_rate_too_small(story: Story) -> Iterator[Remark]:
    """The loss falls in every epoch, and hardly.

    What: in four epochs and more the training loss fell in each, by less than 8 % each time, and is still above half of
        what a network has that knows nothing.
    Why: larger steps would have been as safe, and have got there in a fraction of the time.
    Fix: --learning-rate, three to ten times larger.
    Source: Smith 2017, "Cyclical learning rates for training neural networks", section 3.3; Karpathy, CS231n,
        "Babysitting the learning process".
    """
    points, first, rate = story.epochs, story.start_loss, story.facts.peak_rate
    if len(points) < _EPOCHS or first is None or points[-1].train_loss < _LEFT * first:
        return
    steps = [after.train_loss / before.train_loss for before, after in itertools.pairwise(points)]
    # Rises are the sign of the opposite, and a loss that does not move at all is another matter (T401).
    if all(1 - _STEP < step < 1 for step in steps) and points[-1].train_loss < 0.995 * points[0].train_loss:
        yield Remark(
            None,
            f"the training loss fell in each of {len(points)} epochs, by {100 * (1 - min(steps)):.1g} % at most, to"
            f" {points[-1].train_loss:.3g}; the peak learning rate is {rate:.3g}",
            f"--learning-rate {rate * 5:.2g}",
        )
