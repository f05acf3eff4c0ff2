"""T202: the gradient grows on its way to the first layers, or beyond what it was."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.training.monitors.depth import exploding
from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Sample, Story

__all__ = ["exploding_gradients"]

_SAMPLES = 3
#: A gradient that has grown so many times since the first sample, and is at least so long.
_GROWTH, _LONG = 1000.0, 100.0


@run_rule("T202", "exploding-gradients", "warning", "samples")
def exploding_gradients(story: Story) -> Iterator[Remark]:
    """The gradient is many times too large.

    What: in three samples in turn the gradient of the first layer's weights is above 1 and more than 70 times the last
        layer's; or the whole gradient has grown 1000 times since the first sample, beyond a norm of 100; or it is not
        finite.
    Why: one such step throws away what was learnt; a few make the weights infinite.
    Fix: --clip 1, a smaller --learning-rate, a normalisation between the layers.
    Source: Zhang et al. 2021, "AutoTrainer", section 3.2 (ratio 70); Pascanu, Mikolov, Bengio 2013 (clipping);
        Amazon SageMaker Debugger, rule ExplodingTensor.
    """
    fix = "--clip 1, or a smaller --learning-rate"
    if not story.samples or story.first is None:
        return
    newest = story.samples[-1]
    broken = [name for name, norm in newest.gradients.items() if not math.isfinite(norm)]
    if broken:
        layer = broken[-1].rpartition(".")[0]
        yield Remark(layer, f"step {newest.step}: the gradient is not finite", fix, severity="error")
        return
    length, first = _length(newest), _length(story.first)
    if first > 0 and length > _GROWTH * first and length > _LONG:
        name = max(newest.gradients, key=lambda entry: newest.gradients[entry])
        told = f"step {newest.step}: the whole gradient has a norm of {length:.3g}, {first:.3g} at the start"
        yield Remark(name.rpartition(".")[0], f"{told}; most of it is here", fix)
        return
    found = [exploding(sample.gradients) for sample in story.samples[-_SAMPLES:]]
    if len(found) == _SAMPLES and all(found) and found[-1] is not None:
        yield Remark(found[-1].layer, f"step {newest.step}: {found[-1].told}", fix)


def _length(sample: Sample) -> float:
    return math.sqrt(sum(norm**2 for norm in sample.gradients.values()))
