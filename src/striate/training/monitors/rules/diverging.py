"""T402: the training loss has risen again."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["diverging"]

_TIMES = 2.0
#: A loss near 0 may double; this share of the first loss has to be lost.
_LOST = 0.2


@run_rule("T402", "diverging", "warning", "epochs")
def diverging(story: Story) -> Iterator[Remark]:
    """The training loss has risen far above its best.

    What: the mean training loss of the newest epoch is twice that of the best epoch and more, and a fifth of the first
        loss has been lost.
    Why: the steps are too large: the training throws away what it had learnt, and often ends in NaN.
    Fix: a smaller --learning-rate, --clip 1, --schedule one-cycle.
    Source: Zhang et al. 2021 ("AutoTrainer") and Ben Braiek and Khomh 2023 (TheDeepChecker): twice the best loss.
    """
    if len(story.epochs) < 2:
        return
    newest = story.epochs[-1]
    best = min(story.epochs, key=lambda point: point.train_loss)
    first = story.start_loss if story.start_loss is not None else story.epochs[0].train_loss
    if newest.train_loss >= _TIMES * best.train_loss and newest.train_loss - best.train_loss > _LOST * first:
        yield Remark(
            None,
            f"the training loss is {newest.train_loss:.3g} in epoch {newest.epoch}; it was {best.train_loss:.3g} in"
            f" epoch {best.epoch}",
            f"--learning-rate {story.facts.peak_rate / 5:.2g} --clip 1",
        )
