"""T502: steps that are far too large or too small for the weights."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["update_ratio"]

_LOW, _HIGH = 1e-4, 1e-1
_SAMPLES = 5
#: Below this share of the peak learning rate, steps are small on purpose.
_RATE = 0.1
#: And below this share of the first loss they are small because little is left to learn.
_LEARNT = 0.5


@run_rule("T502", "update-ratio", "warning", "samples")
def update_ratio(story: Story) -> Iterator[Remark]:
    """A step changes the weights of a layer by far too much or too little.

    What: the median of five samples in turn of ‖change‖ / ‖weights‖ is above 1/10 or below 1/10,000, for a layer's
        weights, at a learning rate of at least a tenth of its peak. Small steps count while the loss is above half of
        what it began with.
    Why: above, a step replaces what was learnt; below, thousands of steps are needed to learn anything. About 1/1000 is
        usual.
    Fix: a --learning-rate that is larger or smaller by the factor that is told.
    Source: Ben Braiek and Khomh 2023 (TheDeepChecker), log10 of the ratio outside [-4, -1]; Karpathy, CS231n, "ratio of
        weights:updates".
    """
    newest = story.samples[-_SAMPLES:]
    peak = story.facts.peak_rate
    if len(newest) < _SAMPLES or any(sample.rate < _RATE * peak for sample in newest):
        return
    first, loss = story.start_loss, newest[-1].loss
    low = 0.0 if first is None or loss is None or loss < _LEARNT * first else _LOW
    for name in newest[-1].gradients:
        ratios = [
            sample.updates[name] / sample.weights[name]
            for sample in newest
            if sample.weights.get(name) and name in sample.updates
        ]
        if len(ratios) < _SAMPLES or not (ratio := statistics.median(ratios)) > 0:
            continue
        if not low <= ratio <= _HIGH:
            rate = peak * min(max(1e-3 / ratio, 1e-3), 1e3)
            yield Remark(
                name.rpartition(".")[0],
                f"step {newest[-1].step}: a step changes its weights by {ratio:.2g} of their norm; 0.001 is usual",
                f"--learning-rate {rate:.1g}",
            )
