"""T501: parameters that no step moves."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["unmoved_parameters"]

_SAMPLES = 3
#: Below this share of the peak learning rate a step may be too small to change a number.
_RATE = 0.01
_SHOWN = 10


@run_rule("T501", "unmoved-parameters", "warning", "samples")
def unmoved_parameters(story: Story) -> Iterator[Remark]:
    """A parameter is not moved by any step.

    What: three samples in turn changed not one number of a parameter, at a learning rate of at least 1 % of its peak.
    Why: it is frozen by mistake: its gradient is 0 because of dead units or a way that is cut, or the optimizer does
        not know it. What is left is training around random numbers.
    Fix: connect the layer; where its units are dead, a smaller --learning-rate.
    Source: Amazon SageMaker Debugger, rule UnchangedTensor (3 steps); Ben Braiek and Khomh 2023 (TheDeepChecker),
        untrained parameters.
    """
    newest = story.samples[-_SAMPLES:]
    if len(newest) < _SAMPLES or any(sample.rate < _RATE * story.facts.peak_rate for sample in newest):
        return
    still = [name for name in newest[-1].updates if all(sample.updates.get(name) == 0.0 for sample in newest)]
    for name in still[:_SHOWN]:
        yield Remark(
            name,
            f"steps {newest[0].step} to {newest[-1].step} did not change it: frozen, or without a gradient",
            "connect the layer, or leave it out; where its units are dead, a smaller --learning-rate",
        )
    if len(still) > _SHOWN:
        yield Remark(None, f"{len(still) - _SHOWN} further parameters are not moved", "look at those that are named")
