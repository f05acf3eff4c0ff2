"""T201: the gradient vanishes on its way to the first layers."""

from __future__ import annotations

from collections.abc import Iterator

from striate.training.monitors.depth import vanishing
from striate.training.monitors.rule import Remark, run_rule
from striate.training.monitors.story import Story

__all__ = ["vanishing_gradients"]

#: So many samples in turn have to show it.
_SAMPLES = 3


@run_rule("T201", "vanishing-gradients", "warning", "samples")
def vanishing_gradients(story: Story) -> Iterator[Remark]:
    """The gradient vanishes on its way to the first layers.

    What: in three samples in turn the gradient of the first layer's weights has a norm below 0.0001 and below 1/1000 of
        the last layer's.
    Why: the first layers are not trained: the network is as good as its last layers on random features.
    Fix: a batchnorm between the layers, residual connections, relu in place of sigmoid or tanh, --init auto.
    Source: Zhang et al. 2021, "AutoTrainer: an automatic DNN training problem detection and repair system", section 3.2
        (ratio 0.001, norm 0.0001).
    """
    newest = story.samples[-_SAMPLES:]
    found = [vanishing(sample.gradients) for sample in newest]
    if len(found) == _SAMPLES and all(found) and found[-1] is not None:
        yield Remark(
            found[-1].layer,
            f"step {newest[-1].step}: {found[-1].told}",
            "batchnorm between the layers, or relu in place of sigmoid and tanh; --init auto",
        )
