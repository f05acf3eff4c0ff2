"""T106: units that give 0 for every image before any training."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["dead_units_at_start"]

_SHARE = 0.5
#: With few images, a unit may well be silent for all of them.
_FEWEST = 16


@run_rule("T106", "dead-units-at-start", "warning", "start")
def dead_units_at_start(story: Story) -> Iterator[Remark]:
    """Most units of a layer give 0 for every image before any training.

    What: more than half of the units (channels) behind a relu are 0 for each of the first training images, at every
        position. Nothing is said with fewer than 16 images.
    Why: a unit that is 0 everywhere gets no gradient and stays as it is: the layer is smaller than it looks.
    Fix: --init auto; biases that begin at 0; inputs around 0; leakyrelu.
    Source: Amazon SageMaker Debugger, rule DeadRelu (half of the units); Lu et al. 2019, "Dying ReLU and
        initialization".
    """
    if story.start is None or story.start.images < _FEWEST:
        return
    for name, share in story.start.dead.items():
        if share > _SHARE:
            yield Remark(
                name,
                f"{100 * share:.0f} % of its units are 0 for all of {story.start.images} images before training",
                "--init auto, or leakyrelu",
                severity="error" if share == 1 else None,
            )
