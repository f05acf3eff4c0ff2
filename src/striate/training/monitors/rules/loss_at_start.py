"""T101: the first loss is far from that of a network that knows nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator

from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["loss_at_start"]

#: The first loss may be so many times what is expected, and this much above; and no lower than this share of it. With
#: --init auto every classifier of the zoo stays within 3 %; logits of a deviation of 1.7 are 1.5 times for 10 classes.
_HIGH, _ABOVE, _LOW = 1.5, 0.25, 0.5
#: Values may lie anywhere, and then 0 is a bad guess that is no network's fault.
_HIGH_OF_VALUES, _ABOVE_OF_VALUES = 4.0, 1.0


@run_rule("T101", "loss-at-start", "warning", "start")
def loss_at_start(story: Story) -> Iterator[Remark]:
    """The first loss is far from that of a network that knows nothing.

    What: the loss of the first weights is more than 1.5 times (for values: four times), or for classes and tags less
        than half, the loss of outputs that are all 0. For cross-entropy over C classes that is ln C, class weights and
        label smoothing included.
    Why: far above, the network begins sure of wrong answers, and the first steps only take them back. Far below, it
        knows the answers already: it was trained on these images, or the images show their labels.
    Fix: first weights that are smaller in the last layer (--init auto); inputs around 0; for values, targets written as
        (value - mean) / deviation.
    Source: Karpathy 2019, "A recipe for training neural networks" (verify the loss at the beginning); Ben Braiek and
        Khomh 2023, "Testing feedforward neural networks training programs" (TheDeepChecker), poor initial loss.
    """
    start = story.start
    if start is None or not start.finite or not math.isfinite(start.loss) or start.expected <= 0:
        return
    told = f"the first loss is {start.loss:.3g}, and that of a network that knows nothing {start.expected:.3g}"
    values = story.facts.task == "values"
    high, above = (_HIGH_OF_VALUES, _ABOVE_OF_VALUES) if values else (_HIGH, _ABOVE)
    if start.loss > high * start.expected and start.loss - start.expected > above:
        yield Remark(None, told, "--init auto; smaller weights in the last layer")
    elif start.loss < _LOW * start.expected and not values:
        yield Remark(None, f"{told}: it knows the answers before it is trained", "look for labels inside the images")
