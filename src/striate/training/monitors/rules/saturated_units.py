"""T302: tanh or sigmoid units at the ends of their range."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["saturated_units"]

_SATURATION = 0.85
_SAMPLES = 3


@run_rule("T302", "saturated-units", "warning", "samples")
def saturated_units(story: Story) -> Iterator[Remark]:
    """A tanh or sigmoid layer works at the ends of its range.

    What: the mean distance of its outputs from the middle, with the ends at 1, is above 0.85 in three samples in turn.
    Why: there the function is flat: the gradient is nearly 0, and the layers before it stop learning.
    Fix: batchnorm before it, a smaller --learning-rate, --init xavier, or relu in its place.
    Source: Ben Braiek and Khomh 2023 (TheDeepChecker), saturation above 0.85; Rakitianskaia and Engelbrecht 2015,
        "Measuring saturation in neural networks".
    """
    newest = story.samples[-_SAMPLES:]
    if len(newest) < _SAMPLES:
        return
    for name, value in newest[-1].saturation.items():
        if all(sample.saturation.get(name, 0.0) > _SATURATION for sample in newest):
            yield Remark(
                name,
                f"step {newest[-1].step}: its outputs are {value:.2f} from the middle in the mean, and 1 is the end",
                "batchnorm before it, or relu in its place; a smaller --learning-rate",
            )
