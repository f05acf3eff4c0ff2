"""T405: validation is too good to be true."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["leakage"]

#: Points that validation may be above training; where training is made harder on purpose, more.
_POINTS, _POINTS_RANDOM = 0.05, 0.2
#: Before this epoch the network changes too fast to compare.
_FIRST = 3
#: With fewer images a perfect score is luck.
_FEWEST, _PERFECT = 50, 0.999


@run_rule("T405", "leakage", "warning", "epochs")
def leakage(story: Story) -> Iterator[Remark]:
    """Validation is too good to be true.

    What: the validation accuracy after an epoch, at the lower end of its 95 % interval, is more than 5 points above the
        training accuracy of the epoch that follows, whose weights know more; 20 points where augmentation or dropout
        make training harder. Or, as information, validation is perfect after the first epoch.
    Why: new images are never easier than those that were trained on. Copies of training images among them, an easier
        selection, or labels that can be read off the image make a score that will not hold.
    Fix: striate lints the data when it loads them (D022, D024, D028); divide by patient, film or day: a CSV with a
        column split says which.
    Source: Schoop et al. 2021, "UMLAUT" (validation above training by 5 points, or above 95 %); Kaufman et al. 2012,
        "Leakage in data mining".
    """
    from striate.runs.interval import wilson_interval

    facts, points = story.facts, story.epochs
    if facts.val == 0 or not points or facts.mixed:
        return
    fix = "look for copies of training images in val (findings D022, D024); divide by origin with a split column"
    margin = _POINTS_RANDOM if facts.random else _POINTS
    for earlier, later in itertools.pairwise(points):
        if earlier.val_accuracy is None or later.train_accuracy is None or later.epoch < _FIRST:
            continue
        low = wilson_interval(round(earlier.val_accuracy * facts.val), facts.val).low
        if low > later.train_accuracy + margin:
            yield Remark(
                "val",
                f"validation was {100 * earlier.val_accuracy:.1f} % right (at least {100 * low:.1f} %) after epoch"
                f" {earlier.epoch}, and training {100 * later.train_accuracy:.1f} % in epoch {later.epoch}",
                fix,
            )
            return
    first = points[0].val_accuracy
    if first is not None and first >= _PERFECT and facts.val >= _FEWEST and facts.classes > 1:
        told = f"validation is {100 * first:.1f} % right after the first epoch: the task is very easy, or val leaks"
        yield Remark("val", told, fix, severity="info")
