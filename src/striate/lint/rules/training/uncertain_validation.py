"""T410: validation is too small to tell epochs apart."""

from __future__ import annotations

from collections.abc import Iterator

from striate.runs.interval import wilson_interval
from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["uncertain_validation"]

#: Half the width of the 95 % interval that is worth saying, and that is too wide.
_SAID, _WIDE = 0.02, 0.05


@run_rule("T410", "uncertain-validation", "info", "end")
def uncertain_validation(story: Story) -> Iterator[Remark]:
    """Validation is too small to tell one epoch, or one network, from another.

    What: the 95 % interval of the best validation accuracy is wider than ±2 points; a warning where wider than ±5.
    Why: differences below that are chance: which epoch is best, and which of two recipes, is largely drawn by lot.
    Fix: --val, a larger share; more images; compare runs with several --seed.
    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    best = max((point.val_accuracy for point in story.epochs if point.val_accuracy is not None), default=None)
    count = story.facts.val
    if best is None or count == 0:
        return
    interval = wilson_interval(round(best * count), count)
    half = (interval.high - interval.low) / 2
    if half > _SAID:
        yield Remark(
            "val",
            f"{count} images: an accuracy of {100 * best:.1f} % is known to ±{100 * half:.1f} points",
            "--val 0.2, more images, or several --seed",
            severity="warning" if half > _WIDE else None,
        )
