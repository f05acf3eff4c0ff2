"""T409: the training was over while it still got better fast."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["too_short"]

_FALL, _LEFT = 0.2, 0.1


@run_rule("T409", "too-short", "info", "end")
def too_short(story: Story) -> Iterator[Remark]:
    """The training was over while it still got better fast.

    What: in the last quarter of the epochs (two at least) the validation loss, or without one the training loss, fell
        by a fifth and more, the last epoch was its best, and the training loss is still above a tenth of what a network
        has that knows nothing.
    Why: the same recipe with more epochs would end with a better network.
    Fix: --epochs, twice as many.
    Source: Goodfellow et al. 2016, "Deep learning", section 7.8 (the course of training and validation loss).
    """
    points, first = story.epochs, story.start_loss
    if len(points) < 3 or first is None or points[-1].train_loss < _LEFT * first:
        return
    if story.facts.mixed or story.status not in ("done", "out of time"):
        return
    losses = [point.train_loss if point.val_loss is None else point.val_loss for point in points]
    back = max(2, len(points) // 4)
    if losses[-1] == min(losses) and losses[-1] < (1 - _FALL) * losses[-1 - back]:
        what = "training" if points[-1].val_loss is None else "validation"
        more = f"--epochs {2 * len(points)}" if story.facts.epochs is not None else "a --time twice as long"
        yield Remark(
            None,
            f"the {what} loss fell from {losses[-1 - back]:.3g} to {losses[-1]:.3g} in the last {back} epochs",
            more,
        )
