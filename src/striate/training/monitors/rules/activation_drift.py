"""T303: what leaves a layer has another scale than at the start."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Sample, Story

__all__ = ["activation_drift"]

#: Deviation, and distance of the mean, in deviations of the start.
_TIMES = 100.0
_SAMPLES = 3


@run_rule("T303", "activation-drift", "warning", "samples")
def activation_drift(story: Story) -> Iterator[Remark]:
    """What leaves a layer has another scale than at the start.

    What: the deviation of a layer's outputs has become more than 100 times, or less than 1/100 of, what it was in the
        first sample, or their mean has moved by 100 such deviations, in three samples in turn.
    Why: a network whose numbers run away is about to overflow, or lives on one bias; one whose numbers shrink to
        nothing gives all images the same.
    Fix: batchnorm behind the layer, a smaller --learning-rate, --weight-decay.
    Source: Ioffe and Szegedy 2015, "Batch normalization" (the shift of activations while training); threshold: five
        times and more above what healthy trainings of the zoo show.
    """
    newest = story.samples[-_SAMPLES:]
    if story.first is None or len(newest) < _SAMPLES:
        return
    for name, (_, deviation) in story.first.outputs.items():
        if not (deviation > 0 and all(_drifted(sample, story.first, name) for sample in newest)):
            continue
        mean, now = newest[-1].outputs[name]
        yield Remark(
            name,
            f"step {newest[-1].step}: its outputs have mean {mean:.3g} and deviation {now:.3g}; the deviation at the"
            f" start was {deviation:.3g}",
            "batchnorm behind it, or a smaller --learning-rate",
        )


def _drifted(sample: Sample, first: Sample, name: str) -> bool:
    if name not in sample.outputs:
        return False
    (start, deviation), (mean, now) = first.outputs[name], sample.outputs[name]
    if not (math.isfinite(mean) and math.isfinite(now)):
        return True
    return not deviation / _TIMES <= now <= deviation * _TIMES or abs(mean - start) > _TIMES * deviation
