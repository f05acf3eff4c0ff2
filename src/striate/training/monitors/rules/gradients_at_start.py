"""T105: the first gradient vanishes or explodes through the depth."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.depth import exploding, vanishing
from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["gradients_at_start"]


@run_rule("T105", "gradients-at-start", "warning", "start")
def gradients_at_start(story: Story) -> Iterator[Remark]:
    """The first gradient vanishes or explodes through the depth.

    What: before the first step, the gradient of the first layer's weights has a norm below 0.0001 and below 1/1000 of
        the last layer's; or above 1 and 70 times the last layer's.
    Why: the first layers then learn nothing, or overshoot, while the last ones learn as they should.
    Fix: a normalisation between the layers, residual connections, relu in place of sigmoid and tanh, --init auto.
    Source: Zhang et al. 2021, "AutoTrainer", section 3.2 (its thresholds); Glorot and Bengio 2010.
    """
    if story.start is None or not story.start.finite:
        return
    gradients = story.start.gradients
    if (found := vanishing(gradients)) is not None:
        yield Remark(found.layer, f"before the first step {found.told}", "batchnorm between the layers; --init auto")
    elif (found := exploding(gradients)) is not None:
        yield Remark(found.layer, f"before the first step {found.told}", "batchnorm between the layers; --clip 1")
