"""T301: units that give 0 for every image."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["dead_units"]

_SHARE = 0.5
#: Samples in turn that have to show it, beyond those that a unit has to be silent in.
_SAMPLES = 2
#: Images that all samples together have to have, since a unit may well be silent for a few.
_FEWEST = 48


@run_rule("T301", "dead-units", "warning", "samples")
def dead_units(story: Story) -> Iterator[Remark]:
    """Most units behind a relu give 0 for every image.

    What: more than half of the units (channels) behind a relu were 0 for every image and position of the newest three
        samples of up to 32 images, twice in turn.
    Why: a unit that is always 0 gets no gradient and never comes back: one step that was too large killed it, and
        the layer is smaller than it looks.
    Fix: a smaller --learning-rate or --clip 1, batchnorm before the relu, leakyrelu.
    Source: Amazon SageMaker Debugger, rule DeadRelu (more than half of the units active for less than 1 %); Lu et al.
        2019, "Dying ReLU and initialization".
    """
    newest = story.samples[-_SAMPLES:]
    if len(newest) < _SAMPLES or 3 * min(story.facts.batch, 32) < _FEWEST:
        return
    for name, share in newest[-1].dead.items():
        if all(sample.dead.get(name, 0.0) > _SHARE for sample in newest):
            yield Remark(
                name,
                f"step {newest[-1].step}: {100 * share:.0f} % of its units were 0 for every image looked at",
                "a smaller --learning-rate or --clip 1; batchnorm before it, or leakyrelu",
                severity="error" if share == 1 else None,
            )
