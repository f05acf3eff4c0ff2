"""T102: what the untrained network says is not finite."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["outputs_not_finite"]


@run_rule("T102", "outputs-not-finite", "error", "start")
def outputs_not_finite(story: Story) -> Iterator[Remark]:
    """The outputs or the loss of the first weights are not finite.

    What: an output for the first training images, or their loss, is NaN or infinite before any step.
    Why: the first step makes every weight NaN. Weights that are too large overflow layer by layer, and a division by a
        deviation of 0 gives NaN.
    Fix: --init auto; a normalisation between the layers; --precision fp32.
    Source: Karpathy 2019, "A recipe for training neural networks".
    """
    if story.start is not None and not story.start.finite:
        yield Remark(
            None, "with the first weights the outputs or the loss are not finite", "--init auto --precision fp32"
        )
